"""A server against the cases HDLC_FRAME, HDLC_ADDRESS and HDLC_NDM2NRM of ATS_DL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, LinkDown, LinkUp
from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from dlms.framing.hdlc.rejection import Fault, decode_rejection

CLIENT = Address(16)
SERVER = Address(1)
LLC = bytes.fromhex("E6E600")


# Frames -------------------------------------------------------------------------------------------


def test_hdlc_frame_p1(meter: Any) -> None:
    assert meter.kinds(Kind.SNRM) == [Kind.UA]
    assert meter.kinds(Kind.RR) == [Kind.RR]
    assert meter.kinds(Kind.DISC) == [Kind.UA]
    assert meter.kinds(Kind.DISC) == [Kind.DM]
    assert [type(event) for event in meter.events] == [LinkUp, LinkDown]


def test_hdlc_frame_p2(meter: Any) -> None:
    """A frame that stops is dropped after the inter-octet time-out, and not joined to the next."""
    snrm = Frame(SERVER, CLIENT, Control(Kind.SNRM)).encode()
    assert meter.octets(snrm[:-2]) == []
    meter.now = 1.0
    assert len(meter.octets(snrm)) == 1


def test_hdlc_frame_p3(new_meter: Any) -> None:
    meter = new_meter(inactivity_timeout=10.0)
    meter.connect()
    assert meter.station.deadline() == 10.0
    meter.now = 9.0
    assert meter.kinds(Kind.RR) == [Kind.RR]
    assert meter.station.timeout(18.0) == []
    assert meter.station.timeout(19.0) == [LinkDown(16, 1, "nothing heard for 10 s")]
    meter.now = 20.0
    assert meter.kinds(Kind.RR) == [Kind.DM]


def test_no_inactivity_time_out(new_meter: Any) -> None:
    meter = new_meter(inactivity_timeout=0)
    meter.connect()
    assert meter.station.deadline() is None


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1)])
def test_hdlc_frame_n1(meter: Any, cut: slice) -> None:
    meter.connect()
    meter.now = 1.0
    assert meter.octets(Frame(SERVER, CLIENT, Control(Kind.RR)).encode()[cut]) == []
    meter.now = 2.0
    assert meter.is_usable


@pytest.mark.parametrize("octets", ["7EA00321937E", "7EA0060321937E", "7E7E7E", "7EA0"])
def test_hdlc_frame_n2(meter: Any, octets: str) -> None:
    assert meter.octets(bytes.fromhex(octets)) == []
    meter.now = 1.0
    assert meter.is_usable


@pytest.mark.parametrize("word", ["9007", "B007", "0007", "F007"])
def test_hdlc_frame_n3(meter: Any, word: str, sealed: Callable[[str], bytes]) -> None:
    assert meter.octets(sealed(f"{word}032193")) == []
    assert meter.events == []
    meter.now = 1.0
    assert meter.is_usable


@pytest.mark.parametrize("word", ["A008", "A006", "A0FF", "A7FF"])
def test_hdlc_frame_n4(meter: Any, word: str, sealed: Callable[[str], bytes]) -> None:
    assert meter.octets(sealed(f"{word}032193")) == []
    meter.now = 1.0
    assert meter.is_usable


def test_hdlc_frame_n5(meter: Any, sealed: Callable[[str], bytes]) -> None:
    meter.connect()
    (frmr,) = meter.octets(sealed("A0070321BF"))
    assert frmr.control.kind is Kind.FRMR
    rejection = decode_rejection(frmr.information)
    assert (rejection.control, rejection.fault) == (0xBF, Fault.UNKNOWN_CONTROL)
    assert meter.kinds(Kind.RR) == [Kind.FRMR], "nothing but a new beginning helps"
    assert meter.is_usable


def test_unknown_control_is_answered_when_polled(
    meter: Any, sealed: Callable[[str], bytes]
) -> None:
    meter.connect()
    assert meter.octets(sealed("A0070321AF")) == []
    for _ in range(2):
        (frmr,) = meter.octets(sealed("A0070321BF"))
        assert decode_rejection(frmr.information).control == 0xAF, "the first one counts"


def test_unknown_control_without_a_link(meter: Any, sealed: Callable[[str], bytes]) -> None:
    assert meter.octets(sealed("A0070321BF")) == []


@pytest.mark.parametrize("position", [6, 7])
def test_hdlc_frame_n7(meter: Any, position: int) -> None:
    """HCS wrong, FCS right for what is sent."""
    octets = bytearray(Frame(SERVER, CLIENT, Control(Kind.UI, True), LLC + b"x").encode()[1:-3])
    octets[position] ^= 1
    assert meter.octets(b"\x7e" + octets + check_sequence(bytes(octets)) + b"\x7e") == []
    assert meter.apdus == []
    assert meter.is_usable


def test_hdlc_frame_n8(meter: Any) -> None:
    octets = bytearray(Frame(SERVER, CLIENT, Control(Kind.SNRM)).encode())
    octets[-2] ^= 1
    assert meter.octets(bytes(octets)) == []
    assert meter.is_usable


# Addresses ----------------------------------------------------------------------------------------

FOUR = Address(1, 17, 4)


@pytest.mark.parametrize("server", [SERVER, Address(1, 17, 2), FOUR])
def test_hdlc_address_p1(new_meter: Any, server: Address) -> None:
    meter = new_meter(lower=17)
    (ua,) = meter.frame(Kind.SNRM, server=server)
    assert (ua.source, ua.destination) == (server, CLIENT)


@pytest.mark.parametrize(
    "client", [Address(0, 16, 2), Address(16, 5, 2), Address(16, 0, 4), Address(0), Address(0x7F)]
)
def test_hdlc_address_n1(meter: Any, client: Address) -> None:
    assert meter.frame(Kind.SNRM, client=client) == []


@pytest.mark.parametrize(
    "server",
    [Address(3), Address(3, 17, 2), Address(1, 18, 2), Address(3, 17, 4), Address(1, 18, 4),
     Address(3, 18, 4), Address(0), Address(0, 17, 4)],
)  # fmt: skip
def test_hdlc_address_n4(new_meter: Any, server: Address) -> None:
    assert new_meter(lower=17).frame(Kind.SNRM, server=server) == []


def test_hdlc_address_n6(new_meter: Any) -> None:
    meter = new_meter(lower=17, octets=frozenset({2, 4}))
    assert meter.frame(Kind.SNRM) == []
    assert len(meter.frame(Kind.SNRM, server=FOUR)) == 1


@pytest.mark.parametrize("address", ["020003", "0202020203"])
def test_hdlc_address_n7(meter: Any, address: str, sealed: Callable[[str], bytes]) -> None:
    octets = bytes.fromhex(address) + b"\x21\x93"
    word = (0xA000 | len(octets) + 4).to_bytes(2, "big")
    assert meter.octets(sealed((word + octets).hex())) == []


@pytest.mark.parametrize("calling", [Address(1, 0x3FFE, 4), Address(1, 0x7E, 2)])
def test_calling_station(new_meter: Any, calling: Address) -> None:
    """Only the meter that has called takes that address for its own."""
    assert len(new_meter(lower=17, calling=True).frame(Kind.SNRM, server=calling)) == 1
    assert new_meter(lower=17).frame(Kind.SNRM, server=calling) == []


def test_each_answer_comes_from_where_it_was_asked(new_meter: Any) -> None:
    meter = new_meter(lower=17)
    meter.connect()
    for server in (Address(1, 17, 2), FOUR, SERVER):
        (rr,) = meter.frame(Kind.RR, server=server)
        assert rr.source == server


def test_x_hdlc_bcast(meter: Any) -> None:
    """The all-station address is never answered; what comes in a UI frame reaches the device."""
    for server in (Address(0x7F), Address(0x7F, 0x7F, 2), Address(0x3FFF, 0x3FFF, 4)):
        for kind in (Kind.SNRM, Kind.RR, Kind.DISC, Kind.I):
            assert meter.frame(kind, LLC + b"x", server=server) == []
        assert meter.apdus == []
        assert meter.frame(Kind.UI, LLC + b"x", server=server) == []
        assert meter.events.pop() == ApduArrived(16, server.upper, b"x", True, broadcast=True)


# Connecting ---------------------------------------------------------------------------------------


OWN = Parameters(512, 256, 2, 3)


@pytest.mark.parametrize(
    ("proposed", "answered"),
    [
        ("", (128, 128)),
        ("818008050207EE060207EE", (512, 256)),
        ("81800A05040000FFFF060200FF", (255, 256)),
        ("818006050140060120", (32, 64)),
        ("8180030501FF", (128, 255)),
        ("8180030601FF", (255, 128)),
    ],
)
def test_hdlc_ndm2nrm_p1(new_meter: Any, proposed: str, answered: tuple[int, int]) -> None:
    """What one sends the other receives: neither side's maximum is exceeded, and both obey."""
    meter = new_meter(limits=OWN)
    agreed = meter.connect(bytes.fromhex(proposed))
    assert agreed == Parameters(*answered, 1, 1)
    assert meter.events == [LinkUp(16, 1, agreed)]
    meter.answer = lambda apdu: bytes(1000)
    (segment,) = meter.frame(Kind.I, (LLC + bytes(agreed.max_info_rx))[: agreed.max_info_rx])
    assert (len(segment.information), segment.segmented) == (agreed.max_info_tx, True)
    (frmr,) = meter.frame(Kind.I, bytes(agreed.max_info_rx + 1), ns=1)
    assert frmr.control.kind is Kind.FRMR


