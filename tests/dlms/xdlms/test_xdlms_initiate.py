"""InitiateRequest, InitiateResponse, conformance, and the dedicated key that nobody sees."""

from __future__ import annotations

import pytest

from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.xdlms import conformance
from dlms.xdlms.conformance import Conformance, encode_conformance, read_conformance
from dlms.xdlms.initiate import (
    InitiateRequest,
    InitiateResponse,
    compose,
    lift_dedicated_key,
)

# Bit 0 is the most significant bit of the first octet; None is reserved. From the reference, 2.4.
NAMES = """
- general-protection general-block-transfer read write unconfirmed-write delta-value-encoding -
attribute0-with-set priority-management attribute0-with-get block-transfer-with-get-or-read
block-transfer-with-set-or-write block-transfer-with-action multiple-references information-report
data-notification access parameterized-access get set selective-access event-notification action
"""
BITS = NAMES.split()

KEY = bytes(range(0x10, 0x20))
REF = KeyRef(b"MTR\0\0\0\0\1", "s", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION)
REQUEST = InitiateRequest(conformance=Conformance.GET, client_max_receive_pdu_size=0x1234)


def test_positions_of_the_conformance_bits() -> None:
    assert len(BITS) == 24
    for bit, name in enumerate(BITS):
        mask = 1 << (23 - bit)
        expected = None if name == "-" else Conformance[name.upper().replace("-", "_")]
        assert (Conformance(mask) if mask in set(Conformance) else None) == expected, name
    assert sum(Conformance) == sum(1 << (23 - bit) for bit, n in enumerate(BITS) if n != "-")


def test_conformance_octets() -> None:
    block = Conformance.GENERAL_PROTECTION | Conformance.GET | Conformance.ACTION
    assert encode_conformance(block).hex() == "5f1f0400400011"
    assert read_conformance(Reader(encode_conformance(block))) == block


def test_conformance_in_the_older_form() -> None:
    assert read_conformance(Reader(bytes.fromhex("5F0400181A20"))) == Conformance(0x181A20)


def test_nameless_bits_are_kept() -> None:
    block = read_conformance(Reader(bytes.fromhex("5F1F0400FFFFFF")))
    assert int(block) == 0xFFFFFF
    assert encode_conformance(block).hex() == "5f1f0400ffffff"


@pytest.mark.parametrize(
    "octets", ["5F1F0500000000", "5F1F0401000000", "5E1F0400000000", "5F2F0400000000", "5F1F0400"]
)
def test_no_conformance(octets: str) -> None:
    with pytest.raises(CodecError):
        read_conformance(Reader(bytes.fromhex(octets)))


@pytest.mark.parametrize("end", range(1, 8))
def test_conformance_stops_at_the_end_of_the_reader(end: int) -> None:
    octets = bytes.fromhex("AA5F1F040040001106")
    with pytest.raises(CodecError):
        read_conformance(Reader(octets, 1, end))
    whole = Reader(octets, 1, 8)
    assert read_conformance(whole) == Conformance(0x400011)
    whole.finish("conformance")


def test_what_is_kept_of_conformance_blocks_is_bounded() -> None:
    assert conformance._named.cache_info().maxsize == 256


REQUESTS = [
    (REQUEST, "01 00 00 00 06 5F1F0400000010 1234"),
    (REQUEST._replace(dlms_version=5), "01 00 00 00 05 5F1F0400000010 1234"),
    (REQUEST._replace(quality_of_service=9), "01 00 00 0109 06 5F1F0400000010 1234"),
    (REQUEST._replace(response_allowed=False), "01 00 0100 00 06 5F1F0400000010 1234"),
    (
        REQUEST._replace(dedicated_key=KEY),
        "01 01 10 101112131415161718191A1B1C1D1E1F 00 00 06 5F1F0400000010 1234",
    ),
    (REQUEST._replace(dedicated_key=b""), "01 01 00 00 00 06 5F1F0400000010 1234"),
]
RESPONSES = [
    (
        InitiateResponse(conformance=Conformance.SET, server_max_receive_pdu_size=500),
        "08 00 06 5F1F0400000008 01F4 0007",
    ),
    (
        InitiateResponse(
            conformance=Conformance.SET,
            server_max_receive_pdu_size=500,
            vaa_name=0xFA00,
            quality_of_service=0,
        ),
        "08 0100 06 5F1F0400000008 01F4 FA00",
    ),
]


@pytest.mark.parametrize(("apdu", "text"), REQUESTS + RESPONSES)
def test_both_ways(apdu: InitiateRequest | InitiateResponse, text: str) -> None:
    octets = bytes.fromhex(text.replace(" ", ""))
    assert apdu.encode() == octets
    assert type(apdu).decode(octets) == apdu
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            type(apdu).decode(octets[:cut])
    with pytest.raises(CodecError):
        type(apdu).decode(octets + b"\0")
    other = InitiateResponse if isinstance(apdu, InitiateRequest) else InitiateRequest
    with pytest.raises(CodecError):
        other.decode(octets)


def test_response_allowed_given_in_full() -> None:
    octets = bytes.fromhex("0100 0101 00 06 5F1F0400000010 1234".replace(" ", ""))
    assert InitiateRequest.decode(octets).response_allowed is True


@pytest.mark.parametrize(("length", "taken"), [(16, True), (32, True), (33, False), (200, False)])
def test_length_of_the_dedicated_key_is_bounded(length: int, taken: bool) -> None:
    octets = REQUEST._replace(dedicated_key=bytes(length)).encode()
    if taken:
        assert InitiateRequest.decode(octets).dedicated_key == bytes(length)
    else:
        with pytest.raises(CodecError):
            InitiateRequest.decode(octets)


def test_the_dedicated_key_is_not_shown() -> None:
    text = repr(REQUEST._replace(dedicated_key=KEY))
    assert "dedicated_key" not in text
    assert repr(KEY) not in text


def test_compose_leaves_the_place_of_the_key() -> None:
    parts = compose(REQUEST, REF, 16)
    assert parts[1] is REF
    joined = b"".join(KEY if part is REF else part for part in parts if part is not None)
    assert joined == REQUEST._replace(dedicated_key=KEY).encode()
    assert compose(REQUEST, None) == (REQUEST.encode(),)


def test_lift_takes_the_key_and_blanks_it() -> None:
    key, rest = lift_dedicated_key(REQUEST._replace(dedicated_key=KEY).encode())
    assert key == KEY
    assert rest == REQUEST._replace(dedicated_key=bytes(16)).encode()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x01",
        b"\x01\x01",
        b"\x01\x01\x10" + bytes(15),
        b"\x01\x01\x85",
        b"\x01\x02\x01\x00",
        b"\x08\x01\x01\x00",
        REQUEST.encode(),
    ],
)
def test_lift_leaves_all_else_alone(octets: bytes) -> None:
    assert lift_dedicated_key(octets) == (None, octets)
