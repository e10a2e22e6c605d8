"""A client's line on which the meter may have something to say: it is polled while one listens."""

from __future__ import annotations

import pytest

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import StationConfig
from dlms.framing.hdlc.primary import PrimaryConfig
from emulator.framing import Addressed, HdlcClient, HdlcStation

PAIR = 16, 1
INTERVAL = 0.5


class Line:
    """Both ends on one line, and a clock. Octets take no time."""

    def __init__(self) -> None:
        self.meter = HdlcStation(StationConfig(logical_devices={1}.__contains__))
        self.client = HdlcClient(
            lambda client, server: PrimaryConfig(
                client=client, server=Address(server), poll_interval=INTERVAL
            )
        )
        self.now = 0.0
        self.passed = 0
        """How often octets have gone from the client to the meter."""

    def settle(self) -> None:
        while octets := self.client.octets_to_send():
            self.passed += 1
            self.meter.receive(octets, self.now)
            while (asked := self.meter.next_indication()) is not None:
                if isinstance(asked, Addressed):
                    self.meter.send(asked._replace(apdu=b"re:" + asked.apdu), self.now)
            self.client.receive(self.meter.octets_to_send(), self.now)

    def wait(self) -> None:
        """Until the client's next deadline."""
        when = self.client.deadline()
        assert when is not None
        self.now = max(self.now, when)
        self.client.timeout(self.now)
        self.settle()

    def heard(self) -> list[bytes]:
        found = []
        while (indication := self.client.next_indication()) is not None:
            assert isinstance(indication, Addressed)
            found.append(indication.apdu)
        return found


@pytest.fixture
def line() -> Line:
    """With a link on which one answer has come, and been heard."""
    line = Line()
    line.client.send(Addressed(*PAIR, b"ask"), line.now)
    line.settle()
    assert line.heard() == [b"re:ask"]
    return line


def test_a_line_at_rest(line: Line) -> None:
    assert line.client.deadline() is None


def test_listening_polls_again_and_again(line: Line) -> None:
    """At once behind an answer, for there may be more; then as often as was agreed."""
    line.meter.tell(Addressed(*PAIR, b"at once"))
    line.client.listen(*PAIR, line.now)
    line.settle()
    assert line.heard() == [b"at once"]
    line.meter.tell(Addressed(*PAIR, b"first"))
    assert line.heard() == []
    assert line.client.deadline() == INTERVAL
    line.wait()
    assert line.heard() == [b"first"]
    for turn in range(2, 400):  # more often than an answer would be waited for
        line.wait()
        assert line.now == turn * INTERVAL
    line.meter.tell(Addressed(*PAIR, b"second"))
    line.wait()
    assert line.heard() == [b"second"]
    line.client.rest(*PAIR)
    assert line.client.deadline() is None


def test_a_deadline_that_is_not_over(line: Line) -> None:
    line.client.listen(*PAIR, line.now)
    line.settle()
    before = line.passed
    line.now = INTERVAL / 2
    line.client.timeout(line.now)
    line.settle()
    assert line.passed == before


def test_an_answer_behind_what_nobody_asked_for(line: Line) -> None:
    """News goes first in an I frame: then the client no longer polls by itself for the answer."""
    for apdu in (b"one", b"two", b"three"):
        line.meter.tell(Addressed(*PAIR, apdu))
    line.client.send(Addressed(*PAIR, b"again"), line.now)
    line.settle()
    line.client.listen(*PAIR, line.now)
    heard = line.heard()
    for _ in range(4):
        line.wait()
        heard += line.heard()
    assert heard == [b"one", b"two", b"three", b"re:again"]


def test_a_link_that_is_gone_is_not_polled(line: Line) -> None:
    line.client.listen(*PAIR, line.now)
    assert line.client.disconnect(*PAIR, line.now)
    line.settle()
    assert line.client.deadline() is None
    line.client.timeout(line.now + 10)
    assert line.client.octets_to_send() == b""


def test_a_meter_that_does_not_answer_a_poll(line: Line) -> None:
    """The link is given up, which whoever listens is told."""
    line.client.listen(*PAIR, line.now)
    while (indication := line.client.next_indication()) is None:
        when = line.client.deadline()
        assert when is not None
        line.client.timeout(when)
        line.client.octets_to_send()
    assert not isinstance(indication, Addressed)
    assert "does not answer" in indication.why


# Ending a link ------------------------------------------------------------------------------------


def test_what_nobody_answers_arrives_before_the_link_ends() -> None:
    """It waits for the link to be made, and is acknowledged."""
    line = Line()
    for apdu in (b"one", b"two"):
        line.client.send(Addressed(*PAIR, apdu), line.now)
    assert line.client.disconnect(*PAIR, line.now, settle=True)
    line.settle()
    found = []
    while (indication := line.client.next_indication()) is not None:
        found.append(indication)
    assert Addressed(*PAIR, b"re:one") in found  # so it has arrived
    assert not isinstance(found[-1], Addressed)
    assert line.client.links == line.meter.links == 0
    line.client.send(Addressed(*PAIR, b"again"), line.now)
    line.settle()
    assert line.client.links == 1, "the next link is not ended"


def test_it_is_dropped_with_a_link_that_ends_at_once() -> None:
    line = Line()
    line.client.send(Addressed(*PAIR, b"one"), line.now)
    assert not line.client.disconnect(*PAIR, line.now)


def test_a_link_at_rest_ends_at_once(line: Line) -> None:
    assert line.client.disconnect(*PAIR, line.now, settle=True)
    line.settle()
    assert line.client.links == 0


def test_a_meter_that_never_makes_the_link() -> None:
    """It is given up, and that ends the waiting."""
    line = Line()
    line.client.send(Addressed(*PAIR, b"one"), line.now)
    assert line.client.disconnect(*PAIR, line.now, settle=True)
    while (indication := line.client.next_indication()) is None:
        when = line.client.deadline()
        assert when is not None
        line.client.timeout(when)
        line.client.octets_to_send()
    assert not isinstance(indication, Addressed)
    assert line.client.links == 0
    line.client.send(Addressed(*PAIR, b"again"), line.now)
    line.settle()
    assert line.client.links == 1, "the next link is not ended"
