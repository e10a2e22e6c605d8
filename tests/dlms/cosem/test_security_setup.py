"""Security setup version 1 as Data: bits of a policy, keys by id, certificates and their names."""

from __future__ import annotations

import pytest

from dlms.axdr.data import Data, array, enum, octet_string, structure, unsigned
from dlms.cosem.security_setup import (
    ByEntity,
    BySerial,
    CertificateEntry,
    Entity,
    Identification,
    Policy,
    entries_data,
    entries_of,
    identification_data,
    identification_of,
    keys_data,
    keys_of,
)
from dlms.errors import CodecError
from dlms.security.control import Protection
from dlms.security.ops import CertificatePurpose

A, E, S = Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.SIGNED
NONE = Protection.NONE

# Green Book Ed. 8, Table 34: each bit by itself, and some together.
BITS = {
    0: (NONE, NONE),
    1 << 2: (A, NONE),
    1 << 3: (E, NONE),
    1 << 4: (S, NONE),
    1 << 5: (NONE, A),
    1 << 6: (NONE, E),
    1 << 7: (NONE, S),
    0b0110_1100: (A | E, A | E),
    0b1001_0000: (S, S),
    0b1111_1100: (A | E | S, A | E | S),
}


@pytest.mark.parametrize("bits", BITS)
def test_policies_are_bits(bits: int) -> None:
    policy = Policy.of_bits(bits)
    assert tuple(policy) == BITS[bits]
    assert policy.bits == bits
    assert policy.signs is bool(bits & 0b1001_0000)


@pytest.mark.parametrize("bits", [1, 2, 3, 0b0110_1101, 0x100, 0x104, -1])
def test_bits_that_are_not_used(bits: int) -> None:
    with pytest.raises(CodecError, match="not used"):
        Policy.of_bits(bits)


def test_weaker_is_any_bit_less() -> None:
    every = [Policy.of_bits(value << 2) for value in range(64)]
    for new in every:
        for present in every:
            assert new.weakens(present) is bool(present.bits & ~new.bits)


def test_keys() -> None:
    rows = {2: b"two", 0: b""}
    data = array(structure(enum(2), octet_string(b"two")), structure(enum(0), octet_string(b"")))
    assert keys_data(rows) == data
    assert keys_of(data) == rows
    assert list(keys_of(data)) == [2, 0]


ROW = structure(enum(0), octet_string(b""))


@pytest.mark.parametrize(
    "data", [None, array(), array(ROW, ROW), ROW, array(structure(unsigned(0), octet_string(b"")))]
)
def test_no_keys(data: Data | None) -> None:
    with pytest.raises(CodecError):
        keys_of(data)


ENTRY = CertificateEntry(Entity.CLIENT, CertificatePurpose.TLS, b"1", b"2", b"3", b"4")


def test_entries() -> None:
    """Blue Book 4.4.7.2.7: entity, type, serial number, issuer, subject, other name."""
    texts = [octet_string(text) for text in (b"1", b"2", b"3", b"4")]
    data = array(structure(enum(1), enum(2), *texts))
    assert entries_data([ENTRY]) == data
    assert entries_of(data) == (ENTRY,)
    assert entries_of(array()) == ()


@pytest.mark.parametrize(
    "head", [(enum(4), enum(0)), (enum(0), enum(4)), (unsigned(0), enum(0)), (enum(0),)]
)
def test_no_entries(head: tuple[Data, ...]) -> None:
    with pytest.raises(CodecError):
        entries_of(array(structure(*head, *[octet_string(b"")] * 4)))


TITLE = b"LAB\0\0\0\0\1"
OF_SERVER = structure(enum(0), structure(enum(0), enum(1), octet_string(TITLE)))
SERIAL = structure(enum(1), structure(octet_string(b"\2\1\5"), octet_string(b"name")))


@pytest.mark.parametrize(
    ("named", "data"),
    [
        (ByEntity(Entity.SERVER, CertificatePurpose.KEY_AGREEMENT, TITLE), OF_SERVER),
        (BySerial(b"\2\1\5", b"name"), SERIAL),
    ],
)
def test_names(named: Identification, data: Data) -> None:
    assert identification_data(named) == data
    assert identification_of(data) == named


@pytest.mark.parametrize(
    "data",
    [
        structure(enum(1), OF_SERVER.value[1]),
        structure(enum(0), SERIAL.value[1]),
        structure(enum(2), SERIAL.value[1]),
        structure(unsigned(1), SERIAL.value[1]),
        structure(enum(0), structure(enum(9), enum(1), octet_string(TITLE))),
        structure(enum(0), structure(enum(0), enum(9), octet_string(TITLE))),
        structure(enum(0), octet_string(TITLE)),
        array(enum(0)),
    ],
)
def test_no_names(data: Data) -> None:
    with pytest.raises(CodecError):
        identification_of(data)
