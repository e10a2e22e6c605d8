"""The client's end of block transfer: what it sends, and how it judges what comes back."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dlms.axdr.data import NULL, octet_string, unsigned, visible_string
from dlms.errors import CodecError
from dlms.transfer.client import exchange
from dlms.transfer.contents import ActionContents
from dlms.transfer.judging import Limits
from dlms.transfer.pieces import TooLong
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
    SetResponseLastBlock,
    SetResponseLastBlockWithList,
    SetResponseWithList,
)

ALL = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
NONE = Conformance.GET | Conformance.SET | Conformance.ACTION
FIFTY = bytes.fromhex("".join(f"{number:02d}" for number in range(1, 51)))
"""The value of the Green Book's examples: BCD 1 to 50."""
ROOM = 40
"""Where the Green Book's examples are cut."""

FIRST = AttributeDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 2)
SECOND = AttributeDescriptor(1, bytes((0, 0, 128, 1, 0, 255)), 2)
METHOD = MethodDescriptor(9, bytes((0, 0, 10, 0, 0, 255)), 1)
LIST = ((FIRST, None), (SECOND, None))
GET = GetRequest(0xC1, FIRST)
GET_LIST = GetRequestWithList(0xC1, LIST)
SET = SetRequest(0xC1, FIRST, octet_string(FIFTY))
SET_LIST = SetRequestWithList(0xC1, LIST, (octet_string(FIFTY), visible_string("000")))
ACTION = ActionRequest(0xC1, METHOD, octet_string(FIFTY))
ACTION_LIST = ActionRequestWithList(0xC1, (METHOD,) * 2, (octet_string(FIFTY), NULL))

R = DataAccessResult
A = ActionResult


def vector(name: str) -> bytes:
    folder = Path(__file__).parents[3] / "fixtures" / "vectors"
    entries: list[dict[str, Any]] = [
        entry
        for file in ("xdlms", "blocks")
        for entry in json.loads((folder / f"{file}.json").read_text("utf-8"))
    ]
    (found,) = (entry["hex"] for entry in entries if entry["name"] == name)
    return bytes.fromhex(found)


@pytest.fixture(scope="module")
def played(play: Any) -> Any:
    return partial(play, exchange, conformance=ALL)


@pytest.fixture(scope="module")
def refused(refuse: Any) -> Any:
    return partial(refuse, exchange, conformance=ALL, room=ROOM)


# As it should be

FITTING: list[tuple[Any, Any]] = [
    (GET, GetResponse(0xC1, NULL)),
    (GET, GetResponse(0x41, R.OBJECT_UNDEFINED)),
    (GET_LIST, GetResponseWithList(0xC1, (NULL, R.OTHER_REASON))),
    (SET, SetResponse(0xC1, R.SUCCESS)),
    (SET_LIST, SetResponseWithList(0xC1, (R.SUCCESS, R.TYPE_UNMATCHED))),
    (ACTION, ActionResponse(0xC1, A.SUCCESS, NULL)),
    (ACTION, ActionResponse(0xC1, A.LONG_ACTION_ABORTED)),
    (ACTION_LIST, ActionResponseWithList(0xC1, (MethodResult(A.SUCCESS),) * 2)),
]


@pytest.mark.parametrize(("request_", "response"), FITTING)
def test_what_fits_goes_whole(request_: Any, response: Any, played: Any) -> None:
    for room in (None, len(request_.encode()), 1000):
        sent, returned = played(request_, response, room=room, conformance=NONE)
        assert sent == [request_]
        assert returned is response


def test_long_get_of_the_green_book(played: Any) -> None:
    sent, returned = played(
        GetRequest(0x81, FIRST),
        GetResponseBlock(0x81, False, 1, b"\x09\x32" + FIFTY[:28]),
        GetResponseBlock(0x81, True, 2, FIFTY[28:]),
    )
    assert sent[1].encode().hex() == "c0028100000001"
    assert returned == GetResponse(0x81, octet_string(FIFTY))


def test_long_get_with_list(played: Any) -> None:
    raw = b"\x02\x00\x09\x32" + FIFTY + b"\x01\x04"
    sent, returned = played(
        GET_LIST,
        GetResponseBlock(0xC1, False, 1, raw[:3]),
        GetResponseBlock(0xC1, False, 2, b""),
        GetResponseBlock(0xC1, True, 3, raw[3:]),
    )
    assert sent == [GET_LIST, GetRequestNext(0xC1, 1), GetRequestNext(0xC1, 2)]
    assert returned == GetResponseWithList(0xC1, (octet_string(FIFTY), R.OBJECT_UNDEFINED))


