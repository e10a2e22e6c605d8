"""A server against the cases HDLC_INFO and HDLC_NDMOP of ATS_DL, and others like them."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, LinkDown, LinkUp
from dlms.framing.hdlc.flow import MAX_QUEUED
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import Parameters
from dlms.framing.hdlc.rejection import Fault, decode_rejection

CLIENT = Address(16)
SERVER = Address(1)
LLC = bytes.fromhex("E6E600")


# Information --------------------------------------------------------------------------------------


def test_hdlc_info_p1(meter: Any) -> None:
    """N(S) and N(R) go round modulo 8; segments are put together."""
    meter.connect()
    for number in range(20):
        (reply,) = meter.frame(Kind.I, LLC + b"ask", ns=number % 8, nr=number % 8)
        assert reply.control == Control(Kind.I, True, (number + 1) % 8, number % 8)
    assert meter.apdus == [b"ask"] * 20


def test_segments(meter: Any) -> None:
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


def test_windows(new_meter: Any) -> None:
    """Seven frames in a row, the last one final."""
    meter = new_meter(limits=Parameters(16, 128, 7, 7))
    meter.connect(Parameters(128, 16, 7, 7).encode())
    meter.answer = lambda apdu: bytes(range(200))
    frames = meter.frame(Kind.I, LLC + b"ask")
    assert [frame.control.send for frame in frames] == list(range(7))
    assert [frame.control.poll for frame in frames] == [False] * 6 + [True]
    again = meter.frame(Kind.RR, nr=3)
    assert [frame.control.send for frame in again] == [3, 4, 5, 6, 7, 0, 1]
    assert again[:4] == [*frames[3:6], frames[6]._replace(control=again[3].control)]


def test_hdlc_info_n1(meter: Any) -> None:
    meter.connect()
    (frmr,) = meter.frame(Kind.I, LLC + bytes(126))
    assert decode_rejection(frmr.information).fault is Fault.INFORMATION_TOO_LONG
    assert meter.apdus == []
    assert meter.is_usable


def test_frmr_waits_until_it_is_asked_for(meter: Any) -> None:
    meter.connect()
    assert meter.frame(Kind.I, LLC + bytes(126), poll=False) == []
    (frmr,) = meter.frame(Kind.RR)
    assert frmr.control.kind is Kind.FRMR
    assert decode_rejection(frmr.information).control == 0x00
    assert meter.kinds(Kind.DISC) == [Kind.UA]
    assert meter.kinds(Kind.RR) == [Kind.DM]


def test_hdlc_info_n2(meter: Any) -> None:
    meter.connect()
    (frmr,) = meter.frame(Kind.I, LLC + b"x", nr=3)
    assert decode_rejection(frmr.information).fault is Fault.WRONG_RECEIVE_NUMBER
    assert meter.apdus == []
    assert meter.is_usable


def test_hdlc_info_n3(meter: Any) -> None:
    """A wrong N(S): the information is dropped, and N(R) says what is awaited."""
    meter.connect(Parameters(128, 128, 4, 4).encode())
    (answer,) = meter.frame(Kind.I, LLC + b"x", ns=5)
    assert answer.control in (Control(Kind.RR, True, 0), Control(Kind.REJ, True, 0))
    assert meter.apdus == []
    assert meter.kinds(Kind.I, LLC + b"x", ns=1) == [Kind.RR], "outside the window: not ahead"
    (answer,) = meter.frame(Kind.I, LLC + b"x", ns=0)
    assert answer.control == Control(Kind.I, True, 1, 0)
    assert meter.apdus == [b"x"]


def test_reject_names_the_missing_frame(new_meter: Any) -> None:
    meter = new_meter(limits=Parameters(128, 128, 1, 4))
    meter.connect(Parameters(128, 128, 4, 1).encode())
    assert meter.frame(Kind.I, LLC + b"a", ns=0, poll=False, more=True) == []
    assert meter.frame(Kind.I, b"c", ns=2, poll=False, more=True) == []
    (rej,) = meter.frame(Kind.I, b"d", ns=3)
    assert rej.control == Control(Kind.REJ, True, 1)
    assert meter.frame(Kind.I, b"b", ns=1, poll=False, more=True) == []
    (reply,) = meter.frame(Kind.I, b"c", ns=2)
    assert reply.control.kind is Kind.I
    assert meter.apdus == [b"abc"]


def test_x_hdlc_dup_i(meter: Any) -> None:
    """The same frame twice is carried out once, and answered twice alike."""
    meter.connect()
    once = meter.frame(Kind.I, LLC + b"ask")
    again = meter.frame(Kind.I, LLC + b"ask")
    assert once == again
    assert meter.apdus == [b"ask"]


def test_hdlc_ndmop_n1(meter: Any) -> None:
    assert meter.kinds(Kind.I, LLC + b"x") == [Kind.DM]
    assert meter.frame(Kind.I, LLC + b"x", poll=False) == []
    assert meter.apdus == []


def test_receiver_not_ready(meter: Any) -> None:
    """A client that says RNR gets no information until it says RR."""
    meter.connect()
    meter.answer = lambda apdu: None
    assert meter.kinds(Kind.I, LLC + b"ask") == [Kind.RR]
    assert meter.station.send(16, 1, b"late")
    assert meter.kinds(Kind.RNR) == [Kind.RR]
    assert meter.kinds(Kind.RR) == [Kind.I]


def test_responses_are_not_for_a_server(meter: Any) -> None:
    meter.connect()
    for kind in (Kind.UA, Kind.DM, Kind.FRMR):
        assert meter.frame(kind) == []
    assert meter.kinds(Kind.RR) == [Kind.RR]


def test_supervisory_with_information(meter: Any) -> None:
    meter.connect()
    (frmr,) = meter.frame(Kind.RR, b"x")
    assert decode_rejection(frmr.information).fault is Fault.INFORMATION_NOT_ALLOWED


# Derived cases ------------------------------------------------------------------------------------


def test_x_hdlc_ui(new_meter: Any, meter: Any) -> None:
    assert meter.frame(Kind.UI, LLC + b"note", poll=False) == []
    assert meter.apdus == [b"note"]
    assert meter.events[-1].unnumbered
    assert meter.frame(Kind.UI, bytes.fromhex("E6E700") + b"no command", poll=False) == []
    assert meter.frame(Kind.UI, LLC + b"in part", poll=False, more=True) == []
    assert meter.frame(Kind.UI, LLC + bytes(126), poll=False) == []
    assert meter.apdus == [b"note"]
    deaf = new_meter(unnumbered=False)
    assert deaf.frame(Kind.UI, LLC + b"note", poll=False) == []
    assert deaf.apdus == []


def test_unsolicited_in_a_ui_frame_at_the_next_poll(meter: Any) -> None:
    meter.connect()
    assert meter.station.send_unnumbered(16, 1, b"alarm")
    assert not meter.station.send_unnumbered(16, 1, b"one is kept at a time")
    meter.connect()
    assert meter.kinds(Kind.RR) == [Kind.RR], "that was for the link before"
    assert meter.station.send_unnumbered(16, 1, b"alarm")
    assert not meter.station.send_unnumbered(17, 1, b"no link")
    ui, rr = meter.frame(Kind.RR)
    assert (ui.control.kind, ui.information[3:], rr.control.kind) == (Kind.UI, b"alarm", Kind.RR)


def test_x_hdlc_seg_abandon(meter: Any) -> None:
    meter.connect()
    meter.frame(Kind.I, LLC + b"half", more=True)
    assert meter.is_usable
    assert meter.apdus == [b"ask"]
    assert [type(event) for event in meter.events[:3]] == [LinkUp, LinkDown, LinkUp]


@pytest.mark.parametrize("header", ["E6E700", "E6E601", "000000", "E6E6"])
def test_x_hdlc_llc(meter: Any, header: str) -> None:
    meter.connect()
    assert meter.kinds(Kind.I, bytes.fromhex(header) + b"x") == [Kind.RR]
    assert meter.apdus == []


def test_x_hdlc_two_clients(meter: Any) -> None:
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


def test_one_client_and_two_logical_devices(meter: Any) -> None:
    meter.connect()
    meter.connect(server=Address(2))
    meter.frame(Kind.I, LLC + b"to 2", server=Address(2))
    assert meter.events[-1] == ApduArrived(16, 2, b"to 2")


def test_links_are_bounded(new_meter: Any) -> None:
    meter = new_meter(max_links=2)
    for number in (16, 17):
        meter.connect(client=Address(number))
    assert meter.kinds(Kind.SNRM, client=Address(18)) == [Kind.DM]
    assert meter.kinds(Kind.DISC) == [Kind.UA]
    assert meter.kinds(Kind.SNRM, client=Address(18)) == [Kind.UA]


@pytest.mark.parametrize(("length", "kind"), [(100, Kind.I), (101, Kind.FRMR)])
def test_an_apdu_of_any_number_of_segments_is_bounded(
    new_meter: Any, length: int, kind: Kind
) -> None:
    meter = new_meter(max_apdu=300)
    meter.connect()
    assert meter.kinds(Kind.I, LLC + bytes(100), ns=0, more=True) == [Kind.RR]
    assert meter.kinds(Kind.I, bytes(100), ns=1, more=True) == [Kind.RR]
    assert meter.kinds(Kind.I, bytes(length), ns=2) == [kind]
    assert [len(apdu) for apdu in meter.apdus] == ([300] if kind is Kind.I else [])


def test_what_waits_for_a_client_that_does_not_poll_is_bounded(meter: Any) -> None:
    meter.connect()
    taken = 0
    while meter.station.send(16, 1, bytes(0xFFFF - 3)):
        taken += 1
    assert taken == MAX_QUEUED // 0xFFFF


def test_what_has_been_sent_waits_no_longer(new_meter: Any) -> None:
    """More in all than may wait at once."""
    meter = new_meter(limits=Parameters(2030, 128, 7, 1))
    meter.connect(Parameters(128, 2030, 1, 7).encode())
    meter.answer = lambda apdu: bytes(0xFFFF)
    number = 0
    for asked in range(5):
        frames = meter.frame(Kind.I, LLC + b"ask", ns=asked, nr=number)
        got = b""
        while frames:
            got += b"".join(frame.information for frame in frames)
            number = (number + len(frames)) % 8
            frames = meter.frame(Kind.RR, nr=number) if frames[-1].segmented else []
        assert len(got) == 3 + 0xFFFF
    assert MAX_QUEUED < 5 * 0xFFFF


def test_nothing_is_taken_for_a_link_that_is_not_up(meter: Any) -> None:
    meter.connect()
    meter.kinds(Kind.I, LLC + bytes(126))
    assert not meter.station.send(16, 1, b"rejected")
    assert not meter.station.send_unnumbered(16, 1, b"rejected")
    assert not meter.station.send(17, 1, b"no link")


def test_an_answer_never_gets_into_the_next_link(meter: Any) -> None:
    """A client that gave up while the meter was busy has begun anew before the answer was ready."""
    meter.connect()
    ask = Frame(SERVER, CLIENT, Control(Kind.I), LLC + b"ask").encode()
    anew = Frame(SERVER, CLIENT, Control(Kind.SNRM)).encode()
    (late,) = meter.octets(ask + anew)
    assert late.control.kind is Kind.I
    assert meter.station.deadline() == meter.now, "the new beginning has not been looked at yet"
    (ua,) = meter.octets(b"")
    assert ua.control.kind is Kind.UA
    assert [type(event) for event in meter.events] == [LinkUp, ApduArrived, LinkDown, LinkUp]
    assert meter.kinds(Kind.RR) == [Kind.RR]


def test_a_line_that_closes_ends_its_links(meter: Any) -> None:
    meter.connect()
    meter.connect(client=Address(17))
    assert meter.station.links == 2
    assert [(event.client, event.why) for event in meter.station.close()] == [
        (16, "line closed"),
        (17, "line closed"),
    ]
    assert meter.station.links == 0
    assert meter.station.close() == []
