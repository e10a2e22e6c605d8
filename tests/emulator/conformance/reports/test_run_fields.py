"""Octets cut into fields: every octet in one of them, whatever they are."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dlms.framing.wrapper import Wpdu
from emulator.conformance.probing.record import Level
from emulator.conformance.reports.fields import Field, fields_of
from emulator.conformance.running.result import RunResult
from emulator.decoding.fields import NOT_UNDERSTOOD


def _tiles(fields: tuple[Field, ...], size: int) -> None:
    position = 0
    for one in fields:
        assert one.start == position
        assert one.stop > one.start
        position = one.stop
    assert position == size


@given(st.binary(max_size=80), st.sampled_from((Level.OCTETS, Level.APDU, Level.PLAIN)))
def test_of_anything(octets: bytes, level: Level) -> None:
    _tiles(fields_of(octets, level), len(octets))


@given(
    st.sampled_from((0x01, 0x60, 0x61, 0x62, 0xC0, 0xC1, 0xC3, 0xC8, 0xDB, 0xDD, 0xDF, 0xE0)),
    st.binary(max_size=80),
)
def test_of_anything_that_begins_well(tag: int, octets: bytes) -> None:
    apdu = bytes((tag,)) + octets
    _tiles(fields_of(apdu, Level.APDU), len(apdu))
    wpdu = Wpdu(16, 1, apdu).encode()
    _tiles(fields_of(wpdu, Level.OCTETS), len(wpdu))


@given(st.data())
def test_of_records(runs: SearchStrategy[RunResult], data: st.DataObject) -> None:
    for case in data.draw(runs).cases:
        for entry in case.record:
            _tiles(fields_of(entry.octets, entry.level), len(entry.octets))


def _named(octets: bytes, level: Level) -> dict[str, str]:
    """The last value of each name."""
    fields = fields_of(octets, level)
    assert NOT_UNDERSTOOD not in {one.name for one in fields}
    assert "left over" not in {one.name for one in fields}
    return {one.name: one.value for one in fields if not one.secret}


def test_an_aare(fabricated: ModuleType) -> None:
    found = _named(fabricated.AARE, Level.APDU)
    assert found["application-context-name"] == "LN"
    assert found["result"] == "ACCEPTED"
    assert found["result-source-diagnostic"] == "NULL"
    assert "get" in found["negotiated-conformance"].split(", ")
    assert found["server-max-receive-pdu-size"] == "512"
    assert found["vaa-name"] == "0007"


def test_an_aarq_in_a_wrapper(fabricated: ModuleType) -> None:
    octets = fabricated.WHOLE[0]
    found = _named(octets, Level.OCTETS)
    assert (found["source wPort"], found["destination wPort"]) == ("16", "1")
    assert found["mechanism-name"] == "LLS"
    assert found["client-max-receive-pdu-size"] == "512"
    secrets = {
        octets[one.start : one.stop] for one in fields_of(octets, Level.OCTETS) if one.secret
    }
    assert secrets == {fabricated.PASSWORD, fabricated.DEDICATED}


def test_frames_of_hdlc(fabricated: ModuleType) -> None:
    found = _named(fabricated.SNRM, Level.OCTETS)
    assert found["destination address"] == "1/17"
    assert found["source address"] == "16"
    assert found["control"] == "SNRM P/F"
    assert found["FCS"] == "right"
    whole = fabricated.SNRM + fabricated.HDLC_AARQ
    fields = fields_of(whole, Level.OCTETS)
    assert [one.value for one in fields if one.name == "control"] == [
        "SNRM P/F", "I N(R)=0 N(S)=0 P/F",
    ]  # fmt: skip
    assert [one.value for one in fields if one.name in ("HCS", "FCS")] == ["right"] * 3
    broken = bytearray(fabricated.HDLC_AARQ)
    broken[-2] ^= 1
    wrong = [one for one in fields_of(bytes(broken), Level.OCTETS) if one.name == "FCS"]
    assert wrong[0].value.startswith("wrong, ")


def test_a_later_segment_is_not_shown(fabricated: ModuleType) -> None:
    frame = fabricated.Frame(
        fabricated.Address(1), fabricated.Address(16), fabricated.Control(fabricated.Kind.I),
        fabricated.AARQ[20:],
    ).encode()  # fmt: skip
    (information,) = [one for one in fields_of(frame, Level.OCTETS) if one.name == "information"]
    assert information.secret


def test_ciphered(fabricated: ModuleType) -> None:
    found = _named(fabricated.GLO_GET, Level.APDU)
    assert found["tag"] == "glo-get-request"
    assert found["security control"] == "suite 0, authenticated, encrypted"
    assert found["invocation counter"] == "7"
    assert found["ciphertext"] == "8 octets"
    assert found["authentication tag"] == "00" * 12
    general = _named(fabricated.GENERAL, Level.APDU)
    assert general["system title"] == b"ABC12345".hex()
    assert general["invocation counter"] == "8"


def test_only_authenticated(fabricated: ModuleType) -> None:
    """What is not encrypted is read, and its secrets are known."""
    clear = fabricated.encode_ciphered(
        0xC1, fabricated.Family.GLOBAL, fabricated.Form.SERVICE, 0x10, 9,
        fabricated.SECRET_SET + bytes(12), b"",
    )  # fmt: skip
    fields = fields_of(clear, Level.APDU)
    assert [one.value for one in fields if one.name == "logical name"] == [
        "0-0:40.0.0.255 (current association)"
    ]
    assert [one.name for one in fields if one.secret] == ["data"]
    assert fields[-1].name == "authentication tag"


def test_only_encrypted(fabricated: ModuleType) -> None:
    ciphered = fabricated.encode_ciphered(
        0xC0, fabricated.Family.GLOBAL, fabricated.Form.SERVICE, 0x20, 9, bytes(20), b""
    )
    found = _named(ciphered, Level.APDU)
    assert found["ciphertext"] == "20 octets"
    assert "authentication tag" not in found


def test_a_new_secret_of_hls() -> None:
    apdu = bytes.fromhex("c301c1000f0000280000ff02010904deadbeef")
    assert [one.name for one in fields_of(apdu, Level.PLAIN) if one.secret] == ["data"]


def test_only_what_may_be_an_aarq_is_hidden(fabricated: ModuleType) -> None:
    """What cannot be read behind an AARQ, in a WPDU of its own, is shown."""
    cut = bytes.fromhex("c401c10009")
    octets = Wpdu(16, 1, fabricated.AARQ).encode() + Wpdu(16, 1, cut).encode()
    last = fields_of(octets, Level.OCTETS)[-1]
    assert last.name == NOT_UNDERSTOOD
    assert not last.secret


def test_a_get(fabricated: ModuleType) -> None:
    found = _named(fabricated.GET, Level.PLAIN)
    assert found["class id"] == "8 (Clock)"
    assert found["logical name"] == "0-0:1.0.0.255 (clock)"
    assert found["attribute"] == "2 (time)"
    answer = _named(fabricated.GOT, Level.PLAIN)
    assert answer["data[0]"] == "long-unsigned 4711"
    assert answer["data[1]"] == f"octet-string {b'kWh'.hex()}"
    refused = _named(fabricated.EXCEPTION, Level.PLAIN)
    assert refused["state-error"] == "SERVICE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("octets", "level"),
    [
        ("25001000000000", Level.APDU),  # cut in front of its authentication tag
        ("c8001000000000", Level.APDU),
        ("170303000000", Level.OCTETS),
        ("1703030005aabbccddee1703030001", Level.OCTETS),  # a record of which only the head came
        ("db00", Level.APDU),
    ],
)
def test_what_is_not_there_is_no_field(octets: str, level: Level) -> None:
    raw = bytes.fromhex(octets)
    _tiles(fields_of(raw, level), len(raw))


def test_records_of_tls(fabricated: ModuleType) -> None:
    found = _named(fabricated.TLS_RECORD, Level.OCTETS)
    assert found["TLS content type"] == "application_data"
    assert found["fragment"] == "5 octets"


@pytest.mark.parametrize("cut", range(2, 70))
def test_what_is_left_of_an_aarq_is_not_shown(cut: int, fabricated: ModuleType) -> None:
    """However it is broken, no octet of its password or key is in a field that is shown."""
    apdu = fabricated.AARQ
    start = apdu.index(fabricated.PASSWORD)
    broken = bytearray(apdu)
    broken[cut] ^= 0x55
    for octets in (apdu[:cut], bytes(broken)):
        for one in fields_of(octets, Level.APDU):
            if not one.secret and one.start < start + 8 and one.stop > start + 1:
                # It is the tag, the length or the choice that is changed, not what is behind it.
                assert fabricated.PASSWORD not in octets[one.start : one.stop]
