"""A meter on a line, and a client that writes every frame by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import StationConfig
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event
from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import Frame, NotUnderstood
from dlms.framing.hdlc.parameters import Parameters, decode_parameters
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.framing.hdlc.station import Station

CLIENT = Address(16)
SERVER = Address(1)
LLC = bytes.fromhex("E6E600")


class Meter:
    """A station, and a client that writes every frame by hand."""

    def __init__(self, **config: Any) -> None:
        settings: dict[str, Any] = {"logical_devices": {1, 2}.__contains__, **config}
        self.station = Station(StationConfig(**settings))
        self.events: list[Event] = []
        self.now = 0.0
        self.answer: Callable[[bytes], bytes | None] = lambda apdu: b"re:" + apdu

    def octets(self, octets: bytes) -> list[Frame | NotUnderstood]:
        self.carry_out(self.station.receive(octets, self.now))
        return FrameReceiver().receive(self.station.octets_to_send(), 0.0)

    def carry_out(self, events: list[Event]) -> None:
        self.events += events
        for event in events:
            if isinstance(event, ApduArrived) and not event.unnumbered:
                reply = self.answer(event.apdu)
                if reply is not None:
                    assert self.station.send(event.client, event.server, reply)

    def wait(self, until: float) -> list[Event]:
        """Let time pass, and nothing else happen."""
        self.now = until
        return self.station.timeout(until)

    def frame(
        self,
        kind: Kind,
        information: bytes = b"",
        *,
        ns: int = 0,
        nr: int = 0,
        poll: bool = True,
        more: bool = False,
        server: Address = SERVER,
        client: Address = CLIENT,
    ) -> list[Any]:
        frame = Frame(server, client, Control(kind, poll, nr, ns), information, more)
        return self.octets(frame.encode())

    def kinds(self, kind: Kind, information: bytes = b"", **how: Any) -> list[Kind]:
        return [frame.control.kind for frame in self.frame(kind, information, **how)]

    def connect(self, information: bytes = b"", **how: Any) -> Parameters:
        (ua,) = self.frame(Kind.SNRM, information, **how)
        assert ua.control.kind is Kind.UA
        return decode_parameters(ua.information)

    @property
    def is_usable(self) -> bool:
        """SNRM is answered with UA, and an APDU with an APDU."""
        self.connect()
        (reply,) = self.frame(Kind.I, LLC + b"ask")
        return bool(reply.information == bytes.fromhex("E6E700") + b"re:ask")

    @property
    def apdus(self) -> list[bytes]:
        return [event.apdu for event in self.events if isinstance(event, ApduArrived)]


@pytest.fixture
def new_meter() -> type[Meter]:
    """Meters with a configuration of their own."""
    return Meter


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def sealed() -> Callable[[str], bytes]:
    """A frame of these octets, in hexadecimal, with its FCS and flags."""

    def seal(head: str) -> bytes:
        octets = bytes.fromhex(head)
        return b"\x7e" + octets + check_sequence(octets) + b"\x7e"

    return seal
