"""Keeping secrets out of what people read.

The JSON document and the pcapng file have the octets as they were on the line; every other report
has none of a password, or key, that was sent in clear. Which octets are such is told by the layout
of the APDUs; what was found once is hidden wherever else it stands in the run: in a segment, in
a text, in what a device has echoed.
"""

from __future__ import annotations

from typing import Any

from emulator.conformance.probing.record import Level
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.fields import Field, fields_of
from emulator.conformance.reports.printable import printable

HIDDEN = "••"
"""In the place of an octet, or of a text."""

_SHORTEST = 4
"""Octets of a secret that is searched for: fewer stand everywhere by chance."""

_DATA = "data"
_DATA_HEAD = 2
"""A tag and a length are in front of the secret in a Data."""

_WHOLE = ("calling-authentication-value", "dedicated-key", _DATA)
"""Fields that are the secret itself, and not only a place where one may be."""


_WORDS = {
    "octets", "id", "name", "group", "verdict", "standing", "direction", "level", "origin",
    "severity", "transport", "answer", "step",
}  # fmt: skip
"""Names of what is a word of ours, and remains one even if it is somebody's password."""


class Hiding:
    """Knows the secrets of one run; they are in none of its texts, nor in its ``repr``."""

    def __init__(self, document: Document) -> None:
        self._fields: dict[tuple[str, str], tuple[Field, ...]] = {}
        self._secrets: set[bytes] = set()
        for case in document["cases"]:
            for entry in case["record"]:
                octets = bytes.fromhex(entry["octets"])
                for one in self.fields(entry):
                    if one.secret and one.name in _WHOLE:
                        self._know(octets[one.start : one.stop], one.name)
        self._texts = sorted({text for one in self._secrets for text in _written(one)}, key=len)

    def _know(self, octets: bytes, name: str) -> None:
        secret = octets[_DATA_HEAD:] if name == _DATA else octets
        if len(secret) >= _SHORTEST:
            self._secrets.add(secret)

    def fields(self, entry: Document) -> tuple[Field, ...]:
        """Of the octets of an entry; none of a note."""
        key = (entry["octets"], entry["level"])
        if key not in self._fields:
            self._fields[key] = fields_of(bytes.fromhex(key[0]), Level(key[1]))
        return self._fields[key]

    def hidden(self, entry: Document) -> frozenset[int]:
        """The places of the octets that are not to be shown."""
        octets = bytes.fromhex(entry["octets"])
        places = {
            place
            for one in self.fields(entry)
            if one.secret
            for place in range(one.start, one.stop)
        }
        return frozenset(places | self._found(octets))

    def across(self, record: list[Document]) -> dict[int, set[int]]:
        """The same for octets of a connection that came in pieces: places by number of entry."""
        streams: dict[tuple[int, str], list[tuple[int, int, bytes]]] = {}
        for number, entry in enumerate(record):
            if entry["level"] == Level.OCTETS.value:
                octets = bytes.fromhex(entry["octets"])
                stream = streams.setdefault((entry["line"], entry["direction"]), [])
                stream += [(number, at, octets[at : at + 1]) for at in range(len(octets))]
        found: dict[int, set[int]] = {}
        for stream in streams.values() if self._secrets else ():
            for place in self._found(b"".join(octet for _, _, octet in stream)):
                number, at, _ = stream[place]
                found.setdefault(number, set()).add(at)
        return found

    def _found(self, octets: bytes) -> set[int]:
        """The places of every secret that is known."""
        places: set[int] = set()
        for secret in self._secrets:
            at = octets.find(secret)
            while at >= 0:
                places.update(range(at, at + len(secret)))
                at = octets.find(secret, at + 1)
        return places

    def text(self, text: str) -> str:
        """One line without a secret, and without characters that do something."""
        for secret in reversed(self._texts):
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return printable(text)

    def everywhere(self, value: Any) -> Any:
        """The same with each text as :meth:`text` has it; of objects the names stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.everywhere(one) for one in value]
        if isinstance(value, dict):
            return {printable(name): self._named(name, one) for name, one in value.items()}
        return value

    def _named(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and name in _WORDS:
            return printable(value)
        return self.everywhere(value)


def _written(secret: bytes) -> list[str]:
    """How a secret may stand in a text."""
    written = [secret.hex(), secret.hex().upper(), secret.hex(" "), secret.hex(" ").upper()]
    written.append(repr(secret)[2:-1])
    return written
