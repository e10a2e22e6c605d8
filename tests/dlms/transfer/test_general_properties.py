"""General block transfer over lines that lose, repeat and turn round what they carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.errors import RemoteProtocolError
from dlms.transfer.general import ABORT, MAX_REPEATS, GeneralTransfer
from dlms.xdlms.general_block import MAX_WINDOW, GeneralBlock, decode

MESSAGES = st.binary(min_size=1, max_size=60)
WINDOWS = st.integers(1, 5)
DELIVER, LOSE, REPEAT, OVERTAKE = range(4)


class Outcome(NamedTuple):
    at_server: list[bytes]
    at_client: list[bytes]
    reasons: list[str]
    carried: int
    kept: int


def most(question: bytes, answer: bytes, hits: int, duplicates: int) -> int:
    """Bound of what goes over the line: each block alone, each with its acknowledgement, and with
    every hit of the line, or duplicate of one, at most two windows again."""
    return 4 * (len(question) + len(answer) + 4) + (hits + duplicates + 1) * 12 * (MAX_REPEATS + 1)


class Line:
    """Two ends, and what is on the way. When its ``decisions`` are used up the line is perfect."""

    def __init__(
        self, client: GeneralTransfer, server: GeneralTransfer, decisions: Iterable[int]
    ) -> None:
        self.ends = {"client": client, "server": server}
        self.queue: list[tuple[str, bytes]] = []
        self.decisions = list(decisions)
        self.got: dict[str, list[bytes]] = {"client": [], "server": []}
        self.reasons: list[str] = []
        self.carried = 0
        self.kept = 0

    def post(self, to: str, apdus: Iterable[bytes]) -> None:
        for apdu in apdus:
            self.carried += 1
            self.queue.append((to, apdu))

    def carry(self, answer: bytes, limit: int) -> None:
        """Until nothing is on the way and nobody waits."""
        while self.carried <= limit:
            if self.queue:
                self._one(answer)
            elif not self._time_passes():
                return

    def _one(self, answer: bytes) -> None:
        decision = self.decisions.pop(0) if self.decisions else DELIVER
        if decision == OVERTAKE and len(self.queue) > 1:
            self.queue.append(self.queue.pop(0))
            return
        to, apdu = self.queue.pop(0)
        if decision == LOSE:
            return
        for _ in range(2 if decision == REPEAT else 1):
            self._deliver(to, apdu, answer)

    def _deliver(self, to: str, apdu: bytes, answer: bytes) -> None:
        transfer = self.ends[to]
        other = "server" if to == "client" else "client"
        try:
            received = transfer.receive(apdu)
        except RemoteProtocolError as error:
            self.reasons.append(error.reason)
            self.post(other, () if error.reply is None else (error.reply,))
            return
        self.kept = max(self.kept, transfer.pending)
        self.post(other, received.replies)
        if received.apdu is not None:
            self.got[to].append(received.apdu)
            more = transfer.send(answer) if to == "server" else transfer.acknowledge()
            self.post(other, more)

    def _time_passes(self) -> bool:
        for name, other in (("client", "server"), ("server", "client")):
            if self.ends[name].waiting:
                try:
                    self.post(other, self.ends[name].timeout())
                except RemoteProtocolError as error:
                    self.reasons.append(error.reason)
                    self.post(other, () if error.reply is None else (error.reply,))
                return True
        return False


@st.composite
def lines(draw: st.DrawFn, hits: list[int], ordered: bool, size: int) -> tuple[Line, bytes, bytes]:
    question, answer = draw(MESSAGES), draw(MESSAGES)
    ends = [
        GeneralTransfer(
            max_block=draw(st.integers(1, 20)),
            window=draw(WINDOWS),
            max_total=60,
            ordered=ordered,
        )
        for _ in range(2)
    ]
    decisions = draw(st.lists(st.sampled_from([DELIVER, *hits]), max_size=size))
    return Line(ends[0], ends[1], decisions), question, answer


def outcome(line: Line, question: bytes, answer: bytes) -> None:
    hits = len(line.decisions)
    limit = most(question, answer, hits, hits)
    line.post("server", line.ends["client"].send(question))
    line.carry(answer, limit)
    assert line.carried <= limit
    assert line.kept <= 120
    assert all(not end.waiting for end in line.ends.values())


@settings(max_examples=300)
@given(lines(hits=[LOSE, REPEAT], ordered=True, size=MAX_REPEATS))
def test_a_line_that_loses_and_repeats(drawn: tuple[Line, bytes, bytes]) -> None:
    """It may not lose so much in a row that an end gives up; then all arrives, and once."""
    line, question, answer = drawn
    outcome(line, question, answer)
    assert line.reasons == []
    assert line.got == {"server": [question], "client": [answer]}


@settings(max_examples=300)
@given(lines(hits=[LOSE, LOSE, REPEAT], ordered=True, size=80))
def test_a_line_that_loses_a_lot(drawn: tuple[Line, bytes, bytes]) -> None:
    line, question, answer = drawn
    outcome(line, question, answer)
    exactly_once_or_error(line, question, answer)


@settings(max_examples=500)
@given(lines(hits=[LOSE, REPEAT, OVERTAKE, OVERTAKE], ordered=False, size=80))
def test_a_line_that_does_anything(drawn: tuple[Line, bytes, bytes]) -> None:
    line, question, answer = drawn
    outcome(line, question, answer)
    exactly_once_or_error(line, question, answer)


def exactly_once_or_error(line: Line, question: bytes, answer: bytes) -> None:
    server, client = line.got["server"], line.got["client"]
    assert server in ([], [question])
    assert client in ([], [answer])
    assert (server and client) or line.reasons


@settings(max_examples=100)
@given(
    st.lists(st.tuples(MESSAGES, MESSAGES), min_size=1, max_size=5),
    st.integers(1, 9),
    st.integers(1, 9),
    WINDOWS,
    WINDOWS,
)
def test_one_exchange_after_the_other(
    exchanges: list[tuple[bytes, bytes]], size_1: int, size_2: int, window_1: int, window_2: int
) -> None:
    """Also where the question is the same again."""
    client = GeneralTransfer(max_block=size_1, window=window_1)
    server = GeneralTransfer(max_block=size_2, window=window_2)
    for question, answer in [exchange for one in exchanges for exchange in (one, one)]:
        line = Line(client, server, ())
        outcome(line, question, answer)
        assert line.got == {"server": [question], "client": [answer]}
        assert not line.reasons
        # Without losses every block goes once, each stream is answered once.
        blocks = -(-len(question) // size_1) + -(-len(answer) // size_2)
        assert line.carried <= 2 * blocks + 1


BLOCKS = st.builds(
    GeneralBlock,
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 1, 2, MAX_WINDOW]),
    st.one_of(st.integers(0, 5), st.sampled_from([63, 64, 65, 65534, 65535])),
    st.integers(0, 4),
    st.binary(max_size=3),
)


@settings(max_examples=300)
@given(st.lists(st.one_of(BLOCKS, st.just("send"), st.just("timeout")), max_size=60), st.booleans())
def test_any_blocks(steps: list[GeneralBlock | str], ordered: bool) -> None:
    """Nothing escapes but RemoteProtocolError; what is kept and what is said stays in bounds."""
    transfer = GeneralTransfer(max_block=2, window=2, max_total=20, ordered=ordered)
    replies: list[bytes | None] = []
    for step in steps:
        try:
            if step == "send":
                said = () if transfer.waiting and not transfer.owes else transfer.send(b"abcdef")
            elif step == "timeout":
                said = transfer.timeout()
            else:
                assert isinstance(step, GeneralBlock)
                received = transfer.receive(step.encode())
                said = received.replies
                assert received.apdu is None or len(received.apdu) <= 20
        except RemoteProtocolError as error:
            replies.append(error.reply)
            continue
        assert transfer.pending <= 60
        assert len(said) <= 4
        for apdu in said:
            block = decode(apdu)
            assert 0 < block.number <= 4 * len(steps) + 4
            assert 1 <= block.window <= 2
            assert len(block.data) <= 2
        assert [decode(apdu).streaming for apdu in said] == [True] * (len(said) - 1) + [False] * (
            len(said) > 0
        )
    assert set(replies) <= {None, ABORT}


@given(st.binary(max_size=30))
def test_any_octets(octets: bytes) -> None:
    replies = []
    for text in (octets, b"\xe0" + octets):
        transfer = GeneralTransfer(max_block=2)
        try:
            transfer.receive(text)
        except RemoteProtocolError as error:
            replies.append(error.reply)
    assert set(replies) <= {None, ABORT}


@given(MESSAGES, st.integers(1, 20))
def test_unconfirmed(message: bytes, size: int) -> None:
    sender, receiver = GeneralTransfer(max_block=size), GeneralTransfer(max_block=1)
    got = [receiver.receive(apdu) for apdu in sender.send_unconfirmed(message)]
    assert [one.apdu for one in got] == [None] * (len(got) - 1) + [message]
    assert not any(one.replies for one in got)
    assert sender.pending == receiver.pending == 0
