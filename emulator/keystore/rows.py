"""The tables of the key store, and a row of a key."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.keystore.states import KeyState

NAME, VERSION = "keystore", 1
"""Of the tables, as the database knows them."""

METADATA = sa.MetaData()

_REF = ("holder", "scope", "kind", "lifetime", "version")


def _ref_columns() -> list[sa.Column[Any]]:
    """System title (hexadecimal), and names of enum members."""
    return [
        sa.Column("holder", sa.String, primary_key=True),
        sa.Column("scope", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("lifetime", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
    ]


KEYS = sa.Table(
    "keys",
    METADATA,
    *_ref_columns(),
    # RFC 3394 under the key that `kek` names; nothing before it is made and once it is destroyed.
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("kek", sa.String),
    sa.Column("state", sa.String, nullable=False),
    # What was sent in one transfer has one number: a meter takes all of it or none.
    sa.Column("transfer", sa.Integer),
    *(sa.Column(f"{state.name.lower()}_at", sa.String) for state in KeyState),
)

LASTING = sa.Table(
    "lasting_keys",
    METADATA,
    sa.Column("module", sa.String, primary_key=True),
    *_ref_columns(),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("entered_at", sa.String, nullable=False),
)


class KeyRow(NamedTuple):
    """``entered`` is when each state was, UTC."""

    ref: KeyRef
    wrapped: bytes | None
    kek: str | None
    state: KeyState
    transfer: int | None
    entered: dict[KeyState, dt.datetime]

    def __repr__(self) -> str:
        return f"<KeyRow {self.ref}, {self.state.value}>"

    def to_json(self) -> dict[str, Any]:
        """Without what is wrapped."""
        return {
            "key": str(self.ref),
            "holder": self.ref.holder.hex().upper(),
            "scope": self.ref.scope,
            "kind": self.ref.kind.name,
            "lifetime": self.ref.lifetime.value,
            "version": self.ref.version,
            "state": self.state.value,
            "kek": self.kek,
            "entered": {state.value: at.isoformat() for state, at in self.entered.items()},
        }


def ref_values(ref: KeyRef) -> dict[str, Any]:
    """The columns that name a key."""
    values = (ref.holder.hex().upper(), ref.scope, ref.kind.name, ref.lifetime.name, ref.version)
    return dict(zip(_REF, values, strict=True))


def is_ref(table: sa.Table, ref: KeyRef) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == value for name, value in ref_values(ref).items()))


def entered_column(state: KeyState) -> str:
    return f"{state.name.lower()}_at"


def row_of(found: sa.Row[Any]) -> KeyRow:
    ref = KeyRef(
        bytes.fromhex(found.holder),
        found.scope,
        KeyKind[found.kind],
        KeyLifetime[found.lifetime],
        found.version,
    )
    moments = {state: getattr(found, entered_column(state)) for state in KeyState}
    entered = {state: dt.datetime.fromisoformat(at) for state, at in moments.items() if at}
    state = KeyState[found.state]
    return KeyRow(ref, found.wrapped, found.kek, state, found.transfer, entered)
