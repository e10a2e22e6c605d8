"""Handed-over authentication keys that outlive a command, in the store."""

from __future__ import annotations

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.head_end.handed_keys import MAX_OFFERED, HandedKeys, handed_ref
from emulator.head_end.known_keys import Run
from emulator.keystore.rows import KeyRow
from emulator.keystore.states import KeyState
from emulator.keystore.wrapping import Wrapping


class StoredHandedKeys(HandedKeys):
    """Of the party of ``wrapping``. Commands may run at once: each takes what the store has, and a
    key that two of them take is good for the first.
    """

    def __init__(self, wrapping: Wrapping) -> None:
        super().__init__()
        self._wrapping = wrapping
        self._store = wrapping.store

    async def offered(self, title: bytes, scope: str, run: Run) -> tuple[KeyRef, ...]:
        rows = self._rows(title, scope, KeyState.IN_DOUBT)
        for row in rows:
            await self._wrapping.unwrap(row, run)
        return tuple(row.ref for row in reversed(rows))

    def successor(self, title: bytes, scope: str) -> KeyRef:
        return self._store.give_name(handed_ref(title, scope, 0))

    async def offer(self, new: KeyRef, run: Run) -> None:
        wrapped, kek = await self._wrapping.wrap(new, run)
        self._store.fill(new, wrapped, kek)
        self._store.send((new,))
        offered = self._rows(new.holder, new.scope, KeyState.IN_DOUBT)
        self._store.destroy(row.ref for row in offered[:-MAX_OFFERED])

    def settle(self, title: bytes, scope: str, kept: KeyRef | None = None) -> None:
        rows = self._rows(title, scope, *KeyState)
        if not rows:
            return
        last = rows[-1].ref
        # A name that was given and is so old is that of a command that has ended since.
        gone = [
            row.ref
            for row in rows
            if (row.state is KeyState.IN_DOUBT and row.ref != kept)
            or (row.state is KeyState.PENDING and row.ref.version <= last.version - MAX_OFFERED)
        ]
        self._store.destroy(gone)
        self._store.forget(row.ref for row in rows if row.ref not in (last, kept))

    def _rows(self, title: bytes, scope: str, *states: KeyState) -> list[KeyRow]:
        found = self._store.rows(holder=title, scope=scope, states=states)
        return [
            row
            for row in found
            if row.ref.kind is KeyKind.GAK and row.ref.lifetime is KeyLifetime.SINGLE_ASSOCIATION
        ]
