"""A client's turn in general blocks: over lines that lose, repeat and turn round what they carry,
and with meters that break the rules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import cycle, islice, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.carrying import Carrier
from dlms.association.events import BlocksCarried, RequestReceived
from dlms.association.server import ServerAssociation
from dlms.axdr.data import Data, octet_string
from dlms.client.carried import MAX_IDLE, carried
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute, Post
from dlms.client.refusals import ServiceException
from dlms.errors import RemoteProtocolError
from dlms.transfer.general import ABORT, MAX_REPEATS
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import MethodDescriptor
from dlms.xdlms.general_block import MAX_NUMBER, decode

METHOD = MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
SERVICES = Conformance.ACTION | Conformance.GENERAL_PROTECTION | Conformance.GENERAL_BLOCK_TRANSFER
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}

# Lines --------------------------------------------------------------------------------------------

DELIVER, LOSE, REPEAT, OVERTAKE, HURRY = range(5)
"""What happens to what is on the way. HURRY: the client's time runs out before it arrives."""


class Line:
    """A client, a meter that gives back what it is given, and what is on the way between them.

    When its decisions are used up the line is perfect.
    """

    def __init__(self, pair: Any, decisions: list[int], *, ordered: bool = True) -> None:
        self.pair = pair
        if not ordered:
            server = pair.server
            pair.server = ServerAssociation(server._offer, "c1", ordered=False)
        self.dialogues = Dialogues(pair.client)
        self.decisions: Iterator[int] = iter(())
        self.to_server: deque[bytes] = deque()
        self.to_client: deque[bytes] = deque()
        self.done: list[Data | None] = []
        self.hits = self.effects = 0
        self._hold(self.dialogues.open())
        self.decisions, self.effects = iter(decisions), 0

    def act(self, value: Data) -> Data | None:
        """One ACTION of the client's."""
        result: Data | None = self._hold(self.dialogues.action(METHOD, value))
        return result

    def _hold(self, dialogue: Any) -> Any:
        wish: Any = next(dialogue)
        try:
            while True:
                self.effects += 1
                if isinstance(wish, Compute):
                    wish = dialogue.send(self.pair.ask(wish.step))
                    continue
                self.to_server.extend(wish.apdus)
                if isinstance(wish, Post):
                    wish = dialogue.send(None)
                    continue
                answer = self._next()
                wish = dialogue.throw(TimeoutError()) if answer is None else dialogue.send(answer)
        except StopIteration as stop:
            return stop.value

    def settle(self) -> None:
        """Whatever is still on the way arrives at the meter."""
        while self.to_server:
            self._arrive(self.to_server.popleft())

    def _next(self) -> bytes | None:
        """What comes next; ``None`` if nothing does."""
        while True:
            queue = self.to_client or self.to_server
            if not queue:
                return None
            decision = next(self.decisions, DELIVER)
            self.hits += decision != DELIVER
            if decision == HURRY:
                return None
            if decision == OVERTAKE:
                queue.rotate(-1)
                continue
            apdu = queue.popleft()
            if decision == LOSE:
                continue
            if decision == REPEAT:
                queue.appendleft(apdu)
            if queue is self.to_client:
                return apdu
            self._arrive(apdu)

    def _arrive(self, apdu: bytes) -> None:
        server = self.pair.server
        try:
            event = self.pair.serve(server.receive(apdu))
        except RemoteProtocolError as error:
            self.to_client.extend(server.carry(error.reply))
            return
        if isinstance(event, BlocksCarried):
            self.to_client.extend(event.replies)
            return
        if not isinstance(event, RequestReceived):
            self.to_client.extend(server.carry(event.reply))
            return
        request = event.request
        assert isinstance(request, ActionRequest)
        self.done.append(request.parameter)
        response = ActionResponse(request.invoke, ActionResult.SUCCESS, request.parameter)
        self.to_client.extend(server.carry(self.pair.serve(server.send(response))))


VALUES = st.builds(octet_string, st.binary(max_size=300))
WINDOWS = st.tuples(st.sampled_from([1, 2, 3, 8]), st.sampled_from([1, 2, 3, 8]))
SIZES = st.tuples(st.sampled_from([20, 40, 64]), st.sampled_from([20, 40, 64]))


