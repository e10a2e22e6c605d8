"""The combinations of a table: lines that belong together, one for each Device Model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from emulator.products.combination import Combination, combination
from emulator.products.device_model import FIELDS, DeviceModel, device_model
from emulator.products.errors import ProductsError
from emulator.products.importing.table import Line, Problems, Table

_NUMBER = "DMC-"
"""How a number of a combination begins; anything else is a name that holds within the file."""


class Group(NamedTuple):
    """``where`` is its first line; ``cells`` are those that all of its lines agree in."""

    where: str
    label: str
    cells: dict[str, str]
    combination: Combination


def groups_of(table: Table, key: Sequence[str], problems: Problems) -> list[Group]:
    """Lines with the same ``key`` belong together; besides the Device Model they must agree."""
    found: dict[tuple[str, ...], list[Line]] = {}
    for line in table.lines:
        if not line.cells["combination"].strip():
            problems.add(line.where, "combination is empty")
            continue
        found.setdefault(tuple(line.cells[name].strip() for name in key), []).append(line)
    groups = (_group(lines, problems) for lines in found.values())
    return [group for group in groups if group is not None]


def _group(lines: list[Line], problems: Problems) -> Group | None:
    """``None`` if there is a problem with it."""
    before = len(problems.found)
    shared = {name: cell.strip() for name, cell in lines[0].cells.items() if name not in FIELDS}
    models: dict[DeviceModel, str] = {}
    for line in lines:
        for name, value in shared.items():
            if line.cells[name].strip() != value:
                there = f"{name} is not that of {lines[0].where}, {value!r}"
                problems.add(line.where, f"{there}, though it is the same combination")
        try:
            model = device_model(*(line.cells[name] for name in FIELDS))
        except ProductsError as error:
            problems.add(line.where, error)
            continue
        if model in models:
            problems.add(line.where, f"the Device Model of {models[model]} a second time")
        models.setdefault(model, line.where)
    if len(problems.found) > before:
        return None
    try:
        made = combination(models, shared["csp"])
    except ProductsError as error:
        problems.add(lines[0].where, error)
        return None
    label = shared["combination"]
    if label.upper().startswith(_NUMBER) and label.upper() != made.id:
        problems.add(lines[0].where, f"{label} is not the number of this combination: {made.id} is")
        return None
    return Group(lines[0].where, label, shared, made)