def test_long_set_of_the_green_book(played: Any) -> None:
    sent, returned = played(
        SET._replace(invoke=0x81),
        SetResponseBlock(0x81, 1),
        SetResponseLastBlock(0x81, R.SUCCESS, 2),
        room=ROOM,
    )
    assert [step.encode() for step in sent] == [
        vector("SET.request with first datablock (Green Book value)"),
        vector("SET.request with datablock 2, last (Green Book value)"),
    ]
    assert returned == SetResponse(0x81, R.SUCCESS)


def test_long_set_with_list_of_the_green_book(played: Any) -> None:
    sent, returned = played(
        SET_LIST._replace(invoke=0x81),
        SetResponseBlock(0x81, 1),
        SetResponseBlock(0x81, 2),
        SetResponseLastBlockWithList(0x81, (R.SUCCESS, R.READ_WRITE_DENIED), 3),
        room=ROOM,
    )
    assert sent[0].encode() == vector("SET.request with list of 2 and first datablock")
    assert sent[1] == SetRequestBlock(0x81, Block(False, 2, FIFTY[7:38]))
    assert sent[2] == SetRequestBlock(0x81, Block(True, 3, FIFTY[38:] + b"\x0a\x03000"))
    assert returned == SetResponseWithList(0x81, (R.SUCCESS, R.READ_WRITE_DENIED))


def test_long_set_with_selection(played: Any) -> None:
    selection = SelectiveAccess(1, unsigned(9))
    sent, _ = played(
        SET._replace(selection=selection),
        SetResponseBlock(0xC1, 1),
        SetResponseBlock(0xC1, 2),
        SetResponseLastBlock(0xC1, R.SUCCESS, 3),
        room=ROOM,
    )
    # 12 octets of service and descriptor, 4 of the selection, 5 of the block, 1 of the length.
    raw = b"\x09\x32" + FIFTY
    assert sent == [
        SetRequestFirstBlock(0xC1, FIRST, selection, Block(False, 1, raw[:18])),
        SetRequestBlock(0xC1, Block(False, 2, raw[18:49])),
        SetRequestBlock(0xC1, Block(True, 3, raw[49:])),
    ]


def test_long_action_both_ways(played: Any) -> None:
    response = b"\x00\x01\x00\x09\x32" + FIFTY
    sent, returned = played(
        ACTION,
        ActionResponseNextBlock(0xC1, 1),
        ActionResponseBlock(0xC1, Block(False, 1, response[:7])),
        ActionResponseBlock(0xC1, Block(True, 2, response[7:])),
        room=ROOM,
    )
    # 12 octets of service and descriptor, 5 of the block, 1 of the length: 22 are left of 40.
    raw = b"\x09\x32" + FIFTY
    assert sent == [
        ActionRequestFirstBlock(0xC1, METHOD, Block(False, 1, raw[:22])),
        ActionRequestBlock(0xC1, Block(True, 2, raw[22:])),
        ActionRequestNextBlock(0xC1, 1),
    ]
    assert [len(step.encode()) for step in sent] == [40, 39, 7]
    assert returned == ActionResponse(0xC1, A.SUCCESS, octet_string(FIFTY))


def test_long_action_with_list(played: Any) -> None:
    raw = b"\x02\x09\x32" + FIFTY + b"\x00"
    response = b"\x02\x00\x00\x04\x01\x01\x04"
    sent, returned = played(
        ACTION_LIST,
        ActionResponseNextBlock(0xC1, 1),
        ActionResponseNextBlock(0xC1, 2),
        ActionResponseBlock(0xC1, Block(False, 1, response[:3])),
        ActionResponseBlock(0xC1, Block(True, 2, response[3:])),
        room=ROOM,
    )
    begin = ActionRequestWithListFirstBlock(0xC1, (METHOD,) * 2, Block(False, 1, raw[:12]))
    assert sent == [
        begin,
        ActionRequestBlock(0xC1, Block(False, 2, raw[12:43])),
        ActionRequestBlock(0xC1, Block(True, 3, raw[43:])),
        ActionRequestNextBlock(0xC1, 1),
    ]
    results = (MethodResult(A.SUCCESS), MethodResult(A.OBJECT_UNDEFINED, R.OBJECT_UNDEFINED))
    assert returned == ActionResponseWithList(0xC1, results)


def test_long_action_answered_short(played: Any) -> None:
    response = ActionResponse(0xC1, A.TYPE_UNMATCHED)
    _, returned = played(ACTION, ActionResponseNextBlock(0xC1, 1), response, room=ROOM)
    assert returned == response


