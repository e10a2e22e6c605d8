"""The opening of an optical port (IEC 62056-21, mode E)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.errors import CodecError
from dlms.framing.mode_e import (
    MAX_LINE,
    REACTION_TIME,
    Failed,
    Identification,
    LineSettings,
    ModeEClient,
    ModeEMeter,
    Stage,
    Switched,
    decode_identification,
    encode_acknowledgement,
    encode_request,
)

ITRON = Identification("ITR", "5", "ACE6000", True)


def test_octets() -> None:
    """Written by hand from IEC 62056-21, 6.3."""
    assert encode_request() == b"/?!\r\n"
    assert encode_request("12345678") == b"/?12345678!\r\n"
    assert ITRON.encode() == b"/ITR5\\2ACE6000\r\n"
    assert encode_acknowledgement("5") == b"\x062" + b"5" + b"2\r\n"
    assert encode_acknowledgement("5", hdlc=False) == b"\x06050\r\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"/ITR5\\2ACE6000", ITRON),
        (b"/LGZ4ZMF100AC.M23", Identification("LGZ", "4", "ZMF100AC.M23", False)),
        (b"/EMHa\\@01\\2x", Identification("EMH", "a", "01\\2x", False)),
        (b"/EMH6\\@\\2x", Identification("EMH", "6", "x", True)),
        (b"/Elster"[:4] + b"5", Identification("Els", "5", "", False)),
        # As published by people who read such meters.
        (b"/APA5\\2NORAX30", Identification("APA", "5", "NORAX30", True)),
        (b"/AUX5\\2S34HUHD19FWV06", Identification("AUX", "5", "S34HUHD19FWV06", True)),
    ],
)
def test_identification(line: bytes, found: Identification) -> None:
    assert decode_identification(line) == found


@pytest.mark.parametrize(
    "line",
    [b"", b"/ITR", b"ITR5x", b"/IT25x", b"/ITR5\x01", b"/ITR5" + b"x" * 17, b"/ITR5\xff",
     b"/ITR!x", b"/ITR5x/", b"/?!"],
)  # fmt: skip
def test_no_identification(line: bytes) -> None:
    with pytest.raises(CodecError):
        decode_identification(line)


@pytest.mark.parametrize("address", ["x" * 33, "ä", "!", "1-2", "1\n"])
def test_addresses_that_cannot_be(address: str) -> None:
    with pytest.raises(CodecError):
        encode_request(address)


def test_addresses_with_a_space() -> None:
    assert encode_request("A b 7") == b"/?A b 7!\r\n"


@pytest.mark.parametrize(
    "wrong",
    [
        {"manufacturer": "IT"},
        {"manufacturer": "IT1"},
        {"manufacturer": "ÄTR"},
        {"baud_character": ""},
        {"baud_character": "/"},
        {"identification": "x" * 17},
        {"identification": "a\nb"},
    ],
)
def test_identifications_that_cannot_be_sent(wrong: dict[str, str]) -> None:
    with pytest.raises(CodecError):
        ITRON._replace(**wrong).encode()
    with pytest.raises(CodecError):
        ModeEMeter(ITRON._replace(**wrong))


@pytest.mark.parametrize(
    ("character", "hdlc", "mode", "baud"),
    [
        ("0", True, "E", 300),
        ("6", True, "E", 19200),
        ("4", False, "C", 4800),
        ("F", False, "B", None),
        ("Z", True, "A", None),
    ],
)
def test_what_a_meter_offers(character: str, hdlc: bool, mode: str, baud: int | None) -> None:
    found = Identification("ITR", character, "x", hdlc)
    assert (found.mode, found.baud) == (mode, baud)


def opening(client: ModeEClient, meter: ModeEMeter, pieces: int) -> list[Switched | Failed]:
    client.open(0.0)
    ends = []
    for _ in range(4):
        for octets, end in ((client.octets_to_send(), meter), (meter.octets_to_send(), client)):
            for at in range(0, len(octets), pieces):
                outcome = end.receive(octets[at : at + pieces], 0.0)
                if outcome is not None:
                    ends.append(outcome)
    return ends


@pytest.mark.parametrize("pieces", [1, 3, 100])
@pytest.mark.parametrize(("limit", "baud"), [(115200, 9600), (9600, 9600), (2400, 300)])
def test_both_ends_switch(pieces: int, limit: int, baud: int) -> None:
    client, meter = ModeEClient(baud=limit), ModeEMeter(ITRON, "0042")
    settings = LineSettings(baud, 8, False)
    assert opening(client, meter, pieces) == [Switched(settings), Switched(settings)]
    assert client.deadline() is None
    assert meter.deadline() is None


@pytest.mark.parametrize(
    ("address", "answered"), [("", True), ("42", True), ("00042", True), ("43", False)]
)
def test_only_the_meter_that_is_meant_answers(address: str, answered: bool) -> None:
    client, meter = ModeEClient(address), ModeEMeter(ITRON, "0042")
    assert bool(opening(client, meter, 100)) is answered


def test_a_meter_without_mode_e() -> None:
    meter = ModeEMeter(ITRON._replace(hdlc=False))
    (outcome,) = opening(ModeEClient(), meter, 100)
    assert outcome == Failed("ITR does not offer HDLC (mode E)")
    assert meter.receive(encode_acknowledgement("5"), 0.0) is None
    assert meter.octets_to_send() == b""


def test_a_meter_that_does_not_repeat_the_choice_has_switched() -> None:
    client = ModeEClient()
    client.open(0.0)
    assert client.receive(b"/?!\r\n" + ITRON.encode(), 1.0) is None, "the echo is passed over"
    # The choice and its repetition, of six characters each, take 0.4 s at 300 baud.
    assert client.deadline() == pytest.approx(1.0 + REACTION_TIME + 0.4)
    assert client.timeout(2.8) is None
    assert client.timeout(3.0) == Switched(LineSettings(9600, 8, False))


def test_silence() -> None:
    client = ModeEClient()
    client.open(0.0)
    assert client.timeout(REACTION_TIME) is None, "an identification takes a second to arrive"
    assert client.timeout(3.0) == Failed("meter does not identify itself")


def test_a_meter_forgets_a_sign_on() -> None:
    meter = ModeEMeter(ITRON)
    meter.receive(b"/?!\r\n", 0.0)
    deadline = meter.deadline()
    assert deadline is not None
    meter.timeout(deadline)
    assert meter.receive(encode_acknowledgement("5"), deadline) is None
    assert meter.stage is Stage.SIGN_ON


@pytest.mark.parametrize(
    "choice", [b"\x06050", b"\x06262", b"\x06253", b"\x062x2", b"\x06", b"\x062525"]
)
def test_choices_that_are_not_offered(choice: bytes) -> None:
    meter = ModeEMeter(ITRON)
    meter.receive(b"/?!\r\n", 0.0)
    assert meter.octets_to_send() == ITRON.encode()
    assert meter.receive(choice + b"\r\n", 0.0) is None
    assert meter.octets_to_send() == b""
    assert meter.stage is Stage.SIGN_ON


def test_with_parity_bits_left_on() -> None:
    meter = ModeEMeter(ITRON)
    meter.receive(bytes(octet | 0x80 * (octet.bit_count() & 1) for octet in b"/?!\r\n"), 0.0)
    assert meter.stage is Stage.IDENTIFIED


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_noise(pieces: list[bytes]) -> None:
    """Nothing raises, and nothing is kept that is longer than a line."""
    client, meter = ModeEClient(), ModeEMeter(ITRON)
    client.open(0.0)
    for piece in pieces:
        client.receive(piece, 0.0)
        meter.receive(piece, 0.0)
    for end in (client, meter):
        assert len(end._lines._buffer) <= MAX_LINE
