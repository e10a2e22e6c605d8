"""Cutting octets into fields that have a name and a place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor

NOT_UNDERSTOOD = "not understood"


class Field(NamedTuple):
    """The octets from ``start`` to before ``stop``. ``value`` is what they say. ``secret`` ones are
    not to be shown: a password, a key in clear, or what may hold one. ``depth`` is how far inside
    others it is.
    """

    start: int
    stop: int
    name: str
    value: str = ""
    secret: bool = False
    depth: int = 0


Subject: TypeAlias = AttributeDescriptor | MethodDescriptor
"""What a value belongs to: it gives the value its names."""

MOST = 64
"""Elements of an array or structure that get a field each; the rest is one."""


Saying = Callable[[bytes], str]
"""The value of a field from its octets."""


def number(octets: bytes) -> str:
    return str(int.from_bytes(octets, "big"))


class Cutter:
    """Goes over octets and keeps what it has read as fields. :class:`~dlms.errors.CodecError` if
    there are fewer than asked for.
    """

    def __init__(
        self, octets: bytes, subjects: tuple[Subject | None, ...] = (), most: int = MOST
    ) -> None:
        self.octets = octets
        self.subjects = subjects
        """What the values of a response belong to, in their order, where that is known."""
        self.most = most
        self.depth = 0
        self.reader = Reader(octets)
        self.fields: list[Field] = []
        self.closed: list[tuple[int, int]] = []
        """Where there are ciphered APDUs, from the first octet of each to behind its last."""
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
            self.add(start, name, value, secret=secret)
        return octets

    def add(self, start: int, name: str, value: str, *, secret: bool = False) -> None:
        """A field of what was read from ``start`` on."""
        self.fields.append(Field(start, self.position, name, value, secret, self.depth))

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """What is cut meanwhile is inside what was cut before."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def subject(self, number: int) -> Subject | None:
        return self.subjects[number] if number < len(self.subjects) else None

    def length(self, name: str) -> int:
        """A length in one octet or in several (BER, A-XDR)."""
        start = self.position
        found = self.reader.length(name)
        self.add(start, name, str(found))
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
            self.reader.position = stop
            self.add(start, NOT_UNDERSTOOD, str(error), secret=self.hides)
        self.reader.position = stop