def test_action_contents_data(played: Any) -> None:
    _, returned = played(
        ActionRequest(0xC1, METHOD),
        ActionResponseBlock(0xC1, Block(True, 1, b"\x11\x07")),
        contents=ActionContents.DATA,
    )
    assert returned == ActionResponse(0xC1, A.SUCCESS, unsigned(7))


# The server says no


def test_a_get_that_ends_in_an_error(played: Any) -> None:
    good = GetResponseBlock(0xC1, False, 1, b"\x02")
    for number in (2, 1, 99):  # what was asked for, or what is meant: servers differ
        bad = GetResponseBlock(0xC1, True, number, R.DATA_BLOCK_UNAVAILABLE)
        assert played(GET, good, bad)[1] == GetResponse(0xC1, R.DATA_BLOCK_UNAVAILABLE)
        assert played(GET_LIST, good, bad)[1].results == (R.DATA_BLOCK_UNAVAILABLE,) * 2


@pytest.mark.parametrize("before", [[], [SetResponseBlock(0xC1, 1)]])
def test_a_set_that_is_aborted(before: list[Any], played: Any) -> None:
    why = SetResponseLastBlock(0xC1, R.LONG_SET_ABORTED, 77)
    _, returned = played(SET._replace(value=octet_string(bytes(60))), *before, why, room=ROOM)
    assert returned == SetResponse(0xC1, R.LONG_SET_ABORTED)
    _, returned = played(SET_LIST, *before, why, room=ROOM)
    assert returned == SetResponseWithList(0xC1, (R.LONG_SET_ABORTED,) * 2)
    why_each = SetResponseLastBlockWithList(0xC1, (R.LONG_SET_ABORTED, R.OTHER_REASON), 1)
    _, returned = played(SET_LIST, *before, why_each, room=ROOM)
    assert returned == SetResponseWithList(0xC1, (R.LONG_SET_ABORTED, R.OTHER_REASON))


@pytest.mark.parametrize("before", [[], [ActionResponseNextBlock(0xC1, 1)]])
def test_an_action_that_is_aborted(before: list[Any], played: Any) -> None:
    why = ActionResponse(0xC1, A.LONG_ACTION_ABORTED)
    assert played(ACTION, *before, why, room=ROOM)[1] == why
    each = (MethodResult(A.LONG_ACTION_ABORTED),) * 2
    for steps in (before, [*before, ActionResponseNextBlock(0xC1, len(before) + 1)]):
        _, returned = played(ACTION_LIST, *steps, why, room=ROOM)
        assert returned == ActionResponseWithList(0xC1, each)


def test_a_long_action_response_that_is_aborted(played: Any) -> None:
    block = ActionResponseBlock(0xC1, Block(False, 1, b"\x00"))
    why = ActionResponse(0xC1, A.LONG_ACTION_ABORTED)
    assert played(ACTION, block, why)[1] == why
    each = (MethodResult(A.LONG_ACTION_ABORTED),) * 2
    assert played(ACTION_LIST, block, why)[1] == ActionResponseWithList(0xC1, each)


# The server does not keep to the procedure

BLOCK = GetResponseBlock(0xC1, False, 1, b"\x02")
PBLOCK = ActionResponseBlock(0xC1, Block(False, 1, b"\x02"))
EVERY: list[Any] = [
    *(response for _, response in FITTING),
    BLOCK,
    PBLOCK,
    SetResponseBlock(0xC1, 1),
    SetResponseLastBlock(0xC1, R.SUCCESS, 1),
    SetResponseLastBlockWithList(0xC1, (R.SUCCESS,) * 2, 1),
    ActionResponseNextBlock(0xC1, 1),
]


@pytest.mark.parametrize("request_", [GET, GET_LIST, SET, SET_LIST, ACTION, ACTION_LIST])
@pytest.mark.parametrize("conformance", [ALL, NONE])
def test_every_form_that_does_not_belong(
    request_: Any, conformance: Conformance, refused: Any
) -> None:
    fitting = {type(response) for request, response in FITTING if request == request_}
    if conformance == ALL:
        fitting |= {type(BLOCK)} if isinstance(request_, GetRequest | GetRequestWithList) else set()
        fitting |= {type(PBLOCK)} if request_ in (ACTION, ACTION_LIST) else set()
    tried = 0
    for response in EVERY:
        if type(response) not in fitting:
            options = {"room": None, "conformance": conformance}
            assert refused(request_, response, **options) == "unexpected-form"
            tried += 1
    assert tried >= 9


