"""The server's end against the conformance cases of the data link (ATS_DL; reference X_HDLC_*)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import Frame, NotUnderstood
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.framing.hdlc.rejection import Fault, decode_rejection
from dlms.framing.hdlc.station import Station, StationConfig

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
        events = self.station.receive(octets, self.now)
        self.events += events
        for event in events:
            if isinstance(event, ApduArrived) and not event.unnumbered:
                reply = self.answer(event.apdu)
                if reply is not None:
                    assert self.station.send(event.client, event.server, reply)
        return FrameReceiver().receive(self.station.octets_to_send(), 0.0)

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
def meter() -> Meter:
    return Meter()


# Frames -------------------------------------------------------------------------------------------


def test_hdlc_frame_p1(meter: Meter) -> None:
    assert meter.kinds(Kind.SNRM) == [Kind.UA]
    assert meter.kinds(Kind.RR) == [Kind.RR]
    assert meter.kinds(Kind.DISC) == [Kind.UA]
    assert meter.kinds(Kind.DISC) == [Kind.DM]
    assert [type(event) for event in meter.events] == [LinkUp, LinkDown]


def test_hdlc_frame_p2(meter: Meter) -> None:
    """A frame that stops is dropped after the inter-octet time-out, and not joined to the next."""
    snrm = Frame(SERVER, CLIENT, Control(Kind.SNRM)).encode()
    assert meter.octets(snrm[:-2]) == []
    meter.now = 1.0
    assert len(meter.octets(snrm)) == 1


def test_hdlc_frame_p3() -> None:
    meter = Meter(inactivity_timeout=10.0)
    meter.connect()
    assert meter.station.deadline() == 10.0
    meter.now = 9.0
    assert meter.kinds(Kind.RR) == [Kind.RR]
    assert meter.station.timeout(18.0) == []
    assert meter.station.timeout(19.0) == [LinkDown(16, 1, "nothing heard for 10 s")]
    meter.now = 20.0
    assert meter.kinds(Kind.RR) == [Kind.DM]


def test_no_inactivity_time_out() -> None:
    meter = Meter(inactivity_timeout=0)
    meter.connect()
    assert meter.station.deadline() is None


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1)])
def test_hdlc_frame_n1(meter: Meter, cut: slice) -> None:
    meter.connect()
    meter.now = 1.0
    assert meter.octets(Frame(SERVER, CLIENT, Control(Kind.RR)).encode()[cut]) == []
    meter.now = 2.0
    assert meter.is_usable


@pytest.mark.parametrize("octets", ["7EA00321937E", "7EA0060321937E", "7E7E7E", "7EA0"])
def test_hdlc_frame_n2(meter: Meter, octets: str) -> None:
    assert meter.octets(bytes.fromhex(octets)) == []
    meter.now = 1.0
    assert meter.is_usable


def sealed(head: str) -> bytes:
    octets = bytes.fromhex(head)
    return b"\x7e" + octets + check_sequence(octets) + b"\x7e"


@pytest.mark.parametrize("word", ["9007", "B007", "0007", "F007"])
def test_hdlc_frame_n3(meter: Meter, word: str) -> None:
    assert meter.octets(sealed(f"{word}032193")) == []
    assert meter.events == []
    meter.now = 1.0
    assert meter.is_usable


@pytest.mark.parametrize("word", ["A008", "A006", "A0FF", "A7FF"])
def test_hdlc_frame_n4(meter: Meter, word: str) -> None:
    assert meter.octets(sealed(f"{word}032193")) == []
    meter.now = 1.0
    assert meter.is_usable


def test_hdlc_frame_n5(meter: Meter) -> None:
    meter.connect()
    (frmr,) = meter.octets(sealed("A0070321BF"))
    assert frmr.control.kind is Kind.FRMR
    rejection = decode_rejection(frmr.information)
    assert (rejection.control, rejection.fault) == (0xBF, Fault.UNKNOWN_CONTROL)
    assert meter.kinds(Kind.RR) == [Kind.FRMR], "nothing but a new beginning helps"
    assert meter.is_usable


def test_unknown_control_without_a_link(meter: Meter) -> None:
    assert meter.octets(sealed("A0070321BF")) == []


@pytest.mark.parametrize("position", [6, 7])
def test_hdlc_frame_n7(meter: Meter, position: int) -> None:
    """HCS wrong, FCS right for what is sent."""
    octets = bytearray(Frame(SERVER, CLIENT, Control(Kind.UI, True), LLC + b"x").encode()[1:-3])
    octets[position] ^= 1
    assert meter.octets(b"\x7e" + octets + check_sequence(bytes(octets)) + b"\x7e") == []
    assert meter.apdus == []
    assert meter.is_usable


def test_hdlc_frame_n8(meter: Meter) -> None:
    octets = bytearray(Frame(SERVER, CLIENT, Control(Kind.SNRM)).encode())
    octets[-2] ^= 1
    assert meter.octets(bytes(octets)) == []
    assert meter.is_usable


# Addresses ----------------------------------------------------------------------------------------

FOUR = Address(1, 17, 4)


@pytest.mark.parametrize("server", [SERVER, Address(1, 17, 2), FOUR])
def test_hdlc_address_p1(server: Address) -> None:
    meter = Meter(lower=17)
    (ua,) = meter.frame(Kind.SNRM, server=server)
    assert (ua.source, ua.destination) == (server, CLIENT)


@pytest.mark.parametrize(
    "client", [Address(0, 16, 2), Address(0, 16, 4), Address(0), Address(0x7F)]
)
def test_hdlc_address_n1(meter: Meter, client: Address) -> None:
    assert meter.frame(Kind.SNRM, client=client) == []


@pytest.mark.parametrize(
    "server",
    [Address(3), Address(3, 17, 2), Address(1, 18, 2), Address(3, 17, 4), Address(1, 18, 4),
     Address(3, 18, 4), Address(0), Address(0, 17, 4)],
)  # fmt: skip
def test_hdlc_address_n4(server: Address) -> None:
    assert Meter(lower=17).frame(Kind.SNRM, server=server) == []


def test_hdlc_address_n6() -> None:
    meter = Meter(lower=17, octets=frozenset({2, 4}))
    assert meter.frame(Kind.SNRM) == []
    assert len(meter.frame(Kind.SNRM, server=FOUR)) == 1


@pytest.mark.parametrize("address", ["020003", "0202020203"])
def test_hdlc_address_n7(meter: Meter, address: str) -> None:
    octets = bytes.fromhex(address) + b"\x21\x93"
    word = (0xA000 | len(octets) + 4).to_bytes(2, "big")
    assert meter.octets(sealed((word + octets).hex())) == []


def test_calling_station() -> None:
    meter = Meter(lower=17)
    assert len(meter.frame(Kind.SNRM, server=Address(1, 0x3FFE, 4))) == 1


def test_x_hdlc_bcast(meter: Meter) -> None:
    """The all-station address is never answered; what comes in a UI frame reaches the device."""
    for server in (Address(0x7F), Address(0x7F, 0x7F, 2), Address(0x3FFF, 0x3FFF, 4)):
        for kind in (Kind.SNRM, Kind.RR, Kind.DISC, Kind.I):
            assert meter.frame(kind, LLC + b"x", server=server) == []
        assert meter.apdus == []
        assert meter.frame(Kind.UI, LLC + b"x", server=server) == []
        assert meter.events.pop() == ApduArrived(16, server.upper, b"x", unnumbered=True)


# Connecting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proposed", "answered"),
    [
        (b"", (128, 128, 1, 1)),
        (Parameters(2030, 2030, 7, 7).encode(), (512, 256, 2, 3)),
        (Parameters(64, 32, 1, 1).encode(), (32, 64, 1, 1)),
        (bytes.fromhex("8180030501FF"), (128, 255, 1, 1)),
    ],
)
def test_hdlc_ndm2nrm_p1_p2(proposed: bytes, answered: tuple[int, ...]) -> None:
    """Neither limit is exceeded, and what one sends the other receives."""
    meter = Meter(limits=Parameters(512, 256, 2, 3))
    assert meter.connect(proposed) == Parameters(*answered)


@pytest.mark.parametrize("information", [
    "8180", "818001", "8180030501", "81800305010F0501FF", "00", "8180050702FFFF", "818003080100",
    "818003070108",
])  # fmt: skip
def test_parameters_that_cannot_be(meter: Meter, information: str) -> None:
    assert meter.kinds(Kind.SNRM, bytes.fromhex(information)) == [Kind.DM]
    assert meter.is_usable


def test_unknown_parameters_are_passed_over(meter: Meter) -> None:
    assert meter.connect(bytes.fromhex("8180060901FF050140")) == DEFAULTS._replace(max_info_rx=64)


# Information --------------------------------------------------------------------------------------


def test_hdlc_info_p1(meter: Meter) -> None:
    """N(S) and N(R) go round modulo 8; segments are put together."""
    meter.connect()
    for number in range(20):
        (reply,) = meter.frame(Kind.I, LLC + b"ask", ns=number % 8, nr=number % 8)
        assert reply.control == Control(Kind.I, True, (number + 1) % 8, number % 8)
    assert meter.apdus == [b"ask"] * 20


def test_segments(meter: Meter) -> None:
    meter.connect(Parameters(128, 10, 1, 1).encode())
    assert meter.kinds(Kind.I, LLC + b"a" * 100, ns=0, more=True) == [Kind.RR]
    (first,) = meter.frame(Kind.I, b"b" * 100, ns=1)
    assert meter.apdus == [b"a" * 100 + b"b" * 100]
    assert first.segmented
    assert len(first.information) == 10
    got = first.information
    number = 1
    while True:
        (frame,) = meter.frame(Kind.RR, nr=number)
        got += frame.information
        number = (number + 1) % 8
        if not frame.segmented:
            break
    assert got == bytes.fromhex("E6E700") + b"re:" + meter.apdus[0]
    assert meter.kinds(Kind.RR, nr=number) == [Kind.RR]


def test_windows() -> None:
    """Seven frames in a row, the last one final."""
    meter = Meter(limits=Parameters(16, 128, 7, 7))
    meter.connect(Parameters(128, 16, 7, 7).encode())
    meter.answer = lambda apdu: bytes(range(200))
    frames = meter.frame(Kind.I, LLC + b"ask")
    assert [frame.control.send for frame in frames] == list(range(7))
    assert [frame.control.poll for frame in frames] == [False] * 6 + [True]
    again = meter.frame(Kind.RR, nr=3)
    assert [frame.control.send for frame in again] == [3, 4, 5, 6, 7, 0, 1]
    assert again[:4] == [*frames[3:6], frames[6]._replace(control=again[3].control)]


def test_hdlc_info_n1(meter: Meter) -> None:
    meter.connect()
    (frmr,) = meter.frame(Kind.I, LLC + bytes(126))
    assert decode_rejection(frmr.information).fault is Fault.INFORMATION_TOO_LONG
    assert meter.apdus == []
    assert meter.is_usable


def test_hdlc_info_n2(meter: Meter) -> None:
    meter.connect()
    (frmr,) = meter.frame(Kind.I, LLC + b"x", nr=3)
    assert decode_rejection(frmr.information).fault is Fault.WRONG_RECEIVE_NUMBER
    assert meter.apdus == []
    assert meter.is_usable


def test_hdlc_info_n3(meter: Meter) -> None:
    """A wrong N(S): the information is dropped, and N(R) says what is awaited."""
    meter.connect(Parameters(128, 128, 4, 4).encode())
    (answer,) = meter.frame(Kind.I, LLC + b"x", ns=5)
    assert answer.control in (Control(Kind.RR, True, 0), Control(Kind.REJ, True, 0))
    assert meter.apdus == []


def test_reject_names_the_missing_frame() -> None:
    meter = Meter(limits=Parameters(128, 128, 1, 4))
    meter.connect(Parameters(128, 128, 4, 1).encode())
    assert meter.frame(Kind.I, LLC + b"a", ns=0, poll=False, more=True) == []
    assert meter.frame(Kind.I, b"c", ns=2, poll=False, more=True) == []
    (rej,) = meter.frame(Kind.I, b"d", ns=3)
    assert rej.control == Control(Kind.REJ, True, 1)
    assert meter.frame(Kind.I, b"b", ns=1, poll=False, more=True) == []
    (reply,) = meter.frame(Kind.I, b"c", ns=2)
    assert reply.control.kind is Kind.I
    assert meter.apdus == [b"abc"]


def test_x_hdlc_dup_i(meter: Meter) -> None:
    """The same frame twice is carried out once, and answered twice alike."""
    meter.connect()
    once = meter.frame(Kind.I, LLC + b"ask")
    again = meter.frame(Kind.I, LLC + b"ask")
    assert once == again
    assert meter.apdus == [b"ask"]


def test_hdlc_ndmop_n1(meter: Meter) -> None:
    assert meter.kinds(Kind.I, LLC + b"x") == [Kind.DM]
    assert meter.frame(Kind.I, LLC + b"x", poll=False) == []
    assert meter.apdus == []


def test_receiver_not_ready(meter: Meter) -> None:
    """A client that says RNR gets no information until it says RR."""
    meter.connect()
    meter.answer = lambda apdu: None
    assert meter.kinds(Kind.I, LLC + b"ask") == [Kind.RR]
    assert meter.station.send(16, 1, b"late")
    assert meter.kinds(Kind.RNR) == [Kind.RR]
    assert meter.kinds(Kind.RR) == [Kind.I]


def test_responses_are_not_for_a_server(meter: Meter) -> None:
    meter.connect()
    for kind in (Kind.UA, Kind.DM, Kind.FRMR):
        assert meter.frame(kind) == []
    assert meter.kinds(Kind.RR) == [Kind.RR]


def test_supervisory_with_information(meter: Meter) -> None:
    meter.connect()
    (frmr,) = meter.frame(Kind.RR, b"x")
    assert decode_rejection(frmr.information).fault is Fault.INFORMATION_NOT_ALLOWED


# Derived cases ------------------------------------------------------------------------------------


def test_x_hdlc_ui(meter: Meter) -> None:
    assert meter.frame(Kind.UI, LLC + b"note", poll=False) == []
    assert meter.apdus == [b"note"]
    deaf = Meter(unnumbered=False)
    assert deaf.frame(Kind.UI, LLC + b"note", poll=False) == []
    assert deaf.apdus == []


def test_unsolicited_in_a_ui_frame_at_the_next_poll(meter: Meter) -> None:
    meter.connect()
    assert meter.station.send_unnumbered(16, 1, b"alarm")
    assert not meter.station.send_unnumbered(16, 1, b"one is kept at a time")
    assert not meter.station.send_unnumbered(17, 1, b"no link")
    ui, rr = meter.frame(Kind.RR)
    assert (ui.control.kind, ui.information[3:], rr.control.kind) == (Kind.UI, b"alarm", Kind.RR)


def test_x_hdlc_seg_abandon(meter: Meter) -> None:
    meter.connect()
    meter.frame(Kind.I, LLC + b"half", more=True)
    assert meter.is_usable
    assert meter.apdus == [b"ask"]
    assert [type(event) for event in meter.events[:3]] == [LinkUp, LinkDown, LinkUp]


@pytest.mark.parametrize("header", ["E6E700", "E6E601", "000000", "E6E6"])
def test_x_hdlc_llc(meter: Meter, header: str) -> None:
    meter.connect()
    assert meter.kinds(Kind.I, bytes.fromhex(header) + b"x") == [Kind.RR]
    assert meter.apdus == []


def test_x_hdlc_two_clients(meter: Meter) -> None:
    other = Address(2)
    meter.connect()
    meter.connect(client=other)
    for number in range(3):
        (reply,) = meter.frame(Kind.I, LLC + b"ask", ns=number, nr=number)
        assert reply.control.send == number
    (reply,) = meter.frame(Kind.I, LLC + b"ask", client=other)
    assert (reply.control.send, reply.destination) == (0, other)
    assert meter.kinds(Kind.DISC, client=other) == [Kind.UA]
    assert meter.kinds(Kind.RR, nr=3) == [Kind.RR]


def test_one_client_and_two_logical_devices(meter: Meter) -> None:
    meter.connect()
    meter.connect(server=Address(2))
    meter.frame(Kind.I, LLC + b"to 2", server=Address(2))
    assert meter.events[-1] == ApduArrived(16, 2, b"to 2")


def test_links_are_bounded() -> None:
    meter = Meter(max_links=2)
    for number in (16, 17):
        meter.connect(client=Address(number))
    assert meter.kinds(Kind.SNRM, client=Address(18)) == [Kind.DM]
    assert meter.kinds(Kind.DISC) == [Kind.UA]
    assert meter.kinds(Kind.SNRM, client=Address(18)) == [Kind.UA]


def test_an_apdu_of_any_number_of_segments_is_bounded() -> None:
    meter = Meter(max_apdu=300)
    meter.connect()
    kinds = []
    for number in range(4):
        kinds += meter.kinds(Kind.I, bytes(100), ns=number, more=True)
    assert kinds == [Kind.RR] * 3 + [Kind.FRMR]
