"""The forms with list and with blocks: bounds, refusals, what they need, and round trips.

Known answers are in fixtures/vectors/blocks.json (tests/dlms/test_vectors.py).
"""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.axdr import Data
from dlms.axdr.data import NULL, array, octet_string, structure, unsigned
from dlms.errors import CodecError
from dlms.xdlms import registry
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestNextBlock,
    ActionRequestWithList,
    ActionRequestWithListFirstBlock,
    ActionResponse,
    ActionResponseBlock,
    ActionResponseNextBlock,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.block import Block
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance as C
from dlms.xdlms.descriptors import (
    MAX_ITEMS,
    AttributeDescriptor,
    MethodDescriptor,
    SelectiveAccess,
)
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
    SetRequestWithListFirstBlock,
    SetResponse,
    SetResponseBlock,
    SetResponseLastBlock,
    SetResponseLastBlockWithList,
    SetResponseWithList,
)

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
WHOLE_CLOCK = CLOCK._replace(attribute=0)
METHOD = MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
SELECTION = SelectiveAccess(2, NULL)
BLOCK = Block(False, 1, b"\x09")


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


# What a list may have in it


@pytest.mark.parametrize(
    "apdu",
    [
        GetRequestWithList(0x41, ((CLOCK, None),) * MAX_ITEMS),
        SetRequestWithList(0x41, ((CLOCK, None),) * MAX_ITEMS, (NULL,) * MAX_ITEMS),
        SetRequestWithListFirstBlock(0x41, ((CLOCK, None),) * MAX_ITEMS, BLOCK),
        ActionRequestWithList(0x41, (METHOD,) * MAX_ITEMS, (NULL,) * MAX_ITEMS),
        ActionRequestWithListFirstBlock(0x41, (METHOD,) * MAX_ITEMS, BLOCK),
        GetResponseWithList(0x41, (NULL,) * MAX_ITEMS),
        SetResponseWithList(0x41, (DataAccessResult.SUCCESS,) * MAX_ITEMS),
        SetResponseLastBlockWithList(0x41, (DataAccessResult.SUCCESS,) * MAX_ITEMS, 2),
        ActionResponseWithList(0x41, (MethodResult(ActionResult.SUCCESS),) * MAX_ITEMS),
    ],
    ids=lambda apdu: type(apdu).__name__,
)
def test_as_many_items_as_may_be_and_one_more(apdu: Any) -> None:
    whole = apdu.encode()
    assert whole[3:5] == b"\x81\xff"
    assert registry.decode(whole) == apdu
    changes = {name: [*value, value[0]] for name, value in apdu._asdict().items() if is_list(value)}
    with pytest.raises(CodecError, match="256 items, 255 allowed"):
        apdu._replace(**{name: tuple(value) for name, value in changes.items()}).encode()
    # The count is refused before its items are read: nothing is behind it.
    with pytest.raises(CodecError, match="256 items, 255 allowed") as caught:
        registry.decode(whole[:3] + b"\x82\x01\x00")
    assert caught.value.offset == 3


def is_list(value: Any) -> bool:
    """A tuple that is no NamedTuple."""
    return type(value) is tuple


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("C10441 01 0008 0000010000FF 02 00 02 00 00", "value-list"),
        ("C10441 01 0008 0000010000FF 02 00 00", "value-list"),
        ("C30341 01 0046 000060030AFF 01 02 00 00", "method-invocation-parameters"),
        ("C30341 00 01 00", "method-invocation-parameters"),
    ],
)
def test_not_one_value_for_each_item(text: str, field: str) -> None:
    with pytest.raises(CodecError, match="values for") as caught:
        registry.decode(octets(text))
    assert caught.value.field == field


def test_not_one_value_for_each_item_is_not_encoded() -> None:
    with pytest.raises(CodecError, match="2 values for 1 items"):
        SetRequestWithList(0x41, ((CLOCK, None),), (NULL, NULL)).encode()
    with pytest.raises(CodecError, match="0 values for 1 items"):
        ActionRequestWithList(0x41, (METHOD,), ()).encode()


# Blocks


@pytest.mark.parametrize("head", ["C10341", "C30641", "C70241", "C40241"])
def test_last_block_is_a_boolean(head: str) -> None:
    tail = "00000001 00 00" if head == "C40241" else "00000001 00"
    last, refused_at = {}, set()
    for octet in range(256):
        text = f"{head} {octet:02X} {tail}"
        try:
            apdu: Any = registry.decode(octets(text))
        except CodecError as error:
            refused_at.add(error.offset)
        else:
            last[octet] = apdu.last if isinstance(apdu, GetResponseBlock) else apdu.block.last
    assert last == {0: False, 1: True, 255: True}
    assert refused_at == {3}


@pytest.mark.parametrize("choice", [2, 255])
def test_unknown_datablock_result(choice: int) -> None:
    with pytest.raises(CodecError, match="unknown") as caught:
        registry.decode(octets(f"C40241 01 00000001 {choice:02X} 00"))
    assert caught.value.offset == 8


