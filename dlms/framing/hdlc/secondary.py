"""The server's end of one link, between one client and one logical device (IEC 62056-46, 6.4.4).

It speaks when it is polled, and its last frame is final. What the device answers is to be handed to
:meth:`SecondaryLink.send` before :meth:`SecondaryLink.answer` is asked for.
"""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import StationConfig
from dlms.framing.hdlc.control import POLL, Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.flow import Arrival, Flow
from dlms.framing.hdlc.frame import Frame, NotUnderstood
from dlms.framing.hdlc.parameters import DEFAULTS, decode_parameters
from dlms.framing.hdlc.rejection import Fault, Rejection
from dlms.framing.hdlc.state import Input, State, passed

MAX_TOLD = 16
"""APDUs that wait for a poll until nothing more is taken that nobody has asked for: the client may
never poll, and answers need room, too."""


class SecondaryLink:
    """``server`` is the address that the client uses; an answer comes from where it was asked."""

    def __init__(self, client: Address, server: Address, config: StationConfig) -> None:
        self.state = State.NDM
        self._client = client
        self._server = server
        self._config = config
        self._flow = Flow(DEFAULTS, config.max_apdu)
        self._agreed = DEFAULTS
        self._heard = 0.0
        self._polled = False
        self._reply: tuple[Kind, bytes] | None = None
        self._rejection = b""
        self._unsolicited = b""

    @property
    def is_up(self) -> bool:
        """Whether there is a link, be it one that only SNRM and DISC can help."""
        return self.state in (State.NRM, State.REJECTED)

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, frame: Frame | NotUnderstood, now: float) -> list[Event]:
        """Take a frame that is for this link."""
        self._heard = now
        self._server = frame.destination
        if isinstance(frame, NotUnderstood):
            self._polled = self._polled or bool(frame.octet & POLL)
            if self.state is State.NRM:
                self._reject(frame.octet, Fault.UNKNOWN_CONTROL)
            elif self.state is State.REJECTED:
                self._reply = Kind.FRMR, self._rejection
            return []
        control = frame.control
        if control.kind in (Kind.UA, Kind.DM, Kind.FRMR):
            return []  # responses: not for a server
        self._polled = self._polled or control.poll
        match control.kind:
            case Kind.SNRM:
                return self._connect(frame.information)
            case Kind.DISC:
                return self._disconnect()
            case Kind.UI:
                return self._unnumbered(frame)
        if self.state is State.REJECTED:
            self._reply = Kind.FRMR, self._rejection
        elif self.state is State.NDM:
            self._reply = Kind.DM, b""
        else:
            return self._numbered(frame)
        return []

    def _connect(self, information: bytes) -> list[Event]:
        """SNRM: a link from scratch, whatever was there (IEC 62056-46, 6.4.4.4.3.2)."""
        client, server = self._client.upper, self._server.upper
        events: list[Event] = [self._down("SNRM")] if self.is_up else []
        self._pass(Input.SNRM)
        self._unsolicited = b""
        try:
            proposed = decode_parameters(information)
        except CodecError:
            # Nothing can be agreed on, and the link that stood is not what the client wanted.
            self._pass(Input.DM)
            self._reply = Kind.DM, b""
            return events
        self._agreed = agreed = self._config.limits.agreed(proposed)
        self._flow = Flow(agreed, self._config.max_apdu)
        self._pass(Input.UA)
        self._reply = Kind.UA, agreed.encode(explicit=bool(information))
        return [*events, LinkUp(client, server, agreed)]

    def _disconnect(self) -> list[Event]:
        was_up = self.is_up
        self._pass(Input.DISC)
        self._pass(Input.UA if was_up else Input.DM)
        self._reply = Kind.UA if was_up else Kind.DM, b""
        return [self._down("DISC")] if was_up else []

    def _unnumbered(self, frame: Frame) -> list[Event]:
        """UI: what is not one whole APDU is dropped, for nothing is acknowledged here."""
        information = frame.information
        if frame.segmented or len(information) > self._config.limits.max_info_rx:
            return []
        return self._arrived(information, unnumbered=True)

    def _numbered(self, frame: Frame) -> list[Event]:
        """I, RR, RNR, REJ in NRM."""
        control, information, flow = frame.control, frame.information, self._flow
        is_information = control.kind is Kind.I
        if information and not is_information:
            self._reject(control.encode(), Fault.INFORMATION_NOT_ALLOWED)
            return []
        arrival = flow.judge(control.send, information) if is_information else None
        if arrival in (Arrival.TOO_LONG, Arrival.APDU_TOO_LONG):
            self._reject(control.encode(), Fault.INFORMATION_TOO_LONG)
            return []
        if flow.acknowledge(control.receive) is None:
            self._reject(control.encode(), Fault.WRONG_RECEIVE_NUMBER)
            return []
        flow.peer_busy = control.kind is Kind.RNR
        if arrival is Arrival.AHEAD:
            self._reply = Kind.REJ, b""
        elif arrival is Arrival.ACCEPTED:
            whole = flow.accept(information, frame.segmented)
            if whole is not None:
                return self._arrived(whole, unnumbered=False)
        # What was here before changes nothing: the answer that it had goes out again.
        return []

    def _arrived(self, information: bytes, *, unnumbered: bool) -> list[Event]:
        """What is not for the LLC of a COSEM server is dropped (X_HDLC_LLC)."""
        if not information.startswith(llc.COMMAND):
            return []
        apdu = information[llc.LENGTH :]
        return [ApduArrived(self._client.upper, self._server.upper, apdu, unnumbered)]

    # Sending ------------------------------------------------------------------------------------

    def send(self, apdu: bytes) -> bool:
        """Keep an APDU for the next answer. False if there is no link, or no room."""
        return self.state is State.NRM and self._flow.queue(llc.RESPONSE + apdu)

    def send_unnumbered(self, apdu: bytes) -> bool:
        """Keep an unsolicited APDU for the next poll, in a UI frame; it must fit in one.

        One is kept at a time: the client may never poll. False if it cannot be kept.
        """
        information = llc.RESPONSE + apdu
        fits = len(information) <= self._agreed.max_info_tx
        if self.state is not State.NRM or self._unsolicited or not fits:
            return False
        self._unsolicited = information
        return True

    @property
    def takes_unsolicited(self) -> bool:
        """Whether :meth:`tell` will keep an APDU: there is a link, and not too much waits."""
        return self.state is State.NRM and self._flow.waiting < MAX_TOLD

    def tell(self, apdu: bytes) -> bool:
        """Keep an unsolicited APDU for the next poll. False if it cannot be kept.

        It goes in a UI frame, as events do (GB Ed. 8, 10.2), unless it is too long for one or the
        client may not have all that was to be sent before: then behind that in I frames, for the
        invocation counters of ciphered APDUs must arrive in their order.
        """
        if not self.takes_unsolicited:
            return False
        in_order = not self._flow.has_to_send
        return (in_order and self.send_unnumbered(apdu)) or self.send(apdu)

    def answer(self) -> list[Frame]:
        """The frames to send now: none if nobody polled, else with a final one at the end."""
        if not self._polled:
            return []
        self._polled = False
        reply, self._reply = self._reply, None
        if reply is not None and reply[0] is not Kind.REJ:
            kind, information = reply
            return [self._frame(Control(kind), information)]
        if self.state is not State.NRM:
            return []
        flow = self._flow
        frames: list[Frame] = []
        if self._unsolicited:
            frames.append(self._frame(Control(Kind.UI, False), self._unsolicited))
            self._unsolicited = b""
        segments = flow.sendable() if reply is None else []
        frames += [self._frame(control, *segment) for control, segment in segments]
        if not segments:
            kind = Kind.RR if reply is None else Kind.REJ
            frames.append(self._frame(Control(kind, True, flow.receive_state)))
        return frames

    def _reject(self, control: int, fault: Fault) -> None:
        """FRMR at the next poll, and until the client begins anew (IEC 62056-46, 6.4.3.10)."""
        flow = self._flow
        self._rejection = Rejection(control, flow.send_state, flow.receive_state, fault).encode()
        self._reply = Kind.FRMR, self._rejection
        self._pass(Input.FRMR)

    def _frame(self, control: Control, information: bytes = b"", more: bool = False) -> Frame:
        return Frame(self._client, self._server, control, information, more)

    # Time ---------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        if not self.is_up or not self._config.inactivity_timeout:
            return None
        return self._heard + self._config.inactivity_timeout

    def timeout(self, now: float) -> list[Event]:
        """Give up a link on which nothing was heard for too long."""
        when = self.deadline()
        if when is None or now < when:
            return []
        event = self._down(f"nothing heard for {self._config.inactivity_timeout:g} s")
        self._pass(Input.INACTIVE)
        return [event]

    def close(self) -> list[Event]:
        """The line is gone."""
        events: list[Event] = [self._down("line closed")] if self.is_up else []
        self._pass(Input.CLOSED)
        return events

    def _pass(self, event: Input) -> None:
        self.state = passed(self.state, event)

    def _down(self, why: str) -> LinkDown:
        return LinkDown(self._client.upper, self._server.upper, why)
