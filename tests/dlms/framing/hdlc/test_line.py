"""Both ends on a line that loses, damages, repeats, delays and cuts what passes."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import PrimaryConfig, StationConfig
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.flow import MAX_QUEUED
from dlms.framing.hdlc.frame import MAX_OVERHEAD
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from dlms.framing.hdlc.primary import PrimaryLink
from dlms.framing.hdlc.state import State
from dlms.framing.hdlc.station import Station

MAX_STEPS = 4000

FATES = st.sampled_from(["pass"] * 6 + ["lose", "damage", "cut", "twice", "late"])


class Line:
    """One primary and one station; time jumps to the next deadline when nobody speaks."""

    def __init__(
        self,
        fates: list[str],
        primary: Parameters = DEFAULTS,
        station: Parameters = DEFAULTS,
        pieces: int = 1000,
        retries: int = 40,
        inactivity_timeout: float = 0.0,
    ) -> None:
        self.now = 0.0
        self.fates = deque(fates)
        self.pieces = pieces
        self.held = [b"", b""]
        self.limits = station
        self.client = PrimaryLink(
            PrimaryConfig(client=16, server=Address(1, 17, 4), limits=primary, retries=retries)
        )
        self.station = Station(
            StationConfig(
                logical_devices={1}.__contains__,
                lower=17,
                limits=station,
                inactivity_timeout=inactivity_timeout,
            )
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
        for piece in self.way(0, out):
            self.answer(self.station.receive(piece, self.now))
        back = self.station.octets_to_send()
        while (due := self.station.deadline()) is not None and due <= self.now:
            self.answer(self.station.timeout(self.now))
            back += self.station.octets_to_send()
        for piece in self.way(1, back):
            self.events += self.client.receive(piece, self.now)
        longest = self.limits.max_info_rx + MAX_OVERHEAD + 256 + 2
        assert self.station._receiver.pending <= longest + self.pieces
        assert all(
            link._flow._waiting_octets <= MAX_QUEUED for link in self.station._links.values()
        )
        return bool(out or back)

    def answer(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ApduArrived):
                self.asked.append(event.apdu)
                self.station.send(event.client, event.server, b"re:" + event.apdu)

    def way(self, direction: int, octets: bytes) -> list[bytes]:
        """In pieces, and in the order in which it was sent."""
        if not octets:
            return []
        fate = self.fates.popleft() if self.fates else "pass"
        if fate == "lose":
            octets = b""
        elif fate == "damage":
            middle = len(octets) // 2
            octets = octets[:middle] + bytes((octets[middle] ^ 0x10,)) + octets[middle + 1 :]
        elif fate == "cut":
            octets = octets[: len(octets) // 2]
        elif fate == "twice":
            octets += octets
        octets = self.held[direction] + octets
        self.held[direction] = octets if fate == "late" else b""
        if fate == "late":
            return []
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


@settings(max_examples=150)
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


@settings(max_examples=150)
@given(
    fates=st.lists(FATES, max_size=120),
    parameters=PARAMETERS,
    retries=st.integers(0, 3),
    lengths=st.lists(st.integers(0, 400), min_size=1, max_size=8),
    pieces=st.integers(1, 300),
)
def test_links_that_are_lost_and_made_again(
    fates: list[str], parameters: Parameters, retries: int, lengths: list[int], pieces: int
) -> None:
    """A client that gives up, and connects again: nothing gets from one link into another."""
    line = Line(fates, parameters, parameters, pieces, retries, inactivity_timeout=30.0)
    for number, length in enumerate(lengths):
        if line.client.state is not State.NRM:
            line.client.connect(line.now)
            line.until_quiet()
        if line.client.state is not State.NRM:
            continue
        apdu = bytes((number,)) + bytes(length)
        before = len(line.answers)
        line.client.send(apdu, line.now)
        line.until_quiet()
        assert line.answers[before:] in ([], [b"re:" + apdu])
        assert line.answers[before:] or line.client.state is State.NDM
    numbers = [apdu[0] for apdu in line.asked]
    assert numbers == sorted(set(numbers)), "each once, and in order"


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


def test_what_expects_no_answer_is_not_polled_for() -> None:
    line = Line([])
    line.client.connect(0.0)
    line.until_quiet()
    line.client.send(b"unconfirmed", 0.0, answered=False)
    line.until_quiet()
    assert line.asked == [b"unconfirmed"]
    assert line.now == 0.0


@pytest.mark.parametrize("window", [1, 7])
def test_the_longest_apdu_in_the_shortest_frames(window: int) -> None:
    short = Parameters(8, 8, window, window)
    line = Line([], short, short)
    line.client.connect(0.0)
    line.until_quiet()
    apdu = bytes(range(256)) * 32
    line.client.send(apdu, 0.0)
    line.until_quiet()
    assert line.answers == [b"re:" + apdu]


def test_apdus_that_are_sent_while_others_are_under_way() -> None:
    line = Line([], Parameters(64, 64, 3, 3), Parameters(64, 64, 3, 3))
    line.client.connect(0.0)
    line.until_quiet()
    apdus = [bytes((number,)) * 150 for number in range(8)]
    for apdu in apdus:
        line.client.send(apdu, 0.0)
    line.until_quiet()
    assert line.asked == apdus
    assert line.answers == [b"re:" + apdu for apdu in apdus]
