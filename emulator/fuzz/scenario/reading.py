"""Scenarios from JSON, checked whole before anything is played.

A file is ``{"format": "cosemlab-scenarios", "version": 1, "scenarios": [...]}``. What is wrong is
said in one line, with the file and the place.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emulator.fuzz import actions
from emulator.fuzz.actions import Action, Plant
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.head_ends.driven import Driven
from emulator.fuzz.head_ends.mischief import Encounter
from emulator.fuzz.scenario import fields
from emulator.fuzz.scenario.found import Found
from emulator.fuzz.scenario.model import Course, Expected, Knob, Recorded, Scenario, Step
from emulator.fuzz.scenario.place import ScenarioError, Where
from emulator.fuzz.target import Direction, Outcome
from emulator.fuzz.twist import STRAIGHT, Twist

FORMAT = "cosemlab-scenarios"
VERSION = 1
MAX_OCTETS = 4 * 1024 * 1024
"""Of a file: a finding has some kilobytes."""

DEEDS: dict[str, type[Any]] = {
    "open": actions.Open,
    "challenge": actions.Challenge,
    "authenticate": actions.Authenticate,
    "release": actions.Release,
    "hang": actions.Hang,
    "get": actions.Get,
    "set": actions.Set,
    "act": actions.Act,
    "send": actions.Send,
    "replay": actions.Replay,
    "transfer": actions.Transfer,
    "rotate": actions.Rotate,
    "agree": actions.Agree,
    "secret": actions.ChangeSecret,
    "take-keys": actions.TakeKeys,
    "put-counter": actions.PutCounter,
    "catch-up": actions.CatchUp,
    "certify": actions.Certify,
    "token": actions.Token,
    "storm": actions.Storm,
    "crowd": actions.Crowd,
    "connect": actions.Connect,
    "tls": actions.ChangeTls,
    "wait": actions.Wait,
    "clock-step": actions.ClockStep,
    "announce": actions.Announce,
    "power-cycle": actions.PowerCycle,
    "set-meter-counter": actions.SetMeterCounter,
    "damage": actions.Damage,
    "plant": actions.Plant,
}
"""What a step does, by its name in a file."""

_SCENARIO = frozenset(
    ("name", "title", "variant", "rules", "profile", "clients", "knobs", "knob", "seed", "each")
) | {"steps", "alive", "not_here", "plants", "found", "encounter", "head_end"}
_EXPECTED = frozenset(
    ("outcome", "says", "state", "value", "floor", "send", "version", "agree", "open", "happened")
) | {"balance", "breaches"}
_OUTSIDE = frozenset({"do", "expect", "recorded", "note"})


def read(path: Path) -> tuple[Scenario, ...]:
    """The scenarios of a file. :class:`ScenarioError` if it is not right."""
    return parse(load(path), str(path))


def load(path: Path) -> object:
    """The JSON of a file. :class:`ScenarioError` if it cannot be read, or there is none in it."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None
    if len(octets) > MAX_OCTETS:
        raise ScenarioError(f"{path}: more than {MAX_OCTETS} octets")
    try:
        written: object = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"{path}: no JSON: {error}") from None
    return written


def read_all(paths: Iterable[Path]) -> tuple[Scenario, ...]:
    """Those of several files. No two have the same name and variant."""
    found = tuple(scenario for path in paths for scenario in read(path))
    ids = [one.id for one in found]
    for id in ids:
        if ids.count(id) > 1:
            raise ScenarioError(f"{id} is there {ids.count(id)} times")
    return found


def parse(written: object, name: str = "scenarios") -> tuple[Scenario, ...]:
    top = Where(name, written).table(frozenset({"format", "version", "says", "scenarios"}))
    if "format" not in top or top["format"].written != FORMAT:
        raise ScenarioError(f"{name}.format: {FORMAT!r} is needed")
    if "version" not in top or top["version"].written != VERSION:
        raise ScenarioError(f"{name}.version: {VERSION} is needed")
    if "scenarios" not in top:
        raise ScenarioError(f"{name}: it has no scenarios")
    return tuple(_scenario(one) for one in top["scenarios"].list())


def _scenario(where: Where) -> Scenario:
    table = where.table(_SCENARIO)
    for needed in ("name", "title"):
        if needed not in table:
            raise where.wrong(f"it has no {needed}")
    where = Where(f"{where.path} ({table['name'].text()})", where.written)
    table = where.table(_SCENARIO)
    if sum(name in table for name in ("steps", "not_here", "encounter")) != 1:
        raise where.wrong("either steps or not_here is needed, or an encounter")
    given: dict[str, Any] = {}
    for name in ("name", "title", "variant", "profile", "seed", "alive", "not_here"):
        if name in table:
            given[name] = table[name].text()
    if "rules" in table:
        given["rules"] = table["rules"].texts()
    if "knob" in table:
        given["knob"] = _knob(table["knob"])
    if "clients" in table:
        given["clients"] = {name: _client(one) for name, one in table["clients"].table().items()}
    if "knobs" in table:
        given["knobs"] = {
            name: {knob: two.written for knob, two in one.table().items()}
            for name, one in table["knobs"].table().items()
        }
    if "plants" in table:
        given["plants"] = tuple(fields.record(Plant, one) for one in table["plants"].list())
    if "encounter" in table:
        given["encounter"] = fields.record(Encounter, table["encounter"])
    if "head_end" in table:
        given["head_end"] = fields.record(Driven, table["head_end"])
    if "found" in table:
        given["found"] = fields.record(Found, table["found"])
    if "steps" in table:
        given["courses"] = tuple(_courses(table))
    return Scenario(**given)


