"""Reading the JSON document of a run, of which nothing is believed before it is checked."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

from emulator.conformance.catalogue.check import Origin, Severity
from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.reports import shapes
from emulator.conformance.reports.document import SCHEMA, VERSION, Document, counted
from emulator.conformance.reports.shapes import NotSo, many, maybe, named, one_of, table, whole
from emulator.conformance.running.result import Standing, Transport, Verdict

_MOST = 2**32 - 1
_KEY_LOG = re.compile(r"[A-Z0-9_]+ [0-9A-Fa-f]{64} [0-9A-Fa-f]{32,128}")
"""Label, client random, secret, in NSS format."""


class NoRun(ValueError):
    """What was read is no document of a run; in one line, where and why."""


def _started(value: object, place: str) -> None:
    shapes.text(value, place)
    try:
        started_of(str(value))
    except ValueError:
        raise NotSo(place, "a time in ISO 8601 is needed") from None


def _key_log(value: object, place: str) -> None:
    # What it is instead is not said: it may be a secret.
    if not isinstance(value, str) or not _KEY_LOG.fullmatch(value):
        raise NotSo(place, "a line in NSS format is needed: a label and two hexadecimal numbers")


def _values(kind: type[Verdict | Standing | Direction | Level | Origin | Severity]) -> list[str]:
    return [one.value for one in kind]


_TEXTS = many(shapes.text)
_VERDICT = one_of(_values(Verdict))
_ANSWER = table(
    {
        "name": shapes.text,
        "says": shapes.text,
        "detail": maybe(shapes.text),
        "verdict": one_of(("STRICT", "NON_STRICT")),
        "reason": maybe(shapes.text),
    }
)
_REQUIREMENT = table(
    {
        "id": shapes.text,
        "aliases": _TEXTS,
        "group": shapes.text,
        "title": shapes.text,
        "origin": one_of(_values(Origin)),
        "origin_says": shapes.text,
        "evidence": table({"purpose": _TEXTS, "steps": _TEXTS, "clause": _TEXTS}),
        "evidence_says": named(shapes.text),
        "clause": shapes.text,
        "rules": _TEXTS,
        "applies": shapes.text,
        "start": shapes.text,
        "start_says": shapes.text,
        "severity": one_of(_values(Severity)),
        "corresponds": _TEXTS,
        "steps": many(
            table(
                {
                    "name": shapes.text,
                    "subtest": maybe(shapes.text),
                    "sends": shapes.text,
                    "answers": many(_ANSWER),
                }
            )
        ),
    }
)
_STEP = table(
    {
        "step": shapes.text,
        "subtest": shapes.text,
        "sends": shapes.text,
        "verdict": _VERDICT,
        "answer": shapes.text,
        "seen": shapes.text,
        "differences": many(
            table(
                {
                    "answer": shapes.text,
                    "expected": shapes.text,
                    "actual": shapes.text,
                    "entry": maybe(whole(_MOST)),
                    "offset": maybe(whole(_MOST)),
                }
            )
        ),
        "entries": many(whole(_MOST), exactly=2),
        "reason": shapes.text,
        "notes": _TEXTS,
    }
)
_ENTRY = table(
    {
        "at": shapes.seconds,
        "direction": one_of(_values(Direction)),
        "level": one_of(_values(Level)),
        "octets": shapes.octets,
        "text": shapes.text,
        "line": whole(_MOST),
        "pair": maybe(many(whole(0xFFFF), exactly=2)),
        "key": shapes.text,
        "counter": maybe(whole(_MOST)),
    }
)
_RUN = table(
    {
        "schema": one_of((SCHEMA,)),
        "schema_version": whole(VERSION),
        "disclaimer": shapes.text,
        "device": shapes.text,
        "declaration": shapes.text,
        "way": shapes.text,
        "transport": one_of([one.value for one in Transport]),
        "port": whole(0xFFFF),
        "called": shapes.flag,
        "seed": shapes.text,
        "started": _started,
        "version": shapes.text,
        "strict": shapes.flag,
        "summary": table(
            {
                "cases": whole(_MOST),
                "verdicts": table(dict.fromkeys(_values(Verdict), whole(_MOST))),
                "standings": table(dict.fromkeys(_values(Standing), whole(_MOST))),
            }
        ),
        "groups": many(table({"name": shapes.text, "title": shapes.text, "document": shapes.text})),
        "cases": many(
            table(
                {
                    "id": shapes.text,
                    "verdict": _VERDICT,
                    "standing": one_of(_values(Standing)),
                    "reasons": _TEXTS,
                    "expected": shapes.text,
                    "seconds": shapes.seconds,
                    "requirement": _REQUIREMENT,
                    "steps": many(_STEP),
                    "record": many(_ENTRY),
                }
            )
        ),
        "key_log": many(_key_log),
    }
)


def read(path: Path) -> Document:
    """The document of a file. :class:`NoRun` if it has none or cannot be read."""
    try:
        found: object = json.loads(path.read_bytes())
    except OSError as error:
        raise NoRun(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise NoRun(f"{path}: is no JSON: {error}") from None
    return checked(found, str(path))


def checked(found: object, name: str) -> Document:
    """``found``, if it is a document of this version in which everything fits together. ``name``
    is what an error calls it.
    """
    try:
        _check_version(found)
        _RUN(found, "")
        assert isinstance(found, dict)  # _RUN has looked
        _check_together(found)
    except NotSo as error:
        raise NoRun(f"{name}: {error}") from None
    return found


def started_of(text: str) -> dt.datetime:
    """The time that ISO 8601 says, of UTC if it does not say of where. :class:`ValueError` if it is
    none.
    """
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _check_version(found: object) -> None:
    """First of all: of another version nothing else can be said."""
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise NotSo("schema", f"{SCHEMA!r} is needed: this is no result of 'cosemlab conform run'")
    if found.get("schema_version") != VERSION:
        raise NotSo(
            "schema_version",
            f"{found.get('schema_version')!r} cannot be read here, only {VERSION}",
        )


def _check_together(document: Document) -> None:
    groups = [one["name"] for one in document["groups"]]
    for number, case in enumerate(document["cases"]):
        place = f"cases[{number}]"
        requirement = case["requirement"]
        if requirement["id"] != case["id"]:
            raise NotSo(f"{place}.requirement.id", f"must be {case['id']!r}")
        if requirement["group"] not in groups:
            raise NotSo(f"{place}.requirement.group", "is in no group of the document")
        for name, labels in requirement["evidence"].items():
            for label in labels:
                if label not in requirement["evidence_says"]:
                    raise NotSo(f"{place}.requirement.evidence.{name}", f"{label!r} says nothing")
        for index, step in enumerate(case["steps"]):
            _check_entries(step, case["record"], f"{place}.steps[{index}]")
    if document["summary"] != counted(document["cases"]):
        raise NotSo("summary", "does not count what the cases are")


def _check_entries(step: Document, record: list[Document], place: str) -> None:
    first, behind = step["entries"]
    if not first <= behind <= len(record):
        raise NotSo(f"{place}.entries", f"{first}..{behind} are not in the record")
    for number, difference in enumerate(step["differences"]):
        entry, offset = difference["entry"], difference["offset"]
        here = f"{place}.differences[{number}]"
        if entry is None:
            if offset is not None:
                raise NotSo(f"{here}.offset", "of which entry is not said")
        elif entry >= len(record):
            raise NotSo(f"{here}.entry", f"{entry} is not in the record")
        elif offset is not None and offset > len(record[entry]["octets"]) // 2:
            raise NotSo(f"{here}.offset", f"{offset} is behind the entry")
