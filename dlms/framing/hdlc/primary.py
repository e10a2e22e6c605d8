"""The client's end of one link (IEC 62056-46, 6.4.4).

It has the line until it polls, and again when the final frame has come. What gets no final frame in
time is repeated, so many times and no more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from dlms.errors import CodecError, LocalProtocolError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.flow import Arrival, Flow
from dlms.framing.hdlc.frame import MAX_OVERHEAD, Frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from dlms.framing.hdlc.receiver import INTER_OCTET_TIMEOUT, FrameReceiver
from dlms.framing.hdlc.state import INPUT_OF, Input, State, after

MAX_QUEUED_APDUS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryConfig:
    """``client`` is one octet; ``limits`` are proposed in SNRM. Times are in seconds.

    ``retries`` is how often a frame that got no answer is sent again. ``poll_interval`` is how long
    to wait before a server that has nothing to say yet is polled again, ``max_polls`` how often.
    """

    client: int
    server: Address
    limits: Parameters = DEFAULTS
    response_timeout: float = 5.0
    retries: int = 3
    poll_interval: float = 0.2
    max_polls: int = 150
    inter_octet_timeout: float = INTER_OCTET_TIMEOUT
    max_apdu: int = 0xFFFF


class PrimaryLink:
    """One link. :meth:`connect`, :meth:`send`, :meth:`disconnect`; then :meth:`octets_to_send`."""

    def __init__(self, config: PrimaryConfig) -> None:
        self.state = State.NDM
        self.parameters = DEFAULTS
        self._config = config
        self._own = Address(config.client)
        self._receiver = FrameReceiver(
            config.limits.max_info_rx + MAX_OVERHEAD, config.inter_octet_timeout
        )
        self._flow = Flow(DEFAULTS, config.max_apdu)
        self._apdus: deque[tuple[bytes, bool]] = deque()
        self._expects = False  # an APDU that answers the last one sent
        self._out = bytearray()
        self._polled: list[Frame] | None = None  # what waits for a final frame
        self._deadline: float | None = None
        self._tries = 0
        self._polls = 0

    # Asking -------------------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        """Send SNRM. :class:`LocalProtocolError` if a frame is still awaited."""
        self._begin(Input.SNRM, Kind.SNRM, self._config.limits.encode(), now)

    def disconnect(self, now: float) -> None:
        """Send DISC; what has not been sent yet is dropped."""
        self._apdus.clear()
        self._begin(Input.DISC, Kind.DISC, b"", now)

    def send(self, apdu: bytes, now: float, *, answered: bool = True) -> None:
        """Send an APDU. ``answered`` has the server polled until an APDU comes back.

        :class:`LocalProtocolError` if there is no link, or too much waits already.
        """
        if self.state is not State.NRM:
            raise LocalProtocolError(f"the link is {self.state.value}")
        if len(self._apdus) >= MAX_QUEUED_APDUS:
            raise LocalProtocolError("too many APDUs wait for the line")
        self._apdus.append((apdu, answered))
        if self._polled is None:
            self._go_on(now)

    def send_unnumbered(self, apdu: bytes) -> None:
        """Send an APDU in a UI frame, which nobody acknowledges. Needs no link."""
        information = llc.COMMAND + apdu
        if len(information) > self.parameters.max_info_tx:
            raise LocalProtocolError(f"{len(apdu)} octets do not fit in a UI frame")
        self._write(self._frame(Control(Kind.UI, False), information))

    def octets_to_send(self) -> bytes:
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def _begin(self, event: Input, kind: Kind, information: bytes, now: float) -> None:
        following = after(self.state, event)
        if following is None:
            raise LocalProtocolError(f"the link is {self.state.value}")
        self.state = following
        self._poll([self._frame(Control(kind), information)], now)

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, octets: bytes, now: float) -> list[Event]:
        """Take octets from the line; give what happened."""
        events: list[Event] = []
        for frame in self._receiver.receive(octets, now):
            mine = frame.destination == self._own and frame.source == self._config.server
            if mine and isinstance(frame, Frame):
                events += self._take(frame, now)
        return events

    def _take(self, frame: Frame, now: float) -> list[Event]:
        kind = frame.control.kind
        if after(self.state, INPUT_OF[kind]) is None or kind in (Kind.SNRM, Kind.DISC):
            return []
        match kind:
            case Kind.UA:
                return self._accepted(frame.information, now)
            case Kind.DM:
                return self._lost("server is disconnected (DM)")
            case Kind.FRMR:
                return self._lost(
                    f"server rejects a frame (FRMR {frame.information.hex().upper()})"
                )
            case Kind.UI:
                return self._arrived(frame.information, unnumbered=True)
        control = frame.control
        if not self._flow.acknowledge(control.receive):
            return self._lost("server acknowledges what was not sent")
        self._flow.peer_busy = kind is Kind.RNR
        events: list[Event] = []
        if kind is Kind.I:
            arrival = self._flow.judge(control.send, frame.information)
            if arrival in (Arrival.TOO_LONG, Arrival.APDU_TOO_LONG):
                return self._lost("server sends more than was agreed")
            if arrival is Arrival.ACCEPTED:
                whole = self._flow.accept(frame.information, frame.segmented)
                if whole is not None:
                    events = self._arrived(whole, unnumbered=False)
        if control.poll:
            self._polled = None
            self._tries = 0
            self._go_on(now)
        return events

    def _accepted(self, information: bytes, now: float) -> list[Event]:
        """UA: to SNRM it brings the agreed parameters, to DISC nothing."""
        if self.state is State.DISCONNECTING:
            return self._lost("disconnected")
        limits = self._config.limits
        try:
            agreed = decode_parameters(information).turned()
        except CodecError as error:
            return self._lost(f"UA: {error}")
        if not agreed.within(limits):
            # The server would send more than we take; what it takes is ours to keep to.
            if agreed.max_info_rx > limits.max_info_rx or agreed.window_rx > limits.window_rx:
                return self._lost("UA exceeds what was proposed")
            agreed = Parameters(*map(min, agreed, limits))
        self.state = State.NRM
        self.parameters = agreed
        self._flow = Flow(agreed, self._config.max_apdu)
        self._apdus.clear()
        self._rest()
        return [LinkUp(self._config.client, self._config.server.upper, agreed)]

    def _arrived(self, information: bytes, *, unnumbered: bool) -> list[Event]:
        if not information.startswith(llc.RESPONSE):
            return []
        self._expects = self._expects and unnumbered
        apdu = information[llc.LENGTH :]
        return [ApduArrived(self._config.client, self._config.server.upper, apdu, unnumbered)]

    # The line is ours ---------------------------------------------------------------------------

    def _go_on(self, now: float) -> None:
        """Send what there is, or poll for what is still to come."""
        if not self._flow.has_to_send and self._apdus:
            apdu, self._expects = self._apdus.popleft()
            self._polls = 0
            self._flow.queue(llc.COMMAND + apdu)  # there is room: nothing else waits
        segments = self._flow.sendable()
        if segments:
            last = len(segments) - 1
            self._poll(
                [
                    self._frame(
                        Control(Kind.I, index == last, self._flow.receive_state, number),
                        segment.information,
                        segment.more,
                    )
                    for index, (number, segment) in enumerate(segments)
                ],
                now,
            )
        elif self._flow.is_arriving:
            self._poll([self._ready()], now)
        elif self._expects or self._flow.has_to_send:
            # Nothing to say on either side now: ask again in a while.
            self._deadline = now + self._config.poll_interval
        else:
            self._rest()

    def _poll(self, frames: list[Frame], now: float) -> None:
        for frame in frames:
            self._write(frame)
        self._polled = frames
        self._deadline = now + self._config.response_timeout

    def _rest(self) -> None:
        self._polled = None
        self._deadline = None
        self._tries = self._polls = 0
        self._expects = False

    def _ready(self) -> Frame:
        return self._frame(Control(Kind.RR, True, self._flow.receive_state))

    # Time ---------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        return self._deadline

    def timeout(self, now: float) -> list[Event]:
        """Repeat, poll again, or give up."""
        self._receiver.timeout(now)
        if self._deadline is None or now < self._deadline:
            return []
        if self._polled is None:
            self._polls += 1
            if self._polls > self._config.max_polls:
                return self._lost("server has had nothing to say for too long")
            self._poll([self._ready()], now)
            return []
        self._tries += 1
        if self._tries > self._config.retries:
            return self._lost("server does not answer")
        if self.state is State.NRM:
            # Asking is enough: its N(R) says what has to be sent again.
            self._poll([self._ready()], now)
        else:
            self._poll(self._polled, now)
        return []

    def _lost(self, why: str) -> list[Event]:
        if self.state is State.NDM:
            return []
        self.state = State.NDM
        self._apdus.clear()
        self._flow = Flow(DEFAULTS, self._config.max_apdu)
        self._rest()
        return [LinkDown(self._config.client, self._config.server.upper, why)]

    def _write(self, frame: Frame) -> None:
        self._out += frame.encode()

    def _frame(self, control: Control, information: bytes = b"", more: bool = False) -> Frame:
        return Frame(self._config.server, self._own, control, information, more)
