"""The vices by name, as vices.toml has them.

[flipped-tag]
kind = "flip"
help = "a bit of the authentication tag of each response is flipped"
parameters = { part = "tag" }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from pkgutil import walk_packages
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from devices.profile.place import Place
from devices.profile.table import maybe, need, one_of, only
from emulator import toml_file
from emulator.conformance.hostile import vices
from emulator.conformance.hostile.vice import Vice

if TYPE_CHECKING:
    from emulator.conformance.hostile.stage import Stage

_KEYS = {"kind", "help", "parameters"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ViceRow:
    """A named vice: ``help`` says what the meter does wrong."""

    name: str
    vice: type[Vice]
    help: str
    parameters: Mapping[str, Any]


def made(row: ViceRow, stage: Stage) -> Vice:
    return row.vice(stage, row.parameters)


@cache
def kinds() -> Mapping[str, type[Vice]]:
    """All kinds by name."""
    for module in walk_packages(vices.__path__, f"{vices.__name__}."):
        import_module(module.name)
    found: dict[str, type[Vice]] = {Vice.kind: Vice}
    todo = list(Vice.__subclasses__())
    while todo:
        one = todo.pop()
        todo += one.__subclasses__()
        found[one.kind] = one
    return found


def _row(name: str, written: object, place: Place) -> ViceRow:
    only(written, _KEYS, place)
    assert isinstance(written, dict)  # only() has looked
    kind = one_of(need(written, "kind", str, place), tuple(kinds()), place.at("kind"))
    return ViceRow(
        name=name,
        vice=kinds()[kind],
        help=need(written, "help", str, place),
        parameters=MappingProxyType(maybe(written, "parameters", dict, {}, place)),
    )


def _built_in() -> Mapping[str, ViceRow]:
    file = resources.files("emulator.conformance.hostile") / "vices.toml"
    written = toml_file.parse(file.read_text("utf-8"), "vices.toml")
    return {name: _row(name, row, written.place.at(name)) for name, row in written.table.items()}


VICES: Mapping[str, ViceRow] = _built_in()
