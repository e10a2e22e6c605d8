"""What is fuzzed: one parser or machine, and what must hold for whatever octets it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias


class Unlawful(Exception):
    """A law does not hold. ``law`` is its name, the same whatever the octets are."""

    def __init__(self, law: str, words: str) -> None:
        super().__init__(f"{law}: {words}")
        self.law = law


class Outcome(Enum):
    """What became of octets. Any exception that leaves a harness is a finding instead."""

    TAKEN = "taken"
    REFUSED = "refused"
    """By an error that is the parser's contract, or by a machine's proper answer."""
    NOTHING = "nothing"
    """Neither: a stream waits for more."""

    __hash__ = object.__hash__


Play: TypeAlias = Callable[[bytes], Outcome]

MAX_OCTETS = 65536
"""Of one input. More than that is refused by every buffer there is on the way to a parser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """How octets become values and again octets, for mutations of fields. ``read`` may raise
    anything, ``write`` too: then the octets are mutated as such.
    """

    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """``takes`` says what the octets are. ``seeds`` are what a corpus begins with, ``words`` the
    dictionary. ``most`` bounds the octets of an input, where a parser is given less than
    :data:`MAX_OCTETS`. ``work`` is how many operations (lines of Python that are run) an octet may
    cost, beyond :data:`emulator.fuzz.octets.work.BASE`.
    """

    name: str
    takes: str
    play: Play
    seeds: Callable[[], Iterable[bytes]]
    words: Callable[[], Iterable[bytes]]
    structure: Structure | None = None
    is_text: bool = False
    is_ber: bool = False
    most: int = MAX_OCTETS
    work: int = 400

    @property
    def family(self) -> str:
        return self.name.partition(".")[0]
