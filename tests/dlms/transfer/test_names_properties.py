"""Client and server joined by short names: what is sent is what arrives, once, in its room.

And a server alone, with whatever a client sends: nothing is carried out that was not wholly and
rightly sent, nothing twice, and never more is kept than was allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dlms.axdr import Data
from dlms.axdr.data import NULL, array, octet_string, structure, unsigned
from dlms.errors import CodecError, RemoteProtocolError
from dlms.transfer.names_client import exchange_names
from dlms.transfer.names_server import NamesServer
from dlms.transfer.pieces import TooLong
from dlms.transfer.server import Answer, Complete
from dlms.xdlms import read, registry, write
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.read import BlockTaken, ReadRequest, ReadResponse
from dlms.xdlms.variable_access import (
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableName,
    WriteDataBlockAccess,
)
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

ALL = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
)
S = DataAccessResult.SUCCESS

DATA: st.SearchStrategy[Data] = st.recursive(
    st.just(NULL) | st.integers(0, 255).map(unsigned) | st.binary(max_size=300).map(octet_string),
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda parts: st.sampled_from([structure(*parts), array(*parts)])
    ),
    max_leaves=8,
)
NAME = st.integers(0, 0xFFFF)
ITEM = st.builds(lambda name: VariableName(name=name), NAME) | st.builds(
    lambda name, selector, parameter: ParameterizedAccess(
        name=name, selector=selector, parameter=parameter
    ),
    NAME,
    st.integers(0, 255),
    DATA,
)
RESULT = DATA | st.sampled_from([code for code in DataAccessResult if code])
WRITTEN = st.sampled_from(DataAccessResult)
ROOM = st.none() | st.integers(0, 40) | st.integers(20, 120) | st.integers(60, 400)


@st.composite
def dialogues(draw: st.DrawFn) -> tuple[Any, Any]:
    """A request and the response that a device would give to it."""
    items = tuple(draw(st.lists(ITEM, max_size=4)))
    if draw(st.booleans()):
        return ReadRequest(items), ReadResponse(tuple(draw(RESULT) for _ in items))
    values = tuple(draw(DATA) for _ in items)
    return WriteRequest(items, values), WriteResponse(tuple(draw(WRITTEN) for _ in items))


@pytest.fixture(scope="module")
def joined(join: Any) -> Callable[[], Any]:
    """A client and a server. To ask for a block takes 5 octets, as an acknowledgement does."""
    return lambda: join(
        lambda request, room: exchange_names(request, room, ALL),
        NamesServer(),
        ALL,
        least=5,
        bound=lambda request, room: max(room, 5),
    )


@settings(max_examples=600)
@given(dialogues(), ROOM, ROOM)
def test_what_is_sent_is_what_arrives(
    joined: Callable[[], Any], dialogue: tuple[Any, Any], there: int | None, back: int | None
) -> None:
    joined().arrives(*dialogue, there, back)


NOISE = (
    st.builds(bytes.__add__, st.sampled_from([b"\x0c\x01", b"\x0d\x01"]), st.binary(max_size=12))
    | st.integers(0, 4).map(lambda number: bytes((0x0C, 1, 3, 0, number)))
    | st.integers(0, 4).map(lambda number: bytes((0x0D, 1, 2, 0, number)))
    | st.builds(
        lambda last, number, raw: ReadResponse((ShortBlock(last, number, raw),)).encode(),
        st.booleans(),
        st.integers(0, 4),
        st.binary(max_size=9),
    )
)
"""Octets that begin as answers do: chance alone makes no steps of a transfer."""
LONG = st.integers(30, 700).map(lambda size: octet_string(bytes(n * 7 & 255 for n in range(size))))


@pytest.mark.parametrize("reading", [True, False], ids=["read", "write"])
@given(one=LONG, two=LONG, there=st.integers(10, 140), back=st.integers(8, 140))
def test_long_values_arrive(
    reading: bool, one: Data, two: Data, there: int, back: int, joined: Callable[[], Any]
) -> None:
    """Both ways: what is asked for takes as many octets as what is given."""
    items = tuple(ParameterizedAccess(name=8, selector=1, parameter=value) for value in (one, two))
    request: Any = ReadRequest(items) if reading else WriteRequest(items, (two, one))
    response: Any = ReadResponse((one, two)) if reading else WriteResponse((S, S))
    both = joined()
    both.run(request, response, there, back)
    assert both.carried_out == [request]
    assert both.returned == response
    blocks = len(request.encode()) // there
    if reading:
        blocks += len(response.encode()) // back
    assert both.steps >= max(blocks, 1)


@given(dialogues(), st.lists(NOISE, max_size=8))
def test_a_client_raises_nothing_but_what_it_says(
    dialogue: tuple[Any, Any], noise: list[bytes]
) -> None:
    """Whatever a server answers: a response of the right form, or a breach of protocol."""
    request, _ = dialogue
    transfer = exchange_names(request, 40, ALL)
    returned: Any = None
    breach: RemoteProtocolError | None = None
    try:
        next(transfer)
        for octets in noise:
            response = made_of(octets)
            if response is not None:
                transfer.send(response)
    except StopIteration as end:
        returned = end.value
    except RemoteProtocolError as error:
        breach = error
    except TooLong:
        return
    if returned is not None:
        assert len(returned.results) == len(request.specifications)
    if breach is not None:
        assert breach.reason


def made_of(octets: bytes) -> Any:
    """A response, of either service; ``None`` if these octets are none."""
    try:
        return registry.decode(octets)
    except CodecError:
        return None


LIMIT = 24
NUMBER = st.integers(0, 4)
RAW = st.binary(max_size=10) | st.sampled_from(
    [b"\x01\x02\0\x08", b"\x01\x02\0\x08\x01\0", b"\x01\0", b"\x02\0\x08", b""]
)


class Arbitrary(RuleBasedStateMachine):
    """A server and, beside it, what of a value it should have: rightly numbered, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.server = NamesServer(max_total=LIMIT)
        self.value: tuple[bool, bytes, int] | None = None
        """What came of a long request: whether it reads, its octets, the last number."""
        self.answer: tuple[bytes, int] | None = None
        """What is left of a long response, and the number of the block that was sent last."""

    @rule(last=st.booleans(), number=NUMBER, raw=RAW, reads=st.booleans())
    def block(self, last: bool, number: int, raw: bytes, reads: bool) -> None:
        if reads:
            step: Any = ReadRequest((ReadDataBlockAccess(block=ShortBlock(last, number, raw)),))
        else:
            start = WriteDataBlockAccess(last=last, number=number)
            step = WriteRequest((start,), (octet_string(raw),))
        outcome = self.server.receive(step)
        if number == 1:
            self.value, self.answer = (reads, b"", 0), None
        if self.value is None or self.value[0] is not reads:
            self.refused(outcome, reads)
            return
        whole, due = self.value[1] + raw, self.value[2] + 1
        self.value = None
        if number != due or len(whole) > LIMIT:
            self.refused(outcome, reads)
        elif last:
            self.judge(outcome, reads, whole)
        else:
            self.value = (reads, whole, number)
            assert isinstance(outcome, Answer)
            assert outcome.response.results == (BlockTaken(number=number),)  # type: ignore[union-attr]

    @rule(last=st.booleans(), raw=RAW)
    def right_block(self, last: bool, raw: bytes) -> None:
        if self.value is not None:
            self.block(last, self.value[2] + 1, raw, self.value[0])

    def judge(self, outcome: Complete | Answer, reads: bool, whole: bytes) -> None:
        """Carried out if and only if the octets are those of a request without blocks in it."""
        decode: Any = read.decode_request if reads else write.decode_request
        try:
            expected = decode((b"\x05" if reads else b"\x06") + whole)
        except CodecError:
            expected = None
        plain = VariableName | ParameterizedAccess
        if expected is None or not all(isinstance(i, plain) for i in expected.specifications):
            self.refused(outcome, reads)
        else:
            assert outcome == Complete(expected)

    def refused(self, outcome: Complete | Answer, reads: bool) -> None:
        assert isinstance(outcome, Answer), outcome
        response: Any = outcome.response
        assert isinstance(response, ReadResponse if reads else WriteResponse)
        (why,) = response.results
        assert isinstance(why, DataAccessResult)
        assert why is not S

    @rule(value=st.binary(max_size=LIMIT - 4), room=st.integers(0, 20))
    def read(self, value: bytes, room: int) -> None:
        self.value = self.answer = None
        request = ReadRequest((VariableName(name=8),))
        assert self.server.receive(request) == Complete(request)
        response = ReadResponse((octet_string(value),))
        try:
            sent: Any = registry.decode(self.server.send(response, room, ALL))
        except TooLong:
            assert room < 8
            return
        if sent == response:
            return
        self.sent(bytes((1, 0, 9, len(value))) + value, 1, sent.results[0])

    @rule(number=NUMBER)
    def onward(self, number: int) -> None:
        outcome = self.server.receive(ReadRequest((BlockNumberAccess(number=number),)))
        answer, self.answer = self.answer, None
        if answer is None or number != answer[1]:
            self.refused(outcome, reads=True)
            return
        assert isinstance(outcome, Answer)
        (block,) = outcome.response.results  # type: ignore[union-attr]
        self.sent(answer[0], number + 1, block)

    @rule()
    def right_onward(self) -> None:
        if self.answer is not None:
            self.onward(self.answer[1])

    def sent(self, rest: bytes, number: int, block: Any) -> None:
        assert isinstance(block, ShortBlock)
        assert block.raw
        assert rest.startswith(block.raw)
        assert block.number == number
        assert block.last == (rest == block.raw)
        if not block.last:
            self.answer = rest[len(block.raw) :], number

    @rule()
    def write_whole(self) -> None:
        self.value = self.answer = None
        request = UnconfirmedWriteRequest((VariableName(name=8),), (NULL,))
        assert self.server.receive(request) == Complete(request)

    @rule()
    def reset(self) -> None:
        self.server.reset()
        self.value = self.answer = None

    @invariant()
    def bounded(self) -> None:
        assert self.server.pending <= LIMIT
        if self.value is not None:
            assert self.server.pending == len(self.value[1])
        elif self.answer is None:
            assert self.server.pending == 0


TestArbitrary = Arbitrary.TestCase
TestArbitrary.settings = settings(max_examples=150, stateful_step_count=40)