@pytest.fixture(scope="session")
def line(bench: Any) -> Callable[..., Line]:
    def make(
        decisions: list[int],
        windows: tuple[int, int] = (3, 3),
        sizes: tuple[int, int] = (40, 40),
        plain: bool = True,
        always: bool = True,
        ordered: bool = True,
    ) -> Line:
        pair = bench(
            client={
                "conformance": SERVICES,
                "max_pdu_size": sizes[0],
                "block_window": windows[0],
                "always_in_blocks": always,
            },
            server={
                "conformance": SERVICES,
                "max_pdu_size": sizes[1],
                "block_window": windows[1],
            },
            **(PLAIN if plain else {}),
        )
        return Line(pair, decisions, ordered=ordered)

    return make


def most(line: Line, values: list[Data]) -> int:
    """Effects at most: a block of six octets at least in each, its answer, and two windows, with
    the time that runs out, for whatever went wrong.
    """
    octets = sum(len(value.value) + 80 for value in values)  # type: ignore[arg-type]
    return 4 * octets + 40 * (line.hits + 1)


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from([DELIVER] * 5 + [LOSE, LOSE, REPEAT]), max_size=80),
    st.lists(VALUES, min_size=1, max_size=3),
    WINDOWS,
    SIZES,
    st.booleans(),
)
def test_a_line_that_loses_and_repeats(
    line: Any,
    decisions: list[int],
    values: list[Data],
    windows: tuple[int, int],
    sizes: tuple[int, int],
    plain: bool,
) -> None:
    """Every value arrives right and is acted on once, unless too much is lost without a pause."""
    on = line(decisions, windows, sizes, plain)
    for number, value in enumerate(values, 1):
        try:
            assert on.act(value) == value
        except TimeoutError:
            assert on.hits > MAX_REPEATS
            break
        except RemoteProtocolError:
            # An answer that was repeated came in the place of the next one, and was known by its
            # invoke id or its invocation counter.
            assert number > 1
            assert REPEAT in decisions
            break
        assert on.done == values[:number]
        assert on.pair.client.carrier.negotiated
        assert on.pair.client.carrier.pending == 0
    on.settle()
    assert on.done == values[: len(on.done)]
    assert on.effects <= most(on, values)


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from([DELIVER] * 4 + [LOSE, REPEAT, OVERTAKE, HURRY]), max_size=60),
    VALUES,
    WINDOWS,
    SIZES,
    st.booleans(),
)
def test_a_line_that_turns_round_and_is_slow(
    line: Any,
    decisions: list[int],
    value: Data,
    windows: tuple[int, int],
    sizes: tuple[int, int],
    plain: bool,
) -> None:
    """Whatever is late: what arrives is right, and is acted on once. An acknowledgement of the
    exchange before may cut a message short, which cannot be read then.
    """
    on = line(decisions, windows, sizes, plain, ordered=False)
    try:
        assert on.act(value) == value
    except (TimeoutError, RemoteProtocolError, ServiceException):
        assert on.hits > 0
    else:
        assert on.done == [value]
    on.settle()
    assert on.done in ([], [value])
    assert on.effects <= most(on, [value])


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from([DELIVER] * 4 + [LOSE, REPEAT, HURRY]), max_size=60),
    st.lists(VALUES, min_size=1, max_size=3, unique=True),
    st.booleans(),
)
def test_a_client_in_a_hurry(
    line: Any, decisions: list[int], values: list[Data], plain: bool
) -> None:
    """Repetitions may pass for something else then; nothing wrong comes of it, nothing twice."""
    on = line(decisions, plain=plain)
    for value in values:
        try:
            assert on.act(value) == value
        except (TimeoutError, RemoteProtocolError):
            break
    on.settle()
    assert len(on.done) <= len(values)
    assert on.done == values[: len(on.done)]
    assert on.effects <= most(on, values)


def test_every_single_loss_is_made_good(line: Any) -> None:
    value = octet_string(bytes(range(200)))
    clean = line([])
    assert clean.act(value) == value
    for number in range(clean.effects + 20):
        on = line([DELIVER] * number + [LOSE])
        assert on.act(value) == value
        on.settle()
        assert on.done == [value]


# Meters that break the rules ----------------------------------------------------------------------