@pytest.mark.parametrize("number", [-1, 0x100000000])
def test_a_number_that_is_no_unsigned32(number: int) -> None:
    for apdu in (GetRequestNext(0x41, number), SetRequestBlock(0x41, Block(True, number, b""))):
        with pytest.raises(CodecError, match="Unsigned32"):
            apdu.encode()


@pytest.mark.parametrize(
    "text",
    [
        "C4 03 41 01 02 00",  # Get-Data-Result
        "C4 02 41 01 00000001 01 05",  # Data-Access-Result
        "C5 05 41 01 05",
        "C5 04 41 01 05 00000001",
        "C5 03 41 05 00000001",
        "C7 03 41 01 05 00",  # Action-Result
        "C7 03 41 01 00 02",  # presence flag
        "C3 03 41 01 0046 000060030AFF 01 01 0B",  # Data
    ],
)
def test_unknown_codes(text: str) -> None:
    with pytest.raises(CodecError):
        registry.decode(octets(text))


# What a particular request needs

NEEDS: list[tuple[Any, C]] = [
    (GetRequest(1, CLOCK), C.GET),
    (GetRequest(1, WHOLE_CLOCK), C.GET | C.ATTRIBUTE0_WITH_GET),
    (GetRequest(1, CLOCK, SELECTION), C.GET | C.SELECTIVE_ACCESS),
    (GetRequestNext(1, 1), C.GET | C.BLOCK_TRANSFER_WITH_GET_OR_READ),
    (GetRequestWithList(1, ((CLOCK, None),)), C.GET | C.MULTIPLE_REFERENCES),
    (
        GetRequestWithList(1, ((CLOCK, SELECTION), (WHOLE_CLOCK, None))),
        C.GET | C.MULTIPLE_REFERENCES | C.SELECTIVE_ACCESS | C.ATTRIBUTE0_WITH_GET,
    ),
    (SetRequest(1, CLOCK, NULL), C.SET),
    (SetRequest(1, WHOLE_CLOCK, NULL), C.SET | C.ATTRIBUTE0_WITH_SET),
    (SetRequest(1, CLOCK, NULL, SELECTION), C.SET | C.SELECTIVE_ACCESS),
    (SetRequestFirstBlock(1, CLOCK, None, BLOCK), C.SET | C.BLOCK_TRANSFER_WITH_SET_OR_WRITE),
    (
        SetRequestFirstBlock(1, WHOLE_CLOCK, SELECTION, BLOCK),
        C.SET | C.BLOCK_TRANSFER_WITH_SET_OR_WRITE | C.ATTRIBUTE0_WITH_SET | C.SELECTIVE_ACCESS,
    ),
    (SetRequestBlock(1, BLOCK), C.SET | C.BLOCK_TRANSFER_WITH_SET_OR_WRITE),
    (SetRequestWithList(1, ((CLOCK, None),), (NULL,)), C.SET | C.MULTIPLE_REFERENCES),
    (
        SetRequestWithListFirstBlock(1, ((CLOCK, SELECTION),), BLOCK),
        C.SET | C.MULTIPLE_REFERENCES | C.BLOCK_TRANSFER_WITH_SET_OR_WRITE | C.SELECTIVE_ACCESS,
    ),
    (ActionRequest(1, METHOD), C.ACTION),
    (ActionRequestNextBlock(1, 1), C.ACTION | C.BLOCK_TRANSFER_WITH_ACTION),
    (ActionRequestWithList(1, (METHOD,), (NULL,)), C.ACTION | C.MULTIPLE_REFERENCES),
    (ActionRequestFirstBlock(1, METHOD, BLOCK), C.ACTION | C.BLOCK_TRANSFER_WITH_ACTION),
    (
        ActionRequestWithListFirstBlock(1, (METHOD,), BLOCK),
        C.ACTION | C.MULTIPLE_REFERENCES | C.BLOCK_TRANSFER_WITH_ACTION,
    ),
    (ActionRequestBlock(1, BLOCK), C.ACTION | C.BLOCK_TRANSFER_WITH_ACTION),
]


@pytest.mark.parametrize(("request_", "needs"), NEEDS, ids=lambda value: type(value).__name__)
def test_needs(request_: Any, needs: C) -> None:
    assert request_.needs == needs
    row = registry.REQUESTS[request_.encode()[0]]
    assert row.needs & request_.needs == row.needs


def test_every_form_is_in_the_table_of_needs() -> None:
    ours = {form for form in get_args(registry.Request) if form.__module__.endswith(SERVICES)}
    assert {type(request) for request, _ in NEEDS} == ours
    assert len(ours) == 14


SERVICES = ("xdlms.get", "xdlms.set", "xdlms.action")

# Round trips

