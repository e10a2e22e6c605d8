"""What is done to the rows of keys, each in one transaction: all of it lasts, or none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

import sqlalchemy as sa

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.database import Database
from emulator.journal import StoreError
from emulator.keystore.rows import (
    KEYS,
    METADATA,
    NAME,
    VERSION,
    KeyRow,
    entered_column,
    is_ref,
    ref_values,
    row_of,
)
from emulator.keystore.states import FOLLOWS, KeyState

_ORDER = (KEYS.c.holder, KEYS.c.scope, KEYS.c.kind, KEYS.c.lifetime, KEYS.c.version)


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class KeyStore:
    """The rows in ``database``. ``now`` is the time that is written down with each state.

    Every method may raise :class:`~emulator.database.DatabaseError`.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime] = utc_now) -> None:
        database.use(NAME, VERSION, METADATA)
        self.database = database
        self.now = now

    def __repr__(self) -> str:
        return f"<KeyStore in {self.database}>"

    # Read ----------------------------------------------------------------------------------------

    def rows(
        self,
        *,
        holder: bytes | None = None,
        scope: str | None = None,
        states: Iterable[KeyState] = KeyState,
    ) -> list[KeyRow]:
        """In order of their names, versions counting up."""
        query = sa.select(KEYS).where(KEYS.c.state.in_([state.name for state in states]))
        if holder is not None:
            query = query.where(KEYS.c.holder == holder.hex().upper())
        if scope is not None:
            query = query.where(KEYS.c.scope == scope)
        with self.database.begin() as connection:
            return [row_of(found) for found in connection.execute(query.order_by(*_ORDER))]

    def row(self, ref: KeyRef) -> KeyRow | None:
        with self.database.begin() as connection:
            found = connection.execute(sa.select(KEYS).where(is_ref(KEYS, ref))).first()
        return None if found is None else row_of(found)

    def last_version(self, ref: KeyRef) -> int:
        """The highest that was ever given to a key of this name; 0 if none was."""
        with self.database.begin() as connection:
            return _last_version(connection, ref)

    # A key comes ---------------------------------------------------------------------------------

    def give_name(self, ref: KeyRef) -> KeyRef:
        """The name of the next version of ``ref``, which nobody else is given."""
        with self.database.begin() as connection:
            named = ref._replace(version=_last_version(connection, ref) + 1)
            self._insert(connection, named)
        return named

    def fill(self, ref: KeyRef, wrapped: bytes, kek: KeyRef) -> None:
        """Keep the octets of a key whose name was given. :class:`StoreError` if it has some, or if
        ``kek`` is no wrapping key any more.
        """
        with self.database.begin() as connection:
            self._check_kek(connection, kek)
            filled = connection.execute(
                KEYS.update()
                .where(is_ref(KEYS, ref), KEYS.c.wrapped.is_(None))
                .where(KEYS.c.state == KeyState.PENDING.name)
                .values(wrapped=wrapped, kek=str(kek))
            )
            if filled.rowcount != 1:
                raise StoreError(f"{self.database}: no key {ref} waits for its octets")

    def add(self, found: Iterable[tuple[KeyRef, bytes]], kek: KeyRef) -> None:
        """Keys that the meters have already, and whose versions somebody else has given: all of
        them, or none. :class:`StoreError` if one is there already, or a later one.
        """
        with self.database.begin() as connection:
            self._check_kek(connection, kek)
            for ref, wrapped in found:
                if _last_version(connection, ref) >= ref.version:
                    raise StoreError(f"{self.database}: there is a key {ref} already, or a later")
                self._insert(connection, ref, wrapped=wrapped, kek=str(kek))
                self._take(connection, ref)

    # A key lives ---------------------------------------------------------------------------------

    def send(self, refs: Iterable[KeyRef]) -> None:
        """They are about to be sent in one transfer."""
        with self.database.begin() as connection:
            last = connection.scalar(sa.select(sa.func.max(KEYS.c.transfer))) or 0
            for ref in refs:
                self._enter(connection, ref, KeyState.IN_DOUBT, transfer=last + 1)

    def take(self, refs: Iterable[KeyRef]) -> None:
        """They are in force; those that were are retired, others in doubt destroyed. One that is in
        force already may be among them, or of version 0, which has no row.
        """
        with self.database.begin() as connection:
            for ref in refs:
                self._take(connection, ref)

    def destroy(self, refs: Iterable[KeyRef]) -> None:
        """Erase what is wrapped."""
        with self.database.begin() as connection:
            for ref in refs:
                if _state(connection, ref) not in (None, KeyState.DESTROYED):
                    self._destroy(connection, ref)

    def forget(self, refs: Iterable[KeyRef]) -> None:
        """Of keys that are destroyed not even the name is needed: a later version has one."""
        with self.database.begin() as connection:
            for ref in refs:
                gone = (is_ref(KEYS, ref), KEYS.c.state == KeyState.DESTROYED.name)
                connection.execute(KEYS.delete().where(*gone))

    def rewrap(self, ref: KeyRef, former: KeyRef, wrapped: bytes, kek: KeyRef) -> bool:
        """The same key under another. ``False`` if it has changed meanwhile."""
        with self.database.begin() as connection:
            self._check_kek(connection, kek)
            changed = connection.execute(
                KEYS.update()
                .where(is_ref(KEYS, ref), KEYS.c.kek == str(former), KEYS.c.wrapped.is_not(None))
                .values(wrapped=wrapped, kek=str(kek))
            )
        return changed.rowcount == 1

    def _check_kek(self, connection: sa.Connection, kek: KeyRef) -> None:
        """The one of version 0 has no row; it always is."""
        if kek.version and _state(connection, kek) is not KeyState.IN_FORCE:
            raise StoreError(f"{self.database}: {kek} was replaced meanwhile; try again")

    def _take(self, connection: sa.Connection, ref: KeyRef) -> None:
        for other, state in _others(connection, ref):
            if state is KeyState.IN_FORCE:
                self._enter(connection, other, KeyState.RETIRED)
            elif state is KeyState.IN_DOUBT:
                self._destroy(connection, other)
        if ref.version and _state(connection, ref) is not KeyState.IN_FORCE:
            self._enter(connection, ref, KeyState.IN_FORCE)

    def _insert(
        self,
        connection: sa.Connection,
        ref: KeyRef,
        *,
        wrapped: bytes | None = None,
        kek: str | None = None,
    ) -> None:
        state = KeyState.PENDING
        values = {"state": state.name, entered_column(state): self.now().isoformat()}
        values |= ref_values(ref)
        connection.execute(KEYS.insert().values(wrapped=wrapped, kek=kek, **values))

    def _destroy(self, connection: sa.Connection, ref: KeyRef) -> None:
        self._enter(connection, ref, KeyState.DESTROYED, wrapped=None, kek=None)

    def _enter(
        self, connection: sa.Connection, ref: KeyRef, state: KeyState, **values: object
    ) -> None:
        """:class:`StoreError` if that state does not follow the one that it is in."""
        former = _state(connection, ref)
        if former is None or state not in FOLLOWS[former]:
            there = "there is none" if former is None else f"it is {former.value}"
            raise StoreError(f"{self.database}: key {ref} is not to be {state.value}: {there}")
        changed: Mapping[str, object] = {
            "state": state.name,
            entered_column(state): self.now().isoformat(),
            **values,
        }
        connection.execute(KEYS.update().where(is_ref(KEYS, ref)).values(changed))


