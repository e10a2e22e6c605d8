"""Information transfer in NRM: numbers, window, segments (IEC 62056-46, 6.4.4.5).

The same at both ends. What is sent stays here until the peer's N(R) acknowledges it, so that it can
be sent again; what comes out of turn is not kept, for the peer will send it again.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

from dlms.framing.hdlc.control import MODULUS
from dlms.framing.hdlc.parameters import Parameters

MAX_QUEUED = 1024
"""Segments that may wait for being sent: with the shortest information fields still 8 KiB."""


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


class Flow:
    """V(S), V(R) and the window of one link. ``parameters`` are as this end sees them."""

    def __init__(self, parameters: Parameters, max_apdu: int) -> None:
        self._parameters = parameters
        self._max_apdu = max_apdu
        self._waiting: deque[Segment] = deque()
        self._unacknowledged: deque[Segment] = deque()
        self._first = 0  # N(S) of the first that is not acknowledged
        self._arriving = bytearray()
        self.receive_state = 0
        self.peer_busy = False

    @property
    def send_state(self) -> int:
        """V(S): the number of the next new frame."""
        return (self._first + len(self._unacknowledged)) % MODULUS

    @property
    def is_arriving(self) -> bool:
        """Whether segments of an APDU are here, and its last one is not."""
        return bool(self._arriving)

    @property
    def has_to_send(self) -> bool:
        return bool(self._unacknowledged or self._waiting)

    # Sending ------------------------------------------------------------------------------------

    def queue(self, octets: bytes) -> bool:
        """Cut an APDU with its LLC header into segments. False if there is no room for them."""
        size = self._parameters.max_info_tx
        count = -(-len(octets) // size)
        if len(self._waiting) + count > MAX_QUEUED:
            return False
        for start in range(0, len(octets), size):
            more = start + size < len(octets)
            self._waiting.append(Segment(octets[start : start + size], more))
        return True

    def sendable(self) -> list[tuple[int, Segment]]:
        """N(S) and segment of all that may go out now: what has no answer yet, then new ones."""
        if self.peer_busy:
            return []
        while self._waiting and len(self._unacknowledged) < self._parameters.window_tx:
            self._unacknowledged.append(self._waiting.popleft())
        return [
            ((self._first + index) % MODULUS, segment)
            for index, segment in enumerate(self._unacknowledged)
        ]

    def acknowledge(self, number: int) -> bool:
        """Take the peer's N(R). False if it acknowledges what was never sent: nothing changes."""
        count = (number - self._first) % MODULUS
        if count > len(self._unacknowledged):
            return False
        for _ in range(count):
            self._unacknowledged.popleft()
        self._first = number
        return True

    # Receiving ----------------------------------------------------------------------------------

    def judge(self, number: int, information: bytes) -> Arrival:
        """Whether a frame with N(S) ``number`` is the one awaited. Changes nothing."""
        if len(information) > self._parameters.max_info_rx:
            return Arrival.TOO_LONG
        if number == self.receive_state:
            if len(self._arriving) + len(information) > self._max_apdu:
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
