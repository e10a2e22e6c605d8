"""The server's end of one link, between one client and one logical device (IEC 62056-46, 6.4.4).

It speaks when it is polled, and its last frame is final. What the device answers is to be handed to
:meth:`SecondaryLink.send` before :meth:`SecondaryLink.answer` is asked for.
"""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.flow import Arrival, Flow
from dlms.framing.hdlc.frame import Frame, NotUnderstood
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from dlms.framing.hdlc.rejection import Fault, Rejection
from dlms.framing.hdlc.state import Input, State, after

INACTIVITY_TIMEOUT = 120.0
"""Seconds without a frame until the link is given up (IEC HDLC setup, attribute 8); 0 is never."""


class SecondaryLink:
    """``server`` is the address the client uses, ``limits`` what this end can do at the most."""

    def __init__(
        self,
        client: Address,
        server: Address,
        limits: Parameters,
        inactivity_timeout: float,
        max_apdu: int,
    ) -> None:
        self.state = State.NDM
        self._client = client
        self._server = server
        self._limits = limits
        self._inactivity_timeout = inactivity_timeout
        self._max_apdu = max_apdu
        self._flow = Flow(DEFAULTS, max_apdu)
        self._heard = 0.0
        self._polled = False
        self._reply: Frame | None = None
        self._rejection: Frame | None = None
        self._agreed = DEFAULTS
        self._unnumbered: list[bytes] = []

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, frame: Frame | NotUnderstood, now: float) -> list[Event]:
        """Take a frame that is for this link."""
        self._heard = now
        if isinstance(frame, NotUnderstood):
            if self.state is State.NRM:
                self._reject(frame.octet, Fault.UNKNOWN_CONTROL)
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
                return self._unnumbered_apdu(frame.information)
        if self.state is State.REJECTED:
            self._reply = self._rejection
            return []
        if self.state is not State.NRM:
            self._reply = self._unnumbered_frame(Kind.DM)
            return []
        if not self._flow.acknowledge(control.receive):
            self._reject(control.encode(), Fault.WRONG_RECEIVE_NUMBER)
            return []
        self._flow.peer_busy = control.kind is Kind.RNR
        if control.kind is Kind.I:
            return self._information(frame)
        if frame.information:
            self._reject(control.encode(), Fault.INFORMATION_NOT_ALLOWED)
        return []

    def _connect(self, information: bytes) -> list[Event]:
        """SNRM: a link from scratch, whatever was there (IEC 62056-46, 6.4.4.4.3.2)."""
        was_up = self.state in (State.NRM, State.REJECTED)
        try:
            proposed = decode_parameters(information)
        except CodecError:
            # Nothing can be agreed on, and a link that stands is not what the client wanted.
            self._reply = self._unnumbered_frame(Kind.DM)
            self.state = State.NDM
            return [self._down("SNRM with parameters that cannot be")] if was_up else []
        self._pass(Input.SNRM)
        agreed = self._limits.agreed(proposed)
        self._agreed = agreed
        self._flow = Flow(agreed, self._max_apdu)
        self._unnumbered.clear()
        self._pass(Input.UA)
        self._reply = self._unnumbered_frame(Kind.UA, agreed.encode())
        events: list[Event] = [self._down("SNRM")] if was_up else []
        return [*events, LinkUp(self._client.upper, self._server.upper, agreed)]

    def _disconnect(self) -> list[Event]:
        was_up = self.state in (State.NRM, State.REJECTED)
        self._pass(Input.DISC)
        self._pass(Input.UA if was_up else Input.DM)
        self._reply = self._unnumbered_frame(Kind.UA if was_up else Kind.DM)
        return [self._down("DISC")] if was_up else []

    def _information(self, frame: Frame) -> list[Event]:
        control = frame.control
        match self._flow.judge(control.send, frame.information):
            case Arrival.TOO_LONG | Arrival.APDU_TOO_LONG:
                self._reject(control.encode(), Fault.INFORMATION_TOO_LONG)
            case Arrival.AHEAD:
                self._reply = self._supervisory(Kind.REJ)
            case Arrival.ACCEPTED:
                whole = self._flow.accept(frame.information, frame.segmented)
                # What is not for the LLC of a COSEM server is dropped (X_HDLC_LLC).
                if whole is not None and whole.startswith(llc.COMMAND):
                    apdu = whole[llc.LENGTH :]
                    return [ApduArrived(self._client.upper, self._server.upper, apdu)]
            case Arrival.REPEATED:
                pass  # the answer it had goes out again
        return []

    def _unnumbered_apdu(self, information: bytes) -> list[Event]:
        if len(information) > self._limits.max_info_rx or not information.startswith(llc.COMMAND):
            return []
        apdu = information[llc.LENGTH :]
        return [ApduArrived(self._client.upper, self._server.upper, apdu, unnumbered=True)]

    # Sending ------------------------------------------------------------------------------------

    def send(self, apdu: bytes) -> bool:
        """Keep an APDU for the next answer. False if there is no link, or no room."""
        return self.state is State.NRM and self._flow.queue(llc.RESPONSE + apdu)

    def send_unnumbered(self, apdu: bytes) -> bool:
        """Keep an unsolicited APDU for the next poll, in a UI frame; it must fit in one.

        One is kept at a time: the client may never poll.
        """
        information = llc.RESPONSE + apdu
        if self._unnumbered or len(information) > self._agreed.max_info_tx:
            return False
        self._unnumbered.append(information)
        return True

    def answer(self) -> list[Frame]:
        """The frames to send now: none if nobody polled, else with a final one at the end."""
        if not self._polled:
            return []
        self._polled = False
        reply, self._reply = self._reply, None
        if self.state is not State.NRM or (reply is not None and reply.control.kind is Kind.UA):
            return [] if reply is None else [reply]
        frames = [self._unnumbered_frame(Kind.UI, info, poll=False) for info in self._unnumbered]
        self._unnumbered.clear()
        if reply is not None:
            return [*frames, reply]
        segments = self._flow.sendable()
        for index, (number, segment) in enumerate(segments, 1):
            control = Control(Kind.I, index == len(segments), self._flow.receive_state, number)
            frames.append(self._frame(control, segment.information, segment.more))
        return frames if segments else [*frames, self._supervisory(Kind.RR)]

    def _reject(self, control: int, fault: Fault) -> None:
        """FRMR, until the client begins anew (IEC 62056-46, 6.4.3.10)."""
        flow = self._flow
        rejection = Rejection(control, flow.send_state, flow.receive_state, fault)
        self._pass(Input.FRMR)
        self._polled = True
        self._reply = self._rejection = self._unnumbered_frame(Kind.FRMR, rejection.encode())

    def _supervisory(self, kind: Kind) -> Frame:
        return self._frame(Control(kind, True, self._flow.receive_state))

    def _unnumbered_frame(self, kind: Kind, information: bytes = b"", poll: bool = True) -> Frame:
        return self._frame(Control(kind, poll), information)

    def _frame(self, control: Control, information: bytes = b"", more: bool = False) -> Frame:
        return Frame(self._client, self._server, control, information, more)

    # Time ---------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        if self.state is State.NDM or not self._inactivity_timeout:
            return None
        return self._heard + self._inactivity_timeout

    def timeout(self, now: float) -> list[Event]:
        when = self.deadline()
        if when is None or now < when:
            return []
        self._pass(Input.INACTIVE)
        self._reply = None
        self._polled = False
        return [self._down(f"nothing heard for {self._inactivity_timeout:g} s")]

    def _pass(self, event: Input) -> None:
        following = after(self.state, event)
        assert following is not None, (self.state, event)  # the callers know the state
        self.state = following

    def _down(self, why: str) -> LinkDown:
        return LinkDown(self._client.upper, self._server.upper, why)
