"""HDLC as connections see it: a meter's station, and a client's links on one line."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.primary import PrimaryConfig, PrimaryLink
from dlms.framing.hdlc.state import State
from dlms.framing.hdlc.station import Station, StationConfig
from emulator.framing.framing import Addressed, Indication, LinkLost


class HdlcStation:
    """The meter's end. The upper address is the server SAP, the client's address the client SAP."""

    def __init__(self, config: StationConfig) -> None:
        self._station = Station(config)
        self._indications: deque[Indication] = deque()

    @property
    def links(self) -> int:
        """How many clients are connected."""
        return self._station.links

    def receive(self, octets: bytes, now: float) -> None:
        self._take(self._station.receive(octets, now))

    def next_indication(self) -> Indication | None:
        return self._indications.popleft() if self._indications else None

    def send(self, addressed: Addressed, now: float) -> None:
        # Without a link, or without room, there is nobody to tell: the client has gone away.
        self._station.send(*addressed)

    def takes_unsolicited(self, client_sap: int, server_sap: int) -> bool:
        """Whether an APDU more may wait for this client's next poll."""
        return self._station.takes_unsolicited(client_sap, server_sap)

    def tell(self, addressed: Addressed) -> None:
        """Keep an APDU that nobody has asked for until the client polls."""
        self._station.tell(*addressed)

    def octets_to_send(self) -> bytes:
        return self._station.octets_to_send()

    def deadline(self) -> float | None:
        return self._station.deadline()

    def timeout(self, now: float) -> None:
        self._take(self._station.timeout(now))

    def _take(self, events: list[Event]) -> None:
        self._indications.extend(filter(None, map(self._indication, events)))

    def _indication(self, event: Event) -> Indication | None:
        if isinstance(event, LinkUp):
            # What UI frames may have opened before there was a link is not of this one.
            return LinkLost(event.client, event.server, "a new link")
        return _indication(event)


class HdlcClient:
    """The client's end: a link is made when the first APDU is to go through it.

    ``link`` makes the configuration of the link between a client SAP and a server SAP. Links do not
    wait for each other: on a line where one speaks at a time, use one link at a time.
    """

    def __init__(self, link: Callable[[int, int], PrimaryConfig]) -> None:
        self._config = link
        self._links: dict[tuple[int, int], PrimaryLink] = {}
        self._waiting: dict[tuple[int, int], deque[bytes]] = {}
        self._listening: dict[tuple[int, int], float] = {}  # when to poll next
        self._leaving: set[tuple[int, int]] = set()  # links to end as soon as they are at rest
        self._indications: deque[Indication] = deque()

    @property
    def links(self) -> int:
        """How many links there are, or are being made or ended."""
        return sum(link.state is not State.NDM for link in self._links.values())

    def receive(self, octets: bytes, now: float) -> None:
        for link in self._links.values():
            self._take(link.receive(octets, now), now)
        self._leave(now)

    def next_indication(self) -> Indication | None:
        return self._indications.popleft() if self._indications else None

    def send(self, addressed: Addressed, now: float) -> None:
        client_sap, server_sap, apdu = addressed
        pair = client_sap, server_sap
        link = self._links.get(pair)
        if link is not None and link.state is State.NRM:
            link.send(apdu, now, answered=False)
            return
        self._waiting.setdefault(pair, deque()).append(apdu)
        if link is None or link.state is State.NDM:
            link = self._links[pair] = PrimaryLink(self._config(*pair))
            link.connect(now)

    def disconnect(
        self, client_sap: int, server_sap: int, now: float, *, settle: bool = False
    ) -> bool:
        """End a link with DISC: whether there is one. A :class:`LinkLost` says when it is over.

        With ``settle`` what has been sent is acknowledged first, or the link given up.
        """
        pair = client_sap, server_sap
        link = self._links.get(pair)
        if settle and (pair in self._waiting or (link is not None and link.is_busy)):
            self._leaving.add(pair)
            return True
        if link is None or link.state is not State.NRM:
            return False
        link.disconnect(now)
        return True

    def listen(self, client_sap: int, server_sap: int, now: float) -> None:
        """Poll the meter whenever the link is at rest: at once if it has said something since it
        was polled last, for there may be more; else every ``poll_interval``.

        How many APDUs there are to an APDU only whoever awaits them knows.
        """
        pair = client_sap, server_sap
        link = self._links.get(pair)
        if link is not None and link.is_at_rest and link.owes:
            link.poll(now)
        self._listening[pair] = now + self._config(*pair).poll_interval

    def rest(self, client_sap: int, server_sap: int) -> None:
        """Poll no more."""
        self._listening.pop((client_sap, server_sap), None)

    def octets_to_send(self) -> bytes:
        return b"".join(link.octets_to_send() for link in self._links.values())

    def deadline(self) -> float | None:
        times = [link.deadline() for link in self._links.values()]
        times += [when for pair, when in self._listening.items() if self._is_at_rest(pair)]
        return min((when for when in times if when is not None), default=None)

    def timeout(self, now: float) -> None:
        for link in tuple(self._links.values()):
            self._take(link.timeout(now), now)
        for pair, when in self._listening.items():
            if now >= when and self._is_at_rest(pair):
                self._links[pair].poll(now)
                self._listening[pair] = now + self._config(*pair).poll_interval
        self._leave(now)

    def _leave(self, now: float) -> None:
        for pair in self._leaving:  # until its link is down
            if self._is_at_rest(pair):
                self._links[pair].disconnect(now)

    def _is_at_rest(self, pair: tuple[int, int]) -> bool:
        link = self._links.get(pair)
        return link is not None and link.is_at_rest

    def _take(self, events: list[Event], now: float) -> None:
        for event in events:
            pair = event.client, event.server
            if isinstance(event, LinkUp):
                for apdu in self._waiting.pop(pair, ()):
                    self._links[pair].send(apdu, now, answered=False)
            elif isinstance(event, LinkDown):
                self._waiting.pop(pair, None)
                self._leaving.discard(pair)
            indication = _indication(event)
            if indication is not None:
                self._indications.append(indication)


def _indication(event: Event) -> Indication | None:
    match event:
        case ApduArrived(client, server, apdu):
            return Addressed(client, server, apdu)
        case LinkDown(client, server, why):
            return LinkLost(client, server, why)
        case _:
            return None
