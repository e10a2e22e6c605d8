"""A profile for people: one table for each kind of row, and where each row comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from devices.profile import Profile
from dlms.cosem import catalogue, obis
from emulator.cli.output import print_table
from emulator.profile_facts import Row, rows_of

_WIDEST = 72
"""Characters of a value in a table; ``--json`` has all of it."""
_TITLES = {
    "identity": "Identity",
    "associations": "Associations",
    "objects": "Objects",
    "short_name_objects": "Objects that only associations by short names see",
    "instructions": "Instructions",
    "habits": "Habits",
    "logs": "Logs",
    "alerts": "Alerts",
    "plugins": "Plug-ins",
}


def print_profile(profile: Profile, association: str | None) -> None:
    print(f"{profile.name}: {profile.manufacturer} {profile.model}, {profile.kind}")
    tables: dict[str, list[Row]] = {}
    for row in rows_of(profile, association):
        tables.setdefault(row.table, []).append(row)
    for table, rows in tables.items():
        print()
        print(f"{_TITLES[table]} ({len(rows)})")
        print()
        if all(row.entries.keys() == {"value"} for row in rows):
            print_table([(f"  {row.key}", cut(row.entries["value"]), _from(row)) for row in rows])
        else:
            _print_rows(rows)


def _print_rows(rows: Iterable[Row]) -> None:
    """A line for each row, then one for each of its entries."""
    for row in rows:
        print(f"  {_heading(row)}")
        lines: list[Sequence[str]] = [
            (f"    {name}", cut(text)) for name, text in row.entries.items() if name not in _HEAD
        ]
        if row.provenance is not None:
            lines.append(("    from", str(row.provenance)))
        print_table(lines)


_HEAD = ("class", "version")


def _heading(row: Row) -> str:
    if "class" not in row.entries:
        return row.key or "all"
    name = catalogue.name(obis.parse(row.key))
    kind = f"{row.entries['class']} version {row.entries['version']}"
    return "  ".join(part for part in (row.key, name or "", kind) if part)


def cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _from(row: Row) -> str:
    return "the default" if row.provenance is None else str(row.provenance)
