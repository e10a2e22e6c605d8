"""The look-out for what must never be on a line, whoever is at its other end."""

from __future__ import annotations

from collections.abc import Mapping

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.errors import CodecError
from dlms.security.keys import KeyKind, KeyRef
from emulator.fuzz.target import Direction, Passed
from emulator.modules.keyring import KeyRing

SHORTEST_KEY = 16
"""Octets: what is shorter may be anything."""


class Overhearing:
    """Remembers the challenges of the meter's, and what must not be on the line."""

    def __init__(self) -> None:
        self._challenges: set[bytes] = set()
        self._secrets: dict[str, tuple[object, dict[bytes, KeyRef]]] = {}

    def look_out(
        self, line: tuple[Passed, ...], rings: Mapping[str, tuple[KeyRing, int]]
    ) -> list[str]:
        """What was wrong with what has passed in a step. ``rings`` have the keys of both ends, as
        far as they are known, by whose they are; a number tells one from another in its place.
        """
        breaches = []
        for passed in line:
            if passed.octets[:1] == bytes((AARE_TAG,)) and passed.direction is not Direction.SENT:
                breaches += self._challenged(passed.octets)
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

    def _challenged(self, octets: bytes) -> list[str]:
        """R-HLS-4: a meter challenges with the same octets once."""
        try:
            value = Aare.decode(octets).responding_authentication_value
        except CodecError:
            return []
        if value is None:
            return []
        came_before = value.octets in self._challenges
        self._challenges.add(value.octets)
        return ["R-HLS-4: a challenge comes twice"] if came_before else []
