"""Polling on HDLC: a meter speaks when it is polled, and how many APDUs are to come only whoever
awaits them knows.
"""

from __future__ import annotations

from collections import deque

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import StationConfig
from dlms.framing.hdlc.events import ApduArrived
from dlms.framing.hdlc.primary import PrimaryConfig
from dlms.framing.hdlc.station import Station
from emulator.framing import Addressed, HdlcClient

PAIR = 16, 1
INTERVAL = 0.2


class Line:
    """A client and a meter that answers each APDU with what it has been given for that."""

    def __init__(self) -> None:
        self.client = HdlcClient(
            lambda client, server: PrimaryConfig(
                client=client, server=Address(server, 17, 4), poll_interval=INTERVAL
            )
        )
        self.station = Station(StationConfig(logical_devices=lambda upper: upper == 1, lower=17))
        self.answers: deque[tuple[bytes, ...]] = deque()
        self.arrived: list[bytes] = []
        self.polls = 0

    def send(self, *apdus: bytes, now: float = 0.0) -> None:
        for apdu in apdus:
            self.client.send(Addressed(*PAIR, apdu), now)
        self.run(now)

    def run(self, now: float) -> None:
        """Until nobody has anything to say."""
        while octets := self.client.octets_to_send():
            self.polls += 1
            for event in self.station.receive(octets, now):
                if isinstance(event, ApduArrived):
                    self.arrived.append(event.apdu)
                    for apdu in self.answers.popleft() if self.answers else ():
                        assert self.station.send(*PAIR, apdu)
            self.client.receive(self.station.octets_to_send(), now)

    def heard(self) -> bytes | None:
        indication = self.client.next_indication()
        if indication is None:
            return None
        assert isinstance(indication, Addressed)
        return indication.apdu

    def listen(self, now: float = 0.0) -> bytes | None:
        self.client.listen(*PAIR, now)
        self.run(now)
        self.client.rest(*PAIR)
        return self.heard()


def test_several_answers_are_fetched_one_by_one_and_at_once() -> None:
    line = Line()
    line.answers.append((b"one", b"two", b"three"))
    line.send(b"ask")
    assert line.heard() == b"one"
    assert line.heard() is None
    assert line.client.deadline() is None, "nobody awaits more"
    assert [line.listen(), line.listen(), line.listen()] == [b"two", b"three", None]


def test_whoever_waits_polls_in_intervals() -> None:
    line = Line()
    line.send(b"ask")
    assert line.heard() is None
    polls = line.polls
    line.client.listen(*PAIR, 1.0)
    line.run(1.0)
    assert line.polls == polls, "it has just said that it has nothing to say"
    for number in range(200):
        when = 1.0 + INTERVAL * (number + 1)
        deadline = line.client.deadline()
        assert deadline is not None
        assert abs(deadline - when) < 1e-6
        line.client.timeout(deadline)
        line.run(deadline)
        assert line.polls == polls + number + 1
    assert line.client.links == 1, "how long to wait is for whoever waits"
    assert line.station.send(*PAIR, b"at last")
    line.client.timeout(line.client.deadline() or 0.0)
    line.run(50.0)
    assert line.heard() == b"at last"
    line.client.rest(*PAIR)
    assert line.client.deadline() is None


def test_a_stream_of_the_clients_with_one_answer() -> None:
    line = Line()
    line.answers.extend([(), (), (b"done",)])
    line.send(b"1", b"2", b"3")
    assert line.arrived == [b"1", b"2", b"3"]
    assert line.heard() == b"done"
    # An acknowledgement that nobody answers: nothing is awaited then.
    line.send(b"thanks")
    assert line.client.deadline() is None
    line.answers.append((b"more",))
    line.send(b"ask")
    assert line.heard() == b"more"


def test_there_is_no_link_to_poll_yet() -> None:
    line = Line()
    line.client.listen(*PAIR, 0.0)
    assert line.client.deadline() is None
    assert line.client.octets_to_send() == b""
    line.client.timeout(10.0)
    assert line.client.octets_to_send() == b""
