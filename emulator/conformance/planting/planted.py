"""Reads the planted faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from devices.profile.place import Place, Problems
from devices.profile.table import maybe, need, one_of
from emulator import toml_file
from emulator.conformance.catalogue.holdings import built_in as checks
from emulator.conformance.declaration.features import values
from emulator.faults.catalogue import Row, row_of
from emulator.serving.taps import WAYS

_OWN = {"checks", "also", "profile", "way", "features", "settings", "device"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A fault of a meter of ``profile`` that is met on ``way``. ``checks`` become FAILED with it,
    and besides at the most those of ``also``. ``features`` are declared besides what the meter has,
    where the check would not apply to it, ``settings`` likewise. ``device`` is then a fault that
    makes of the meter one that has them and is right; ``None`` where the meter is it already.
    """

    name: str
    checks: tuple[str, ...]
    also: tuple[str, ...]
    profile: str
    way: str
    features: Mapping[str, int]
    settings: Mapping[str, str]
    row: Row
    device: Row | None = None


@cache
def built_in() -> tuple[Planted, ...]:
    """All of them, in the order of their files and rows."""
    here = resources.files(__name__.rpartition(".")[0])
    found: dict[str, Planted] = {}
    problems = Problems()
    files = sorted((file for file in here.iterdir() if file.name.endswith(".toml")), key=_name)
    for file in files:
        written = toml_file.parse(file.read_text("utf-8"), file.name)
        for name, row in written.table.items():
            place = written.place.at(name)
            with problems.collected():
                if name in found:
                    raise place.error("there is one of that name already")
                found[name] = _planted(name, row, place)
    problems.settle()
    return tuple(found.values())


def _features(table: dict[str, object], place: Place) -> dict[str, int]:
    return values(table, checks().words, place)


def _settings(table: dict[str, object], place: Place) -> dict[str, str]:
    if not all(isinstance(value, str) for value in table.values()):
        raise place.error("settings are text")
    return {name: str(value) for name, value in table.items()}


def _device(written: object, name: str, place: Place) -> Row | None:
    if written is None:
        return None
    if not isinstance(written, dict):
        raise place.error("a table is needed")
    return row_of(f"device-of-{name}", {"help": "as it should be", **written}, place)


def _name(file: object) -> str:
    return str(file)


def _planted(name: str, written: object, place: Place) -> Planted:
    if not isinstance(written, dict):
        raise place.error("a table is needed")
    fault = {key: value for key, value in written.items() if key not in _OWN}
    profile = need(written, "profile", str, place)
    return Planted(
        name=name,
        checks=_ids(need(written, "checks", list, place), place.at("checks")),
        also=_ids(maybe(written, "also", list, [], place), place.at("also")),
        profile=profile,
        way=one_of(need(written, "way", str, place), WAYS, place.at("way")),
        features=_features(maybe(written, "features", dict, {}, place), place.at("features")),
        settings=_settings(maybe(written, "settings", dict, {}, place), place.at("settings")),
        row=row_of(name, fault, place),
        device=_device(written.get("device"), name, place.at("device")),
    )


def _ids(written: list[object], place: Place) -> tuple[str, ...]:
    known = checks().checks
    for id in written:
        if id not in known:
            raise place.error(f"no check {id!r}")
    return tuple(map(str, written))
