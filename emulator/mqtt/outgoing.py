"""What is to be published and has not been acknowledged: kept in order, within a bound.

A message stays until the broker has acknowledged it (PUBACK), over any number of connections. While
the broker is away messages pile up to the bound; then the least important of them are given up, the
oldest first, and counted.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from enum import IntEnum
from typing import NamedTuple

MAX_MESSAGES = 20_000
"""An hour of five meters with a telemetry message each ten seconds, and as many events again."""

MAX_OCTETS = 16 * 1024 * 1024
"""Of memory, so that a sandbox without its broker does not grow without end."""

OVERHEAD = 512
"""Octets of memory that a message costs besides its topic and payload in CPython, rounded up."""


class Rank(IntEnum):
    """What is given up first when there is no room."""

    TELEMETRY = 0
    ASSOCIATION = 1
    CRYPTO = 2
    REPLY = 3
    EVENT = 4
    ALERT = 5


class Message(NamedTuple):
    """``expiry`` is in seconds from when the broker takes it; 0: it does not expire. A ``retained``
    message is the newest on its topic and takes the place of the one before.
    """

    topic: str
    payload: bytes
    schema: str
    rank: Rank
    retained: bool = False
    expiry: int = 0
    correlation: bytes | None = None

    @property
    def octets(self) -> int:
        """What it counts for against the bound."""
        return len(self.topic) + len(self.payload) + len(self.correlation or b"") + OVERHEAD


class Numbered(NamedTuple):
    """``number`` grows with the order in which messages came."""

    number: int
    message: Message


class Outgoing:
    """Retained messages are no burden: there is one per topic. They are kept for good, and said
    again on each connection, for a broker that has lost them.
    """

    def __init__(self, *, max_messages: int = MAX_MESSAGES, max_octets: int = MAX_OCTETS) -> None:
        self._max_messages = max_messages
        self._max_octets = max_octets
        self._next_number = 0
        self._octets = 0
        self._waiting: dict[int, Message] = {}
        # Ordered dicts, for their first key is found at once even when many before it are gone.
        self._of_rank: dict[Rank, OrderedDict[int, None]] = {rank: OrderedDict() for rank in Rank}
        self._retained: dict[str, Numbered] = {}
        self._unsent: OrderedDict[int, Message] = OrderedDict()
        self._in_flight: dict[int, Message] = {}
        self._connected = False
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self.dropped = dict.fromkeys(Rank, 0)

    def __len__(self) -> int:
        """How many messages wait, in flight or not; retained ones do not count."""
        return len(self._waiting)

    @property
    def octets(self) -> int:
        """What those that wait count for against the bound."""
        return self._octets

    def put(self, message: Message) -> None:
        """Take a message; give up others, or this one, if there is no room."""
        numbered = Numbered(self._next_number, message)
        self._next_number += 1
        if message.retained:
            before = self._retained.get(message.topic)
            if before is not None:
                self._unsent.pop(before.number, None)
            self._retained[message.topic] = numbered
        else:
            self._waiting[numbered.number] = message
            self._of_rank[message.rank][numbered.number] = None
            self._octets += message.octets
        if self._connected:
            self._unsent[numbered.number] = message
            self._settled.clear()
            self._news.set()
        self._make_room()

    # The connection's side ----------------------------------------------------------------------

    def connected(self) -> None:
        """A connection begins: on it everything is sent that is not acknowledged, in order, after
        what is retained.
        """
        self.disconnected()
        self._connected = True
        self._unsent.update(self._retained.values())
        self._unsent.update(self._waiting)
        self._news.set()

    def disconnected(self) -> None:
        """The connection is gone: nobody knows whether what was in flight has arrived."""
        self._connected = False
        self._settled.clear()
        self._unsent.clear()
        self._in_flight.clear()

    async def take(self) -> Numbered:
        """The next message to send, in flight from now on until :meth:`acknowledge`."""
        while not self._unsent:
            self._look_whether_settled()
            self._news.clear()
            await self._news.wait()
        number, message = self._unsent.popitem(last=False)
        self._in_flight[number] = message
        return Numbered(number, message)

    def acknowledge(self, number: int) -> None:
        """The broker has it."""
        self._in_flight.pop(number, None)
        self._forget(number)
        self._look_whether_settled()

    async def settled(self) -> None:
        """Wait until there is a connection and everything is acknowledged."""
        await self._settled.wait()

    def give_up_longest_in_flight(self) -> Message | None:
        """Give up the message that the broker may have found too long; ``None`` if there is none.
        Before :meth:`disconnected`, which forgets what was in flight.
        """
        flying = [number for number in self._in_flight if number in self._waiting]
        if not flying:
            return None
        longest = max(flying, key=lambda number: len(self._waiting[number].payload))
        return self._drop(longest)

    # Room ---------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        while len(self._waiting) > self._max_messages or self._octets > self._max_octets:
            least = next(
                (
                    number
                    for numbers in self._of_rank.values()
                    for number in numbers
                    if number not in self._in_flight
                ),
                None,
            )
            if least is None:
                return  # only what is in flight is left, and of that there is one window
            self._drop(least)

    def _drop(self, number: int) -> Message:
        message = self._waiting[number]
        self.dropped[message.rank] += 1
        self._forget(number)
        return message

    def _forget(self, number: int) -> None:
        message = self._waiting.pop(number, None)
        if message is not None:
            del self._of_rank[message.rank][number]
            self._unsent.pop(number, None)
            self._octets -= message.octets

    def _look_whether_settled(self) -> None:
        if self._connected and not self._unsent and not self._in_flight:
            self._settled.set()
