"""A line whose APDUs go by the tester's own HDLC links, so that frames and APDUs can be mixed."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from dlms.errors import RemoteProtocolError
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from emulator.conformance.declaration.model import DeclaredHdlc
from emulator.conformance.probing.frame_port import FramePort
from emulator.conformance.probing.hdlc_link import HdlcLink
from emulator.conformance.probing.line import Line, LineClosed
from emulator.conformance.probing.record import Direction, Recorder
from emulator.conformance.probing.seen import Seen, What

Pair = tuple[int, int]


class HdlcLine(Line):
    """On the octets of ``line``. ``proposed`` is what links are made with that are made because
    an APDU is to be sent. The links that are up are ended before the line is closed.
    """

    def __init__(
        self,
        line: Line,
        recorder: Recorder,
        declared: DeclaredHdlc,
        *,
        answer: float,
        now: Callable[[], float],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(line.number, recorder, None)
        self.port = FramePort(line, recorder, now)
        self.proposed: Parameters = DEFAULTS
        self._line = line
        self._declared = declared
        self._answer, self._now, self._pause = answer, now, pause
        self._links: dict[Pair, HdlcLink] = {}
        self._said: dict[Pair, deque[bytes]] = {}
        line.farewells.append(self._leave)

    def address(self, server_sap: int) -> Address:
        """That of a logical device, in the declared form."""
        octets = self._declared.address
        return Address(server_sap, self._declared.physical if octets > 1 else 0, octets)

    def link_between(self, pair: Pair) -> HdlcLink:
        """The link of a client SAP and a server SAP, up or not."""
        if pair not in self._links:
            client, server = pair
            self._links[pair] = HdlcLink(
                self.port,
                Address(client),
                self.address(server),
                answer=self._answer,
                now=self._now,
                pause=self._pause,
            )
        return self._links[pair]

    @property
    def problems(self) -> tuple[str, ...]:
        """What the device did against the rules, on any link."""
        return tuple(problem for link in self._links.values() for problem in link.problems)

    # As other lines do ----------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return self._line.is_open

    def write(self, octets: bytes) -> None:
        self._line.write(octets)

    def say(self, pair: Pair, apdu: bytes) -> None:
        """The APDU goes when the next one is heard: segments await acknowledgements."""
        self.keep(Direction.SENT, apdu, pair)
        self._said.setdefault(pair, deque()).append(apdu)

    async def hear(self, pair: Pair, within: float) -> Seen:
        link = self.link_between(pair)
        try:
            seen = await self._heard(link, self._said.pop(pair, deque()), within)
        except (LineClosed, RemoteProtocolError) as error:
            return Seen.closed(str(error))
        if seen.what is not What.APDU:
            return seen
        return seen.having(entry=self.keep(Direction.RECEIVED, seen.octets, pair))

    async def _heard(self, link: HdlcLink, apdus: deque[bytes], within: float) -> Seen:
        if not link.is_up:
            seen = await link.connect(self.proposed)
            if not link.is_up:
                return Seen.closed(f"no link: {seen}")
        seen = Seen.silence(within)
        for apdu in apdus:
            seen = await link.carry(apdu, within)
        return seen if apdus else await link.hear(within)

    async def unlink(self, pair: Pair) -> None:
        await self.link_between(pair).leave()

    async def close(self) -> None:
        await self._line.close()

    async def reset(self) -> None:
        await self._line.reset()

    async def _leave(self) -> None:
        for link in self._links.values():
            await link.leave()
