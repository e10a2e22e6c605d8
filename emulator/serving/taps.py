"""What stands in the way of octets and APDUs, on one way to a meter: nothing, as a rule.

A fault puts an effect at a place (:mod:`emulator.faults`). While there is none, the serving side
takes the way that it would take without this module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypeAlias

from devices.answering.asking import Answerable
from dlms.xdlms.registry import AnyResponse

WAYS = ("tcp", "tls", "udp", "hdlc", "line", "optical")
"""Ways to a meter by name: the wrapper over TCP, TLS and UDP, HDLC over TCP, and serial lines."""


class Place(Enum):
    """Where an effect is."""

    OCTETS_IN = "octets as they are read at once; on UDP, a datagram"
    OCTETS_OUT = "octets as they are written at once, whole frames; on UDP, a datagram"
    APDU_IN = "an APDU, before the meter sees it"
    APDU_OUT = "an APDU that the meter says"

    __hash__ = object.__hash__


class Holder(Protocol):
    """Who keeps something from going on."""

    @property
    def is_over(self) -> bool: ...


class Parcel(NamedTuple):
    """Octets or an APDU under way. ``peer`` is for people; ``association`` is that of an APDU.

    The rest is what an effect may ask for: of octets that they wait ``delay`` real seconds, or for
    the end of ``held_by``, or that the connection ends behind them (``last``); of an APDU that it
    gets this ``answer`` and the meter never sees it.
    """

    octets: bytes
    peer: str = ""
    association: str = ""
    where: tuple[Any, ...] = ()
    delay: float = 0.0
    held_by: Holder | None = None
    last: bool = False
    answer: bytes | None = None


Effect: TypeAlias = Callable[[Parcel], Iterable[Parcel]]
"""What becomes of a parcel: none, one or several, in their order."""

Instead: TypeAlias = Callable[[Answerable, str], AnyResponse | None]
"""What is answered to a request of the named association in the place of the meter's objects;
``None``: they answer."""

Later: TypeAlias = Callable[[float, Callable[[], None]], Any]
"""Call something after so many real seconds; what this returns has ``cancel()``."""


class Passing(Protocol):
    """A connection that octets go through."""

    def look_again(self) -> None:
        """Effects have come or gone."""
        ...


def later(delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
    """By the clock of the event loop."""
    return asyncio.get_running_loop().call_later(delay, callback)


class Taps:
    """The effects on one way. Those that look at them every time find them as attributes."""

    __slots__ = ("_passages", "answers", "at", "later", "on_apdus", "way")

    def __init__(self, way: str = "", later: Later = later) -> None:
        self.way = way
        self.later = later
        self.at: dict[Place, tuple[Effect, ...]] = dict.fromkeys(Place, ())
        self.answers: tuple[Instead, ...] = ()
        self.on_apdus = False
        """Whether there are effects on APDUs."""
        self._passages: set[Passing] = set()

    def put(self, place: Place, effect: Effect) -> None:
        self.at[place] = (*self.at[place], effect)
        self._changed()

    def take(self, place: Place, effect: Effect) -> None:
        """It is there no more, whether it was or not."""
        self.at[place] = tuple(one for one in self.at[place] if one is not effect)
        self._changed()

    def answer(self, instead: Instead) -> None:
        self.answers = (*self.answers, instead)

    def answer_no_more(self, instead: Instead) -> None:
        self.answers = tuple(one for one in self.answers if one is not instead)

    def through(self, place: Place, parcel: Parcel) -> list[Parcel]:
        """What comes out at the other side of a place."""
        parcels = [parcel]
        for effect in self.at[place]:
            parcels = [after for before in parcels for after in effect(before)]
        return parcels

    def join(self, passage: Passing) -> None:
        self._passages.add(passage)

    def leave(self, passage: Passing) -> None:
        self._passages.discard(passage)

    def _changed(self) -> None:
        self.on_apdus = bool(self.at[Place.APDU_IN] or self.at[Place.APDU_OUT])
        for passage in tuple(self._passages):
            passage.look_again()
