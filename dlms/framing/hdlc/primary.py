"""The client's end of one link (IEC 62056-46, 6.4.4).

It has the line until it polls, and again when the final frame has come. What has no effect is
repeated, so many times and no more; then the link is given up.
"""

from __future__ import annotations

from dlms.errors import CodecError, LocalProtocolError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.asking import Asking
from dlms.framing.hdlc.config import PrimaryConfig
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.flow import Arrival, Flow
from dlms.framing.hdlc.frame import MAX_OVERHEAD, Frame, NotUnderstood
from dlms.framing.hdlc.parameters import DEFAULTS, decode_parameters
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.framing.hdlc.state import INPUT_OF, Input, State, after, passed

__all__ = ["PrimaryConfig", "PrimaryLink"]


class PrimaryLink:
    """Call it, then write :meth:`octets_to_send`."""

    def __init__(self, config: PrimaryConfig) -> None:
        """:class:`~dlms.errors.CodecError` if the limits are none."""
        self.state = State.NDM
        self.parameters = DEFAULTS
        self._config = config
        self._own = Address(config.client)
        # UA is not bound by what it agrees on.
        longest = max(config.limits.check().max_info_rx, DEFAULTS.max_info_rx) + MAX_OVERHEAD
        self._receiver = FrameReceiver(longest, config.inter_octet_timeout)
        self._events: list[Event] = []
        self._out = bytearray()
        # What waits for a final frame; ``None`` if the line is ours.
        self._polled: list[Frame] | None = None
        self._deadline: float | None = None
        self._reset()

    def _reset(self) -> None:
        self._flow = Flow(self.parameters, self._config.max_apdu)
        self._asking = Asking(self._config.retries, self._config.max_polls)
        self._missing = False  # a frame is, between those that came
        self._owes = False  # an acknowledgement of what came
        self._progress = False  # since the last poll
        self._rest()

    # Asking -------------------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        """Send SNRM; whatever link there is ends with it."""
        self._begin(Input.SNRM, Kind.SNRM, self._config.limits.encode(), now)

    def disconnect(self, now: float) -> None:
        """Send DISC; what has not been sent yet is dropped."""
        self._begin(Input.DISC, Kind.DISC, b"", now)

    def send(self, apdu: bytes, now: float, *, answered: bool = True) -> None:
        """Send an APDU. ``answered`` has the server polled until an APDU comes back.

        :class:`LocalProtocolError` if there is no link, or too much waits already.
        """
        self._require_link()
        self._asking.queue(apdu, answered)
        if self._polled is None:
            self._go_on(now)

    def poll(self, now: float, *, answered: bool = False) -> None:
        """Ask the server for what it has to say: once, or if ``answered`` until an APDU comes.

        An APDU may be followed by others that answer the same request, and one that comes first may
        be none of the answer: only the caller knows. :class:`LocalProtocolError` without a link.
        """
        self._require_link()
        self._asking.ask(answered)
        if self._polled is None:
            self._send_supervisory(Kind.RR, now)

    @property
    def is_at_rest(self) -> bool:
        """Whether there is a link, and nothing to be said or awaited on it."""
        return self.state is State.NRM and self._polled is None and self._deadline is None

    @property
    def is_busy(self) -> bool:
        """Whether there is a link and something to be said or awaited on it."""
        return self.state is State.NRM and not self.is_at_rest

    @property
    def owes(self) -> bool:
        """Whether frames have come that are not acknowledged yet: more may be behind them."""
        return self._owes

    def send_unnumbered(self, apdu: bytes) -> None:
        """Send an APDU in a UI frame, which nobody acknowledges; needs no link.

        :class:`LocalProtocolError` if it does not fit in one.
        """
        information = llc.COMMAND + apdu
        if len(information) > self.parameters.max_info_tx:
            raise LocalProtocolError(f"{len(apdu)} octets do not fit in a UI frame")
        self._out += self._frame(Control(Kind.UI, False), information).encode()

    def _require_link(self) -> None:
        if self.state is not State.NRM:
            raise LocalProtocolError(f"the link is {self.state.value}")

    def _begin(self, event: Input, kind: Kind, information: bytes, now: float) -> None:
        if after(self.state, event) is None:
            raise LocalProtocolError(f"the link is {self.state.value}")
        self.state = passed(self.state, event)
        self.parameters = DEFAULTS
        self._reset()
        self._send_polling([self._frame(Control(kind), information)], now)

    # What came ----------------------------------------------------------------------------------

    def receive(self, octets: bytes, now: float) -> list[Event]:
        """Take octets from the line; give what happened, in its order."""
        for frame in self._receiver.receive(octets, now):
            if frame.destination == self._own and frame.source == self._config.server:
                self._take(frame, now)
        return self._happened()

    def _happened(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def octets_to_send(self) -> bytes:
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def _take(self, frame: Frame | NotUnderstood, now: float) -> None:
        if isinstance(frame, NotUnderstood):
            return
        kind = frame.control.kind
        if kind in (Kind.SNRM, Kind.DISC) or after(self.state, INPUT_OF[kind]) is None:
            return
        match kind:
            case Kind.UA if self.state is State.CONNECTING:
                self._accepted(frame.information)
                return
            case Kind.UA:
                self._lose("disconnected")
            case Kind.DM:
                self._lose("server is disconnected (DM)")
            case Kind.FRMR:
                self._lose(f"server rejects a frame (FRMR {frame.information.hex().upper()})")
            case Kind.UI:
                self._arrived(frame.information, unnumbered=True)
            case _:
                self._numbered(frame, now)
        if frame.control.poll and self.state is State.NRM:
            self._final(now)

    def _accepted(self, information: bytes) -> None:
        """UA to SNRM: it brings the parameters, as the server sees them."""
        try:
            agreed = self._config.limits.settled(decode_parameters(information))
        except CodecError as error:
            self._lose(str(error))
            return
        self.parameters = agreed
        self.state = passed(self.state, Input.UA)
        self._reset()
        self._events.append(LinkUp(self._own.upper, self._config.server.upper, self.parameters))

    def _numbered(self, frame: Frame, now: float) -> None:
        """I, RR, RNR, REJ."""
        control, information, flow = frame.control, frame.information, self._flow
        arrival = flow.judge(control.send, information) if control.kind is Kind.I else None
        if arrival in (Arrival.TOO_LONG, Arrival.APDU_TOO_LONG):
            self._lose("server sends more than was agreed")
            return
        acknowledged = flow.acknowledge(control.receive)
        if acknowledged is None:
            self._lose("server acknowledges what was not sent")
            return
        flow.peer_busy = control.kind is Kind.RNR
        self._progress = self._progress or acknowledged > 0
        if arrival is Arrival.AHEAD:
            self._missing = True
        elif arrival is Arrival.ACCEPTED:
            if frame.segmented and not information:
                self._lose("server sends segments without end or content")
                return
            self._missing = False
            self._progress = self._owes = True
            if self._polled is not None:
                self._deadline = now + self._config.response_timeout
            whole = flow.accept(information, frame.segmented)
            if whole is not None:
                self._arrived(whole, unnumbered=False)

    def _arrived(self, information: bytes, *, unnumbered: bool) -> None:
        if not information.startswith(llc.RESPONSE):
            return
        if not unnumbered:
            self._asking.hear()
        apdu = information[llc.LENGTH :]
        self._events.append(
            ApduArrived(self._own.upper, self._config.server.upper, apdu, unnumbered)
        )

    def _final(self, now: float) -> None:
        """The server has said what it had to say."""
        repeating = self._polled is not None and self._polled[-1].control.kind is not Kind.RR
        progress, self._progress = self._progress, False
        self._polled = None
        if progress:
            self._asking.progress()
        elif not (self._flow.is_unacknowledged or self._missing):
            self._asking.settle()
        elif repeating and not self._flow.peer_busy and not self._asking.may_repeat():
            # It answers, but does not take, or give, what is next.
            self._lose("server does not go on")
            return
        self._go_on(now, at_once=progress)

    # The line is ours ---------------------------------------------------------------------------

    def _go_on(self, now: float, *, at_once: bool = True) -> None:
        """Send what there is, or poll for what is still to come, or rest."""
        flow = self._flow
        if not flow.has_to_send:
            apdu = self._asking.next_apdu()
            if apdu is not None:
                flow.queue(llc.COMMAND + apdu)  # there is room: nothing else waits in there
        segments = flow.sendable()
        if segments:
            frames = [self._frame(control, *segment) for control, segment in segments]
            self._send_polling(frames, now)
        elif self._missing:
            self._send_supervisory(Kind.REJ, now)
        elif flow.is_arriving and at_once:
            self._send_supervisory(Kind.RR, now)
        elif flow.is_arriving or self._asking.is_awaiting or flow.has_to_send:
            # Nothing can be said on either side now: ask again in a while.
            self._deadline = now + self._config.poll_interval
        else:
            self._rest()

    def _send_polling(self, frames: list[Frame], now: float) -> None:
        """Send frames of which the last has the poll bit."""
        for frame in frames:
            self._out += frame.encode()
        self._polled = frames
        self._owes = False
        self._deadline = now + self._config.response_timeout

    def _send_supervisory(self, kind: Kind, now: float) -> None:
        self._send_polling([self._frame(Control(kind, True, self._flow.receive_state))], now)

    def _rest(self) -> None:
        self._polled = None
        self._deadline = None

    # Time ---------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        return self._deadline

    def timeout(self, now: float) -> list[Event]:
        """Repeat, poll again, or give up."""
        self._receiver.timeout(now)
        if self._deadline is not None and now >= self._deadline:
            self._insist(now)
        return self._happened()

    def close(self) -> list[Event]:
        """The line is gone."""
        self._lose("line closed")
        return self._happened()

    def _insist(self, now: float) -> None:
        if self._polled is None and not self._asking.may_poll():
            self._lose("server has had nothing to say for too long")
        elif self._polled is not None and not self._asking.may_repeat():
            self._lose("server does not answer")
        elif self._polled is None or self.state is State.NRM:
            # Asking is enough: its N(R) says what has to be sent again.
            self._send_supervisory(Kind.RR, now)
        else:
            self._send_polling(self._polled, now)

    def _lose(self, why: str) -> None:
        if self.state is State.NDM:
            return
        self.state = passed(self.state, Input.CLOSED)
        self.parameters = DEFAULTS
        self._reset()
        self._events.append(LinkDown(self._own.upper, self._config.server.upper, why))

    def _frame(self, control: Control, information: bytes = b"", more: bool = False) -> Frame:
        return Frame(self._config.server, self._own, control, information, more)
