"""The acts in the database: appended, and read again only if they are what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from emulator.products.acts import Act, Record, act_of, detail, kind_of
from emulator.products.canonical import canonical
from emulator.products.errors import ProductsError
from emulator.products.tables import ACTS

_FIRST = "sha256:products"


def read(connection: sa.Connection) -> list[Record]:
    """The whole history. :class:`ProductsError` if it was changed behind our back."""
    records: list[Record] = []
    chain = _FIRST
    for row in connection.execute(sa.select(ACTS).order_by(ACTS.c.number)).mappings():
        number = row["number"]
        chain = _link(chain, row)
        if number != len(records) + 1 or chain != row["chain"]:
            # Without its number: that would say how many there are.
            raise ProductsError("the history of the register is not what was written")
        records.append(
            Record(
                number,
                datetime.fromisoformat(row["written"]),
                date.fromisoformat(row["day"]),
                act_of(row["kind"], row["combination"], json.loads(row["detail"])),
            )
        )
    return records


def append(connection: sa.Connection, acts: Iterable[tuple[date, Act]], written: datetime) -> None:
    """Write them behind what is there."""
    last = connection.execute(
        sa.select(ACTS.c.number, ACTS.c.chain).order_by(ACTS.c.number.desc()).limit(1)
    ).first()
    number, chain = (0, _FIRST) if last is None else (last.number, last.chain)
    rows: list[dict[str, Any]] = []
    for day, act in acts:
        number += 1
        row: dict[str, Any] = {
            "number": number,
            "written": written.isoformat(),
            "day": str(day),
            "kind": kind_of(act),
            "combination": act.id,
            "detail": canonical(detail(act)).decode(),
        }
        chain = _link(chain, row)
        rows.append({**row, "chain": chain})
    if rows:
        connection.execute(ACTS.insert(), rows)


def _link(chain: str, row: Any) -> str:
    fields = [row[name] for name in ("number", "written", "day", "kind", "combination", "detail")]
    return f"sha256:{hashlib.sha256(canonical([chain, *fields])).hexdigest()}"