def _knob(where: Where) -> Knob:
    table = where.table(frozenset({"at", "field", "value"}))
    if "at" not in table:
        raise where.wrong("it has no at")
    field = table["field"].text() if "field" in table else ""
    return Knob(
        at=table["at"].text(), field=field, value=table["value"].written if "value" in table else ""
    )


def _client(where: Where) -> ClientKind:
    return fields.record(ClientKind, where)


def _courses(table: Mapping[str, Where]) -> Iterable[Course]:
    each = table["each"].list() if "each" in table else []
    bindings: list[Mapping[str, object]] = [
        {name: one.written for name, one in binding.table().items()} for binding in each
    ] or [{}]
    for binding in bindings:
        bound = Where(table["steps"].path, _bound(table["steps"].written, binding))
        said = " ".join(f"{name}={value}" for name, value in binding.items())
        yield Course(binding=said, steps=tuple(_step(one) for one in bound.list()))


def _bound(written: Any, binding: Mapping[str, object]) -> Any:
    """``$name`` by what it stands for; ``$$`` in the beginning of a text is one of them."""
    if isinstance(written, str) and written.startswith("$$"):
        return written[1:]
    if isinstance(written, str) and written.startswith("$"):
        if written[1:] not in binding:
            raise ScenarioError(f"{written} stands for nothing")
        return binding[written[1:]]
    if isinstance(written, dict):
        return {name: _bound(one, binding) for name, one in written.items()}
    if isinstance(written, list):
        return [_bound(one, binding) for one in written]
    return written


def _step(where: Where) -> Step:
    table = where.table()
    if "do" not in table:
        raise where.wrong("it has no do")
    kind = DEEDS.get(table["do"].text())
    if kind is None:
        raise table["do"].wrong(f"{table['do'].written!r} is none of {', '.join(DEEDS)}")
    assert isinstance(where.written, dict)
    rest = {name: one for name, one in where.written.items() if name not in _OUTSIDE}
    twisted = {name: one for name, one in rest.items() if name in fields.TWISTS}
    plain = {name: one for name, one in rest.items() if name not in fields.TWISTS}
    action = _action(kind, Where(where.path, plain), Where(where.path, twisted))
    expected = _expected(table["expect"]) if "expect" in table else Expected()
    recorded = (
        tuple(_recorded(one) for one in table["recorded"].list()) if "recorded" in table else ()
    )
    return Step(action=action, expected=expected, written=where.written, recorded=recorded)


def _action(kind: type[Any], where: Where, twisted: Where) -> Action:
    written = where.written
    assert isinstance(written, dict)
    if kind is actions.Send and "plain" in written:
        plain = fields.plain(Where(f"{where.path}.plain", written["plain"]))
        where = Where(where.path, {**written, "plain": plain.hex()})
    action: Any = fields.record(kind, where)
    if twisted.written:
        twist = fields.record(Twist, twisted)
        if not hasattr(action, "twist"):
            raise where.wrong("nothing is said here that could be twisted")
        action = _with(action, twist)
    result: Action = action
    return result


def _with(action: Any, twist: Twist) -> Any:
    return action if twist == STRAIGHT else dataclasses.replace(action, twist=twist)


def _expected(where: Where) -> Expected:
    if isinstance(where.written, str):
        return Expected(outcomes=frozenset({where.member(Outcome)}))
    table = where.table(_EXPECTED)
    given: dict[str, Any] = {}
    for name, one in table.items():
        match name:
            case "outcome":
                several = one.list() if isinstance(one.written, list) else [one]
                given["outcomes"] = frozenset(each.member(Outcome) for each in several)
            case "says" | "happened" | "breaches":
                given[name] = one.texts()
            case "state":
                if one.text() not in ("same", "changed"):
                    raise one.wrong("same or changed is needed")
                given[name] = one.text()
            case "value":
                given[name] = fields.data(one)
            case "agree" | "open":
                given[name] = {key: two.flag() for key, two in one.table().items()}
            case "balance":
                given[name] = _count(one)
            case _:
                given[name] = {key: _count(two) for key, two in one.table().items()}
    return Expected(**given)


def _count(where: Where) -> int | str:
    written = where.written
    if isinstance(written, str):
        if written == "same" or (written[:1] in "+-" and written[1:].isdigit()):
            return written
        raise where.wrong(f"a number, same, +N or -N is needed, not {written!r}")
    return where.number()


def _recorded(where: Where) -> Recorded:
    parts = where.list()
    if len(parts) != 3:
        raise where.wrong("direction, client and octets are needed")
    return Recorded(parts[0].member(Direction), parts[1].text(), parts[2].octets())