QUESTION = bytes(range(60))


class Scripted:
    """A turn of the client's with a meter that says what it likes."""

    def __init__(self, *, always: bool = True, window: int = 3, negotiated: bool = True) -> None:
        self.carrier = Carrier(window, always=always)
        self.carrier.begin(SERVICES if negotiated else Conformance.GET, 27)
        self.turns = 0
        self.posted: list[bytes] = []
        self.sent: list[bytes] = []

    def hold(self, script: Iterator[bytes | None], question: bytes = QUESTION) -> bytes:
        """``None`` in ``script`` is silence."""
        dialogue = carried(self.carrier, question)
        wish: Any = next(dialogue)
        try:
            while True:
                self.sent.extend(wish.apdus)
                if isinstance(wish, Post):
                    self.posted.extend(wish.apdus)
                    wish = dialogue.send(None)
                    continue
                self.turns += 1
                answer = next(script)
                wish = dialogue.throw(TimeoutError()) if answer is None else dialogue.send(answer)
        except StopIteration as stop:
            result: bytes = stop.value
            return result

    def fails(self, script: Iterator[bytes | None], question: bytes = QUESTION) -> str:
        with pytest.raises(RemoteProtocolError) as caught:
            self.hold(script, question)
        return caught.value.reason


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def test_silence() -> None:
    turn = Scripted()
    with pytest.raises(TimeoutError):
        turn.hold(repeat(None))
    assert turn.turns == 1 + MAX_REPEATS
    assert len(set(turn.sent[:-1])) == 1
    assert turn.posted == turn.sent[-1:] == [ABORT]
    assert not turn.carrier.waiting


def test_silence_after_a_plain_question() -> None:
    turn = Scripted(always=False)
    with pytest.raises(TimeoutError):
        turn.hold(repeat(None), b"\xc0")
    assert turn.sent == [b"\xc0"]


ENDLESS: dict[str, list[str]] = {
    "the same block": ["E0 01 0001 0001 01 61"],
    "an acknowledgement": ["E0 81 0001 0001 00"],
    "an acknowledgement of nothing": ["E0 81 0001 0000 00"],
    "of what was not sent": ["E0 81 0001 0009 00"],
    "another window": ["E0 81 0001 0001 00", "E0 82 0001 0001 00"],
    "blocks that begin": ["E0 01 0001 0000 01 61", "E0 01 0001 0000 02 6162"],
    "blocks behind a gap": ["E0 01 0009 0000 01 61"],
    "malformed ones": ["E0", "E0 FF"],
    "unconfirmed ones that begin": ["E0 40 0001 0000 01 61", "E0 40 0001 0000 02 6162"],
    "answers that begin again": [
        "E0 41 0001 0000 01 61",
        "E0 01 0002 0000 01 61",
        "E0 41 0001 0000 01 62",
        "E0 01 0002 0000 01 62",
    ],
    "unconfirmed answers that begin again": [
        "E0 40 0001 0000 01 61",
        "E0 40 0002 0000 01 61",
        "E0 40 0001 0000 01 62",
        "E0 40 0002 0000 01 62",
    ],
    "unconfirmed and confirmed ones": ["E0 40 0001 0000 01 61", "E0 01 0001 0001 01 61"],
}


