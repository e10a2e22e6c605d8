"""Authentication keys that the head end has handed over, each for one association (letter,
paragraph 7 (c)(iii)).

A key is noted before it is sent, for its acknowledgement may be lost: nobody knows then whether the
meter has it. So what was offered is tried, the latest first, and the long-lived key after all; what
the meter has taken is known from the first association that stands.
"""

from __future__ import annotations

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.head_end.known_keys import Run

MAX_OFFERED = 4
"""Keys of a meter of which nobody knows whether it has them: each costs an AARQ to find out."""


class HandedKeys:
    """In memory: for a head end that ends with its meters. The keys are in the module."""

    def __init__(self) -> None:
        self._offered: dict[tuple[bytes, str], list[int]] = {}
        self._last: dict[tuple[bytes, str], int] = {}

    async def offered(self, title: bytes, scope: str, run: Run) -> tuple[KeyRef, ...]:
        """What the meter ``title`` may await in an association, the latest first."""
        versions = self._offered.get((title, scope), ())
        return tuple(handed_ref(title, scope, version) for version in reversed(versions))

    def successor(self, title: bytes, scope: str) -> KeyRef:
        """A name for the key to be handed over now."""
        last = self._last[title, scope] = self._last.get((title, scope), 0) + 1
        return handed_ref(title, scope, last)

    async def offer(self, new: KeyRef, run: Run) -> None:
        """``new``, which is in the module, is about to be sent."""
        versions = self._offered.setdefault((new.holder, new.scope), [])
        versions.append(new.version)
        del versions[:-MAX_OFFERED]

    def settle(self, title: bytes, scope: str, kept: KeyRef | None = None) -> None:
        """Of all that was offered the meter has ``kept``, or none."""
        versions = [] if kept is None else [kept.version]
        self._offered[title, scope] = versions


def handed_ref(title: bytes, scope: str, version: int) -> KeyRef:
    """The name of such a key on the DCC side."""
    return KeyRef(title, scope, KeyKind.GAK, KeyLifetime.SINGLE_ASSOCIATION, version)
