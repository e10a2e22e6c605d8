"""Information transfer in NRM: numbers, window, segments (IEC 62056-46, 6.4.4.5).

The same at both ends. What is sent stays here until the peer's N(R) acknowledges it, so that it can
be sent again; what comes out of turn is not kept, for the peer will send it again.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

from dlms.framing.hdlc import llc
from dlms.framing.hdlc.control import MODULUS, Control, Kind
from dlms.framing.hdlc.parameters import Parameters

MAX_QUEUED = 0x40000
"""Octets that may wait for being sent: four of the longest APDUs."""


class Segment(NamedTuple):
    """An information field; ``more`` if it is not the last of its APDU."""

    information: bytes
    more: bool


class Arrival(Enum):
    """What becomes of an information frame."""

    ACCEPTED = "in turn"
    REPEATED = "was here before"
    AHEAD = "one before it is missing"
    TOO_LONG = "longer than agreed"
    APDU_TOO_LONG = "its APDU is longer than anyone wants to keep"

    __hash__ = object.__hash__


class Flow:
    """V(S), V(R) and the window of one link. ``parameters`` are as this end sees them.

    ``max_apdu`` bounds what is put together of segments, the LLC header not counted.
    """

    def __init__(self, parameters: Parameters, max_apdu: int) -> None:
        self._parameters = parameters
        self._max_arriving = llc.LENGTH + max_apdu
        self._waiting: deque[bytes] = deque()
        self._waiting_octets = 0
        self._cut = 0  # octets of the first one waiting that have become segments
        self._unacknowledged: deque[Segment] = deque()
        self._first = 0  # N(S) of the first that is not acknowledged
        self._arriving = bytearray()
        self.receive_state = 0
        self.peer_busy = False

    @property
    def send_state(self) -> int:
        """V(S): the number of the next new frame."""
        return self._number(len(self._unacknowledged))

    @property
    def is_arriving(self) -> bool:
        """Whether segments of an APDU are here, and its last one is not."""
        return bool(self._arriving)

    @property
    def is_unacknowledged(self) -> bool:
        return bool(self._unacknowledged)

    @property
    def waiting(self) -> int:
        """How many APDUs wait of which not everything has been sent once."""
        return len(self._waiting)

    @property
    def has_to_send(self) -> bool:
        return bool(self._unacknowledged or self._waiting)

    # Sending ------------------------------------------------------------------------------------

    def queue(self, octets: bytes) -> bool:
        """Take an APDU with its LLC header. False if there is no room for it."""
        if self._waiting_octets + len(octets) > MAX_QUEUED:
            return False
        self._waiting.append(octets)
        self._waiting_octets += len(octets)
        return True

    def sendable(self) -> list[tuple[Control, Segment]]:
        """All that may go out now: what has no answer yet, then new ones. The last one polls."""
        if self.peer_busy:
            return []
        while self._waiting and len(self._unacknowledged) < self._parameters.window_tx:
            self._unacknowledged.append(self._next_segment())
        last = len(self._unacknowledged) - 1
        return [
            (Control(Kind.I, index == last, self.receive_state, self._number(index)), segment)
            for index, segment in enumerate(self._unacknowledged)
        ]

    def _number(self, index: int) -> int:
        return (self._first + index) % MODULUS

    def _next_segment(self) -> Segment:
        octets = self._waiting[0]
        start = self._cut
        stop = start + self._parameters.max_info_tx
        more = stop < len(octets)
        if more:
            self._cut = stop
        else:
            self._waiting.popleft()
            self._waiting_octets -= len(octets)
            self._cut = 0
        return Segment(octets[start:stop], more)

    def acknowledge(self, number: int) -> int | None:
        """Take the peer's N(R): how many segments are acknowledged now.

        ``None`` if it acknowledges what was never sent; nothing changes then.
        """
        count = (number - self._first) % MODULUS
        if count > len(self._unacknowledged):
            return None
        for _ in range(count):
            self._unacknowledged.popleft()
        self._first = number
        return count

    # Receiving ----------------------------------------------------------------------------------

    def judge(self, number: int, information: bytes) -> Arrival:
        """Whether a frame with N(S) ``number`` is the one awaited. Changes nothing."""
        if len(information) > self._parameters.max_info_rx:
            return Arrival.TOO_LONG
        if number == self.receive_state:
            if len(self._arriving) + len(information) > self._max_arriving:
                return Arrival.APDU_TOO_LONG
            return Arrival.ACCEPTED
        ahead = (number - self.receive_state) % MODULUS
        return Arrival.AHEAD if ahead < self._parameters.window_rx else Arrival.REPEATED

    def accept(self, information: bytes, more: bool) -> bytes | None:
        """Take the frame awaited; give the APDU with its LLC header that it completes."""
        self.receive_state = (self.receive_state + 1) % MODULUS
        self._arriving += information
        if more:
            return None
        whole = bytes(self._arriving)
        self._arriving.clear()
        return whole
