"""New global keys at the client's end: their names, and the steps that wrap them or agree on them.

What a step that fails has made is let go of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys
from dlms.errors import DlmsError, LocalProtocolError
from dlms.security.key_agreement import KEY_IDS, Parties, Place, conclude, offer
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoFailure, Discard, GenerateKey, Step, Use, Wrap
from dlms.security.suites import SUITES

Lasting: TypeAlias = Callable[[KeyRef], KeyRef]
"""Gives a new key, which is in the module, the name that it will keep."""

FIELDS = {KeyKind.GUEK: "guek", KeyKind.GBEK: "gbek", KeyKind.GAK: "gak", KeyKind.KEK: "kek"}
"""Where each global key is among those of an association."""

KEY_ID_OF = {kind: key_id for key_id, kind in KEY_IDS.items()}


def as_made(ref: KeyRef) -> KeyRef:
    """The next version of the key that was there before."""
    return ref


class NewKeys:
    """Those that come after the present keys of ``association``."""

    def __init__(self, association: ClientAssociation, lasting: Lasting) -> None:
        self._association = association
        self._lasting = lasting

    def among(self, fresh: Mapping[KeyKind, KeyRef]) -> AssociationKeys:
        """The keys of the association with ``fresh`` in place of those before."""
        fields: dict[str, Any] = {FIELDS[kind]: ref for kind, ref in fresh.items()}
        return self._association.keys._replace(**fields)

    def wrap(
        self, kek: KeyRef, kinds: Sequence[KeyKind], fresh: dict[KeyKind, KeyRef]
    ) -> Step[dict[int, bytes]]:
        """Make the keys of ``kinds``, note their names in ``fresh``, and wrap them."""
        length = SUITES[self._association.config.suite].key_length
        wrapped = {}
        try:
            for kind in kinds:
                made = self._successor(kind)
                yield GenerateKey(Use.TRANSFER_KEY, made, length)
                fresh[kind] = self._lasting(made)
                wrapped[KEY_ID_OF[kind]] = yield Wrap(Use.TRANSFER_KEY, kek, fresh[kind])
        except CryptoFailure:
            yield from discard(Use.TRANSFER_KEY, fresh.values())
            raise
        return wrapped

    def parties(self) -> Parties:
        """Who agrees keys. :class:`LocalProtocolError` if something for that is missing."""
        association = self._association
        config, keys = association.config, association.keys
        if SUITES[config.suite].curve is None:
            raise LocalProtocolError("key agreement needs security suite 1 or 2")
        if keys.signing_key is None or keys.peer_public is None:
            raise LocalProtocolError("key agreement needs both parties' signature keys")
        if config.own_title is None or association.server_title is None:
            raise LocalProtocolError("key agreement needs both system titles")
        return Parties(
            suite=config.suite,
            client_title=config.own_title,
            server_title=association.server_title,
            signing_key=keys.signing_key,
            peer_signing_public=keys.peer_public,
            algorithm_id=config.knobs.algorithm_id_form,
        )

    def pair(self, kind: KeyKind) -> KeyRef:
        """A name for our ephemeral key: it lives while one key is agreed."""
        signer = self._association.keys.signing_key
        assert signer is not None  # parties()
        scope = f"{signer.scope}#{kind.name}"
        return KeyRef(signer.holder, scope, KeyKind.AGREEMENT_KEY, KeyLifetime.SINGLE_ASSOCIATION)

    def conclude(
        self, parties: Parties, pairs: Mapping[int, KeyRef], answers: Mapping[int, bytes]
    ) -> Step[dict[KeyKind, KeyRef]]:
        """Agree keys from ``answers``, with our ``pairs``; their names."""
        fresh: dict[KeyKind, KeyRef] = {}
        keys = self._association.keys
        present = [getattr(keys, field) for field in FIELDS.values()]
        used = tuple(ref for ref in present if ref is not None)
        try:
            for key_id, key_data in answers.items():
                kind = KEY_IDS[key_id]
                made = self._successor(kind)
                place = Place(pairs[key_id], made, (*used, *fresh.values()))
                yield from conclude(parties, key_id, place, key_data)
                fresh[kind] = self._lasting(made)
        except DlmsError:
            yield from discard(Use.AGREE_KEY, fresh.values())
            raise
        return fresh

    def _successor(self, kind: KeyKind) -> KeyRef:
        """A name for the key that comes after the present one."""
        keys = self._association.keys
        present: KeyRef | None = getattr(keys, FIELDS[kind])
        if present is not None:
            return present._replace(version=present.version + 1)
        known = keys.kek or keys.signing_key
        assert known is not None  # there would be no new keys
        return KeyRef(known.holder, known.scope, kind, version=1)


def check_kinds(kinds: Sequence[KeyKind]) -> None:
    """:class:`LocalProtocolError` unless they are of global keys, each once."""
    if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= FIELDS.keys():
        raise LocalProtocolError("global keys are needed, each once")


def offers(parties: Parties, pairs: Mapping[int, KeyRef]) -> Step[dict[int, bytes]]:
    """Make our ``pairs``, by key id, and what is to be sent of them."""
    offered = {}
    try:
        for key_id, pair in pairs.items():
            offered[key_id] = yield from offer(parties, key_id, pair)
    except DlmsError:
        yield from discard(Use.AGREE_KEY, pairs.values())
        raise
    return offered


def discard(use: Use, refs: Iterable[KeyRef]) -> Step[None]:
    """Let go of keys that came to nothing."""
    for ref in refs:
        yield Discard(use, ref)
