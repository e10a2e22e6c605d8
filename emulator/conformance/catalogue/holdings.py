"""The whole catalogue: every group, and what must hold across them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from devices.profile.place import Place, Problems
from devices.profile.table import near
from emulator import toml_file
from emulator.conformance.catalogue.check import Check, Origin
from emulator.conformance.catalogue.rows import checks_of
from emulator.conformance.catalogue.words import Words, words_of
from emulator.toml_file import Written

INDEX = "index.toml"


class UnknownCheck(ValueError):
    """No check, alias or family of that name."""


class Catalogue:
    """Checks by id, in the order of the groups in index.toml and of their files."""

    def __init__(self, words: Words, checks: Mapping[str, Check]) -> None:
        self.words = words
        self.checks = MappingProxyType(dict(checks))
        self._names = {
            name.upper(): id for id, one in checks.items() for name in (id, *one.aliases)
        }

    def of_group(self, name: str) -> tuple[Check, ...]:
        """:class:`UnknownCheck` if there is no group of that name."""
        groups = self.words.groups
        if name not in groups:
            known = ", ".join(groups)
            raise UnknownCheck(f"no group {name!r}{near(name, groups)}; there are: {known}")
        return tuple(one for one in self.checks.values() if one.group == name)

    def find(self, name: str) -> tuple[Check, ...]:
        """The check of that id or alias, whatever the case of its letters; or those that a family
        stands for: an older name of several, or what several ids begin with.
        """
        key = name.upper()
        if key in self._names:
            return (self.checks[self._names[key]],)
        families = {one.upper(): family for one, family in self.words.families.items()}
        if key in families:
            return tuple(self.checks[id] for id in families[key].checks)
        begin = key.rstrip("*_") + "_"
        members = tuple(one for id, one in self.checks.items() if id.upper().startswith(begin))
        if members:
            return members
        hint = near(key, (*self._names, *families))
        raise UnknownCheck(f"no check {name!r}{hint}; 'cosemlab conform list' has them all")

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks.values())

    def __len__(self) -> int:
        return len(self.checks)


@cache
def built_in() -> Catalogue:
    """What comes with the package."""
    folder = resources.files("emulator.conformance.catalogue")
    texts = {
        one.name: one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".toml")
    }
    return catalogue_of(texts)


def catalogue_of(texts: Mapping[str, str]) -> Catalogue:
    """From the texts of its files by name: index.toml, and one for each group in it.

    :class:`~devices.profile.ProfileError` says file, line, place and what was expected, of each row
    that is wrong.
    """
    index = toml_file.parse(texts.get(INDEX, ""), INDEX)
    words = words_of(index)
    expected = {INDEX, *(f"{name}.toml" for name in words.groups)}
    for file in sorted(expected ^ texts.keys()):
        what = "is missing" if file in expected else f"belongs to no group of {INDEX}"
        raise Place(file).error(what)
    checks: dict[str, Check] = {}
    problems = Problems()
    written = {
        name: toml_file.parse(texts[f"{name}.toml"], f"{name}.toml") for name in words.groups
    }
    for name, group in words.groups.items():
        with problems.collected():
            for one in checks_of(written[name], group, words):
                if one.id in checks:
                    raise _row(written, one).error(f"is in group {checks[one.id].group} already")
                checks[one.id] = one
    problems.settle()
    _check_names(checks, words, written, index.place)
    return Catalogue(words, checks)


def _row(written: Mapping[str, Written], check: Check) -> Place:
    return written[check.group].place.at("checks").at(check.id)


def _check_names(
    checks: Mapping[str, Check], words: Words, written: Mapping[str, Written], index: Place
) -> None:
    """Every name stands for one thing, and every id that is referred to is there."""
    names = {id.upper(): f"the id {id}" for id in checks}
    problems = Problems()
    if len(names) < len(checks):
        raise index.error("has ids that differ in the case of their letters only")
    for check in checks.values():
        with problems.collected():
            place = _row(written, check)
            for alias in check.aliases:
                there = names.get(alias.upper())
                if there is not None:
                    raise place.at("aliases").error(f"{alias!r} is {there} already")
                names[alias.upper()] = f"an alias of {check.id}"
            for test in check.corresponds:
                found = checks.get(test)
                if found is None or found.origin is Origin.DERIVED:
                    hint = near(test, checks) if found is None else ""
                    raise place.at("corresponds").error(f"{test!r} is no official test{hint}")
    for family in words.families.values():
        with problems.collected():
            place = index.at("families").at(family.name)
            if family.name.upper() in names:
                raise place.error(f"is {names[family.name.upper()]} already")
            for id in family.checks:
                if id not in checks:
                    raise place.at("checks").error(f"no check {id!r}{near(id, checks)}")
    problems.settle()
