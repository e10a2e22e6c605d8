"""General-signing: there, back, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.errors import CodecError, DlmsError, LocalProtocolError
from dlms.security.general_header import GeneralHeader
from dlms.security.general_signing import (
    decode_general_signing,
    open_signed,
    sign_general,
)
from dlms.security.ops import Sign, Use, VerificationFailed

APDU = bytes.fromhex("C0010000080000010000FF0200")
TID = bytes(range(1, 9))


def sign(party: Any, apdu: bytes = APDU, tid: bytes = TID, **header: Any) -> bytes:
    made = party.context.header(tid, **header)
    octets: bytes = party.run(sign_general(party.context, apdu, made, Use.PROTECT_REQUEST))
    return octets


def receive(party: Any, octets: bytes) -> Any:
    return party.run(open_signed(party.context, octets, Use.OPEN_REQUEST))


# Signing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("length", [1, 127, 128, 255, 256, 70000])
def test_there_and_back(pair: Any, suite: int, length: int) -> None:
    """X_SUITE1_GENSIGN."""
    both = pair(suite)
    apdu = b"\xc0" * length
    octets = sign(both.client, apdu, date_time=bytes(12), other_information=b"\0\x62")
    signed = receive(both.server, octets)
    assert signed.apdu == apdu
    assert signed.header == both.client.context.header(
        TID, date_time=bytes(12), other_information=b"\0\x62"
    )
    answer = sign(both.server, b"\xc4answer")
    assert receive(both.client, answer).apdu == b"\xc4answer"


def test_what_is_signed(pair: Any) -> None:
    """Figure 85: lengths and values of all fields before the signature, without the tag."""
    both = pair(1)
    octets = sign(both.client)
    (op,) = (op for op in both.client.ops if isinstance(op, Sign))
    message = bytes.fromhex(
        "080102030405060708 084D4D4D0000BC614E 084D4D4D0000000001 00 000DC0010000080000010000FF0200"
    )
    assert op.message == message
    assert octets[:-65] == b"\xdf" + message
    assert octets[-65] == 64


@pytest.mark.parametrize("length", [13, 200, 70000])
def test_a_peer_that_does_not_sign_the_length_of_the_content(pair: Any, length: int) -> None:
    both = pair(1)
    both.client.practise(content_length_signed=False)
    apdu = b"\xc0" * length
    octets = sign(both.client, apdu)
    (op,) = (op for op in both.client.ops if isinstance(op, Sign))
    assert op.message == both.client.context.header(TID).encode() + apdu
    with pytest.raises(VerificationFailed):
        receive(both.server, octets)
    both.server.practise(content_length_signed=False)
    assert receive(both.server, octets).apdu == apdu


@pytest.mark.parametrize("suite", [1, 2])
def test_every_octet_matters(pair: Any, suite: int) -> None:
    both = pair(suite)
    octets = sign(both.client)
    for at in range(len(octets)):
        for bits in (0x01, 0x80):
            bent = octets[:at] + bytes((octets[at] ^ bits,)) + octets[at + 1 :]
            with pytest.raises(DlmsError):
                receive(both.server, bent)
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            receive(both.server, octets[:cut])
    with pytest.raises(CodecError):
        receive(both.server, octets + b"\0")


def test_a_signature_for_another_party_or_by_another(pair: Any) -> None:
    both, others = pair(1), pair(1)
    octets = sign(both.client)
    with pytest.raises(CodecError):
        receive(both.client, octets)
    with pytest.raises(VerificationFailed):
        receive(others.server, octets)


def test_what_a_context_lacks(pair: Any) -> None:
    both = pair(1)
    octets = sign(both.client)
    both.server.context.peer_signing_public = None
    with pytest.raises(CodecError, match="not known"):
        receive(both.server, octets)
    both.client.context.signing_key = None
    with pytest.raises(LocalProtocolError):
        sign(both.client)
    plain = pair(0)
    with pytest.raises(LocalProtocolError):
        sign(plain.client)
    with pytest.raises(CodecError, match="no signatures"):
        receive(plain.server, octets)


def test_signatures_of_another_suite(pair: Any) -> None:
    octets = sign(pair(2).client)
    both = pair(1)
    asked = len(both.server.ops)
    with pytest.raises(CodecError, match="64 octets"):
        receive(both.server, octets)
    assert len(both.server.ops) == asked


def test_nothing_inside(pair: Any) -> None:
    both = pair(1)
    with pytest.raises(CodecError, match="nothing inside"):
        receive(both.server, sign(both.client, b""))


@pytest.mark.parametrize("length", [0, 63, 65, 95, 97, 128])
def test_signatures_of_no_suite(length: int) -> None:
    header = GeneralHeader(TID, b"ORIGINAL", b"RECEIVER").encode()
    with pytest.raises(CodecError, match="signature"):
        decode_general_signing(b"\xdf" + header + b"\1\xc0" + bytes((length,)) + bytes(length))


@given(octets=st.binary(max_size=300))
@settings(max_examples=300)
def test_any_octets(octets: bytes) -> None:
    header = GeneralHeader(TID, b"ORIGINAL", b"RECEIVER").encode()
    for prefix in (b"", b"\xdf", b"\xdf" + header, b"\xdf" + header + b"\1\xc0\x40"):
        try:
            message = decode_general_signing(prefix + octets)
        except CodecError:
            continue
        assert (prefix + octets).startswith(b"\xdf" + message.head + message.content)
