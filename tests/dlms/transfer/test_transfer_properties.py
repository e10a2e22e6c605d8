"""Client and server joined: what is sent is what arrives, once, in no more room than there is.

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

from dlms.axdr import Data, decode
from dlms.axdr.data import NULL, array, octet_string, structure, unsigned
from dlms.errors import CodecError
from dlms.transfer.client import exchange
from dlms.transfer.contents import ActionContents
from dlms.transfer.pieces import TooLong
from dlms.transfer.server import Answer, Complete, ServerTransfers
from dlms.xdlms import registry
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestNextBlock,
    ActionRequestWithList,
    ActionResponse,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.block import Block
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.get import (
    GetRequest,
    GetRequestNext,
    GetRequestWithList,
    GetResponse,
    GetResponseBlock,
    GetResponseWithList,
)
from dlms.xdlms.set import (
    SetRequest,
    SetRequestBlock,
    SetRequestFirstBlock,
    SetRequestWithList,
    SetResponse,
    SetResponseBlock,
    SetResponseWithList,
)

ALL = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 2)
METHOD = MethodDescriptor(9, bytes((0, 0, 10, 0, 0, 255)), 1)

DATA: st.SearchStrategy[Data] = st.recursive(
    st.just(NULL) | st.integers(0, 255).map(unsigned) | st.binary(max_size=300).map(octet_string),
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda parts: st.sampled_from([structure(*parts), array(*parts)])
    ),
    max_leaves=8,
)
# Long by construction: chance alone makes small values, which need no blocks.
LONG = st.integers(30, 700).map(lambda size: octet_string(bytes(n * 7 & 255 for n in range(size))))
SELECTION = st.none() | st.builds(SelectiveAccess, st.integers(0, 9), DATA)
ACCESS = st.sampled_from([code for code in DataAccessResult if code])
RESULT = DATA | ACCESS
METHOD_RESULT = st.builds(MethodResult, st.sampled_from(ActionResult), st.none() | RESULT)
SET_RESULT = st.sampled_from(DataAccessResult)
INVOKE = st.integers(0, 255)


def listed(element: Any) -> Any:
    return st.lists(element, max_size=4).map(tuple)


@st.composite
def dialogues(draw: st.DrawFn) -> tuple[Any, Any]:
    """A request and the response that a device would give to it."""
    invoke = draw(INVOKE)
    kind = draw(st.sampled_from(["get", "gets", "set", "sets", "action", "actions"]))
    if kind == "get":
        return GetRequest(invoke, ATTRIBUTE, draw(SELECTION)), GetResponse(invoke, draw(RESULT))
    if kind == "set":
        request = SetRequest(invoke, ATTRIBUTE, draw(DATA), draw(SELECTION))
        return request, SetResponse(invoke, draw(SET_RESULT))
    if kind == "action":
        request_ = ActionRequest(invoke, METHOD, draw(st.none() | DATA))
        return request_, ActionResponse(invoke, *draw(METHOD_RESULT))
    if kind == "gets":
        results = draw(listed(RESULT))
        items = tuple((ATTRIBUTE, draw(SELECTION)) for _ in results)
        return GetRequestWithList(invoke, items), GetResponseWithList(invoke, results)
    values = draw(listed(DATA))
    if kind == "sets":
        items = tuple((ATTRIBUTE, draw(SELECTION)) for _ in values)
        codes = tuple(draw(SET_RESULT) for _ in values)
        return SetRequestWithList(invoke, items, values), SetResponseWithList(invoke, codes)
    outcomes = tuple(draw(METHOD_RESULT) for _ in values)
    whole = ActionRequestWithList(invoke, (METHOD,) * len(values), values)
    return whole, ActionResponseWithList(invoke, outcomes)


ROOM = st.none() | st.integers(0, 40) | st.integers(20, 120) | st.integers(60, 400)


def bound(request: Any, room: int) -> int | None:
    """A GET request cannot be cut: the association refuses it if it is too long."""
    return None if isinstance(request, GetRequest | GetRequestWithList) else room


@pytest.fixture(scope="module")
def joined(join: Any) -> Callable[[ActionContents], Any]:
    """A client and a server."""
    return lambda contents: join(
        lambda request, room: exchange(request, room, ALL, contents=contents),
        ServerTransfers(contents=contents),
        ALL,
        least=7,
        bound=bound,
    )


@settings(max_examples=600)
@given(dialogues(), ROOM, ROOM, st.sampled_from(ActionContents))
def test_what_is_sent_is_what_arrives(
    joined: Callable[[ActionContents], Any],
    dialogue: tuple[Any, Any],
    there: int | None,
    back: int | None,
    contents: ActionContents,
) -> None:
    joined(contents).arrives(*dialogue, there, back)


S = DataAccessResult.SUCCESS
ITEM = (ATTRIBUTE, None)
LONG_DIALOGUES: dict[str, Callable[[int, Data, Data], tuple[Any, Any]]] = {
    "get": lambda i, one, two: (GetRequest(i, ATTRIBUTE), GetResponse(i, one)),
    "gets": lambda i, one, two: (
        GetRequestWithList(i, (ITEM, ITEM)),
        GetResponseWithList(i, (one, two)),
    ),
    "set": lambda i, one, two: (SetRequest(i, ATTRIBUTE, one), SetResponse(i, S)),
    "sets": lambda i, one, two: (
        SetRequestWithList(i, (ITEM, ITEM), (one, two)),
        SetResponseWithList(i, (S, DataAccessResult.TYPE_UNMATCHED)),
    ),
    "action": lambda i, one, two: (
        ActionRequest(i, METHOD, one),
        ActionResponse(i, ActionResult.SUCCESS, two),
    ),
    "actions": lambda i, one, two: (
        ActionRequestWithList(i, (METHOD, METHOD), (one, NULL)),
        ActionResponseWithList(i, (MethodResult(ActionResult.SUCCESS, two),) * 2),
    ),
}


@pytest.mark.parametrize("kind", sorted(LONG_DIALOGUES))
@given(
    invoke=INVOKE,
    one=LONG,
    two=LONG,
    there=st.integers(31, 140),
    back=st.integers(11, 140),
    contents=st.sampled_from(ActionContents),
)
def test_long_values_arrive(
    kind: str,
    invoke: int,
    one: Data,
    two: Data,
    there: int,
    back: int,
    contents: ActionContents,
    joined: Callable[[ActionContents], Any],
) -> None:
    request, response = LONG_DIALOGUES[kind](invoke, one, two)
    both = joined(contents)
    both.run(request, response, there, back)
    assert both.carried_out == [request]
    assert both.returned == response
    whole = request if kind in ("set", "sets") else response
    assert both.steps > 1 or len(whole.encode()) <= (there if whole is request else back)


@given(dialogues(), st.integers(0, 60), st.data())
def test_a_dialogue_that_breaks_off_leaves_nothing_half_done(
    dialogue: tuple[Any, Any], room: int, data: st.DataObject
) -> None:
    """The client stops anywhere; the next dialogue goes as if the first had not been."""
    request, response = dialogue
    server = ServerTransfers()
    transfer = exchange(request, room, ALL)
    carried_out = 0
    try:
        step = next(transfer)
        for _ in range(data.draw(st.integers(0, 6))):
            outcome = server.receive(step)  # type: ignore[arg-type]
            if isinstance(outcome, Answer):
                step = transfer.send(outcome.response)
            else:
                carried_out += 1
                sent = server.send(response, 40, ALL)
                step = transfer.send(registry.decode(sent))  # type: ignore[arg-type]
    except (StopIteration, TooLong):
        pass
    assert carried_out <= 1
    plain = SetRequest(0xC1, ATTRIBUTE, NULL)
    assert server.receive(plain) == Complete(plain)
    assert server.pending == 0
    assert server.send(SetResponse(0xC1, DataAccessResult.SUCCESS), None, ALL).hex() == "c501c100"


LIMIT = 12
NUMBER = st.integers(0, 5)
RAW = st.sampled_from([b"", b"\x00", b"\x09\x02", b"ab", b"\x09\x02ab", bytes(9), bytes(13)])
BLOCK = st.builds(Block, st.booleans(), NUMBER, RAW)
ID = st.sampled_from([0x41, 0xC1, 0x42])


class Arbitrary(RuleBasedStateMachine):
    """Any steps in any order, against a model that keeps what a rightly sent value would be."""

    def __init__(self) -> None:
        super().__init__()
        self.server = ServerTransfers(max_total=LIMIT)
        self.value: tuple[str, int, bytes, int] | None = None
        """Service, invoke id, octets so far, number of the last block."""
        self.answer: tuple[int, bytes, int] | None = None
        """Invoke id, octets still to be sent, number of the last block."""

    @rule(invoke=ID, block=BLOCK)
    def first_of_set(self, invoke: int, block: Block) -> None:
        step = SetRequestFirstBlock(invoke, ATTRIBUTE, None, block)
        self.first("set", step, SetResponseBlock)

    @rule(invoke=ID, block=BLOCK)
    def first_of_action(self, invoke: int, block: Block) -> None:
        self.first("action", ActionRequestFirstBlock(invoke, METHOD, block), None)

    def first(self, service: str, step: Any, acknowledgement: type | None) -> None:
        outcome = self.server.receive(step)
        block = step.block
        self.value = self.answer = None
        if block.number == 1 and len(block.raw) <= LIMIT:
            self.value = (service, step.invoke & 15, block.raw, 1)
        self.judge(step, outcome)

    @rule(invoke=ID, block=BLOCK)
    def later_of_set(self, invoke: int, block: Block) -> None:
        self.later("set", SetRequestBlock(invoke, block))

    @rule(invoke=ID, block=BLOCK)
    def later_of_action(self, invoke: int, block: Block) -> None:
        self.later("action", ActionRequestBlock(invoke, block))

    @rule(last=st.booleans(), raw=RAW)
    def right_block(self, last: bool, raw: bytes) -> None:
        if self.value is not None:
            service, invoke_id, _, number = self.value
            kind = SetRequestBlock if service == "set" else ActionRequestBlock
            self.later(service, kind(0xC0 | invoke_id, Block(last, number + 1, raw)))

    def later(self, service: str, step: Any) -> None:
        outcome = self.server.receive(step)
        if self.value is None or self.value[:2] != (service, step.invoke & 15):
            assert isinstance(outcome, Answer)
            return
        raw = self.value[2] + step.block.raw
        if step.block.number != self.value[3] + 1 or len(raw) > LIMIT:
            self.value = None
        else:
            self.value = (*self.value[:2], raw, step.block.number)
        self.judge(step, outcome)

    def judge(self, step: Any, outcome: Complete | Answer) -> None:
        """Carried out if and only if the model has a whole and right value."""
        expected: Data | None = None
        if self.value is not None and step.block.last:
            try:
                expected = decode(self.value[2])
            except CodecError:
                expected = None
            self.value = None
        if expected is None:
            assert isinstance(outcome, Answer), outcome
            return
        assert isinstance(outcome, Complete), outcome
        request = outcome.request
        if isinstance(request, SetRequest):
            assert request == SetRequest(request.invoke, ATTRIBUTE, expected)
        else:
            assert request == ActionRequest(request.invoke, METHOD, expected)

    @rule(invoke=ID, value=st.binary(max_size=LIMIT - 2), room=st.integers(0, 20))
    def get(self, invoke: int, value: bytes, room: int) -> None:
        self.value = self.answer = None
        request = GetRequest(invoke, ATTRIBUTE)
        assert self.server.receive(request) == Complete(request)
        response = GetResponse(invoke, octet_string(value))
        try:
            sent: Any = registry.decode(self.server.send(response, room, ALL))
        except TooLong:
            assert room < 11
            return
        if isinstance(sent, GetResponse):
            assert sent == response
            return
        raw = bytes((9, len(value))) + value
        assert raw.startswith(sent.result)
        assert sent.result
        if not sent.last:
            self.answer = (invoke & 15, raw[len(sent.result) :], 1)

    @rule(invoke=ID, number=NUMBER)
    def next_get(self, invoke: int, number: int) -> None:
        outcome = self.server.receive(GetRequestNext(invoke, number))
        assert isinstance(outcome, Answer)
        block = outcome.response
        assert isinstance(block, GetResponseBlock)
        assert block.invoke == invoke
        if self.answer is None or self.answer[0] != invoke & 15:
            assert isinstance(block.result, DataAccessResult)
            return
        _, rest, sent = self.answer
        self.answer = None
        if number != sent:
            assert block.result is DataAccessResult.DATA_BLOCK_NUMBER_INVALID
            return
        assert isinstance(block.result, bytes)
        assert rest.startswith(block.result)
        assert block.result
        assert block.number == sent + 1
        assert block.last == (rest == block.result)
        if not block.last:
            self.answer = (invoke & 15, rest[len(block.result) :], block.number)

    @rule()
    def right_next(self) -> None:
        if self.answer is not None:
            self.next_get(0xC0 | self.answer[0], self.answer[2])

    @rule(invoke=ID, number=NUMBER)
    def next_action(self, invoke: int, number: int) -> None:
        outcome = self.server.receive(ActionRequestNextBlock(invoke, number))
        assert isinstance(outcome, Answer)
        assert isinstance(outcome.response, ActionResponse)
        assert outcome.response.result is not ActionResult.SUCCESS

    @rule()
    def reset(self) -> None:
        self.server.reset()
        self.value = self.answer = None

    @invariant()
    def bounded(self) -> None:
        assert self.server.pending <= LIMIT
        if self.value is not None:
            assert self.server.pending == len(self.value[2])
        elif self.answer is None:
            assert self.server.pending == 0


TestArbitrary = Arbitrary.TestCase
TestArbitrary.settings = settings(max_examples=150, stateful_step_count=40)
