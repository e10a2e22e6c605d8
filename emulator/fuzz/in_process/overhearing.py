"""The look-out for what must never be on a line, whoever is at its other end."""

from __future__ import annotations

from collections.abc import Mapping

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.aarq import Aarq
from dlms.errors import CodecError
from dlms.security.keys import KeyKind, KeyRef
from emulator.fuzz.target import Direction, Passed
from emulator.modules.keyring import KeyRing

SHORTEST_KEY = 16
"""Octets: what is shorter may be anything."""

_AARQ, _AARE = bytes((AARQ_TAG,)), bytes((AARE_TAG,))
_LONG = 16
"""Octets: in shorter challenges chance plays tricks."""


class Overhearing:
    """Remembers the challenges of the meter's, and what must not be on the line."""

    def __init__(self) -> None:
        self._challenges: set[bytes] = set()
        self._last = b""
        self._asked: dict[str, bytes] = {}
        """By client, what it has challenged the meter with."""
        self._secrets: dict[str, tuple[object, dict[bytes, KeyRef]]] = {}

    def look_out(
        self, line: tuple[Passed, ...], rings: Mapping[str, tuple[KeyRing, int]]
    ) -> list[str]:
        """What was wrong with what has passed in a step. ``rings`` have the keys of both ends, as
        far as they are known, by whose they are; a number tells one from another in its place.
        """
        breaches = []
        for passed in line:
            tag = passed.octets[:1]
            if tag == _AARQ and passed.direction is Direction.SENT:
                self._asked[passed.client] = _challenge_of(passed.octets)
            elif tag == _AARE and passed.direction is not Direction.SENT:
                breaches += self._challenged(passed)
        if line:
            said = b"\0".join(passed.octets for passed in line)
            for whose, (ring, number) in rings.items():
                secrets = self._secrets_of(whose, ring, number)
                breaches += [f"I5: {secrets[key]} is on the line" for key in secrets if key in said]
        return breaches

    def _secrets_of(self, whose: str, ring: KeyRing, number: int) -> dict[bytes, KeyRef]:
        """What must not be on the line, worked out again if the ring may have others."""
        stamp = number, ring.size
        known = self._secrets.get(whose)
        if known is None or known[0] != stamp or ring.changes.any:
            secrets = {
                key: ref
                for ref in ring.refs
                if ref.kind is not KeyKind.LLS_SECRET and len(key := ring.get(ref)) >= SHORTEST_KEY
            }
            known = self._secrets[whose] = stamp, secrets
        return known[1]

    def _challenged(self, passed: Passed) -> list[str]:
        """R-HLS-4: a meter challenges with the same octets once, and nobody can tell from one
        challenge what the next will be. R-HLS-3: it does not give back what it was asked.
        """
        try:
            value = Aare.decode(passed.octets).responding_authentication_value
        except CodecError:
            return []
        if value is None or not value.octets:
            return []
        now, before, self._last = value.octets, self._last, value.octets
        came_before = now in self._challenges
        self._challenges.add(now)
        if now == self._asked.get(passed.client):
            return ["R-HLS-3: the meter challenges with what it was challenged with"]
        if came_before:
            return ["R-HLS-4: a challenge comes twice"]
        if len(now) == len(before) >= _LONG and _common(now, before) * 2 >= len(now):
            return ["R-HLS-4: a challenge is much like the one before it"]
        return []


def _challenge_of(aarq: bytes) -> bytes:
    try:
        value = Aarq.decode(aarq).calling_authentication_value
    except CodecError:
        return b""
    return b"" if value is None else value.octets


def _common(one: bytes, other: bytes) -> int:
    """At how many places two challenges have the same octet: of 16 that are drawn by lot half are
    the same once in some 10 ** 15 times.
    """
    return sum(a == b for a, b in zip(one, other, strict=True))
