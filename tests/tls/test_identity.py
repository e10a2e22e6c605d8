"""The system title in a certificate: written, read back, and refused when it is not right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from tls.certificates import make_authority, make_leaf
from tls.credentials import Validity
from tls.identity import (
    HARDWARE_MODULE_NAME,
    IdentityError,
    any_title,
    exactly,
    hardware_module_name,
    parse_hardware_module_name,
    system_title_of,
)
from tls.pki import SERVER

TITLE = bytes.fromhex("4C4142FFFFFFFFFE")
# Encoded by hand: SEQUENCE { 1.3.6.1.4.1.32473.1, OCTET STRING }.
VECTOR = bytes.fromhex("3015 0609 2B0601040181FD5901 0408 4C4142FFFFFFFFFE")

_NOW = datetime(2024, 1, 1, tzinfo=UTC)
_VALIDITY = Validity(not_before=_NOW, not_after=_NOW + timedelta(days=1))
_AUTHORITY = make_authority("authority", _VALIDITY, path_length=0)


def _certificate(*names: x509.GeneralName) -> bytes:
    leaf, _ = make_leaf("leaf", _VALIDITY, _AUTHORITY, names=names, purposes=[SERVER])
    return leaf.public_bytes(Encoding.DER)


@given(st.binary(min_size=8, max_size=8))
def test_any_title_comes_back(title: bytes) -> None:
    assert system_title_of(_certificate(hardware_module_name(title))) == title


@given(
    st.binary(min_size=8, max_size=8),
    st.integers(0, 2),
    st.integers(0, 39),
    # cryptography takes object identifiers of 63 octets: 10 arcs of 6 fit.
    st.lists(st.integers(0, 2**42 - 1), max_size=10),
)
def test_any_hardware_type(title: bytes, first: int, second: int, arcs: list[int]) -> None:
    oid = x509.ObjectIdentifier(".".join(str(arc) for arc in (first, second, *arcs)))
    assert parse_hardware_module_name(hardware_module_name(title, oid).value) == title


def test_longest_hardware_type() -> None:
    oid = x509.ObjectIdentifier("1.3.127.127" + ".268435455" * 15)
    name = hardware_module_name(TITLE, oid)
    assert name.value[:4] == b"\x30\x4b\x06\x3f"
    assert system_title_of(_certificate(name)) == TITLE


def test_encoding() -> None:
    name = hardware_module_name(TITLE)
    assert name.type_id.dotted_string == "1.3.6.1.5.5.7.8.4"
    assert name.value == VECTOR
    assert parse_hardware_module_name(VECTOR) == TITLE


def test_other_names_do_not_disturb() -> None:
    upn = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a")
    names = (x509.DNSName("meter.test"), upn, hardware_module_name(TITLE))
    assert system_title_of(_certificate(*names)) == TITLE


MALFORMED = {
    "empty": ("", "cut short"),
    "not a sequence": ("04084C4142FFFFFFFFFE", "tag 04"),
    "octets behind": (VECTOR.hex() + "00", "left over"),
    "cut short": (VECTOR.hex()[:-2], "cut short"),
    "indefinite length": ("3080" + VECTOR.hex()[4:] + "0000", "length"),
    "long length where short would do": ("308115" + VECTOR.hex()[4:], "length"),
    "no hwType": ("300A04084C4142FFFFFFFFFE", "hwType has tag 04"),
    "empty hwType": ("300C060004084C4142FFFFFFFFFE", "complete object identifier"),
    "incomplete hwType": ("300D06018104084C4142FFFFFFFFFE", "complete object identifier"),
    "more than 127 octets": ("308180" + "00" * 128, "length"),
    "padded hwType": ("300E0602800104084C4142FFFFFFFFFE", "leading zeros"),
    "no hwSerialNum": ("300306012B", "hwSerialNum is cut short"),
    "hwSerialNum is a string": ("300D06012B0C084C4142FFFFFFFFFE", "tag 0C"),
    "7 octets": ("300C06012B04074C4142FFFFFFFF", "8 octets, not 7"),
    "9 octets": ("300E06012B04094C4142FFFFFFFFFE00", "8 octets, not 9"),
    "empty title": ("300506012B0400", "8 octets, not 0"),
    "a third element": ("300F06012B04084C4142FFFFFFFFFE0500", "behind hwSerialNum"),
}


@pytest.mark.parametrize(("der", "complaint"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_name_is_refused(der: str, complaint: str) -> None:
    with pytest.raises(IdentityError, match=complaint):
        parse_hardware_module_name(bytes.fromhex(der))


@given(
    st.binary(max_size=40)
    | st.builds(
        lambda i, b: VECTOR[:i] + b + VECTOR[i + 1 :], st.integers(0, 22), st.binary(max_size=2)
    )
)
def test_arbitrary_octets_give_a_title_or_an_identity_error(octets: bytes) -> None:
    try:
        title = parse_hardware_module_name(octets)
    except IdentityError:
        return
    assert len(title) == 8
    assert octets.endswith(title)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ((), "no subjectAltName"),
        ((x509.DNSName("meter.test"),), "no HardwareModuleName"),
        ((hardware_module_name(TITLE), hardware_module_name(TITLE)), "2 HardwareModuleNames"),
        ((hardware_module_name(TITLE), hardware_module_name(bytes(8))), "2 HardwareModuleNames"),
        (
            (x509.OtherName(HARDWARE_MODULE_NAME, bytes.fromhex("300506012B0400")),),
            "8 octets, not 0",
        ),
    ],
)
def test_certificate_without_one_good_title_is_refused(
    names: tuple[x509.GeneralName, ...], complaint: str
) -> None:
    with pytest.raises(IdentityError, match=complaint):
        system_title_of(_certificate(*names))


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(IdentityError, match="cannot be read"):
        system_title_of(b"\x30\x03\x02\x01\x00")


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_octets_of_a_certificate_changed_never_raise_anything_else() -> None:
    good = _certificate(hardware_module_name(TITLE))
    for position in range(len(good)):
        bad = good[:position] + bytes((good[position] ^ 0xFF,)) + good[position + 1 :]
        try:
            assert len(system_title_of(bad)) == 8
        except IdentityError:
            continue


@pytest.mark.parametrize("length", [0, 7, 9])
def test_title_of_another_length_is_never_written(length: int) -> None:
    with pytest.raises(IdentityError, match=f"not {length}"):
        hardware_module_name(bytes(length))
    with pytest.raises(IdentityError, match=f"not {length}"):
        exactly(bytes(length))


def test_title_checks() -> None:
    assert any_title(TITLE)
    assert not any_title(None)
    check = exactly(TITLE)
    assert check(TITLE)
    assert not check(bytes(8))
    assert not check(None)
