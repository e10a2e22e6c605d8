"""A run as it is shown: texts on one line and without secrets, octets with what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dlms.acse.aarq import TAG as AARQ
from emulator.conformance.probing.record import Level
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.fields import Field
from emulator.conformance.reports.hiding import HIDDEN, Hiding
from emulator.trace import described

MISSING = "__"
"""In the place of the octet behind the last one: it should have come, and has not."""

_LONGEST = 300
"""Characters of what an entry is said to be."""

_FRAMES = ("control", "source wPort", "destination wPort", "TLS content type")
"""Fields that say most of what is on the line; of the APDU in a frame its tag does."""


class Picture(NamedTuple):
    """The octets of one entry: each as two digits, or hidden. ``marks`` are the places of those at
    fault.
    """

    says: str
    octets: tuple[str, ...]
    fields: tuple[Field, ...]
    marks: frozenset[int]

    @property
    def size(self) -> int:
        """How many octets there are, the missing one not counted."""
        return len(self.octets) - self.octets.count(MISSING)


class Counted(NamedTuple):
    """One invocation counter of a case: when, which way, under which key, and whether it is higher
    than the one before it with the same key and way.
    """

    at: float
    direction: str
    key: str
    counter: int
    rises: bool
    entry: int


class Showing:
    """``document`` is the one to show: of what was given only the octets are as they were."""

    def __init__(self, document: Document) -> None:
        self._hiding = Hiding(document)
        self._across: dict[int, dict[int, set[int]]] = {}
        """By the identity of a case, all of which live as long as this."""
        self.document: Document = {
            name: self._hiding.everywhere(value)
            for name, value in document.items()
            if name != "key_log"
        }

    @property
    def cases(self) -> list[Document]:
        found: list[Document] = self.document["cases"]
        return found

    def of_group(self, name: str) -> list[Document]:
        return [one for one in self.cases if one["requirement"]["group"] == name]

    def picture(self, case: Document, number: int) -> Picture:
        """Entry ``number`` of the record of a case."""
        entry = case["record"][number]
        raw = bytes.fromhex(entry["octets"])
        if id(case) not in self._across:
            self._across[id(case)] = self._hiding.across(case["record"])
        hidden = self._hiding.hidden(entry) | self._across[id(case)].get(number, set())
        marks = frozenset(
            one["offset"]
            for step in case["steps"]
            for one in step["differences"]
            if one["entry"] == number and one["offset"] is not None
        )
        octets = [HIDDEN if at in hidden else f"{octet:02x}" for at, octet in enumerate(raw)]
        if len(raw) in marks:
            octets.append(MISSING)
        fields = tuple(
            one._replace(value=self._value(one, hidden)) for one in self._hiding.fields(entry)
        )
        return Picture(self._says(entry, raw, fields), tuple(octets), fields, marks)

    def _value(self, field: Field, hidden: frozenset[int]) -> str:
        if any(place in hidden for place in range(field.start, field.stop)):
            return f"{field.stop - field.start} octets, not shown: may hold a secret"
        return self._hiding.text(field.value)

    def _says(self, entry: Document, raw: bytes, fields: Sequence[Field]) -> str:
        if not raw:
            return ""
        if entry["level"] == Level.OCTETS.value:
            return _clipped(self._hiding.text(", ".join(_framed(fields)) or "a piece"))
        # The repr of a request that sets a secret has it; of an AARQ only what is harmless is said.
        if raw[0] != AARQ and any(one.secret for one in fields):
            return next((one.value for one in fields if one.name == "tag"), "not shown")
        return _clipped(self._hiding.text(described(raw)))


def counters(case: Document) -> Iterator[Counted]:
    """The invocation counters of a case, in their order. What stands on two levels counts once."""
    last: dict[tuple[str, str, int], int] = {}
    before: tuple[tuple[str, str, int], int] | None = None
    levels: set[str] = set()
    for number, entry in enumerate(case["record"]):
        counter = entry["counter"]
        if counter is None:
            continue
        which = (entry["direction"], entry["key"], entry["line"])
        if before != (which, counter) or entry["level"] in levels:
            rises = which not in last or counter > last[which]
            yield Counted(entry["at"], entry["direction"], entry["key"], counter, rises, number)
            last[which] = counter
            before, levels = (which, counter), set()
        levels.add(entry["level"])


def blamed(case: Document) -> list[Document]:
    """Steps that are not plainly passed, in their order."""
    return [one for one in case["steps"] if one["verdict"] not in ("PASSED", "INFORMATIONAL")]


def _framed(fields: Sequence[Field]) -> Iterator[str]:
    inside = False
    for one in fields:
        if one.name in _FRAMES:
            inside = False
            yield f"{one.name} {one.value}"
        elif one.name == "tag" and not inside:
            inside = True
            yield one.value


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
