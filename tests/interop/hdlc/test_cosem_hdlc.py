"""dlms-cosem and HDLC: its transport against our station, its frames against ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from dlms_cosem.hdlc import frames
from dlms_cosem.hdlc.address import HdlcAddress
from dlms_cosem.io import HdlcTransport

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import LinkDown, LinkUp
from dlms.framing.hdlc.frame import Frame, decode_frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The package logs every frame to standard output unless structlog is told otherwise."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


class Wire:
    """What the package takes for a serial line."""

    def __init__(self, meter: Any) -> None:
        self.meter = meter
        self.pending = b""
        self.timeout = 10

    def connect(self) -> None:
        self.pending = b""

    def disconnect(self) -> None:
        self.pending = b""

    def send(self, data: bytes) -> None:
        self.pending += self.meter.reply(bytes(data))

    def recv(self, amount: int = 1) -> bytes:
        assert self.pending, "the meter is silent"
        got, self.pending = self.pending[:amount], self.pending[amount:]
        return got

    def recv_until(self, end: bytes) -> bytes:
        got = b""
        while not got.endswith(end):
            got += self.recv(1)
        return got


def transport(meter: Any) -> HdlcTransport:
    return HdlcTransport(16, 1, Wire(meter), server_physical_address=17)


def test_cosem_connects(new_meter: Any) -> None:
    meter = new_meter(limits=DEFAULTS)
    theirs = transport(meter)
    theirs.connect()
    assert meter.events == [LinkUp(16, 1, DEFAULTS)]
    theirs.disconnect()
    assert meter.events[1:] == [LinkDown(16, 1, "DISC")]


def test_cosem_exchanges_apdus(new_meter: Any) -> None:
    """More than eight, so that the numbers go round."""
    answers = [bytes((0xC4, number)) for number in range(20)]
    meter = new_meter(*answers, limits=DEFAULTS)
    theirs = transport(meter)
    theirs.connect()
    got = [bytes(theirs.send_request(bytes((0xC0, number)))) for number in range(20)]
    assert got == answers
    assert meter.asked == [bytes((0xC0, number)) for number in range(20)]


SERVER = HdlcAddress(1, 17, "server")
CLIENT = HdlcAddress(16, None, "client")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (frames.SetNormalResponseModeFrame(SERVER, CLIENT), Control(Kind.SNRM)),
        (frames.DisconnectFrame(SERVER, CLIENT), Control(Kind.DISC)),
        (
            frames.ReceiveReadyFrame(SERVER, CLIENT, receive_sequence_number=5),
            Control(Kind.RR, True, 5),
        ),
        (
            frames.InformationFrame(
                SERVER, CLIENT, b"\xe6\xe6\x00\xc0", send_sequence_number=3,
                receive_sequence_number=6, segmented=True, final=False,
            ),
            Control(Kind.I, False, 6, 3),
        ),
    ],
)  # fmt: skip
def test_cosem_makes_the_same_frames(theirs: Any, ours: Control) -> None:
    is_information = ours.kind is Kind.I
    information = b"\xe6\xe6\x00\xc0" if is_information else b""
    frame = Frame(Address(1, 17, 2), Address(16), ours, information, is_information)
    assert theirs.to_bytes() == frame.encode()
    assert decode_frame(theirs.to_bytes()[1:-1]) == frame


def test_cosem_receives_segments(new_meter: Any) -> None:
    answer = bytes(range(200))
    meter = new_meter(answer, limits=Parameters(64, 128, 1, 1))
    theirs = transport(meter)
    theirs.connect()
    assert bytes(theirs.send_request(b"\xc0")) == answer
