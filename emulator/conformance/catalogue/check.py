"""One conformance check, as the catalogue has it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from emulator.conformance.catalogue.applicability import Applicability


class Origin(Enum):
    """Where a check comes from, which decides how it may be called."""

    OFFICIAL_ID = "official id"
    """A published test case, under its own id."""
    PROCEDURE = "official procedure"
    """A published test procedure that has no id: the name is ours."""
    DERIVED = "derived"
    """It follows from rules; no published test case says it. The name is ours."""


class Severity(Enum):
    """How bad it is to fail a check. This is our judgement: no test suite grades its cases."""

    CRITICAL = "critical"
    """Somebody acts or reads without the right, or secrecy or freshness is lost."""
    MAJOR = "major"
    """A rule is broken; a correct peer may be unable to go on."""
    MINOR = "minor"
    """Robustness: correct peers do not meet with it."""
    INFORMATIONAL = "informational"
    """Something to report, nothing to fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One accepted alternative. ``name`` is a word of the catalogue, ``says`` what the word means,
    ``detail`` what exactly it is in this step. What is not ``strict`` has the reason why it is
    accepted all the same.
    """

    name: str
    says: str
    detail: str = ""
    strict: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done, by a name that is unique in its check, and the answers of which one must come.

    ``subtest`` is the number of the published subtest, empty where none is known.
    """

    name: str
    sends: str
    answers: tuple[Answer, ...]
    subtest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How sure we are, as labels of the catalogue: of the id and purpose, of steps and answers, and
    of the clause that is named.
    The label "not known" stands alone; a check whose steps are not known has none.
    """

    purpose: tuple[str, ...]
    steps: tuple[str, ...]
    clause: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A row of the catalogue. ``id`` and the names of steps are what a conversation is bound to.

    ``start`` is the state that the target is brought into first, ``rules`` are those of
    fixtures/reference/rules.toml that it is about, and ``corresponds`` are official tests: its own
    for one with an official id, those that ask for something near it otherwise.
    """

    id: str
    aliases: tuple[str, ...]
    group: str
    title: str
    origin: Origin
    evidence: Evidence
    clause: str
    rules: tuple[str, ...]
    applies: Applicability
    start: str
    steps: tuple[Step, ...]
    severity: Severity
    corresponds: tuple[str, ...]

    def step(self, name: str) -> Step:
        """:class:`KeyError` if the check has no step of that name."""
        for one in self.steps:
            if one.name == name:
                return one
        raise KeyError(f"{self.id} has no step {name!r}")
