"""The keys that wrap what is in the store, and another one instead of the one that does.

The first is the party's storage key, which its Cryptographic Module holds: the *root*. Another one
is made in the module and kept in the store like any key, wrapped under the root. What is kept from
then on goes under it, and what is there is wrapped anew, key by key; whoever is interrupted goes on
where it was. Wrapping and unwrapping are operations of the module, and tagged.
"""

from __future__ import annotations

from collections.abc import Callable

from dlms.security.keys import KEY_LENGTH, KeyRef
from dlms.security.ops import Discard, GenerateKey, Step, Unwrap, Use, Wrap
from emulator.head_end.known_keys import Run
from emulator.journal import StoreError
from emulator.keystore.rows import KeyRow
from emulator.keystore.states import KeyState
from emulator.keystore.store import KeyStore

Note = Callable[[KeyRef], None]
"""Is told of a key that is about to be stored, encrypted; may refuse it."""


class Wrapping:
    """Of one party's keys: those whose ``root`` it is."""

    def __init__(self, store: KeyStore, root: KeyRef, note: Note) -> None:
        self.store = store
        self.root = root
        self._note = note
        self._present: dict[str, KeyRef] = {str(root): root}

    async def wrap(self, key: KeyRef, run: Run) -> tuple[bytes, KeyRef]:
        """``key``, which is in the module, and what it is wrapped under. To be stored."""
        kek = await self.current(run)
        wrapped: bytes = await run(_wrap(kek, key))
        self._note(key)
        return wrapped, kek

    async def unwrap(self, row: KeyRow, run: Run) -> None:
        """Have the key of ``row`` in the module."""
        if row.wrapped is None or row.kek is None:
            raise StoreError(f"{self.store.database}: key {row.ref} has no octets")
        kek = await self._named(row.kek, run)
        await run(_unwrap(kek, row.wrapped, row.ref))

    async def current(self, run: Run) -> KeyRef:
        """What is kept now is wrapped under this."""
        rows = self._rows(KeyState.IN_FORCE)
        return await self._named(str(rows[0].ref), run) if rows else self.root

    async def renew(self, run: Run) -> KeyRef:
        """Make another wrapping key, and wrap under it from now on."""
        self.store.destroy(row.ref for row in self._rows(KeyState.PENDING))
        new = self.store.give_name(self.root)
        wrapped = await run(_make(self.root, new))
        self._note(new)
        self.store.fill(new, wrapped, self.root)
        self.store.take((new,))
        self._present[str(new)] = new
        return new

    def outdated(self) -> list[KeyRow]:
        """Keys of this party that are still wrapped under a former one."""
        rows = self._rows(KeyState.IN_FORCE)
        kek = str(rows[0].ref) if rows else str(self.root)
        formers = {str(row.ref) for row in self._rows(KeyState.RETIRED)} | {str(self.root)}
        return [
            row
            for row in self.store.rows()
            if row.wrapped is not None
            and row.kek != kek
            and row.kek in formers
            and not self._is_wrapping_key(row.ref)
        ]

    async def rewrap(self, run: Run, told: Callable[[int], None] = lambda left: None) -> int:
        """Wrap anew what is wrapped under a former one, and destroy those; how many keys it was.
        ``told`` how many are left after each. May be interrupted anywhere, and done again.
        """
        rows = self.outdated()
        for number, row in enumerate(rows, 1):
            assert row.kek is not None  # outdated() has looked
            former = await self._named(row.kek, run)
            await self.unwrap(row, run)
            wrapped, kek = await self.wrap(row.ref, run)
            self.store.rewrap(row.ref, former, wrapped, kek)
            told(len(rows) - number)
        if not self.outdated():
            for row in self._rows(KeyState.RETIRED):
                self.store.destroy((row.ref,))
                if self._present.pop(str(row.ref), None):
                    await run(_discard(row.ref))
        return len(rows)

    async def _named(self, name: str, run: Run) -> KeyRef:
        """The wrapping key of that name, in the module."""
        if name not in self._present:
            row = next((one for one in self._rows(*KeyState) if str(one.ref) == name), None)
            if row is None or row.wrapped is None:
                raise StoreError(f"{self.store.database}: no wrapping key {name}")
            await run(_unwrap(self.root, row.wrapped, row.ref))
            self._present[name] = row.ref
        return self._present[name]

    def _rows(self, *states: KeyState) -> list[KeyRow]:
        found = self.store.rows(holder=self.root.holder, scope=self.root.scope, states=states)
        return [row for row in found if self._is_wrapping_key(row.ref)]

    def _is_wrapping_key(self, ref: KeyRef) -> bool:
        return ref._replace(version=self.root.version) == self.root


def _wrap(kek: KeyRef, key: KeyRef) -> Step[bytes]:
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, key)
    return wrapped


def _unwrap(kek: KeyRef, wrapped: bytes, into: KeyRef) -> Step[None]:
    yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, into, ())


def _make(root: KeyRef, new: KeyRef) -> Step[bytes]:
    yield GenerateKey(Use.TRANSFER_KEY, new, KEY_LENGTH)
    return (yield from _wrap(root, new))


def _discard(key: KeyRef) -> Step[None]:
    yield Discard(Use.TRANSFER_KEY, key)
