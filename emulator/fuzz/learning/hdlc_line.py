"""An HDLC line to a meter of this process, on which any frame may be sent at any time."""

from __future__ import annotations

from collections.abc import Callable

from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control
from dlms.framing.hdlc.control import Kind as FrameKind
from dlms.framing.hdlc.flow import Flow
from dlms.framing.hdlc.frame import MAX_INFORMATION, Frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from dlms.framing.hdlc.receiver import FrameReceiver
from emulator.framing import Addressed, HdlcStation
from emulator.fuzz.learning.symbol import Kind, Symbol
from emulator.serving.host import MAX_APDU, Host
from emulator.serving.lines import station_config
from emulator.serving.peer import Peer, Unable

_PROPOSED = Parameters(MAX_INFORMATION, MAX_INFORMATION, 1, 1)
_MAX_TURNS = 64
"""Frames to get one answer: more than the longest AARE has segments."""
_WHAT = {FrameKind.DM: Kind.DM, FrameKind.FRMR: Kind.FRMR, FrameKind.UA: Kind.UA}


class HdlcLine:
    """``host`` gives the meter as it is now; ``pair`` are client SAP and server SAP, the addresses
    of the link.
    """

    lower = (Symbol.SNRM, Symbol.DISC)

    def __init__(self, host: Callable[[], Host], pair: tuple[int, int]) -> None:
        self._host = host
        self._pair = pair
        self._client = Address(pair[0])
        self._peer: Peer | None = None

    def begin(self) -> None:
        self.close()
        host = self._host()
        config = station_config(host.device)
        self._server = Address(self._pair[1], config.lower, 4)
        self._station = HdlcStation(config)
        self._peer = Peer(host, "learner")
        self._receiver = FrameReceiver()
        self._flow = Flow(DEFAULTS, MAX_APDU)

    def do(self, symbol: Symbol) -> Kind:
        snrm = symbol is Symbol.SNRM
        control = Control(FrameKind.SNRM if snrm else FrameKind.DISC)
        heard = self._exchange([self._frame(control, _PROPOSED.encode() if snrm else b"")])
        self._flow = Flow(DEFAULTS, MAX_APDU)
        if not heard:
            return Kind.SILENCE
        last = heard[-1]
        if snrm and last.control.kind is FrameKind.UA:
            agreed = _PROPOSED.settled(decode_parameters(last.information))
            self._flow = Flow(agreed, MAX_APDU)
        return _WHAT.get(last.control.kind, Kind.UNREADABLE)

    def say(self, apdu: bytes) -> bytes | Kind:
        flow = self._flow
        flow.queue(llc.COMMAND + apdu)
        for _ in range(_MAX_TURNS):
            sendable = flow.sendable()
            poll = [self._frame(Control(FrameKind.RR, True, flow.receive_state))]
            frames = [self._frame(control, *segment) for control, segment in sendable] or poll
            try:
                heard = self._exchange(frames)
            except Unable:
                return Kind.HUNG_UP
            for frame in heard:
                if frame.control.kind in _WHAT:
                    self._flow = Flow(DEFAULTS, MAX_APDU)
                    return _WHAT[frame.control.kind]
                whole = self._take(frame)
                if whole is not None:
                    return whole[llc.LENGTH :]
            if not sendable and all(one.control.kind is FrameKind.RR for one in heard):
                return Kind.SILENCE
        return Kind.SILENCE

    def _take(self, frame: Frame) -> bytes | None:
        self._flow.acknowledge(frame.control.receive)
        if frame.control.kind is not FrameKind.I:
            return None
        return self._flow.accept(frame.information, frame.segmented)

    def _exchange(self, frames: list[Frame]) -> list[Frame]:
        assert self._peer is not None, "begin() comes first"
        self._station.receive(b"".join(frame.encode() for frame in frames), 0.0)
        while (indication := self._station.next_indication()) is not None:
            if not isinstance(indication, Addressed):
                self._peer.close_pair(indication.client_sap, indication.server_sap)
                continue
            client_sap, server_sap, apdu = indication
            for reply in self._peer.serve(client_sap, server_sap, apdu) or ():
                self._station.send(Addressed(client_sap, server_sap, reply), 0.0)
        heard = self._receiver.receive(self._station.octets_to_send(), 0.0)
        return [frame for frame in heard if isinstance(frame, Frame)]

    def _frame(self, control: Control, information: bytes = b"", more: bool = False) -> Frame:
        return Frame(self._server, self._client, control, information, more)

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()
            self._peer = None
