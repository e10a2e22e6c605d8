"""Keys of meters that were rotated, in the store: for every command, and the next of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.head_end.known_keys import KnownKeys, Run
from emulator.keystore.holds import Holds
from emulator.keystore.rows import KeyRow
from emulator.keystore.states import KeyState
from emulator.keystore.store import long_lived
from emulator.keystore.wrapping import Wrapping

_LIVE = (KeyState.IN_FORCE, KeyState.IN_DOUBT)


class StoredKnownKeys(KnownKeys):
    """Of the party of ``wrapping``. What is in memory is what the store had when an association's
    keys were last recalled; every change is in the store first.
    """

    def __init__(self, wrapping: Wrapping, holds: Holds) -> None:
        super().__init__()
        self._wrapping = wrapping
        self._store = wrapping.store
        self._holds = holds
        self._present: set[KeyRef] = set()

    @contextmanager
    def sole(self, title: bytes, scope: str) -> Iterator[bool]:
        with self._holds.hold(f"{title.hex().upper()}-{scope}") as sole:
            yield sole

    async def recall(self, title: bytes, scope: str, run: Run) -> None:
        rows = self._store.rows(holder=title, scope=scope, states=_LIVE)
        rows = [row for row in rows if row.ref.lifetime is KeyLifetime.LONG_LIVED]
        for row in rows:
            if row.ref not in self._present:
                await self._wrapping.unwrap(row, run)
                self._present.add(row.ref)
        self._in_force[title, scope] = {
            row.ref.kind: row.ref.version for row in rows if row.state is KeyState.IN_FORCE
        }
        self._sent[title, scope] = _transfers(rows)

    def successor(self, title: bytes, scope: str, kind: KeyKind) -> KeyRef:
        """Whoever asks is sole, so a key that was made before and never sent is nobody's."""
        name = long_lived(title, scope, kind)
        pending = self._store.rows(holder=title, scope=scope, states=(KeyState.PENDING,))
        self._store.destroy(
            row.ref for row in pending if row.ref._replace(version=name.version) == name
        )
        return self._store.give_name(name)

    async def propose(
        self, title: bytes, scope: str, fresh: Mapping[KeyKind, KeyRef], run: Run
    ) -> None:
        for ref in fresh.values():
            wrapped, kek = await self._wrapping.wrap(ref, run)
            self._store.fill(ref, wrapped, kek)
        self._store.send(fresh.values())
        self._present.update(fresh.values())
        await super().propose(title, scope, fresh, run)

    def establish(self, refs: Iterable[KeyRef]) -> tuple[KeyRef, ...]:
        taken = tuple(refs)
        self._store.take(taken)
        return self._gone(super().establish(taken))

    def drop(self, refs: Iterable[KeyRef]) -> tuple[KeyRef, ...]:
        gone = tuple(refs)
        self._store.destroy(gone)
        return self._gone(super().drop(gone))

    def outlived(self, refs: Iterable[KeyRef]) -> None:
        """They are destroyed in the store as well."""
        gone = tuple(refs)
        self._store.destroy(gone)
        self._gone(gone)

    def _gone(self, refs: tuple[KeyRef, ...]) -> tuple[KeyRef, ...]:
        """The module is about to let go of them."""
        self._present.difference_update(refs)
        return refs


def _transfers(rows: Iterable[KeyRow]) -> list[dict[KeyKind, int]]:
    """Those in doubt, by transfer, in the order in which they were sent."""
    found: dict[int, dict[KeyKind, int]] = {}
    for row in rows:
        if row.state is KeyState.IN_DOUBT:
            found.setdefault(row.transfer or 0, {})[row.ref.kind] = row.ref.version
    return [found[number] for number in sorted(found)]