@pytest.mark.parametrize(
    ("request_", "before", "right"),
    [
        (GET, [BLOCK], {GetResponseBlock}),
        (SET, [], {SetResponseBlock, SetResponseLastBlock}),
        (SET, [SetResponseBlock(0xC1, 1)], {SetResponseLastBlock}),
        (
            SET_LIST,
            [],
            {SetResponseBlock, SetResponseLastBlock, SetResponseLastBlockWithList},
        ),
        (ACTION, [], {ActionResponseNextBlock, ActionResponse}),
        (ACTION, [ActionResponseNextBlock(0xC1, 1)], {ActionResponse, ActionResponseBlock}),
        (
            ACTION_LIST,
            [ActionResponseNextBlock(0xC1, 1)],
            {ActionResponse, ActionResponseNextBlock},
        ),
        (ActionRequest(0xC1, METHOD), [PBLOCK], {ActionResponse, ActionResponseBlock}),
    ],
)
def test_every_form_that_does_not_belong_amid_a_transfer(
    request_: Any, before: list[Any], right: set[type], refused: Any
) -> None:
    for response in EVERY:
        if type(response) not in right:
            assert refused(request_, *before, response) == "unexpected-form"


@pytest.mark.parametrize("number", [0, 2, 7])
def test_a_wrong_number(number: int, refused: Any) -> None:
    """X_CLI_BLOCK."""
    assert refused(GET, BLOCK._replace(number=number)) == "block-number"
    assert refused(ACTION, PBLOCK._replace(block=Block(False, number, b"")), room=None) == (
        "block-number"
    )
    assert refused(SET, SetResponseBlock(0xC1, number)) == "block-number"
    assert refused(ACTION, ActionResponseNextBlock(0xC1, number)) == "block-number"
    success = SetResponseLastBlock(0xC1, R.SUCCESS, 2 if number == 0 else number + 1)
    if success.number != 2:
        assert refused(SET, SetResponseBlock(0xC1, 1), success) == "block-number"


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_wrong_number_amid_the_transfer(number: int, refused: Any) -> None:
    assert refused(GET, BLOCK, BLOCK._replace(number=number)) == "block-number"
    again = ActionResponseBlock(0xC1, Block(True, number, b"\x00"))
    assert refused(ActionRequest(0xC1, METHOD), PBLOCK, again) == "block-number"
    begun = SetResponseBlock(0xC1, 1)
    last = SetResponseLastBlockWithList(0xC1, (R.SUCCESS, R.OTHER_REASON), number)
    steps = (begun, SetResponseBlock(0xC1, 2))
    if number != 3:
        assert refused(SET_LIST, *steps, last) == "block-number"
        assert refused(SET_LIST, begun, SetResponseBlock(0xC1, number)) == "block-number"


def test_another_invoke_id(played: Any, refused: Any) -> None:
    for request in (GET, SET, ACTION):
        for response in EVERY:
            assert refused(request, response._replace(invoke=0xC2)) == "invoke-id"
    assert refused(GET, BLOCK, BLOCK._replace(invoke=0xC3, number=2)) == "invoke-id"
    begun = ActionResponseNextBlock(0xC1, 1)
    assert refused(ACTION, begun, PBLOCK._replace(invoke=0xC0)) == "invoke-id"
    # Its other bits are not looked at.
    assert played(GET, GetResponse(0x01, NULL))[1] == GetResponse(0x01, NULL)


def test_success_before_the_end(refused: Any) -> None:
    early = SetResponseLastBlock(0xC1, R.SUCCESS, 1)
    assert refused(SET, early) == "early-success"
    mixed = SetResponseLastBlockWithList(0xC1, (R.OTHER_REASON, R.SUCCESS), 1)
    assert refused(SET_LIST, mixed) == "early-success"
    assert refused(ACTION, ActionResponse(0xC1, A.SUCCESS)) == "early-success"
    assert refused(ActionRequest(0xC1, METHOD), PBLOCK, ActionResponse(0xC1, A.SUCCESS)) == (
        "early-success"
    )
    assert refused(GET, GetResponseBlock(0xC1, True, 1, R.SUCCESS)) == "early-success"


