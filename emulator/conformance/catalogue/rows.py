"""Checks out of the TOML file of one group. A row may leave out what ``[defaults]`` has.

[checks.X_WPDU_VER]
title = "Another version in the header"
clause = "IEC 62056-4-7"
steps = [
    { name = "version-2", sends = "a WPDU with version 2", answers = ["closed", "silence"],
      lenient = [{ answer = "exception: any", because = "..." }] },
]

An answer is a word of index.toml, after a colon what exactly it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devices.profile.place import Place, Problems
from devices.profile.table import Table, maybe, near, need, one_of, only
from emulator.conformance.catalogue.applicability import (
    Applicability,
    ExpressionError,
    UnknownFeature,
    all_of,
    parse,
)
from emulator.conformance.catalogue.check import Answer, Check, Evidence, Origin, Severity, Step
from emulator.conformance.catalogue.words import (
    NOT_KNOWN,
    Group,
    Words,
    labelled,
    text_of,
    texts_of,
    word_of,
)
from emulator.toml_file import Written

_DEFAULTS = {"origin", "evidence", "clause", "applies", "start", "severity"}
_CHECK = _DEFAULTS | {"title", "aliases", "rules", "also", "steps", "corresponds"}
_STEP = {"name", "sends", "answers", "lenient", "subtest"}
_ID = re.compile(r"[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+")
_RULE = re.compile(r"(R-[A-Z]+-\d+|X(?:_[A-Z0-9]+)+)")
_EVIDENCE = ("purpose", "steps", "clause")
OURS = {Origin.PROCEDURE: "COSEM_", Origin.DERIVED: "X_"}
"""How names of ours begin."""


def checks_of(written: Written, group: Group, words: Words) -> tuple[Check, ...]:
    """:class:`~devices.profile.ProfileError` has all rows that are wrong, each with its line."""
    table, place = written
    only(table, {"defaults", "checks"}, place)
    defaults = maybe(table, "defaults", dict, {}, place)
    only(defaults, _DEFAULTS, place.at("defaults"))
    rows = need(table, "checks", dict, place)
    found = []
    problems = Problems()
    for id, row in rows.items():
        with problems.collected():
            here = place.at("checks").at(id)
            only(row, _CHECK, here)
            found.append(_Row(id, row, defaults, here, group, words).check())
    problems.settle()
    count = sum(one.origin is Origin.OFFICIAL_ID for one in found)
    if count != group.official:
        raise place.error(f"has {count} official ids, and {group.document} {group.official}")
    return tuple(found)


class _Row:
    """One row, with the defaults of its file."""

    def __init__(
        self,
        id: str,
        row: Table,
        defaults: Table,
        place: Place,
        group: Group,
        words: Words,
    ) -> None:
        self.id = id
        self.row: Mapping[str, Any] = {**defaults, **row}
        self.own = row
        self.defaults = defaults
        self.top = Place(place.file, ("defaults",), place.origins)
        self.place = place
        self.group = group
        self.words = words

    def check(self) -> Check:
        origin = self._origin()
        evidence = self._evidence()
        aliases = list(texts_of(self.own, "aliases", self.place))
        if origin is Origin.OFFICIAL_ID and self.group.log_prefix:
            aliases.append(self.group.log_prefix + self.id)
        return Check(
            id=self.id,
            aliases=tuple(aliases),
            group=self.group.name,
            title=text_of(self.own, "title", self.place),
            origin=origin,
            evidence=evidence,
            clause=text_of(dict(self.row), "clause", self._of("clause")),
            rules=self._rules(),
            applies=self._applies(),
            start=self._word("start", self.words.starts),
            steps=self._steps(evidence),
            severity=Severity(self._one_of("severity", [one.value for one in Severity])),
            corresponds=self._corresponds(origin),
        )

    def _of(self, key: str) -> Place:
        """Where an entry is written: in the row, or in the defaults."""
        if key in self.own or key not in self.row:
            return self.place
        return self.top

    def _one_of(self, key: str, allowed: list[str]) -> str:
        place = self._of(key)
        return one_of(need(dict(self.row), key, str, place), tuple(allowed), place.at(key))

    def _word(self, key: str, known: Mapping[str, str]) -> str:
        return self._one_of(key, list(known))

    def _origin(self) -> Origin:
        if not _ID.fullmatch(self.id):
            raise self.place.error("an id is made of letters and digits, with underscores between")
        origin = Origin(self._one_of("origin", [one.value for one in Origin]))
        official = next(
            (one for one in self.words.groups.values() if one.ids and one.ids.fullmatch(self.id)),
            None,
        )
        if origin is Origin.OFFICIAL_ID:
            if official is not self.group:
                raise self.place.error(f"is no id of the form that {self.group.document} has")
        elif official is not None:
            raise self.place.error(
                f"has the form of an official id ({official.document}), and is {origin.value}"
            )
        elif not self.id.startswith(OURS[origin]):
            raise self.place.error(f"is {origin.value}: its name begins with {OURS[origin]}")
        return origin

    def _evidence(self) -> Evidence:
        """Of each part what the row says, else what the defaults say."""
        sides = [
            (maybe(table, "evidence", dict, {}, place), place.at("evidence"))
            for table, place in ((self.own, self.place), (self.defaults, self.top))
        ]
        for table, place in sides:
            only(table, set(_EVIDENCE), place)
        found = {}
        for part in _EVIDENCE:
            table, place = next((one for one in sides if part in one[0]), sides[0])
            found[part] = texts_of(table, part, place)
            if not found[part]:
                raise place.error(f"{part!r} is needed: how sure it is, or {NOT_KNOWN!r}")
            labelled(found[part], self.words.evidence, place.at(part))
        return Evidence(**found)

    def _rules(self) -> tuple[str, ...]:
        rules = texts_of(self.own, "rules", self.place)
        for number, rule in enumerate(rules):
            if not _RULE.fullmatch(rule):
                raise self.place.at("rules").at(str(number)).error(f"{rule!r} is no name of a rule")
        return rules

    def _applies(self) -> Applicability:
        """``applies`` of the row or of the defaults, and ``also`` of the row on top."""
        parts = []
        for key in ("applies", "also"):
            if key in self.row or key == "applies":
                place = self._of(key)
                text = need(dict(self.row), key, str, place)
                parts.append(self._parsed(text, place.at(key)))
        return all_of(parts)

    def _parsed(self, text: str, place: Place) -> Applicability:
        try:
            return parse(text, self.words.flags, self.words.numbers)
        except UnknownFeature as error:
            raise place.error(f"{error}{near(error.name, self.words.features)}") from None
        except ExpressionError as error:
            raise place.error(str(error)) from None

    def _corresponds(self, origin: Origin) -> tuple[str, ...]:
        near_by = texts_of(self.own, "corresponds", self.place)
        if origin is not Origin.OFFICIAL_ID:
            return near_by
        if near_by:
            raise self.place.at("corresponds").error("an official id corresponds to itself")
        return (self.id,)

    def _steps(self, evidence: Evidence) -> tuple[Step, ...]:
        rows = maybe(self.own, "steps", list, [], self.place)
        if bool(rows) is (evidence.steps == (NOT_KNOWN,)):
            raise self.place.error(
                f"either has steps, or its evidence says {NOT_KNOWN!r} of them: one of the two"
            )
        steps: list[Step] = []
        for number, row in enumerate(rows):
            place = self.place.at("steps").at(str(number))
            only(row, _STEP, place)
            step = self._step(row, place)
            if any(one.name == step.name for one in steps):
                raise place.at("name").error(f"there is a step {step.name!r} already")
            steps.append(step)
        return tuple(steps)

    def _step(self, row: Table, place: Place) -> Step:
        answers = [
            self._answer(text, place.at("answers").at(str(number)))
            for number, text in enumerate(texts_of(row, "answers", place))
        ]
        if not answers:
            raise place.error("'answers' is needed: at least one that is right")
        for number, lenient in enumerate(maybe(row, "lenient", list, [], place)):
            here = place.at("lenient").at(str(number))
            only(lenient, {"answer", "because"}, here)
            text = text_of(lenient, "answer", here)
            reason = text_of(lenient, "because", here)
            answers.append(self._answer(text, here.at("answer"), reason))
        if len({(one.name, one.detail) for one in answers}) < len(answers):
            raise place.error("has the same answer twice")
        return Step(
            name=word_of(need(row, "name", str, place), place.at("name")),
            sends=text_of(row, "sends", place),
            answers=tuple(answers),
            subtest=maybe(row, "subtest", str, "", place),
        )

    def _answer(self, text: str, place: Place, reason: str = "") -> Answer:
        name, _, detail = text.partition(":")
        one_of(name, tuple(self.words.answers), place)
        return Answer(
            name=name,
            says=self.words.answers[name],
            detail=detail.strip(),
            strict=not reason,
            reason=reason,
        )
