"""Cutting octets into fields that have a name and a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dlms.errors import CodecError
from dlms.octets import Reader

NOT_UNDERSTOOD = "not understood"


class Field(NamedTuple):
    """The octets from ``start`` to before ``stop``. ``value`` is what they say. ``secret`` ones are
    not to be shown: a password, a key in clear, or what may hold one.
    """

    start: int
    stop: int
    name: str
    value: str = ""
    secret: bool = False


Saying = Callable[[bytes], str]
"""The value of a field from its octets."""


def number(octets: bytes) -> str:
    return str(int.from_bytes(octets, "big"))


class Cutter:
    """Goes over octets and keeps what it has read as fields. :class:`~dlms.errors.CodecError` if
    there are fewer than asked for.
    """

    def __init__(self, octets: bytes, start: int = 0, stop: int | None = None) -> None:
        self.octets = octets
        self.reader = Reader(octets, start, stop)
        self.fields: list[Field] = []
        self.hides = False
        """Whether what comes may hold a secret, for as long as it is not understood."""

    @property
    def position(self) -> int:
        return self.reader.position

    @property
    def remaining(self) -> int:
        return self.reader.remaining

    def take(
        self, count: int, name: str, saying: Saying = number, *, secret: bool = False
    ) -> bytes:
        start = self.position
        octets = self.reader.take(count, name)
        if octets:  # none are no field
            value = "" if secret else saying(octets)
            self.fields.append(Field(start, self.position, name, value, secret))
        return octets

    def length(self, name: str) -> int:
        """A length in one octet or in several (BER, A-XDR)."""
        start = self.position
        found = self.reader.length(name)
        self.fields.append(Field(start, self.position, name, str(found)))
        return found

    def string(self, name: str, saying: Saying = bytes.hex, *, secret: bool = False) -> bytes:
        """A length, and as many octets. None at all make no field."""
        return self.take(self.length(f"length of {name}"), name, saying, secret=secret)

    def rest(self, name: str, saying: Saying = bytes.hex, *, secret: bool = False) -> bytes:
        """All that is left. Nothing makes no field."""
        return self.take(self.remaining, name, saying, secret=secret)

    def broken(self, error: CodecError) -> None:
        """What is left is one field that says what the matter is."""
        stop = self.reader.end
        start = max([one.stop for one in self.fields], default=self.position)
        if start < stop:
            self.fields.append(Field(start, stop, NOT_UNDERSTOOD, str(error), self.hides))
        self.reader.position = stop
