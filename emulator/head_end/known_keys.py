"""Which key of each kind a meter has, as far as its head end knows.

A new key is noted before it is sent. If the answer is lost nobody knows which one the meter has. An
association shows which encryption and authentication key it has: both are tried, the new one first,
and what opens it is what the meter has, never a guess. A master key or a broadcast key shows itself
at the next transfer (:mod:`emulator.head_end.handing_over`). Until a meter's keys are rotated for
the first time they are those it was made with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Step

Run: TypeAlias = Callable[[Step[Any]], Awaitable[Any]]
"""Carries out cryptography, tagged."""

Versions: TypeAlias = dict[KeyKind, int]
Place: TypeAlias = tuple[bytes, str]
"""Holder and scope."""


class KnownKeys:
    """In memory: for a head end that ends with its meters. The keys are in the module."""

    def __init__(self) -> None:
        self._in_force: dict[Place, Versions] = {}
        self._sent: dict[Place, list[Versions]] = {}
        """Transfers without an answer, in the order in which they were sent."""
        self._last: dict[Place, Versions] = {}

    @contextmanager
    def sole(self, title: bytes, scope: str) -> Iterator[bool]:
        """Whether nobody else sends the meter keys of this association meanwhile. Who is not sole
        can use the keys, but what it sees of them may be outdated: it draws no conclusions.
        """
        yield True

    async def recall(self, title: bytes, scope: str, run: Run) -> None:
        """Have the keys of an association in the module."""

    def key(self, title: bytes, scope: str, kind: KeyKind) -> KeyRef:
        """The key that the meter has, or that it had before one of which nobody knows."""
        version = self._in_force.get((title, scope), {}).get(kind, 0)
        return KeyRef(title, scope, kind, version=version)

    def in_doubt(self, title: bytes, scope: str) -> dict[KeyKind, tuple[KeyRef, ...]]:
        """Keys that were sent and of which nobody knows whether the meter has taken them, the
        latest first.
        """
        found: dict[KeyKind, tuple[KeyRef, ...]] = {}
        for sent in self._sent.get((title, scope), ()):
            for kind, version in sent.items():
                ref = KeyRef(title, scope, kind, version=version)
                found[kind] = (ref, *found.get(kind, ()))
        return found

    def candidates(self, title: bytes, scope: str, kind: KeyKind) -> tuple[KeyRef, ...]:
        """One of these the meter has: those in doubt, and the one that it had before."""
        in_doubt = self.in_doubt(title, scope).get(kind, ())
        return *in_doubt, self.key(title, scope, kind)

    def successor(self, title: bytes, scope: str, kind: KeyKind) -> KeyRef:
        """A name for the key that comes next; none comes twice."""
        version = self._last.get((title, scope), {}).get(kind, 0) + 1
        return KeyRef(title, scope, kind, version=version)

    async def propose(
        self, title: bytes, scope: str, fresh: Mapping[KeyKind, KeyRef], run: Run
    ) -> None:
        """``fresh``, which are in the module, are about to be sent, all in one transfer."""
        versions = {kind: ref.version for kind, ref in fresh.items()}
        self._sent.setdefault((title, scope), []).append(versions)
        self._last.setdefault((title, scope), {}).update(versions)

    def settle(self, title: bytes, scope: str, *, taken: bool) -> tuple[KeyRef, ...]:
        """The answer to the latest transfer has come. Returns keys that the meter never took."""
        latest = self._sent[title, scope][-1]
        refs = [KeyRef(title, scope, kind, version=version) for kind, version in latest.items()]
        return self.establish(refs) if taken else self.drop(refs)

    def shown(self, title: bytes, scope: str, used: Iterable[KeyRef]) -> tuple[KeyRef, ...]:
        """An association stands under the long-lived keys ``used``: those of a transfer are what
        the meter has if all that can be seen of them are, for it takes all or none. Returns those
        that it never took.
        """
        seen = {ref.kind: ref.version for ref in used if ref.lifetime is KeyLifetime.LONG_LIVED}
        gone: list[KeyRef] = []
        for sent in tuple(self._sent.get((title, scope), ())):
            visible = sent.keys() & seen.keys()
            if not visible:
                continue
            refs = [KeyRef(title, scope, kind, version=version) for kind, version in sent.items()]
            if all(sent[kind] == seen[kind] for kind in visible):
                gone += self.establish(refs)
            else:
                gone += self.drop(refs)
        return tuple(gone)

    def establish(self, refs: Iterable[KeyRef]) -> tuple[KeyRef, ...]:
        """The meter has these, for certain. Returns those that were in doubt instead of them."""
        gone: list[KeyRef] = []
        for ref in refs:
            others = self.in_doubt(ref.holder, ref.scope).get(ref.kind, ())
            gone += [other for other in others if other != ref]
            self._forget(others)
            self._in_force.setdefault((ref.holder, ref.scope), {})[ref.kind] = ref.version
        return tuple(gone)

    def drop(self, refs: Iterable[KeyRef]) -> tuple[KeyRef, ...]:
        """The meter never took these, for certain. Returns them."""
        gone = tuple(refs)
        self._forget(gone)
        return gone

    def outlived(self, refs: Iterable[KeyRef]) -> None:
        """The meter had these and has others now; nobody needs them any more."""

    def _forget(self, refs: Iterable[KeyRef]) -> None:
        """They are not in doubt any more."""
        for ref in refs:
            transfers = self._sent.get((ref.holder, ref.scope), [])
            for sent in transfers:
                if sent.get(ref.kind) == ref.version:
                    del sent[ref.kind]
            transfers[:] = [sent for sent in transfers if sent]
