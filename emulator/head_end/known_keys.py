"""Which key of each kind a meter has, as far as its head end knows.

A new key is noted before it is sent. If the answer is lost nobody knows which one the meter has:
both are tried at the next association, the new one first, and what opens it is what the meter has,
never a guess. Until a meter's keys are rotated for the first time they are those it was made with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Step

Run: TypeAlias = Callable[[Step[Any]], Awaitable[Any]]
"""Carries out cryptography, tagged."""

Versions: TypeAlias = dict[KeyKind, int]


class KnownKeys:
    """In memory: for a head end that ends with its meters. The keys are in the module."""

    def __init__(self) -> None:
        self._settled: dict[tuple[bytes, str], Versions] = {}
        self._doubtful: dict[tuple[bytes, str], Versions] = {}

    async def recall(self, title: bytes, scope: str, run: Run) -> None:
        """Have the keys of an association in the module."""

    def key(self, title: bytes, scope: str, kind: KeyKind) -> KeyRef:
        """The key that the meter has, or that it had before one of which nobody knows."""
        version = self._settled.get((title, scope), {}).get(kind, 0)
        return KeyRef(title, scope, kind, version=version)

    def in_doubt(self, title: bytes, scope: str) -> dict[KeyKind, KeyRef]:
        """Keys that were sent and of which nobody knows whether the meter has taken them."""
        doubtful = self._doubtful.get((title, scope), {})
        return {
            kind: KeyRef(title, scope, kind, version=version) for kind, version in doubtful.items()
        }

    def successor(self, title: bytes, scope: str, kind: KeyKind) -> KeyRef:
        """A name for the key that comes next; one that is in doubt keeps its own."""
        versions = [
            known.get((title, scope), {}).get(kind, 0) for known in (self._settled, self._doubtful)
        ]
        return KeyRef(title, scope, kind, version=max(versions) + 1)

    async def propose(
        self, title: bytes, scope: str, fresh: Mapping[KeyKind, KeyRef], run: Run
    ) -> None:
        """``fresh``, which are in the module, are about to be sent."""
        self._doubtful[title, scope] = {kind: ref.version for kind, ref in fresh.items()}

    def settle(self, title: bytes, scope: str, *, taken: bool) -> None:
        """Those in doubt are what the meter has, or it never took them."""
        doubtful = self._doubtful.pop((title, scope), {})
        if taken:
            self._settled.setdefault((title, scope), {}).update(doubtful)
