"""The look-out for what must never be on a line, whoever is at its other end."""

from __future__ import annotations

from collections.abc import Iterable

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.errors import CodecError
from dlms.security.keys import KeyKind
from emulator.fuzz.target import Direction, Passed
from emulator.modules.keyring import KeyRing

SHORTEST_KEY = 16
"""Octets: what is shorter may be anything."""


class Overhearing:
    """Remembers the challenges of the meter's."""

    def __init__(self) -> None:
        self._challenges: set[bytes] = set()

    def look_out(self, line: tuple[Passed, ...], rings: Iterable[KeyRing]) -> list[str]:
        """What was wrong with what has passed in a step. ``rings`` have the keys of both ends, as
        far as they are known.
        """
        breaches = []
        for passed in line:
            if passed.octets[:1] == bytes((AARE_TAG,)) and passed.direction is not Direction.SENT:
                breaches += self._challenged(passed.octets)
        secrets = {
            key: ref
            for ring in rings
            for ref in ring.refs
            if ref.kind is not KeyKind.LLS_SECRET and len(key := ring.get(ref)) >= SHORTEST_KEY
        }
        for passed in line:
            for key, ref in secrets.items():
                if key in passed.octets:
                    breaches.append(f"I5: {ref} is on the line")
        return breaches

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