@pytest.mark.parametrize(
    ("proposed", "answered"),
    [
        ("", (1, 1)),
        ("81800C070400000004080400000004", (2, 3)),
        ("818006070102080101", (1, 2)),
        ("818006070109080109", (2, 3)),
    ],
)
def test_hdlc_ndm2nrm_p2(new_meter: Any, proposed: str, answered: tuple[int, int]) -> None:
    meter = new_meter(limits=OWN)
    agreed = meter.connect(bytes.fromhex(proposed))
    assert agreed == Parameters(128, 128, *answered)
    meter.answer = lambda apdu: bytes(1000)
    assert len(meter.frame(Kind.I, LLC + b"ask")) == agreed.window_tx


def test_what_was_said_is_answered_in_so_many_words(meter: Any) -> None:
    """GB Ed. 8, 8.4.5.3.2: no information field means the defaults; so does one that says so."""
    (plain,) = meter.frame(Kind.SNRM)
    assert plain.information == b""
    (spoken,) = meter.frame(Kind.SNRM, bytes.fromhex("8180030501FF"))
    fields = "050180060180070400000001080400000001"
    assert spoken.information == bytes.fromhex("818012" + fields)


@pytest.mark.parametrize("information", [
    "8180", "818001", "8180030501", "81800305010F0501FF", "00", "8180050702FFFF", "818003080100",
    "818003050107", "818003050300", "8180060501FF0501FF", "81810305017F", "80800305017F",
    "8180000501FF",
])  # fmt: skip
def test_parameters_that_cannot_be(meter: Any, information: str) -> None:
    assert meter.kinds(Kind.SNRM, bytes.fromhex(information)) == [Kind.DM]
    assert meter.events == []
    assert meter.is_usable
    assert meter.kinds(Kind.SNRM, bytes.fromhex(information)) == [Kind.DM]
    assert type(meter.events[-1]) is LinkDown, "that link was not what the client wanted any more"


def test_unknown_parameters_are_passed_over(meter: Any) -> None:
    assert meter.connect(bytes.fromhex("8180060901FF050140")) == DEFAULTS._replace(max_info_rx=64)
