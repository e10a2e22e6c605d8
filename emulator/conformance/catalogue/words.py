"""The words that rows of the catalogue are made of, each with what it means: index.toml."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from devices.profile.place import Place
from devices.profile.table import Table, maybe, need, one_of, only
from emulator.toml_file import Written

_TABLES = {"groups", "features", "answers", "starts", "evidence", "families"}
_GROUP = {"title", "document", "ids", "official", "log_prefix"}
NOT_KNOWN = "not known"
"""The label of evidence that stands alone."""
_WORD = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What a device under test may declare: a flag, or a number with its unit."""

    name: str
    says: str
    is_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The checks of one file. ``ids`` is the form of the official ids of its document, if it has
    any, and ``official`` how many there are; ``log_prefix`` is what logs put before an id.
    """

    name: str
    title: str
    document: str
    ids: re.Pattern[str] | None
    official: int
    log_prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A name for several checks, of an older test plan: which of its subtests became which check is
    not known.
    """

    name: str
    says: str
    evidence: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """All of index.toml."""

    groups: Mapping[str, Group]
    features: Mapping[str, Feature]
    answers: Mapping[str, str]
    starts: Mapping[str, str]
    evidence: Mapping[str, str]
    families: Mapping[str, Family]

    @property
    def flags(self) -> frozenset[str]:
        return frozenset(name for name, one in self.features.items() if not one.is_number)

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset(name for name, one in self.features.items() if one.is_number)


def words_of(written: Written) -> Words:
    """:class:`~devices.profile.ProfileError` says file, line, place and what was expected."""
    table, place = written
    only(table, _TABLES, place)
    parts = {name: need(table, name, dict, place) for name in sorted(_TABLES)}
    where = {name: place.at(name) for name in parts}
    return Words(
        groups={
            name: _group(name, row, where["groups"].at(name))
            for name, row in parts["groups"].items()
        },
        features={
            name: _feature(name, row, where["features"].at(name))
            for name, row in parts["features"].items()
        },
        answers=_meanings(parts["answers"], where["answers"]),
        starts=_meanings(parts["starts"], where["starts"]),
        evidence=_meanings(parts["evidence"], where["evidence"], any_form=True),
        families={
            name: _family(name, row, where["families"].at(name), parts["evidence"])
            for name, row in parts["families"].items()
        },
    )


def text_of(row: Table, key: str, place: Place) -> str:
    """A string that says something."""
    text = need(row, key, str, place)
    if not text.strip():
        raise place.at(key).error("must say something")
    return text


def texts_of(row: Table, key: str, place: Place) -> tuple[str, ...]:
    """A list of different strings; none if it is left out."""
    found = maybe(row, key, list, [], place)
    for number, one in enumerate(found):
        here = place.at(key).at(str(number))
        if not isinstance(one, str) or not one.strip():
            raise here.error("a string is needed")
        if one in found[:number]:
            raise here.error(f"{one!r} is there already")
    return tuple(found)


def word_of(text: str, place: Place) -> str:
    """A name of ours: small letters, digits, hyphens and dots."""
    if not _WORD.fullmatch(text):
        raise place.error(f"{text!r} is no word of small letters and digits, with hyphens or dots")
    return text


def _meanings(table: Table, place: Place, *, any_form: bool = False) -> dict[str, str]:
    found = {}
    for name in table:
        if not any_form:
            word_of(name, place.at(name))
        found[name] = text_of(table, name, place)
    return found


def _feature(name: str, written: object, place: Place) -> Feature:
    only(written, {"kind", "says"}, place)
    assert isinstance(written, dict)  # only() has looked
    word_of(name, place)
    if name in {"and", "or", "not"}:
        raise place.error(f"{name!r} joins features: it cannot be one")
    kind = one_of(need(written, "kind", str, place), ("flag", "number"), place.at("kind"))
    return Feature(name=name, says=text_of(written, "says", place), is_number=kind == "number")


def _group(name: str, written: object, place: Place) -> Group:
    only(written, _GROUP, place)
    assert isinstance(written, dict)  # only() has looked
    pattern = maybe(written, "ids", str, None, place)
    official = maybe(written, "official", int, 0, place)
    if (pattern is None) is (official > 0):
        raise place.error("'ids' and 'official' come together: official ids and how many")
    try:
        ids = None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise place.at("ids").error(f"is no regular expression: {error}") from None
    return Group(
        name=word_of(name, place),
        title=text_of(written, "title", place),
        document=text_of(written, "document", place),
        ids=ids,
        official=official,
        log_prefix=maybe(written, "log_prefix", str, "", place),
    )


def labelled(labels: Sequence[str], known: Collection[str], place: Place) -> None:
    """Refuse labels that no evidence has, and "not known" beside one that says something."""
    for number, label in enumerate(labels):
        one_of(label, tuple(known), place.at(str(number)))
    if NOT_KNOWN in labels and len(labels) > 1:
        raise place.error(f"{NOT_KNOWN!r} stands alone")


def _family(name: str, written: object, place: Place, known: Collection[str]) -> Family:
    only(written, {"says", "evidence", "checks"}, place)
    assert isinstance(written, dict)  # only() has looked
    found = {key: texts_of(written, key, place) for key in ("evidence", "checks")}
    for key, texts in found.items():
        if not texts:
            raise place.error(f"{key!r} is needed")
    labelled(found["evidence"], known, place.at("evidence"))
    return Family(
        name=name,
        says=text_of(written, "says", place),
        evidence=found["evidence"],
        checks=found["checks"],
    )
