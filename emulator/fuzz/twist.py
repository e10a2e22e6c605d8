"""How one message, or its answer, is made wrong on its way.

A twist goes with an action. What is changed before it is protected is protected again, with the
keys of its sender; what is changed behind that is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class EditKind(Enum):
    """What is done to octets."""

    PUT = "put"
    """Other octets in the place of those from ``at`` on."""
    INSERT = "insert"
    DELETE = "delete"
    """``count`` octets from ``at`` on."""
    FLIP = "flip"
    """Bits of the octet ``at`` are turned: those of the first octet of ``octets``."""
    KEEP = "keep"
    """The first ``count`` octets; of a negative count, all but so many."""
    ADD = "add"
    ALL = "all"
    """Other octets in the place of all."""
    REPEAT = "repeat"
    """``octets``, ``count`` times, in the place of all: for what is long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of octets. ``at`` counts from the end if it is negative."""

    kind: EditKind
    at: int = 0
    octets: bytes = b""
    count: int = 0

    def apply(self, whole: bytes) -> bytes:
        at = self.at if self.at >= 0 else max(len(whole) + self.at, 0)
        match self.kind:
            case EditKind.PUT:
                return whole[:at] + self.octets + whole[at + len(self.octets) :]
            case EditKind.INSERT:
                return whole[:at] + self.octets + whole[at:]
            case EditKind.DELETE:
                return whole[:at] + whole[at + self.count :]
            case EditKind.FLIP:
                if at >= len(whole) or not self.octets:
                    return whole
                return whole[:at] + bytes((whole[at] ^ self.octets[0],)) + whole[at + 1 :]
            case EditKind.KEEP:
                return whole[: self.count]
            case EditKind.ADD:
                return whole + self.octets
            case EditKind.ALL:
                return self.octets
            case EditKind.REPEAT:
                return self.octets * self.count


Edits = tuple[Edit, ...]


def edited(whole: bytes, edits: Edits) -> bytes:
    """``whole`` after all of them, in their order."""
    for edit in edits:
        whole = edit.apply(whole)
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """How an operation with a key is done otherwise: with another security control octet, counter,
    title (8 octets) or key. ``ek`` and ``ak`` are kinds of the keys in force, as ``GUEK``; ``NONE``
    is without an authentication key. ``payload`` changes what is protected;
    ``carries`` is the key that is put where another is carried, as in an InitiateRequest.
    """

    control: int | None = None
    counter: int | None = None
    title: bytes | None = None
    ek: str | None = None
    ak: str | None = None
    payload: Edits = ()
    carries: str = ""


class Lost(Enum):
    """What never arrives."""

    NOTHING = "nothing"
    REQUEST = "request"
    RESPONSE = "response"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Twist:
    """``seal`` and ``mac`` are the client's operations, ``meter_seal`` and ``meter_mac`` the
    meter's; ``octets`` and ``answer`` change the message and its answer as they are on the line.

    ``cut`` is before which write the power fails, from 0; ``fails`` names an operation of the
    meter's Cryptographic Module, which fails from its ``fails_at``-th time on, from 0. ``public``
    changes the client's ephemeral public key before it is signed, ``sign`` what is signed. ``echo``
    is an AARE that brings the client's own challenge.
    """

    seal: Otherwise | None = None
    mac: Otherwise | None = None
    public: Edits = ()
    sign: Edits = ()
    octets: Edits = ()
    lose: Lost = Lost.NOTHING
    answer: Edits = ()
    meter_seal: Otherwise | None = None
    meter_mac: Otherwise | None = None
    cut: int | None = None
    fails: str = ""
    fails_at: int = 0
    echo: bool = False


STRAIGHT = Twist()
