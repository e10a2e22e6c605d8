"""Keys that a Cryptographic Module keeps outside of itself, wrapped under a key that stays inside.

What a token cannot hold for a whole fleet, it exports wrapped and takes in again. The store does
not know under which key; that is the module's.
"""

from __future__ import annotations

import sqlalchemy as sa

from dlms.security.keys import KeyRef
from emulator.keystore.rows import LASTING, is_ref, ref_values
from emulator.keystore.store import KeyStore


class LastingKeys:
    """Of the module of that name, for instance the label of its token."""

    def __init__(self, store: KeyStore, module: str) -> None:
        self._store = store
        self._module = module

    def load(self, ref: KeyRef) -> bytes | None:
        """What was kept; ``None`` if nothing was."""
        query = sa.select(LASTING.c.wrapped).where(self._is(ref))
        with self._store.database.begin() as connection:
            found: bytes | None = connection.scalar(query)
        return found

    def keep(self, ref: KeyRef, wrapped: bytes) -> None:
        """Keep it, instead of what was kept under that name."""
        values = {
            "module": self._module,
            **ref_values(ref),
            "wrapped": wrapped,
            "entered_at": self._store.now().isoformat(),
        }
        with self._store.database.begin() as connection:
            connection.execute(LASTING.delete().where(self._is(ref)))
            connection.execute(LASTING.insert().values(values))

    def discard(self, ref: KeyRef) -> None:
        """Erase it, if there is something."""
        with self._store.database.begin() as connection:
            connection.execute(LASTING.delete().where(self._is(ref)))

    def _is(self, ref: KeyRef) -> sa.ColumnElement[bool]:
        return sa.and_(LASTING.c.module == self._module, is_ref(LASTING, ref))