def _last_version(connection: sa.Connection, ref: KeyRef) -> int:
    last: int | None = connection.scalar(
        sa.select(sa.func.max(KEYS.c.version)).where(_same_name(ref))
    )
    return last or 0


def _state(connection: sa.Connection, ref: KeyRef) -> KeyState | None:
    query = sa.select(KEYS.c.state).where(is_ref(KEYS, ref)).with_for_update()
    name: str | None = connection.scalar(query)
    return None if name is None else KeyState[name]


def _others(connection: sa.Connection, ref: KeyRef) -> list[tuple[KeyRef, KeyState]]:
    """Other versions of a key."""
    query = sa.select(KEYS.c.version, KEYS.c.state).where(
        _same_name(ref), KEYS.c.version != ref.version
    )
    found = connection.execute(query.with_for_update()).all()
    return [(ref._replace(version=version), KeyState[state]) for version, state in found]


def _same_name(ref: KeyRef) -> sa.ColumnElement[bool]:
    values = ref_values(ref)
    del values["version"]
    return sa.and_(*(KEYS.c[name] == value for name, value in values.items()))


def long_lived(holder: bytes, scope: str, kind: KeyKind) -> KeyRef:
    """The name that the versions of a long-lived key share."""
    return KeyRef(holder, scope, kind, KeyLifetime.LONG_LIVED)
