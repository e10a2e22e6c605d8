"""The server's end of a line: frames to links and back (IEC 62056-46, 6.4.2).

Links of different clients, or to different logical devices, know nothing of each other. A frame for
an address that is not here gets silence, and so does one for all stations: everyone would answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dlms.framing.hdlc.address import ALL_STATION, CALLING_STATION, NO_STATION, Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event
from dlms.framing.hdlc.frame import MAX_OVERHEAD, Frame, NotUnderstood
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from dlms.framing.hdlc.receiver import INTER_OCTET_TIMEOUT, FrameReceiver
from dlms.framing.hdlc.secondary import INACTIVITY_TIMEOUT, SecondaryLink
from dlms.framing.hdlc.state import State

MAX_LINKS = 16
"""Links at once; a client beyond that gets DM. A meter has a handful of clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationConfig:
    """What a meter is on its line.

    ``logical_devices`` says whether there is one of that upper address. ``lower`` is the physical
    device's own address; ``octets`` are the lengths of address it answers to. ``unnumbered`` is
    whether UI frames are taken. Time-outs are in seconds.
    """

    logical_devices: Callable[[int], bool]
    lower: int = 1
    octets: frozenset[int] = frozenset({1, 2, 4})
    limits: Parameters = DEFAULTS
    unnumbered: bool = True
    inactivity_timeout: float = INACTIVITY_TIMEOUT
    inter_octet_timeout: float = INTER_OCTET_TIMEOUT
    max_apdu: int = 0xFFFF
    max_links: int = MAX_LINKS


class Station:
    """Give it octets, hand what it says to the device, and send what it has to send."""

    def __init__(self, config: StationConfig) -> None:
        self._config = config
        longest = config.limits.max_info_rx + MAX_OVERHEAD
        # A little more is read, so that a frame that is too long can be told so with FRMR.
        self._receiver = FrameReceiver(longest + 256, config.inter_octet_timeout)
        self._links: dict[tuple[int, int], SecondaryLink] = {}
        self._out = bytearray()

    def receive(self, octets: bytes, now: float) -> list[Event]:
        """Take octets from the line; give what happened, in its order.

        After each :class:`ApduArrived` the answer, if there is one, is to be given to
        :meth:`send`; :meth:`octets_to_send` comes after that.
        """
        events = self.timeout(now)
        for frame in self._receiver.receive(octets, now):
            events += self._take(frame, now)
        return events

    def send(self, client: int, server: int, apdu: bytes) -> bool:
        """Answer a client. False if there is no link to it, or no room."""
        link = self._links.get((client, server))
        return link is not None and link.send(apdu)

    def send_unnumbered(self, client: int, server: int, apdu: bytes) -> bool:
        """Send unsolicited, in a UI frame at the client's next poll. False if that cannot be."""
        link = self._links.get((client, server))
        return link is not None and link.send_unnumbered(apdu)

    def octets_to_send(self) -> bytes:
        for link in self._links.values():
            for frame in link.answer():
                self._out += frame.encode()
        self._links = {
            pair: link for pair, link in self._links.items() if link.state is not State.NDM
        }
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def deadline(self) -> float | None:
        times = [link.deadline() for link in self._links.values()]
        return min(filter(None, (*times, self._receiver.deadline())), default=None)

    def timeout(self, now: float) -> list[Event]:
        self._receiver.timeout(now)
        return [event for link in self._links.values() for event in link.timeout(now)]

    def close(self) -> None:
        """The line is gone."""
        self._links.clear()

    def _take(self, frame: Frame | NotUnderstood, now: float) -> list[Event]:
        server, client = frame.destination, frame.source
        # A client's address is one octet, whatever the server's is (HDLC_ADDRESS_N1).
        if client.octets != 1 or client.upper == NO_STATION or client.is_all_station:
            return []
        if server.octets not in self._config.octets or not self._is_here(server):
            return []
        unnumbered = isinstance(frame, Frame) and frame.control.kind is Kind.UI
        if unnumbered and not self._config.unnumbered:
            return []
        pair = client.upper, server.upper
        link = self._links.get(pair)
        if server.is_all_station:
            return self._broadcast(frame, now) if unnumbered else []
        if link is None:
            connects = isinstance(frame, Frame) and frame.control.kind is Kind.SNRM
            link = self._new_link(client, server)
            if connects and len(self._links) >= self._config.max_links:
                self._out += Frame(client, server, Control(Kind.DM)).encode()
                return []
            if connects:
                self._links[pair] = link
        events = link.receive(frame, now)
        if pair not in self._links:
            # No link, so no state: whatever it was, its answer is final.
            for answer in link.answer():
                self._out += answer.encode()
        return events

    def _broadcast(self, frame: Frame | NotUnderstood, now: float) -> list[Event]:
        link = self._new_link(frame.source, frame.destination)
        everyone = ALL_STATION[frame.destination.octets]
        events = link.receive(frame, now)
        return [
            event._replace(server=everyone) for event in events if isinstance(event, ApduArrived)
        ]

    def _new_link(self, client: Address, server: Address) -> SecondaryLink:
        config = self._config
        return SecondaryLink(
            client, server, config.limits, config.inactivity_timeout, config.max_apdu
        )

    def _is_here(self, server: Address) -> bool:
        everyone = ALL_STATION[server.octets]
        if server.upper != everyone and not self._config.logical_devices(server.upper):
            return False
        if server.octets == 1:
            return True
        return server.lower in (self._config.lower, CALLING_STATION[server.octets], everyone)