def again_and_again(apdus: list[bytes]) -> Iterator[bytes]:
    yield from islice(cycle(apdus), 10 * MAX_IDLE)
    raise AssertionError("the client would listen for ever")


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("texts", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends(texts: list[str], always: bool) -> None:
    """After a question in blocks, and after a plain one."""
    turn = Scripted(always=always)
    question = QUESTION if always else b"\xc0"
    reason = turn.fails(again_and_again([octets(text) for text in texts]), question)
    assert reason in ("no-progress", "malformed-gbt", "block-number-ack")
    assert turn.turns <= MAX_IDLE + 10
    # What is repeated is answered a few times, not each time.
    assert len(turn.sent) <= 2 * MAX_IDLE


def test_blocks_without_end() -> None:
    """Each brings something new, but there are only so many numbers."""

    def numbers() -> Iterator[bytes]:
        for number in range(1, MAX_NUMBER + 2):
            yield octets("E0 01") + number.to_bytes(2, "big") * 2 + octets("01 61")

    turn = Scripted()
    assert turn.fails(numbers(), bytes(20)) in ("numbers-exhausted", "block-number-ack")
    assert turn.turns <= MAX_NUMBER + 1


def test_octets_without_end() -> None:
    def blocks() -> Iterator[bytes]:
        for number in range(1, 1000):
            head = octets("E0 01") + number.to_bytes(2, "big") * 2
            yield head + octets("82 FF00") + bytes(0xFF00)

    turn = Scripted()
    assert turn.fails(blocks(), bytes(20)) == "long-apdu"
    assert turn.turns == 17
    assert turn.posted == [ABORT]
    assert turn.carrier.negotiated
    assert turn.carrier.pending == 0


BROKEN: dict[str, tuple[str, str, bool]] = {
    "an abort": ("E0 80 0000 0000 00", "aborted", False),
    "window 0": ("E0 80 0001 0001 00", "window-0", True),
    "last and streaming": ("E0 C1 0001 0001 01 61", "last-and-streaming", True),
    "block 0": ("E0 01 0000 0001 01 61", "block-number", True),
    "far ahead": ("E0 01 0040 0001 01 61", "block-beyond-window", True),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_what_ends_a_turn(case: str) -> None:
    text, reason, answered = BROKEN[case]
    turn = Scripted()
    assert turn.fails(iter([octets(text)])) == reason
    assert turn.posted == [ABORT] * answered
    assert not turn.carrier.waiting
    # The next one begins anew.
    assert turn.hold(iter([octets("E0 81 0001 0001 01 61")]), b"\xc0") == b"a"
    assert decode(turn.sent[-2])[3:] == (1, 0, b"\xc0")


def test_contradictions() -> None:
    turn = Scripted()
    script = ["E0 41 0003 0001 01 61", "E0 41 0003 0001 01 62"]
    assert turn.fails(iter(map(octets, script)), b"\xc0") == "block-contradicts"
    assert turn.posted == [ABORT]


def test_blocks_of_no_exchange() -> None:
    """They are as if they were not there: another block 1, and one behind the last."""
    turn = Scripted()
    script = [
        "E0 01 0001 0001 01 61",
        "E0 01 0001 0001 01 62",
        "E0 81 0002 0002 01 63",
    ]
    assert turn.hold(iter(map(octets, script)), b"\xc0") == b"ac"


def test_blocks_that_were_not_negotiated() -> None:
    turn = Scripted(negotiated=False)
    assert turn.fails(iter([octets("E0 81 0001 0001 01 61")])) == "gbt-not-negotiated"
    assert turn.sent == [QUESTION]
    assert not turn.posted


def test_a_plain_answer_in_the_middle() -> None:
    """Say an ExceptionResponse: that is the answer, and the rest of the question is not sent."""
    turn = Scripted()
    assert turn.hold(iter([octets("E0 81 0001 0001 00"), octets("D80101")])) == octets("D80101")
    assert turn.carrier.waiting
    assert turn.hold(iter([octets("E0 81 0001 0001 01 61")]), b"\xc0") == b"a"
    assert decode(turn.sent[-1])[2:] == (3, 2, 1, b"")


def test_an_answer_before_the_question_was_whole() -> None:
    turn = Scripted()
    assert turn.hold(iter([octets("E0 81 0001 0001 01 61")])) == b"a"
    assert not decode(turn.posted[0]).last, "what the meter has of it must not look whole"
    assert not turn.carrier.waiting


# What is too long at once -----------------------------------------------------------------------


@pytest.mark.parametrize(("length", "taken"), [(64, True), (65, False)])
def test_more_at_once_than_was_agreed_on(length: int, taken: bool) -> None:
    """X_CLI_PDU_BIG: client-max-receive-pdu-size binds the meter."""
    course = carried(Carrier(1, most=64), b"request")
    next(course)
    with pytest.raises(StopIteration if taken else RemoteProtocolError) as caught:
        course.send(b"\xc4" + bytes(length - 1))
    if not taken:
        assert caught.value.reason == "pdu-too-long"


def test_an_aare_may_be_longer() -> None:
    course = carried(Carrier(1, most=64), b"request")
    next(course)
    with pytest.raises(StopIteration):
        course.send(b"\x61" + bytes(99))