def test_not_one_result_for_each_item(refused: Any) -> None:
    one = GetResponseWithList(0xC1, (NULL,))
    assert refused(GET_LIST, one) == "unexpected-form"
    assert refused(SET_LIST, SetResponseWithList(0xC1, (R.SUCCESS,)), room=None) == (
        "unexpected-form"
    )
    three = ActionResponseWithList(0xC1, (MethodResult(A.SUCCESS),) * 3)
    assert refused(ACTION_LIST, three, room=None) == "unexpected-form"
    begun = SetResponseBlock(0xC1, 1), SetResponseBlock(0xC1, 2)
    few = SetResponseLastBlockWithList(0xC1, (R.SUCCESS,), 3)
    assert refused(SET_LIST, *begun, few) == "unexpected-form"
    only_one_for_all = SetResponseLastBlock(0xC1, R.SUCCESS, 3)
    assert refused(SET_LIST, *begun, only_one_for_all) == "unexpected-form"


@pytest.mark.parametrize(
    ("request_", "raw"),
    [
        (GET, b""),
        (GET, b"\x09\x02a"),
        (GET, b"\x00\x00"),
        (GET_LIST, b"\x02\x00\x00"),
        (GET_LIST, b"\x01\x00\x00"),
        (GET_LIST, b"\x03\x00\x00\x00\x00\x00\x00"),
        (GET_LIST, b"\x02\x00\x00\x00\x00\x00"),
    ],
)
def test_octets_that_are_no_value(request_: Any, raw: bytes, refused: Any) -> None:
    block = GetResponseBlock(0xC1, True, 1, raw)
    assert refused(request_, block) == "malformed-blocks"


@pytest.mark.parametrize(
    ("request_", "raw"),
    [
        (ACTION, b""),
        (ACTION, b"\x00"),
        (ACTION, b"\x00\x00\x00"),
        (ACTION, b"\x11\x07"),
        (ACTION_LIST, b"\x01\x00\x00"),
        (ACTION_LIST, b"\x02\x00\x00\x00"),
        (ACTION_LIST, b"\x02\x00\x00\x00\x00\x00"),
    ],
)
def test_octets_that_are_no_response(request_: Any, raw: bytes, refused: Any) -> None:
    block = ActionResponseBlock(0xC1, Block(True, 1, raw))
    assert refused(request_, block, room=None) == "malformed-blocks"


def test_a_server_that_never_ends(played: Any, refused: Any) -> None:
    limits = Limits(total=10, blocks=1000)
    blocks = [GetResponseBlock(0xC1, False, number, b"abcd") for number in (1, 2, 3)]
    assert refused(GET, *blocks, limits=limits) == "long-response"
    pblocks = [ActionResponseBlock(0xC1, Block(False, n, b"abcd")) for n in (1, 2, 3)]
    assert refused(ACTION, *pblocks, limits=limits, room=None) == "long-response"
    # The bounds themselves are kept to.
    last = GetResponseBlock(0xC1, True, 2, b"12345678")
    first = GetResponseBlock(0xC1, False, 1, b"\x09\x08")
    assert played(GET, first, last, limits=limits)[1].result == octet_string(b"12345678")


def test_a_server_that_sends_empty_blocks(played: Any, refused: Any) -> None:
    limits = Limits(blocks=3)
    blocks = [GetResponseBlock(0xC1, False, number, b"") for number in range(1, 5)]
    assert refused(GET, *blocks, limits=limits) == "long-response"
    last = GetResponseBlock(0xC1, True, 3, b"\0")
    assert played(GET, *blocks[:2], last, limits=limits)[1] == GetResponse(0xC1, NULL)


# What cannot be sent


@pytest.mark.parametrize(
    ("request_", "room", "conformance"),
    [
        (SET, 40, NONE),
        (SET, 40, Conformance.BLOCK_TRANSFER_WITH_ACTION),
        (SET, 19, ALL),  # header and length octet of the first block, and nothing else
        (SET, -5, ALL),
        (SET_LIST, 30, ALL),
        (ACTION, 40, NONE),
        (ACTION, 40, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE),
        (ACTION, 18, ALL),
        (ActionRequest(0xC1, METHOD), 12, ALL),  # nothing in it that could be cut
    ],
)
def test_too_long(request_: Any, room: int, conformance: Conformance) -> None:
    with pytest.raises(TooLong):
        next(exchange(request_, room, conformance))


def test_least_room() -> None:
    assert next(exchange(SET, 20, ALL)).encode().hex()[-12:] == "000000010109"
    assert next(exchange(ACTION, 19, ALL)).encode().hex()[-12:] == "000000010109"


def test_a_list_that_is_wrong_is_not_begun() -> None:
    for room in (None, 40):
        with pytest.raises(CodecError):
            next(exchange(SET_LIST._replace(values=(NULL,)), room, ALL)).encode()
