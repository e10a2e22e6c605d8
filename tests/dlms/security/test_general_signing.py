"""General-signing, and protection in several layers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.errors import CodecError, DlmsError, LocalProtocolError
from dlms.security.control import Protection
from dlms.security.general_context import GeneralContext
from dlms.security.general_header import GeneralHeader
from dlms.security.general_protection import OpenedGeneral, protect_general
from dlms.security.general_signing import (
    Signed,
    decode_general_signing,
    open_signed,
    sign_general,
)
from dlms.security.layers import MAX_LAYERS, is_general_layer, open_layers
from dlms.security.message_keys import KeyChoice
from dlms.security.ops import Sign, Use, VerificationFailed, Verify
from dlms.security.protect import TooWeak

APDU = bytes.fromhex("C0010000080000010000FF0200")
TID = bytes(range(1, 9))


def sign(party: Any, apdu: bytes = APDU, tid: bytes = TID, **header: Any) -> bytes:
    made = party.context.header(tid, **header)
    octets: bytes = party.run(sign_general(party.context, apdu, made, Use.PROTECT_REQUEST))
    return octets


def cipher(
    party: Any,
    apdu: bytes,
    choice: KeyChoice = KeyChoice.UNICAST,
    protection: Protection = Protection.BOTH,
) -> bytes:
    made = party.context.header(TID)
    step = protect_general(party.context, apdu, made, choice, protection, Use.PROTECT_REQUEST)
    octets: bytes = party.run(step)
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


# Layers -------------------------------------------------------------------------------------------

THIRD = b"THIRD\0\0\1"


class Parties:
    """A third party that reaches the server through the client: it has agreed keys only."""

    def __init__(self, pair: Any) -> None:
        both, behind = pair(1), pair(1)
        self.client, self.server, self.third = both.client, both.server, behind.client
        self.third.context.security.own_title = THIRD
        self.third.context.security.guek = None
        self.third.context.peer_agreement_public = self.server.publics[self.server.agreement_key]
        inner: GeneralContext = behind.server.context
        inner.security.peer_title = THIRD
        inner.agreement_key, inner.signing_key = self.server.agreement_key, self.server.signing_key
        inner.scope = "third"
        self.contexts = {
            self.client.context.security.own_title: self.server.context,
            THIRD: inner,
        }

    def open(self, octets: bytes, **options: Any) -> Any:
        step = open_layers(
            lambda header: self.contexts.get(header.originator),
            octets,
            Use.OPEN_REQUEST,
            **options,
        )
        return self.server.run(step)


@pytest.fixture
def parties(pair: Any) -> Parties:
    return Parties(pair)


def test_signed_then_ciphered(parties: Parties) -> None:
    peeled = parties.open(cipher(parties.client, sign(parties.client)))
    assert peeled.apdu == APDU
    assert [type(layer) for layer in peeled.layers] == [OpenedGeneral, Signed]
    assert peeled.signed
    assert peeled.ciphered


def test_a_third_party_behind_the_client(parties: Parties) -> None:
    inner = cipher(parties.third, sign(parties.third), KeyChoice.ONE_PASS)
    peeled = parties.open(cipher(parties.client, sign(parties.client, inner)))
    assert peeled.apdu == APDU
    assert len(peeled.layers) == MAX_LAYERS == 4
    assert [layer.header.originator for layer in peeled.layers] == [
        parties.client.context.security.own_title,
        parties.client.context.security.own_title,
        THIRD,
        THIRD,
    ]


def test_a_plain_apdu_has_no_layers(parties: Parties) -> None:
    peeled = parties.open(APDU)
    assert (peeled.apdu, peeled.layers) == (APDU, ())
    assert not peeled.signed
    assert not peeled.ciphered
    with pytest.raises(CodecError):
        parties.open(b"")


def test_what_is_ciphered_otherwise_is_left_to_others(parties: Parties) -> None:
    glo = bytes.fromhex("C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B")
    assert parties.open(sign(parties.client, glo)).apdu == glo


def test_not_too_many_layers(parties: Parties) -> None:
    octets = APDU
    for _ in range(MAX_LAYERS):
        octets = sign(parties.client, octets)
    assert parties.open(octets).apdu == APDU
    with pytest.raises(CodecError, match="layers"):
        parties.open(sign(parties.client, octets))


def test_an_unknown_party(parties: Parties) -> None:
    octets = sign(parties.third)
    assert parties.open(octets).apdu == APDU
    del parties.contexts[THIRD]
    asked = len(parties.server.ops)
    with pytest.raises(CodecError, match="not a party"):
        parties.open(octets)
    assert len(parties.server.ops) == asked


def test_required_is_of_the_outermost_ciphering(parties: Parties) -> None:
    inner = cipher(parties.third, APDU, KeyChoice.STATIC, Protection.AUTHENTICATED)
    outer = cipher(parties.client, inner)
    assert parties.open(outer, required=Protection.BOTH).apdu == APDU
    weak = cipher(parties.client, sign(parties.client), protection=Protection.AUTHENTICATED)
    with pytest.raises(TooWeak):
        parties.open(weak, required=Protection.BOTH)
    with pytest.raises(TooWeak):
        parties.open(sign(parties.client, weak), required=Protection.BOTH)


def test_a_bad_signature_inside_is_seen_after_the_outer_layer_only(parties: Parties) -> None:
    signed = sign(parties.client)
    octets = cipher(parties.client, signed[:-1] + bytes((signed[-1] ^ 1,)))
    guek = parties.server.context.security.guek
    with pytest.raises(VerificationFailed):
        parties.open(octets)
    assert parties.server.context.security.counters.floor(guek) == 1
    assert isinstance(parties.server.ops[-1], Verify)


def test_which_tags_are_layers() -> None:
    assert [tag for tag in range(256) if is_general_layer(tag)] == [0xDD, 0xDF]
