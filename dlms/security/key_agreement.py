"""Agreeing global keys with the Ephemeral Unified Model, C(2e, 0s) (GB Ed. 8, 9.2.3.4.6.2; Blue
Book, Security setup, method key_agreement).

Each party makes a key pair for one key, and sends key_data: the public key, and its signature on
key_id ‖ public key. Client and server are party U and V, and both derive the key from the two
ephemeral key pairs, which are destroyed (R-KEY-5).

    client:  key_data = yield from offer(parties, 0, pair)          # method parameter
    server:  key_data = yield from respond(parties, {0: data}, ...) # return parameter
    client:  yield from conclude(parties, 0, pair, key_data, into)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dlms.errors import CodecError, DlmsError, LocalProtocolError
from dlms.security.derivation import other_info
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.message_keys import discarding
from dlms.security.ops import Agree, Curve, Discard, GenerateKeyPair, Sign, Step, Use, Verify
from dlms.security.suites import SUITES, AlgorithmIdForm

KEY_IDS = {0: KeyKind.GUEK, 1: KeyKind.GBEK, 2: KeyKind.GAK, 3: KeyKind.KEK}
"""key_id of key_transfer and key_agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """One side of a key agreement. ``suite`` is 1 or 2; ``client_title`` is that of party U.

    ``signing_key`` is ours, ``peer_signing_public`` (``x ‖ y``) is from the peer's certificate.
    """

    suite: int
    client_title: bytes
    server_title: bytes
    signing_key: KeyRef
    peer_signing_public: bytes
    algorithm_id: AlgorithmIdForm = AlgorithmIdForm.REGISTERED

    @property
    def curve(self) -> Curve:
        """:class:`LocalProtocolError` in suite 0, which has none."""
        curve = SUITES[self.suite].curve
        if curve is None:
            raise LocalProtocolError("key agreement needs security suite 1 or 2")
        return curve


class Place(NamedTuple):
    """Where an agreed key goes: ``into``, if it is ``unlike`` the keys used so far. ``pair`` is a
    name for the ephemeral private key while it lives.
    """

    pair: KeyRef
    into: KeyRef
    unlike: tuple[KeyRef, ...] = ()


def offer(parties: Parties, key_id: int, pair: KeyRef) -> Step[bytes]:
    """Make a key pair, keep it as ``pair``, and return our key_data for ``key_id``.

    If this step fails the pair is destroyed.
    """
    _check_key_id(key_id)
    try:
        public: bytes = yield GenerateKeyPair(Use.AGREE_KEY, pair, parties.curve)
        signature: bytes = yield Sign(Use.AGREE_KEY, parties.signing_key, bytes((key_id,)) + public)
    except DlmsError:
        yield Discard(Use.AGREE_KEY, pair)
        raise
    return public + signature


def conclude(parties: Parties, key_id: int, place: Place, key_data: bytes) -> Step[None]:
    """Check the peer's ``key_data`` and agree the key with the pair of :func:`offer`.

    :class:`CodecError` or :class:`~dlms.security.ops.VerificationFailed` if it is wrong; no key is
    kept then. The pair is destroyed in any case.
    """
    yield from discarding(place.pair, _conclude(parties, key_id, place, key_data))


def respond(
    parties: Parties, offers: Mapping[int, bytes], place_of: Callable[[int], Place]
) -> Step[dict[int, bytes]]:
    """Answer the client's key_data by key_id; return ours, and keep all the keys.

    A key_id that comes twice is for the caller to refuse.

    All or nothing (R-KEY-2): each signature is checked before a key is made, and if one fails later
    those made so far are destroyed. Raises what :func:`conclude` does.
    """
    if not offers:
        raise CodecError("no keys", field="key_agreement")
    for key_id, key_data in offers.items():
        yield from _check_key_data(parties, key_id, key_data)
    made: list[KeyRef] = []
    answers = {}
    try:
        for key_id, key_data in offers.items():
            place = place_of(key_id)
            answers[key_id] = yield from offer(parties, key_id, place.pair)
            agreed = _agree(parties, key_id, place, key_data)
            made.append(place.into)
            yield from discarding(place.pair, agreed)
    except DlmsError:
        for into in made:
            yield Discard(Use.AGREE_KEY, into)
        raise
    return answers


def _conclude(parties: Parties, key_id: int, place: Place, key_data: bytes) -> Step[None]:
    yield from _check_key_data(parties, key_id, key_data)
    yield from _agree(parties, key_id, place, key_data)


def _check_key_data(parties: Parties, key_id: int, key_data: bytes) -> Step[None]:
    """:class:`CodecError` or a failed :class:`Verify` unless the peer has signed it (KL-PK-02)."""
    _check_key_id(key_id)
    curve = parties.curve
    if len(key_data) != 4 * curve.value:
        raise CodecError(f"{len(key_data)} octets, not {4 * curve.value}", field="key_data")
    public, signature = key_data[: 2 * curve.value], key_data[2 * curve.value :]
    signed = bytes((key_id,)) + public
    yield Verify(Use.AGREE_KEY, curve, parties.peer_signing_public, signed, signature)


def _agree(parties: Parties, key_id: int, place: Place, key_data: bytes) -> Step[None]:
    suite = SUITES[parties.suite]
    algorithm = suite.wrap if KEY_IDS[key_id] is KeyKind.KEK else suite.cipher
    info = other_info(parties.algorithm_id, algorithm, parties.client_title, parties.server_title)
    public = key_data[: 2 * parties.curve.value]
    yield Agree(Use.AGREE_KEY, place.pair, public, info, place.into, suite.key_length, place.unlike)


def _check_key_id(key_id: int) -> None:
    if key_id not in KEY_IDS:
        raise CodecError(f"{key_id} is not in 0..3", field="key_id")
