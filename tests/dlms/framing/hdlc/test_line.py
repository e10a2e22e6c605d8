"""Both ends on a line that loses, damages, repeats and cuts what passes."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.errors import LocalProtocolError
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from dlms.framing.hdlc.primary import PrimaryConfig, PrimaryLink
from dlms.framing.hdlc.state import State
from dlms.framing.hdlc.station import Station, StationConfig

MAX_STEPS = 4000

FATES = st.sampled_from(["pass"] * 6 + ["lose", "damage", "cut", "twice"])


class Line:
    """One primary and one station; time jumps to the next deadline when nobody speaks."""

    def __init__(
        self,
        fates: list[str],
        primary: Parameters = DEFAULTS,
        station: Parameters = DEFAULTS,
        pieces: int = 1000,
    ) -> None:
        self.now = 0.0
        self.fates = deque(fates)
        self.pieces = pieces
        self.client = PrimaryLink(
            PrimaryConfig(client=16, server=Address(1, 17, 4), limits=primary, retries=40)
        )
        self.station = Station(
            StationConfig(logical_devices={1}.__contains__, lower=17, limits=station)
        )
        self.asked: list[bytes] = []
        self.events: list[Event] = []

    def until_quiet(self) -> None:
        for _ in range(MAX_STEPS):
            if not self.speak():
                deadline = self.client.deadline()
                if deadline is None:
                    return
                self.now = max(self.now, deadline)
                self.events += self.client.timeout(self.now)
        raise AssertionError("the line never becomes quiet")

    def speak(self) -> bool:
        out = self.client.octets_to_send()
        for piece in self.way(out):
            for event in self.station.receive(piece, self.now):
                if isinstance(event, ApduArrived):
                    self.asked.append(event.apdu)
                    self.station.send(event.client, event.server, b"re:" + event.apdu)
        back = self.station.octets_to_send()
        for piece in self.way(back):
            self.events += self.client.receive(piece, self.now)
        return bool(out or back)

    def way(self, octets: bytes) -> list[bytes]:
        if not octets:
            return []
        fate = self.fates.popleft() if self.fates else "pass"
        if fate == "lose":
            return []
        if fate == "damage":
            middle = len(octets) // 2
            octets = octets[:middle] + bytes((octets[middle] ^ 0x10,)) + octets[middle + 1 :]
        elif fate == "cut":
            octets = octets[: len(octets) // 2]
        elif fate == "twice":
            octets += octets
        return [octets[at : at + self.pieces] for at in range(0, len(octets), self.pieces)]

    @property
    def answers(self) -> list[bytes]:
        return [event.apdu for event in self.events if isinstance(event, ApduArrived)]

    @property
    def lost(self) -> list[str]:
        return [event.why for event in self.events if isinstance(event, LinkDown)]


SIZES = st.integers(16, 200)
WINDOWS = st.integers(1, 7)
PARAMETERS = st.builds(Parameters, SIZES, SIZES, WINDOWS, WINDOWS)


@settings(deadline=None, max_examples=150)
@given(
    fates=st.lists(FATES, max_size=60),
    primary=PARAMETERS,
    station=PARAMETERS,
    lengths=st.lists(st.integers(0, 900), min_size=1, max_size=4),
    pieces=st.integers(1, 300),
)
def test_every_apdu_once_in_order_or_the_link_is_down(
    fates: list[str], primary: Parameters, station: Parameters, lengths: list[int], pieces: int
) -> None:
    line = Line(fates, primary, station, pieces)
    line.client.connect(line.now)
    line.until_quiet()
    asked = []
    for number, length in enumerate(lengths):
        if line.client.state is not State.NRM:
            break
        apdu = bytes((number,)) + bytes(length)
        asked.append(apdu)
        line.client.send(apdu, line.now)
        line.until_quiet()
    if line.lost:
        # The last of them may be one whose answer was lost with the link.
        assert line.asked in (asked, asked[:-1])
        assert line.answers == [b"re:" + apdu for apdu in line.asked][: len(line.answers)]
    else:
        assert line.asked == asked
        assert line.answers == [b"re:" + apdu for apdu in asked]


def test_a_whole_visit() -> None:
    line = Line([], Parameters(512, 512, 1, 1), Parameters(256, 300, 3, 2))
    line.client.connect(line.now)
    line.until_quiet()
    assert line.events == [LinkUp(16, 1, Parameters(300, 256, 1, 1))]
    line.client.send(b"x" * 1000, line.now)
    line.until_quiet()
    assert line.answers == [b"re:" + b"x" * 1000]
    line.client.disconnect(line.now)
    line.until_quiet()
    assert line.lost == ["disconnected"]
    assert line.client.state is State.NDM


def test_nobody_answers() -> None:
    line = Line(["lose"] * 500)
    line.client.connect(line.now)
    line.until_quiet()
    assert line.lost == ["server does not answer"]
    assert line.now == 41 * 5.0


def test_a_server_that_has_nothing_to_say_is_polled_for_a_while() -> None:
    config = PrimaryConfig(client=16, server=Address(1), max_polls=3, poll_interval=1.0)
    client = PrimaryLink(config)
    client.connect(0.0)
    client.octets_to_send()
    client.receive(Frame(Address(16), Address(1), Control(Kind.UA)).encode(), 0.0)
    client.send(b"ask", 0.0)
    events = []
    for number in range(4):
        assert client.octets_to_send()
        ready = Frame(Address(16), Address(1), Control(Kind.RR, True, 1))
        client.receive(ready.encode(), float(number))
        assert client.deadline() == number + 1.0
        events = client.timeout(number + 1.0)
    assert [event.why for event in events if isinstance(event, LinkDown)] == [
        "server has had nothing to say for too long"
    ]


def test_what_expects_no_answer_is_not_polled_for() -> None:
    line = Line([])
    line.client.connect(0.0)
    line.until_quiet()
    line.client.send(b"unconfirmed", 0.0, answered=False)
    line.until_quiet()
    assert line.asked == [b"unconfirmed"]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (Frame(Address(16), Address(1), Control(Kind.DM)), "disconnected"),
        (Frame(Address(16), Address(1), Control(Kind.FRMR), b"\x10\x00\x01"), "FRMR 100001"),
        (Frame(Address(16), Address(1), Control(Kind.RR, True, 5)), "what was not sent"),
        (
            Frame(Address(16), Address(1), Control(Kind.I, True, 0, 0), bytes(129)),
            "than was agreed",
        ),
    ],
)
def test_a_server_that_breaks_the_rules(frame: Frame, why: str) -> None:
    client = PrimaryLink(PrimaryConfig(client=16, server=Address(1)))
    client.connect(0.0)
    client.receive(Frame(Address(16), Address(1), Control(Kind.UA)).encode(), 0.0)
    (event,) = client.receive(frame.encode(), 0.0)
    assert isinstance(event, LinkDown)
    assert why in event.why
    assert client.deadline() is None


@pytest.mark.parametrize("information", ["8180030501FF", "818003070102", "00"])
def test_ua_that_exceeds_the_proposal(information: str) -> None:
    """What the server may send is ours to limit: 05 and 07 of its UA."""
    client = PrimaryLink(PrimaryConfig(client=16, server=Address(1)))
    client.connect(0.0)
    ua = Frame(
        Address(16),
        Address(1),
        Control(Kind.UA),
        bytes.fromhex(information),
    )
    (event,) = client.receive(ua.encode(), 0.0)
    assert isinstance(event, LinkDown)


def test_ua_that_lets_us_send_more_than_we_can() -> None:
    client = PrimaryLink(PrimaryConfig(client=16, server=Address(1)))
    client.connect(0.0)
    ua = Frame(Address(16), Address(1), Control(Kind.UA), bytes.fromhex("8180030601FF"))
    assert client.receive(ua.encode(), 0.0) == [LinkUp(16, 1, Parameters())]


def test_a_client_asks_for_what_cannot_be() -> None:
    client = PrimaryLink(PrimaryConfig(client=16, server=Address(1)))
    with pytest.raises(LocalProtocolError, match="disconnected"):
        client.send(b"x", 0.0)
    with pytest.raises(LocalProtocolError, match="UI"):
        client.send_unnumbered(bytes(126))
    client.send_unnumbered(bytes(125))
    assert client.octets_to_send()
    client.connect(0.0)
    client.receive(Frame(Address(16), Address(1), Control(Kind.UA)).encode(), 0.0)
    for _ in range(17):
        client.send(b"x", 0.0)
    with pytest.raises(LocalProtocolError, match="too many"):
        client.send(b"x", 0.0)


def test_frames_for_others_are_not_ours() -> None:
    client = PrimaryLink(PrimaryConfig(client=16, server=Address(1)))
    client.connect(0.0)
    for destination, source in ((Address(17), Address(1)), (Address(16), Address(2))):
        assert client.receive(Frame(destination, source, Control(Kind.UA)).encode(), 0.0) == []
    assert client.state is State.CONNECTING
