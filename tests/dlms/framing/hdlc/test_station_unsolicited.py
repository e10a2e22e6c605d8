"""What a server says unasked on a line: when it is polled, and in its order (GB Ed. 8, 10.2)."""

from __future__ import annotations

from typing import Any

from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.parameters import Parameters
from dlms.framing.hdlc.secondary import MAX_TOLD

LLC = bytes.fromhex("E6E600")
RESPONSE_LLC = bytes.fromhex("E6E700")


def said(frames: list[Any]) -> list[tuple[Kind, bytes, bool]]:
    """Kind, APDU and final bit of each frame."""
    return [(one.control.kind, one.information[3:], one.control.poll) for one in frames]


def test_a_server_does_not_begin(meter: Any) -> None:
    meter.connect()
    assert meter.station.takes_unsolicited(16, 1)
    assert meter.station.tell(16, 1, b"alarm")
    assert meter.station.octets_to_send() == b""
    assert said(meter.frame(Kind.RR)) == [(Kind.UI, b"alarm", False), (Kind.RR, b"", True)]
    assert said(meter.frame(Kind.RR)) == [(Kind.RR, b"", True)]


def test_an_empty_ui_frame_is_a_poll(meter: Any) -> None:
    """How a client lets a server speak that has news (TriggerEventNotificationSending)."""
    meter.connect()
    meter.station.tell(16, 1, b"alarm")
    assert said(meter.frame(Kind.UI)) == [(Kind.UI, b"alarm", False), (Kind.RR, b"", True)]


def test_what_came_first_goes_first(meter: Any) -> None:
    """Told before the request came: it is sealed before the answer, so it goes before it."""
    meter.connect()
    meter.station.tell(16, 1, b"alarm")
    assert said(meter.frame(Kind.I, LLC + b"ask")) == [
        (Kind.UI, b"alarm", False),
        (Kind.I, b"re:ask", True),
    ]


def test_nothing_overtakes_an_answer(meter: Any) -> None:
    """An answer that is not acknowledged may be lost, and sent again: what follows goes behind."""
    meter.connect()
    assert said(meter.frame(Kind.I, LLC + b"ask")) == [(Kind.I, b"re:ask", True)]
    meter.station.tell(16, 1, b"alarm")
    # The client has not got the answer: it comes again, and nothing before it.
    assert said(meter.frame(Kind.RR)) == [(Kind.I, b"re:ask", True)]
    (alarm,) = meter.frame(Kind.RR, nr=1)
    assert alarm.control == Control(Kind.I, True, 1, 1)
    assert alarm.information == RESPONSE_LLC + b"alarm"
    # Acknowledged, so the next one may go as events go.
    meter.frame(Kind.RR, nr=2)
    meter.station.tell(16, 1, b"more")
    assert said(meter.frame(Kind.RR, nr=2))[0] == (Kind.UI, b"more", False)


def test_one_ui_frame_at_a_time(meter: Any) -> None:
    meter.connect()
    for apdu in (b"first", b"second"):
        assert meter.station.tell(16, 1, apdu)
    assert said(meter.frame(Kind.RR)) == [
        (Kind.UI, b"first", False),
        (Kind.I, b"second", True),
    ]


def test_what_does_not_fit_in_a_frame_goes_in_segments(meter: Any) -> None:
    meter.connect(Parameters(128, 10, 1, 1).encode())
    assert meter.station.tell(16, 1, b"a long alarm")
    (first,) = meter.frame(Kind.RR)
    assert first.segmented
    (second,) = meter.frame(Kind.RR, nr=1)
    assert first.information + second.information == RESPONSE_LLC + b"a long alarm"


def test_a_client_that_never_polls(meter: Any) -> None:
    """What waits for it is bounded, and leaves room for answers."""
    meter.connect()
    told = 0
    while meter.station.tell(16, 1, bytes((told,))):
        told += 1
    assert told == MAX_TOLD + 1  # one of them in a UI frame
    assert not meter.station.takes_unsolicited(16, 1)
    assert said(meter.frame(Kind.I, LLC + b"ask")) == [
        (Kind.UI, b"\0", False),
        (Kind.I, b"\1", True),
    ]
    got = [meter.frame(Kind.RR, nr=n % 8)[0].information[3:] for n in range(1, told)]
    assert got == [*(bytes((n,)) for n in range(2, told)), b"re:ask"]
    assert meter.station.takes_unsolicited(16, 1)


def test_without_a_link(meter: Any) -> None:
    assert not meter.station.takes_unsolicited(16, 1)
    assert not meter.station.tell(16, 1, b"nobody")
    meter.connect()
    meter.station.tell(16, 1, b"old")
    meter.station.tell(16, 1, b"old, too")
    meter.frame(Kind.DISC)
    assert not meter.station.takes_unsolicited(16, 1)
    meter.connect()
    assert said(meter.frame(Kind.RR)) == [(Kind.RR, b"", True)]