OCTET = st.integers(0, 255)
NUMBER = st.integers(0, 0xFFFFFFFF)
RAW = st.binary(max_size=300)
DATA = st.recursive(
    st.just(NULL) | OCTET.map(unsigned) | st.binary(max_size=200).map(octet_string),
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda parts: st.sampled_from([structure(*parts), array(*parts)])
    ),
    max_leaves=6,
)
INSTANCE = st.binary(min_size=6, max_size=6)
ATTRIBUTE = st.builds(AttributeDescriptor, st.integers(0, 0xFFFF), INSTANCE, OCTET)
A_METHOD = st.builds(MethodDescriptor, st.integers(0, 0xFFFF), INSTANCE, OCTET)
A_SELECTION = st.none() | st.builds(SelectiveAccess, OCTET, DATA)
ITEM = st.tuples(ATTRIBUTE, A_SELECTION)
ITEMS = st.lists(ITEM, max_size=5).map(tuple)
A_BLOCK = st.builds(Block, st.booleans(), NUMBER, RAW)
ACCESS = st.sampled_from(DataAccessResult)
GET_RESULT: st.SearchStrategy[Data | DataAccessResult] = DATA | ACCESS
METHOD_RESULT = st.builds(MethodResult, st.sampled_from(ActionResult), st.none() | GET_RESULT)


def unzipped(pairs: list[tuple[Any, Any]]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return tuple(first for first, _ in pairs), tuple(second for _, second in pairs)


APDU: st.SearchStrategy[Any] = st.one_of(
    st.builds(GetRequest, OCTET, ATTRIBUTE, A_SELECTION),
    st.builds(GetRequestNext, OCTET, NUMBER),
    st.builds(GetRequestWithList, OCTET, ITEMS),
    st.builds(GetResponse, OCTET, GET_RESULT),
    st.builds(GetResponseBlock, OCTET, st.booleans(), NUMBER, RAW | ACCESS),
    st.builds(GetResponseWithList, OCTET, st.lists(GET_RESULT, max_size=5).map(tuple)),
    st.builds(SetRequest, OCTET, ATTRIBUTE, DATA, A_SELECTION),
    st.builds(SetRequestFirstBlock, OCTET, ATTRIBUTE, A_SELECTION, A_BLOCK),
    st.builds(SetRequestBlock, OCTET, A_BLOCK),
    st.lists(st.tuples(ITEM, DATA), max_size=4).map(
        lambda pairs: SetRequestWithList(0x41, *unzipped(pairs))
    ),
    st.builds(SetRequestWithListFirstBlock, OCTET, ITEMS, A_BLOCK),
    st.builds(SetResponse, OCTET, ACCESS),
    st.builds(SetResponseBlock, OCTET, NUMBER),
    st.builds(SetResponseLastBlock, OCTET, ACCESS, NUMBER),
    st.builds(SetResponseLastBlockWithList, OCTET, st.lists(ACCESS).map(tuple), NUMBER),
    st.builds(SetResponseWithList, OCTET, st.lists(ACCESS).map(tuple)),
    st.builds(ActionRequest, OCTET, A_METHOD, st.none() | DATA),
    st.builds(ActionRequestNextBlock, OCTET, NUMBER),
    st.lists(st.tuples(A_METHOD, DATA), max_size=4).map(
        lambda pairs: ActionRequestWithList(0x41, *unzipped(pairs))
    ),
    st.builds(ActionRequestFirstBlock, OCTET, A_METHOD, A_BLOCK),
    st.builds(
        ActionRequestWithListFirstBlock, OCTET, st.lists(A_METHOD, max_size=5).map(tuple), A_BLOCK
    ),
    st.builds(ActionRequestBlock, OCTET, A_BLOCK),
    st.builds(ActionResponse, OCTET, st.sampled_from(ActionResult), st.none() | GET_RESULT),
    st.builds(ActionResponseBlock, OCTET, A_BLOCK),
    st.builds(ActionResponseWithList, OCTET, st.lists(METHOD_RESULT, max_size=5).map(tuple)),
    st.builds(ActionResponseNextBlock, OCTET, NUMBER),
)


@settings(max_examples=400)
@given(APDU)
def test_round_trip(apdu: Any) -> None:
    whole = apdu.encode()
    decoded = registry.decode(whole)
    assert decoded == apdu
    assert type(decoded) is type(apdu)


@given(APDU, st.data())
def test_cut_or_longer_is_refused(apdu: Any, data: st.DataObject) -> None:
    whole = apdu.encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    for octets_ in (whole[:cut], whole + b"\0"):
        with pytest.raises(CodecError) as caught:
            registry.decode(octets_)
        assert caught.value.offset is not None
        assert 0 <= caught.value.offset <= len(octets_)


def read_or_refused(octets_: bytes) -> None:
    """Refused; or what was read is what its own encoding is read as."""
    try:
        apdu: Any = registry.decode(octets_)
    except CodecError:
        return
    again = apdu.encode()
    assert registry.decode(again).encode() == again  # type: ignore[union-attr]


@given(APDU, st.data())
def test_each_changed_octet(apdu: Any, data: st.DataObject) -> None:
    whole = bytearray(apdu.encode())
    change = data.draw(st.integers(1, 255))
    for position in range(min(len(whole), 40)):
        whole[position] ^= change
        read_or_refused(bytes(whole))
        whole[position] ^= change


@settings(max_examples=400)
@given(
    st.sampled_from([0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7]), st.integers(0, 7), st.binary(max_size=80)
)
def test_any_octets(tag: int, choice: int, rest: bytes) -> None:
    read_or_refused(bytes((tag, choice)) + rest)
