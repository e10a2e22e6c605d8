"""What a run is played on: our meter in this process, or any other behind the same door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from dlms.axdr.data import Data
from emulator.fuzz.actions import Action


class Outcome(Enum):
    """What came of an action, as its client sees it."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The meter says no: an AARE that rejects, an exception, a result that is none."""
    SILENCE = "silence"
    HUNG_UP = "hung up"
    """The meter cannot answer, and ends the connection."""
    DISTRUSTED = "distrusted"
    """The client does not take the answer."""
    STOPPED = "stopped"
    """The client does not do it: nothing has been sent."""
    DONE = "done"
    """Nobody was asked."""

    __hash__ = object.__hash__


class Direction(Enum):
    SENT = "->"
    RECEIVED = "<-"
    LOST = "-x"
    """Sent, and it did not arrive."""

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Passed:
    """One APDU on the line."""

    direction: Direction
    client: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """``says`` is what was answered, in words that do not change between runs; ``value`` what was
    read or returned.
    """

    outcome: Outcome
    says: str = ""
    value: Data | None = None
    line: tuple[Passed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What can be observed of both ends. A target that cannot see a thing has nothing there.

    ``digest`` is of all that the meter remembers but counters. ``floors`` and ``sends`` are the
    meter's counters by ``association/KIND``, ``versions`` count its rotations likewise.
    ``agree`` says by client whether both ends have the same global keys; ``open`` which clients
    the meter has an association with. ``happened`` are the happenings since the beginning.
    ``breaches`` are the invariants that do not hold, in words; empty is well.

    ``keys`` are fingerprints of the meter's keys in force by ``association/KIND``, ``client_keys``
    those that a client goes by, by ``client/KIND``; two are the same where the keys are.
    ``client_doubts`` are those that it may have after a change whose answer did not come.
    ``client_sends`` are the clients' next counters likewise. ``policies`` are what is asked of
    requests, and of responses eight bits higher, by association, as bits of
    :class:`~dlms.security.control.Protection`. ``sizes`` are how much the meter keeps, by what.
    """

    digest: str = ""
    floors: Mapping[str, int] = field(default_factory=dict)
    sends: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    agree: Mapping[str, bool] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    happened: tuple[str, ...] = ()
    balance: int | None = None
    breaches: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    client_keys: Mapping[str, str] = field(default_factory=dict)
    client_doubts: Mapping[str, str] = field(default_factory=dict)
    client_sends: Mapping[str, int] = field(default_factory=dict)
    policies: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


class Target(Protocol):
    """A meter and its clients. The same actions in the same order from the same beginning do the
    same, octet for octet.
    """

    def do(self, action: Action) -> Seen:
        """``ValueError`` if the target cannot do such a thing."""
        ...

    def look(self) -> Facts: ...

    def alive(self) -> Seen:
        """Whether a fresh legitimate association succeeds (I6)."""
        ...

    def snapshot(self) -> object:
        """All state of both ends, for :meth:`restore`."""
        ...

    def restore(self, snapshot: object) -> None: ...
