"""Several layers of protection around one APDU: put around, and taken off."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.errors import CodecError, LocalProtocolError
from dlms.security.ciphered import GENERAL_GLO, Family, Form
from dlms.security.control import Protection
from dlms.security.general_context import GeneralContext
from dlms.security.general_protection import OpenedGeneral, protect_general
from dlms.security.general_signing import Signed, sign_general
from dlms.security.key_choice import KeyChoice
from dlms.security.layers import (
    MAX_LAYERS,
    TRANSACTION_ID_LENGTH,
    is_general_layer,
    is_layer,
    open_layers,
    protect_layers,
)
from dlms.security.ops import Use, VerificationFailed, Verify
from dlms.security.overhead import overhead
from dlms.security.protect import Opened, Shape, TooWeak, protect

APDU = bytes.fromhex("C0010000080000010000FF0200")
TID = bytes(range(1, 9))
THIRD = b"THIRD\0\0\1"
A, BOTH, SIGNED = Protection.AUTHENTICATED, Protection.BOTH, Protection.SIGNED


def cipher(
    party: Any,
    apdu: bytes = APDU,
    choice: KeyChoice = KeyChoice.UNICAST,
    protection: Protection = BOTH,
) -> bytes:
    step = protect_general(
        party.context, apdu, party.context.header(TID), choice, protection, Use.PROTECT_REQUEST
    )
    octets: bytes = party.run(step)
    return octets


def sign(party: Any, apdu: bytes = APDU) -> bytes:
    step = sign_general(party.context, apdu, party.context.header(TID), Use.PROTECT_REQUEST)
    octets: bytes = party.run(step)
    return octets


def general_glo(party: Any, apdu: bytes) -> bytes:
    shape = Shape(Family.GLOBAL, Form.GENERAL, BOTH)
    octets: bytes = party.run(protect(party.context.security, apdu, shape, Use.PROTECT_REQUEST))
    return octets


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
        self.others = {THIRD: inner}

    def open(self, octets: bytes, **options: Any) -> Any:
        step = open_layers(
            self.server.context,
            octets,
            Use.OPEN_REQUEST,
            third_parties=lambda header: self.others.get(header.originator),
            **options,
        )
        return self.server.run(step)


@pytest.fixture
def parties(pair: Any) -> Parties:
    return Parties(pair)


# Taking off ---------------------------------------------------------------------------------------


def test_signed_then_ciphered(parties: Parties) -> None:
    peeled = parties.open(cipher(parties.client, sign(parties.client)))
    assert peeled.apdu == APDU
    assert [type(layer) for layer in peeled.layers] == [OpenedGeneral, Signed]
    assert peeled.protection == BOTH | SIGNED


def test_ciphered_then_signed(parties: Parties) -> None:
    peeled = parties.open(sign(parties.client, cipher(parties.client, protection=A)))
    assert peeled.apdu == APDU
    assert [type(layer) for layer in peeled.layers] == [Signed, OpenedGeneral]
    assert peeled.protection == A | SIGNED


def test_signed_inside_of_general_glo(parties: Parties) -> None:
    peeled = parties.open(general_glo(parties.client, sign(parties.client)))
    assert peeled.apdu == APDU
    assert [type(layer) for layer in peeled.layers] == [Opened, Signed]
    assert peeled.ciphering is peeled.layers[0]
    assert peeled.protection == BOTH | SIGNED


def test_a_third_party_behind_the_client(parties: Parties) -> None:
    inner = cipher(parties.third, sign(parties.third), KeyChoice.ONE_PASS)
    octets = cipher(parties.client, sign(parties.client, inner))
    peeled = parties.open(octets)
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
    assert (peeled.apdu, peeled.layers, peeled.ciphering) == (APDU, (), None)
    assert peeled.protection is Protection.NONE
    with pytest.raises(CodecError):
        parties.open(b"")


@pytest.mark.parametrize("outer", [cipher, sign, general_glo])
@pytest.mark.parametrize("inner", [cipher, sign, general_glo])
def test_the_same_twice_is_left_as_it_is(parties: Parties, outer: Any, inner: Any) -> None:
    """KL-PR-10. A signature and a ciphering are not the same."""
    under = inner(parties.client, APDU)
    peeled = parties.open(outer(parties.client, under))
    twice = (outer is sign) is (inner is sign)
    assert peeled.apdu == (under if twice else APDU)
    assert len(peeled.layers) == (1 if twice else 2)


def test_not_too_many_layers(parties: Parties) -> None:
    """Third parties behind third parties, each of which is known."""
    octets = APDU
    for number in range(MAX_LAYERS + 2):
        title = b"OTHER\0\0" + bytes((number,))
        parties.third.context.security.own_title = title
        octets = sign(parties.third, octets)
        other = GeneralContext(
            security=parties.others[THIRD].security.__class__(
                suite=1,
                own_title=parties.server.context.security.own_title,
                peer_title=title,
                counters=parties.server.context.security.counters,
                guek=None,
                gak=None,
            ),
            scope=title.hex(),
            peer_signing_public=parties.third.publics[parties.third.signing_key],
        )
        parties.others[title] = other
    peeled = parties.open(octets)
    assert len(peeled.layers) == MAX_LAYERS
    assert peeled.apdu[0] == 0xDF


def test_an_unknown_party(parties: Parties) -> None:
    octets = sign(parties.third)
    assert parties.open(octets).apdu == APDU
    del parties.others[THIRD]
    asked = len(parties.server.ops)
    with pytest.raises(CodecError, match="not a party"):
        parties.open(octets)
    with pytest.raises(CodecError, match="not a party"):
        parties.server.run(open_layers(parties.server.context, octets, Use.OPEN_REQUEST))
    assert len(parties.server.ops) == asked


def test_required_is_of_the_outermost_ciphering(parties: Parties) -> None:
    inner = cipher(parties.third, APDU, KeyChoice.STATIC, A)
    outer = cipher(parties.client, inner)
    assert parties.open(outer, required=BOTH).apdu == APDU
    weak = cipher(parties.client, sign(parties.client), protection=A)
    for octets in (weak, sign(parties.client, cipher(parties.client, protection=A)), APDU):
        with pytest.raises(TooWeak):
            parties.open(octets, required=BOTH)
    with pytest.raises(TooWeak):
        parties.open(sign(parties.client), required=A)


def test_a_signature_that_is_required(parties: Parties) -> None:
    for octets in (cipher(parties.client), general_glo(parties.client, APDU), APDU):
        with pytest.raises(TooWeak):
            parties.open(octets, required=SIGNED)
    assert parties.open(sign(parties.client), required=SIGNED).apdu == APDU
    assert parties.open(cipher(parties.client, sign(parties.client)), required=BOTH | SIGNED)


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
    assert {GENERAL_GLO, 0xC8, 0xD0, 0x21, 0x45, 0xDD, 0xDF} <= {
        t for t in range(256) if is_layer(t)
    }
    assert not any(map(is_layer, (0xC0, 0x60, 0xE0, 0x0F, 0xD8)))


# Putting around -----------------------------------------------------------------------------------

CHOICES = [
    KeyChoice.UNICAST,
    KeyChoice.WRAPPED,
    KeyChoice.ONE_PASS,
    KeyChoice.STATIC,
]
SHAPES = [
    *(Shape(Family.GLOBAL, form, p) for form in (Form.SERVICE, Form.GENERAL) for p in (A, BOTH)),
    *(Shape(Family.GLOBAL, Form.CIPHERING, p, c) for p in (A, BOTH) for c in CHOICES),
]
SHAPES += [shape._replace(protection=shape.protection | SIGNED) for shape in SHAPES]
SHAPES += [
    Shape(Family.GLOBAL, Form.GENERAL, SIGNED),
    Shape(Family.BROADCAST, Form.CIPHERING, BOTH),
    Shape(Family.BROADCAST, Form.CIPHERING, BOTH | SIGNED),
]


@pytest.mark.parametrize("tid", [b"", TID, bytes(range(20))], ids=len)
@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_there_and_back_and_no_longer_than_said(
    pair: Any, shape: Shape, suite: int, tid: bytes
) -> None:
    """What is read is what was written, and ``overhead`` knows how long it is."""
    both = pair(suite)
    made = shape._replace(transaction_id=tid)
    octets = both.client.run(protect_layers(both.client.context, APDU, made, Use.PROTECT_REQUEST))
    if shape.family is Family.BROADCAST and shape.protection & SIGNED:
        # Who signs for everybody names nobody, and that is no message of ours.
        with pytest.raises(CodecError):
            both.server.run(open_layers(both.server.context, octets, Use.OPEN_REQUEST))
        return
    peeled = both.server.run(
        open_layers(both.server.context, octets, Use.OPEN_REQUEST, required=shape.protection)
    )
    assert peeled.apdu == APDU
    assert peeled.protection == shape.protection
    said = {layer.header.transaction_id for layer in peeled.layers if hasattr(layer, "header")}
    if tid and said:
        assert said == {tid}
    assert all(len(one) == (len(tid) or TRANSACTION_ID_LENGTH) for one in said)
    assert len(APDU) < len(octets) <= len(APDU) + overhead(len(octets), made, suite)
    for size in (1, 2):  # the next lengths, where a length octet more may be due
        long = APDU + bytes(100 * size)
        octets = both.client.run(
            protect_layers(
                both.client.context, long, made._replace(transaction_id=b""), Use.PROTECT_REQUEST
            )
        )
        plain = made._replace(transaction_id=b"")
        assert len(octets) <= len(long) + overhead(len(octets), plain, suite)
        spare = 12 if shape.family is Family.BROADCAST else 4  # which names no recipient
        assert overhead(len(octets), plain, suite) - (len(octets) - len(long)) <= spare


def test_transaction_ids_differ(pair: Any) -> None:
    both = pair(1)
    shape = Shape(Family.GLOBAL, Form.CIPHERING, BOTH)
    seen = set()
    for _ in range(4):
        octets = both.client.run(
            protect_layers(both.client.context, APDU, shape, Use.PROTECT_REQUEST)
        )
        seen.add(octets[2:10])
    assert len(seen) == 4


@pytest.mark.parametrize(
    "shape",
    [
        Shape(Family.GLOBAL, Form.SERVICE, BOTH | SIGNED),
        Shape(Family.GLOBAL, Form.CIPHERING, BOTH, KeyChoice.ONE_PASS),
        Shape(Family.GLOBAL, Form.CIPHERING, BOTH, KeyChoice.STATIC),
    ],
    ids=str,
)
def test_suite_0_has_no_key_pairs(pair: Any, shape: Shape) -> None:
    both = pair(0)
    with pytest.raises(LocalProtocolError):
        both.client.run(protect_layers(both.client.context, APDU, shape, Use.PROTECT_REQUEST))


def test_what_carries_a_key_is_encrypted_and_not_signed(pair: Any) -> None:
    both = pair(1)
    parts = (APDU, both.client.context.security.gak)
    for shape in (
        Shape(Family.GLOBAL, Form.CIPHERING, A),
        Shape(Family.GLOBAL, Form.CIPHERING, BOTH | SIGNED),
        Shape(Family.GLOBAL, Form.CIPHERING, Protection.NONE),
    ):
        with pytest.raises(LocalProtocolError):
            both.client.run(protect_layers(both.client.context, parts, shape, Use.ASSOCIATION))
