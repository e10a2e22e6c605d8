"""The server's end of a line: frames to links and back (IEC 62056-46, 6.4.2).

Links of different clients, or to different logical devices, know nothing of each other. A frame for
an address that is not here gets silence, and so does one for all stations: everyone would answer.
"""

from __future__ import annotations

from collections import deque

from dlms.framing.hdlc.address import ALL_STATION, CALLING_STATION, NO_STATION, Address
from dlms.framing.hdlc.config import StationConfig
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event
from dlms.framing.hdlc.frame import MAX_OVERHEAD, Frame, NotUnderstood
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.framing.hdlc.secondary import SecondaryLink

__all__ = ["Station", "StationConfig"]

_TOO_LONG = 256
"""Octets more than may come that are read all the same: the client is told so with FRMR."""


class Station:
    """Give it octets, carry out its events, and send what it has to send.

    The answer to an APDU is to be given to :meth:`send` before the next :meth:`receive` or
    :meth:`timeout`: a client that has given up and begun anew in the meantime waits for that, lest
    what answers the old link gets into the new one.
    """

    def __init__(self, config: StationConfig) -> None:
        """:class:`~dlms.errors.CodecError` if the limits are none."""
        longest = config.limits.check().max_info_rx + MAX_OVERHEAD + _TOO_LONG
        self._config = config
        self._receiver = FrameReceiver(longest, config.inter_octet_timeout)
        self._frames: deque[Frame | NotUnderstood] = deque()
        self._links: dict[tuple[int, int], SecondaryLink] = {}
        self._out = bytearray()
        self._now = 0.0

    @property
    def links(self) -> int:
        """How many clients are connected."""
        return sum(link.is_up for link in self._links.values())

    # In -----------------------------------------------------------------------------------------

    def receive(self, octets: bytes, now: float) -> list[Event]:
        """Take octets from the line; give what happened, in its order."""
        self._frames += self._receiver.receive(octets, now)
        return self.timeout(now)

    def deadline(self) -> float | None:
        """When to call :meth:`timeout`, if nothing comes before."""
        if self._frames:
            return self._now
        times = (self._receiver.deadline(), *(link.deadline() for link in self._links.values()))
        return min((when for when in times if when is not None), default=None)

    def timeout(self, now: float) -> list[Event]:
        """Give up frames and links that have been silent for too long, take frames that wait."""
        self._now = now
        self._receiver.timeout(now)
        events = [event for link in self._links.values() for event in link.timeout(now)]
        asked: set[tuple[int, int]] = set()
        while self._frames and not _ends(self._frames[0], asked):
            happened = self._take(self._frames.popleft())
            asked.update(event[:2] for event in happened if isinstance(event, ApduArrived))
            events += happened
        return events

    def close(self) -> list[Event]:
        """The line is gone, and so are the links."""
        self._frames.clear()
        events = [event for link in self._links.values() for event in link.close()]
        self._links.clear()
        return events

    # Out ----------------------------------------------------------------------------------------

    def send(self, client: int, server: int, apdu: bytes) -> bool:
        """Answer a client at its next poll. False if there is no link to it, or no room."""
        link = self._links.get((client, server))
        return link is not None and link.send(apdu)

    def send_unnumbered(self, client: int, server: int, apdu: bytes) -> bool:
        """Send unsolicited, in a UI frame at the client's next poll. False if that cannot be."""
        link = self._links.get((client, server))
        return link is not None and link.send_unnumbered(apdu)

    def takes_unsolicited(self, client: int, server: int) -> bool:
        """Whether :meth:`tell` will keep an APDU for this client."""
        link = self._links.get((client, server))
        return link is not None and link.takes_unsolicited

    def tell(self, client: int, server: int, apdu: bytes) -> bool:
        """Send unsolicited at the client's next poll, behind what it is to get before."""
        link = self._links.get((client, server))
        return link is not None and link.tell(apdu)

    def octets_to_send(self) -> bytes:
        """What is to be written to the line, when the events have been carried out."""
        for pair, link in tuple(self._links.items()):
            self._write(link.answer())
            if not link.is_up:
                del self._links[pair]
        octets = bytes(self._out)
        self._out.clear()
        return octets

    # Frames to links ----------------------------------------------------------------------------

    def _take(self, frame: Frame | NotUnderstood) -> list[Event]:
        server, client = frame.destination, frame.source
        # A client's address is one octet, whatever the server's is (HDLC_ADDRESS_N1).
        if client.octets != 1 or client.upper == NO_STATION or client.is_all_station:
            return []
        if not self._is_here(server):
            return []
        kind = frame.control.kind if isinstance(frame, Frame) else None
        if kind is Kind.UI and not self._config.unnumbered:
            return []
        if server.is_all_station:
            return self._broadcast(frame) if kind is Kind.UI else []
        pair = client.upper, server.upper
        link = self._links.get(pair)
        if link is not None:
            return link.receive(frame, self._now)
        link = SecondaryLink(client, server, self._config)
        if kind is not Kind.SNRM:
            # Without a link there is nothing to keep.
            events = link.receive(frame, self._now)
            self._write(link.answer())
            return events
        if len(self._links) >= self._config.max_links:
            # To this client the meter is one that does not want to be connected.
            self._write([Frame(client, server, Control(Kind.DM))])
            return []
        self._links[pair] = link
        return link.receive(frame, self._now)

    def _broadcast(self, frame: Frame | NotUnderstood) -> list[Event]:
        link = SecondaryLink(frame.source, frame.destination, self._config)
        arrived = link.receive(frame, self._now)
        return [event._replace(broadcast=True) for event in arrived if type(event) is ApduArrived]

    def _is_here(self, server: Address) -> bool:
        upper, lower, octets = server
        if octets not in self._config.octets or upper == NO_STATION:
            return False
        everyone = ALL_STATION[octets]
        if upper != everyone and not self._config.logical_devices(upper):
            return False
        if octets == 1 or lower in (self._config.lower, everyone):
            return True
        return self._config.calling and lower == CALLING_STATION[octets]

    def _write(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._out += frame.encode()


def _ends(frame: Frame | NotUnderstood, asked: set[tuple[int, int]]) -> bool:
    """Whether a frame ends a link on which an APDU has just arrived."""
    if isinstance(frame, NotUnderstood) or frame.control.kind not in (Kind.SNRM, Kind.DISC):
        return False
    return (frame.source.upper, frame.destination.upper) in asked
