"""Long values and lists through whole associations: blocks under ciphering, PDU sizes kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import BlockExchanged, ExceptionReceived, RequestReceived
from dlms.axdr.data import octet_string
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute
from dlms.client.refusals import AccessRefused, ServiceException
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.xdlms.block import Block
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import (
    GetRequest,
    GetRequestNext,
    GetRequestWithList,
    GetResponse,
)
from dlms.xdlms.set import (
    SetRequestBlock,
)

ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2)
METHOD = MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
SERVICES = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.GENERAL_PROTECTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}


CarryOut = Callable[[Any, Any], tuple[Any, Any]]


class Meter:
    """Carries out what it is asked, and counts how often."""

    def __init__(self, pair: Any, carry_out: CarryOut) -> None:
        self.pair = pair
        self.carry_out = carry_out
        self.value = octet_string(b"")
        self.done = 0
        self.longest = 0
        self.blocks = 0

    def answer(self, octets: bytes) -> bytes:
        pair = self.pair
        assert len(octets) <= pair.server.config.max_pdu_size
        event = pair.serve(pair.server.receive(octets))
        if isinstance(event, BlockExchanged):
            self.blocks += 1
            assert event.reply is not None
            reply: bytes = event.reply
        else:
            assert isinstance(event, RequestReceived), event
            self.done += 1
            response, self.value = self.carry_out(event.request, self.value)
            reply = pair.serve(pair.server.send(response))
        assert len(reply) <= pair.client.config.max_pdu_size
        self.longest = max(self.longest, len(reply))
        return reply


def hold(pair: Any, meter: Meter, dialogue: Any) -> Any:
    given: Any = None
    try:
        while True:
            wish = dialogue.send(given)
            given = pair.ask(wish.step) if isinstance(wish, Compute) else meter.answer(*wish.apdus)
    except StopIteration as stop:
        return stop.value


@pytest.fixture
def lab(bench: Any, carry_out: CarryOut) -> Any:
    def make(client_pdu: int = 128, server_pdu: int = 128, **kind: Any) -> Any:
        client = {"conformance": SERVICES, "max_pdu_size": client_pdu, **kind.pop("client", {})}
        server = {"conformance": SERVICES, "max_pdu_size": server_pdu, **kind.pop("server", {})}
        pair = bench(client=client, server=server, **kind).connect()
        return pair, Meter(pair, carry_out), Dialogues(pair.client)

    return make


KINDS: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "ciphered": {"server": {"policy": Protection.BOTH}},
    "general": {"client": {"form": Form.GENERAL}},
    "dedicated": {"dedicated": True},
    "authenticated": {"client": {"protection": Protection.AUTHENTICATED}},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_long_get_set_and_action(kind: dict[str, Any], lab: Any) -> None:
    pair, meter, dialogues = lab(**kind)
    value = octet_string(bytes(range(256)) * 4)
    hold(pair, meter, dialogues.set(ATTRIBUTE, value))
    assert (meter.value, meter.done) == (value, 1)
    assert hold(pair, meter, dialogues.get(ATTRIBUTE)) == value
    assert hold(pair, meter, dialogues.action(METHOD, value)) == value
    assert meter.done == 3
    assert meter.blocks > 30
    assert meter.longest > 110, "blocks are as long as may be"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_lists(kind: dict[str, Any], lab: Any) -> None:
    pair, meter, dialogues = lab(**kind)
    values = [octet_string(bytes((number,)) * 70) for number in range(5)]
    items = [(ATTRIBUTE, None)] * 5
    results = hold(pair, meter, dialogues.set_list(items, values))
    assert results == (DataAccessResult.SUCCESS,) * 5
    assert hold(pair, meter, dialogues.get_list(items)) == (values[-1],) * 5
    returned = hold(pair, meter, dialogues.action_list([METHOD] * 5, values))
    assert [result.returned for result in returned] == values
    assert meter.done == 3


@settings(max_examples=60)
@given(
    client_pdu=st.integers(44, 300),  # pass 4 has 44 octets, ciphered
    server_pdu=st.integers(80, 300),
    length=st.integers(0, 1200),
    plain=st.booleans(),
)
def test_any_sizes(
    bench: Any, carry_out: CarryOut, client_pdu: int, server_pdu: int, length: int, plain: bool
) -> None:
    pair = bench(
        client={"conformance": SERVICES, "max_pdu_size": client_pdu},
        server={"conformance": SERVICES, "max_pdu_size": server_pdu},
        **(PLAIN if plain else {}),
    ).connect()
    meter, dialogues = Meter(pair, carry_out), Dialogues(pair.client)
    value = octet_string(bytes(length))
    hold(pair, meter, dialogues.set(ATTRIBUTE, value))
    assert hold(pair, meter, dialogues.get(ATTRIBUTE)) == value
    assert meter.done == 2


def test_x_pdu_max(lab: Any) -> None:
    """Without block transfer what does not fit is an error, and never an over-long APDU."""
    bare = Conformance.GET | Conformance.GENERAL_PROTECTION
    pair, meter, dialogues = lab(client={"conformance": bare})
    meter.value = octet_string(bytes(200))
    with pytest.raises(ServiceException, match="pdu-too-long"):
        hold(pair, meter, dialogues.get(ATTRIBUTE))
    meter.value = octet_string(b"short")
    assert hold(pair, meter, dialogues.get(ATTRIBUTE)) == octet_string(b"short")


def exchanged(pair: Any, request: Any) -> Any:
    event = pair.serve(pair.server.receive(pair.ask(pair.client.request(request))))
    assert isinstance(event, BlockExchanged), event
    return pair.ask(pair.client.receive(event.reply)).response


@pytest.mark.parametrize("kind", [PLAIN, {}], ids=["plain", "ciphered"])
def test_x_get_block(kind: dict[str, Any], lab: Any) -> None:
    """X_GET_BLOCK_*: none in progress, and a wrong number, which aborts."""
    pair, meter, _ = lab(**kind)
    none = exchanged(pair, GetRequestNext(0x41, 1))
    assert none.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS
    meter.value = octet_string(bytes(1000))
    first = pair.ask(
        pair.client.receive(
            meter.answer(pair.ask(pair.client.request(GetRequest(0x41, ATTRIBUTE))))
        )
    )
    assert (first.response.number, first.response.last) == (1, False)
    assert pair.server.pending > 0
    wrong = exchanged(pair, GetRequestNext(0x41, 2))
    assert wrong.result is DataAccessResult.DATA_BLOCK_NUMBER_INVALID
    assert pair.server.pending == 0
    gone = exchanged(pair, GetRequestNext(0x41, 1))
    assert gone.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS


def test_x_set_block(lab: Any) -> None:
    """X_SET_BLOCK_*: a block of no transfer changes nothing."""
    pair, meter, _ = lab()
    answer = exchanged(pair, SetRequestBlock(0x41, Block(True, 2, b"\x09\x01\x00")))
    assert answer.result is DataAccessResult.NO_LONG_SET_IN_PROGRESS
    assert meter.done == 0


def test_a_transfer_ends_with_its_association(lab: Any) -> None:
    pair, meter, _ = lab()
    meter.value = octet_string(bytes(1000))
    meter.answer(pair.ask(pair.client.request(GetRequest(0x41, ATTRIBUTE))))
    assert pair.server.pending > 0
    pair.serve(pair.server.close())
    assert pair.server.pending == 0


def test_blocks_that_were_not_negotiated(lab: Any) -> None:
    """R-CONF-2: the bit of the very form is needed."""
    bare = Conformance.GET | Conformance.SET | Conformance.GENERAL_PROTECTION
    pair, _, _ = lab(server={"conformance": bare})
    for request in (GetRequestNext(0x41, 1), GetRequestWithList(0x41, ((ATTRIBUTE, None),))):
        hit = pair.hit(pair.sealed(request.encode()))
        assert hit.reply is not None
        assert isinstance(pair.ask(pair.client.receive(hit.reply)), ExceptionReceived)
        pair.client.state = pair.server.state


def test_a_refusal_in_blocks(lab: Any) -> None:
    """A response of one octet more or less than fits is a value or its blocks, never half of it."""
    pair, meter, dialogues = lab()
    for length in range(70, 130):
        meter.value = octet_string(bytes(length))
        assert hold(pair, meter, dialogues.get(ATTRIBUTE)) == meter.value


def test_an_error_is_no_block(lab: Any) -> None:
    pair, meter, dialogues = lab()
    meter.carry_out = lambda request, value: (
        GetResponse(request.invoke, DataAccessResult.OBJECT_UNDEFINED),
        value,
    )
    with pytest.raises(AccessRefused):
        hold(pair, meter, dialogues.get(ATTRIBUTE))
