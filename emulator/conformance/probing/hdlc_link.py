"""A tester's end of one HDLC link: it sends what it is told to, and watches what comes back.

It numbers frames, cuts APDUs into segments and puts them together, as a client does (IEC 62056-46,
6.4.4). What the device does against the rules meanwhile is kept in ``problems``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from dlms.errors import CodecError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import MODULUS, Control, Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from emulator.conformance.probing.frame_port import FramePort
from emulator.conformance.probing.raw_frame import RawFrame, raw
from emulator.conformance.probing.seen import Seen, What

MOST_BURSTS = 4096
"""Polls for one APDU: more than the longest has segments."""


class HdlcLink:
    """Between a client and a logical device. ``answer`` is how long a frame may take, in seconds;
    ``pause`` waits before a device that had nothing to say is polled again.
    """

    def __init__(
        self,
        port: FramePort,
        client: Address,
        server: Address,
        *,
        answer: float,
        now: Callable[[], float],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self.port = port
        self.client = client
        self.server = server
        self.agreed = DEFAULTS
        """What was negotiated, as the tester sees it."""
        self.is_up = False
        self.send_state = 0
        self.receive_state = 0
        self.segment = 0
        """Octets of an information field at the most, if less than was negotiated; 0 for that."""
        self.problems: list[str] = []
        self.longest = 0
        """Octets of the longest information field that came."""
        self.most = 0
        """I frames that came in a row, at the most."""
        self._answer = answer
        self._now = now
        self._pause = pause
        self._arriving = bytearray()
        self._apdus: deque[bytes] = deque()

    # Frames -----------------------------------------------------------------------------------

    def frame(
        self,
        kind: Kind,
        information: bytes = b"",
        *,
        poll: bool = True,
        receive: int | None = None,
        send: int | None = None,
        more: bool = False,
    ) -> Frame:
        """A frame of this link, with the right numbers unless they are given."""
        numbers = (
            (self.receive_state if receive is None else receive) % MODULUS,
            (self.send_state if send is None else send) % MODULUS,
        )
        control = Control(kind, poll, *(numbers if kind.is_numbered else (0, 0)))
        return Frame(self.server, self.client, control, information, more)

    def raw(self, kind: Kind, information: bytes = b"") -> RawFrame:
        """The same in its parts, to be harmed."""
        return raw(self.frame(kind, information))

    async def ask(self, frame: Frame | RawFrame, within: float | None = None) -> Seen:
        """Send one frame, and get the one that answers it, if one does. ``facts`` say what an
        answer is judged by: ``link``, the ``octet`` of control that was sent, and ``awaited``, the
        N(R) that is right.
        """
        self.port.write(frame.encode())
        octet = frame.control.encode() if isinstance(frame, Frame) else frame.control
        return await self.reply(octet, within)

    async def reply(self, octet: int | bytes, within: float | None = None) -> Seen:
        """The next frame, as the answer to a frame with that control field."""
        seen = await self.port.frame(self._answer if within is None else within)
        octet = octet if isinstance(octet, int) else int.from_bytes(octet, "big")
        facts = {"link": self, "octet": octet, "awaited": self.send_state}
        return seen.having(facts=facts)

    # The link ---------------------------------------------------------------------------------

    async def connect(self, proposed: Parameters = DEFAULTS, *, explicit: bool = False) -> Seen:
        """SNRM, and what comes back. After UA the link is up, numbered from the beginning."""
        information = proposed.encode(explicit=explicit)
        seen = await self.ask(self.frame(Kind.SNRM, information))
        frame = seen.message
        if isinstance(frame, Frame) and frame.control.kind is Kind.UA:
            self._begin(proposed, frame.information)
        return seen

    def _begin(self, proposed: Parameters, information: bytes) -> None:
        self.is_up = True
        self.send_state = self.receive_state = 0
        self._arriving.clear()
        self._apdus.clear()
        try:
            mine = decode_parameters(information).turned()
        except CodecError as error:
            self.problems.append(f"the parameters of UA cannot be read: {error}")
            mine = DEFAULTS
        self.agreed = Parameters(*map(min, mine, proposed))

    async def disconnect(self) -> Seen:
        """DISC, and what comes back."""
        seen = await self.ask(self.frame(Kind.DISC))
        self.is_up = False
        return seen

    async def leave(self) -> None:
        """End the link if there is one."""
        if self.is_up:
            await self.disconnect()

    # APDUs ------------------------------------------------------------------------------------

    async def carry(self, apdu: bytes, within: float | None = None) -> Seen:
        """Send an APDU and get the one that answers it: see :meth:`hear`."""
        failed = await self.send(llc.COMMAND + apdu)
        return await self.hear(within) if failed is None else failed

    def cut(self, information: bytes) -> list[bytes]:
        """The segments of an APDU with its LLC header."""
        most = min(self.segment or self.agreed.max_info_tx, self.agreed.max_info_tx)
        return [information[at : at + most] for at in range(0, len(information), most)]

    async def send(self, information: bytes) -> Seen | None:
        """Send an APDU with its LLC header; all segments but the last are acknowledged when this
        returns. What came instead of an acknowledgement, if something did.
        """
        *first, last = self.cut(information)
        for segment in first:
            if (failed := await self.send_segment(segment)) is not None:
                return failed
        self.put(last)
        return None

    async def send_segment(self, segment: bytes) -> Seen | None:
        """Send a segment that is not the last, and have it acknowledged."""
        self.put(segment, more=True)
        seen = await self.burst(self._answer)
        frame = seen.message
        if isinstance(frame, Frame) and frame.control.kind is Kind.RR:
            return None
        return self._ended(seen)

    def put(self, information: bytes, *, more: bool = False) -> Frame:
        """Send an I frame that polls, and await nothing."""
        frame = self.frame(Kind.I, information, more=more)
        self.port.write(frame.encode())
        self.send_state = (self.send_state + 1) % MODULUS
        return frame

    async def hear(self, within: float | None = None) -> Seen:
        """The next APDU, the device being polled for it; silence if it has none (RR), the end if
        there is no link (DM, FRMR).
        """
        within = self._answer if within is None else within
        until = self._now() + within
        for _ in range(MOST_BURSTS):
            if self._apdus:
                return Seen(what=What.APDU, octets=(apdu := self._apdus.popleft()), plain=apdu)
            seen = await self.burst(max(until - self._now(), 0.0))
            if self._apdus:
                continue
            frame = seen.message
            if not isinstance(frame, Frame) or frame.control.kind not in (Kind.I, Kind.RR):
                return self._ended(seen)
            if self._now() >= until:
                break
            if frame.control.kind is Kind.RR:
                await self._pause()
            self.port.write(self.frame(Kind.RR).encode())
        return Seen.silence(within).having(why=f"RR, and no APDU within {within:g} s")

    async def drain(self) -> int:
        """Poll until there is nothing more; how many APDUs came."""
        came = 0
        for _ in range(MOST_BURSTS):
            came += len(self._apdus)
            self._apdus.clear()
            self.port.write(self.frame(Kind.RR).encode())
            frame = (await self.burst(self._answer)).message
            if not isinstance(frame, Frame) or frame.control.kind is not Kind.I:
                break
        return came + len(self._apdus)

    async def burst(self, within: float) -> Seen:
        """Take the frames up to the final one, which is given; or silence, or no frame."""
        number = 0
        while True:
            seen = await self.port.frame(within)
            frame = seen.message
            if not isinstance(frame, Frame) or not self._is_ours(frame):
                return seen
            if frame.control.kind is Kind.I:
                number += 1
                self.most = max(self.most, number)
                if number == self.agreed.window_rx + 1:
                    self.problems.append(f"more than {self.agreed.window_rx} I frames in a row")
            self._take(frame)
            if frame.control.poll:
                return seen

    def _is_ours(self, frame: Frame) -> bool:
        if (frame.destination, frame.source) == (self.client, self.server):
            return True
        pair = f"{frame.source} to {frame.destination}"
        self.problems.append(f"a frame from {pair}, not {self.server} to {self.client}")
        return False

    def _take(self, frame: Frame) -> None:
        control, information = frame.control, frame.information
        if control.kind.is_numbered and control.receive != self.send_state:
            right = f"{self.send_state} is right"
            self.problems.append(f"N(R) {control.receive} in {control.kind.name}, {right}")
        if control.kind is not Kind.I:
            return
        self.longest = max(self.longest, len(information))
        if len(information) > self.agreed.max_info_rx:
            most = f"{self.agreed.max_info_rx} were negotiated"
            self.problems.append(f"an information field of {len(information)} octets, {most}")
        if control.send != self.receive_state:
            behind = (self.receive_state - control.send) % MODULUS
            if behind > self.agreed.window_rx:  # else it is sent again, as it may be
                right = f"{self.receive_state} is right"
                self.problems.append(f"N(S) {control.send}, {right}")
            return
        self.receive_state = (self.receive_state + 1) % MODULUS
        self._arriving += information
        if not frame.segmented:
            self._arrived(bytes(self._arriving))
            self._arriving.clear()

    def _arrived(self, information: bytes) -> None:
        if not information.startswith(llc.RESPONSE):
            header = information[: llc.LENGTH].hex(" ")
            self.problems.append(f"LLC header {header} instead of {llc.RESPONSE.hex(' ')}")
        self._apdus.append(information[llc.LENGTH :])

    def _ended(self, seen: Seen) -> Seen:
        """What there is instead of an APDU."""
        frame = seen.message
        if not isinstance(frame, Frame):
            return seen
        if frame.control.kind in (Kind.DM, Kind.FRMR):
            self.is_up = frame.control.kind is Kind.FRMR
            return Seen.closed(f"{frame.control.kind.name} instead of an APDU")
        return seen
