"""The table of Service Reference Variants, read from variants.toml once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from devices.profile.values import parse_value
from dlms.cosem import obis
from emulator.requests.arguments import Argument, Type
from emulator.requests.refusal import RequestRefused
from emulator.requests.variant import ReadRow, StepRow, Variant

_KINDS = ("electricity", "gas")
_VALUE = 2


@cache
def variants() -> Mapping[str, Variant]:
    """Every variant by its number, in the order of the table."""
    text = files(__package__).joinpath("variants.toml").read_text("utf-8")
    rows = tomllib.loads(text)["variants"]
    return MappingProxyType({number: _variant(number, row) for number, row in rows.items()})


def find(number: str, party: str) -> Variant:
    """:class:`~emulator.requests.refusal.RequestRefused` by ``party`` if there is none."""
    found = variants().get(number)
    if found is None:
        raise RequestRefused(party, "unknown-variant", f"there is no variant {number!r}")
    return found


def by_instruction(name: str) -> Variant | None:
    """The variant that becomes an Instruction of this name."""
    return next((row for row in variants().values() if row.instruction == name), None)


def _variant(number: str, row: dict[str, Any]) -> Variant:
    row = dict(row)
    arguments = row.pop("arguments", {})
    steps, reads = row.pop("steps", []), row.pop("reads", [])
    label = "source" if "source" in row else "assumed"
    variant = Variant(
        number=number,
        name=row.pop("name"),
        critical=row.pop("critical"),
        kinds=tuple(row.pop("kinds")),
        senders=tuple(row.pop("senders")),
        provenance=f"{label}: {row.pop(label)}",
        arguments={name: _argument(name, one) for name, one in arguments.items()},
        instruction=row.pop("instruction", ""),
        encoder=row.pop("from", ""),
        through=row.pop("through", "s1sp"),
        steps=tuple(map(_step, steps)),
        reads=tuple(map(_read, reads)),
        top_up=row.pop("top_up", False),
        firmware=row.pop("firmware", ""),
        order=row.pop("order", ""),
    )
    if row:
        raise ValueError(f"variants.toml: {number} has {', '.join(row)}, which mean nothing")
    return variant


def _argument(name: str, row: dict[str, Any]) -> Argument:
    return Argument(
        name,
        Type(row["type"]),
        row.get("unit", ""),
        tuple(row.get("choices", ())),
        Decimal(row["least"]) if "least" in row else None,
        Decimal(row["most"]) if "most" in row else None,
        tuple(row.get("kinds", _KINDS)),
        row.get("optional", False),
    )


def _step(row: dict[str, Any]) -> StepRow:
    kind = "action" if "action" in row else "set"
    code, number = row[kind].split()
    value = parse_value(row["value"]) if "value" in row else None
    encoder = row.get("from", "")
    if (value is None) is (not encoder):
        raise ValueError(f"variants.toml: a step needs either value or from: {row}")
    return StepRow(
        kind == "action", obis.parse(code), int(number), value, encoder, row.get("when", {})
    )


def _read(row: dict[str, Any]) -> ReadRow:
    return ReadRow(
        row["name"],
        obis.parse(row["object"]) if "object" in row else None,
        row.get("role", ""),
        row.get("attribute", _VALUE),
        tuple(row.get("kinds", _KINDS)),
        row.get("when", {}),
        row.get("optional", False),
    )
