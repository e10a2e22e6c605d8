"""The server's end of block transfer: what it answers to every step, right and wrong.

Octets are those of the Green Book's examples where it has one (fixtures/vectors), or put together
by hand. The names in capitals are those of the project's catalogue of cases.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlms.axdr.data import NULL, octet_string, structure, unsigned, visible_string
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
    SetRequestWithListFirstBlock,
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
SELECTION = SelectiveAccess(2, NULL)

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


def answer(transfers: ServerTransfers, request: Any) -> Any:
    outcome = transfers.receive(request)
    assert isinstance(outcome, Answer), outcome
    return outcome.response


def complete(transfers: ServerTransfers, request: Any) -> Any:
    outcome = transfers.receive(request)
    assert isinstance(outcome, Complete), outcome
    return outcome.request


def long_get(invoke: int = 0xC1, **options: Any) -> ServerTransfers:
    """A server with a long GET under way, block 1 of 6 sent."""
    transfers = ServerTransfers(**options)
    complete(transfers, GET._replace(invoke=invoke))
    sent = transfers.send(GetResponse(invoke, octet_string(FIFTY)), 20, ALL)
    assert registry.decode(sent) == GetResponseBlock(invoke, False, 1, b"\x09\x32" + FIFTY[:8])
    assert transfers.pending == 52
    return transfers


def set_begun(**options: Any) -> ServerTransfers:
    """A server with a long SET under way, block 1 received."""
    transfers = ServerTransfers(**options)
    begin = SetRequestFirstBlock(0xC1, FIRST, None, Block(False, 1, b"\x09\x04"))
    assert answer(transfers, begin) == SetResponseBlock(0xC1, 1)
    return transfers


def action_begun(**options: Any) -> ServerTransfers:
    transfers = ServerTransfers(**options)
    begin = ActionRequestFirstBlock(0xC1, METHOD, Block(False, 1, b"\x09\x04"))
    assert answer(transfers, begin) == ActionResponseNextBlock(0xC1, 1)
    return transfers


# GET


def test_long_get_of_the_green_book() -> None:
    transfers = ServerTransfers()
    complete(transfers, GetRequest(0x81, FIRST))
    first = transfers.send(GetResponse(0x81, octet_string(FIFTY)), ROOM, ALL)
    assert first == vector("GET.response with datablock 1 (Green Book)")
    second = answer(transfers, GetRequestNext(0x81, 1))
    assert second.encode() == vector("GET.response with datablock 2, last (Green Book)")
    assert transfers.pending == 0


def test_long_get_with_list() -> None:
    transfers = ServerTransfers()
    request = GetRequestWithList(0xC1, LIST)
    assert complete(transfers, request) == request
    results = (octet_string(FIFTY), R.OBJECT_UNDEFINED, visible_string("000"))
    first = transfers.send(GetResponseWithList(0xC1, results), ROOM, ALL)
    # SEQUENCE OF Get-Data-Result: the count, then the choice before each result.
    assert first.hex() == "c402c100000000010 01e03000932".replace(" ", "") + FIFTY[:26].hex()
    second = answer(transfers, GetRequestNext(0xC1, 1))
    rest = FIFTY[26:] + bytes.fromhex("0104 000a03303030")
    assert second == GetResponseBlock(0xC1, False, 2, rest[:30])
    third = answer(transfers, GetRequestNext(0xC1, 2))
    assert third == GetResponseBlock(0xC1, True, 3, rest[30:])


def test_a_response_that_fits_goes_whole() -> None:
    response = GetResponse(0xC1, octet_string(FIFTY))
    whole = response.encode()
    for room in (None, len(whole), 1000):
        transfers = ServerTransfers()
        complete(transfers, GET)
        assert transfers.send(response, room, NONE) == whole
        assert transfers.pending == 0
    complete(transfers, GET)
    assert transfers.send(response, len(whole) - 1, ALL) != whole


@pytest.mark.parametrize("number", [0, 2, 3, 7, 0xFFFFFFFF])
def test_X_GET_BLOCK_wrong_number(number: int) -> None:
    transfers = long_get()
    refused = answer(transfers, GetRequestNext(0xC1, number))
    assert refused == GetResponseBlock(0xC1, True, number, R.DATA_BLOCK_NUMBER_INVALID)
    assert transfers.pending == 0
    # It was aborted: the right number comes too late.
    late = answer(transfers, GetRequestNext(0xC1, 1))
    assert late == GetResponseBlock(0xC1, True, 1, R.NO_LONG_GET_IN_PROGRESS)


def test_X_GET_BLOCK_old_number() -> None:
    transfers = long_get()
    assert answer(transfers, GetRequestNext(0xC1, 1)).number == 2
    refused = answer(transfers, GetRequestNext(0xC1, 1))
    assert refused.result is R.DATA_BLOCK_NUMBER_INVALID


def test_X_GET_BLOCK_none_in_progress() -> None:
    transfers = ServerTransfers()
    refused = answer(transfers, GetRequestNext(0x41, 1))
    assert refused == GetResponseBlock(0x41, True, 1, R.NO_LONG_GET_IN_PROGRESS)


def test_X_GET_BLOCK_none_in_progress_any_more() -> None:
    transfers = long_get()
    for number in range(1, 6):
        block = answer(transfers, GetRequestNext(0xC1, number))
        assert (block.number, block.last) == (number + 1, number == 5)
    refused = answer(transfers, GetRequestNext(0xC1, 6))
    assert refused.result is R.NO_LONG_GET_IN_PROGRESS


NEW_REQUESTS = [
    GET,
    GetRequestWithList(0xC2, LIST),
    SetRequest(0xC2, FIRST, NULL),
    SetRequestWithList(0xC2, LIST, (NULL, NULL)),
    ActionRequest(0xC2, METHOD),
    ActionRequestWithList(0xC2, (METHOD,), (NULL,)),
]


@pytest.mark.parametrize("request_", NEW_REQUESTS, ids=lambda value: type(value).__name__)
def test_X_GET_BLOCK_new_request_amid_the_transfer(request_: Any) -> None:
    """It is served; the rest of the old value is told once to be aborted."""
    transfers = long_get()
    assert complete(transfers, request_) == request_
    assert transfers.pending == 0
    refused = answer(transfers, GetRequestNext(0xC1, 1))
    assert refused == GetResponseBlock(0xC1, True, 1, R.LONG_GET_ABORTED)
    refused = answer(transfers, GetRequestNext(0xC1, 1))
    assert refused.result is R.NO_LONG_GET_IN_PROGRESS


def test_X_GET_BLOCK_new_long_get_with_the_same_invoke_id() -> None:
    transfers = long_get()
    complete(transfers, GET)
    sent = transfers.send(GetResponse(0xC1, octet_string(b"x" * 50)), 20, ALL)
    assert registry.decode(sent).number == 1  # type: ignore[union-attr]
    assert answer(transfers, GetRequestNext(0xC1, 1)).result == b"x" * 10
    for number in range(2, 6):
        answer(transfers, GetRequestNext(0xC1, number))
    # The second one ended well: nothing is left of the first one's abortion.
    assert answer(transfers, GetRequestNext(0xC1, 6)).result is R.NO_LONG_GET_IN_PROGRESS


def test_another_invoke_id_is_another_invocation() -> None:
    transfers = long_get()
    refused = answer(transfers, GetRequestNext(0xC2, 1))
    assert refused == GetResponseBlock(0xC2, True, 1, R.NO_LONG_GET_IN_PROGRESS)
    assert answer(transfers, GetRequestNext(0xC1, 1)).number == 2
    # Priority is no part of the invoke id.
    assert answer(transfers, GetRequestNext(0x41, 2)) == GetResponseBlock(
        0x41, False, 3, FIFTY[18:28]
    )


def test_a_block_of_another_service_belongs_to_no_transfer() -> None:
    transfers = long_get()
    assert answer(transfers, ActionRequestNextBlock(0xC1, 1)).result is A.NO_LONG_ACTION_IN_PROGRESS
    stray = SetRequestBlock(0xC1, Block(True, 2, b"\0"))
    assert answer(transfers, stray).result is R.NO_LONG_SET_IN_PROGRESS
    assert answer(transfers, GetRequestNext(0xC1, 1)).number == 2


def test_reset_forgets() -> None:
    transfers = long_get()
    transfers.reset()
    assert transfers.pending == 0
    assert answer(transfers, GetRequestNext(0xC1, 1)).result is R.NO_LONG_GET_IN_PROGRESS
    transfers = long_get()
    complete(transfers, GET)
    transfers.reset()
    assert answer(transfers, GetRequestNext(0xC1, 1)).result is R.NO_LONG_GET_IN_PROGRESS
    transfers = ServerTransfers()
    complete(transfers, SetRequestFirstBlock(0xC1, FIRST, None, Block(True, 1, b"\0")))
    transfers.reset()
    assert transfers.send(SetResponse(0xC1, R.SUCCESS), None, ALL).hex() == "c501c100"


# What cannot be cut


@pytest.mark.parametrize(
    ("response", "room", "conformance"),
    [
        (GetResponse(1, octet_string(FIFTY)), 40, NONE),
        (GetResponse(1, octet_string(FIFTY)), 40, Conformance.BLOCK_TRANSFER_WITH_ACTION),
        (GetResponse(1, octet_string(FIFTY)), 10, ALL),  # header and length octet, nothing else
        (GetResponse(1, octet_string(FIFTY)), 0, ALL),
        (GetResponse(1, octet_string(FIFTY)), -20, ALL),
        (GetResponse(1, R.OBJECT_UNDEFINED), 4, ALL),
        (GetResponseWithList(1, (NULL,) * 50), 60, NONE),
        (ActionResponse(1, A.SUCCESS, octet_string(FIFTY)), 40, NONE),
        (ActionResponse(1, A.SUCCESS, octet_string(FIFTY)), 9, ALL),
        (
            ActionResponse(1, A.SUCCESS, octet_string(FIFTY)),
            40,
            Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ,
        ),
        (SetResponseWithList(1, (R.SUCCESS,) * 50), 40, ALL),  # the books have no blocks for it
    ],
)
def test_too_long(response: Any, room: int, conformance: Conformance) -> None:
    transfers = ServerTransfers()
    with pytest.raises(TooLong):
        transfers.send(response, room, conformance)
    assert transfers.pending == 0


def test_least_room() -> None:
    transfers = ServerTransfers()
    sent = transfers.send(GetResponse(0x41, octet_string(FIFTY)), 11, ALL)
    assert sent.hex() == "c40241 00 00000001 00 01 09".replace(" ", "")
    sent = transfers.send(ActionResponse(0x41, A.SUCCESS, octet_string(FIFTY)), 10, ALL)
    assert sent.hex() == "c70241 00 00000001 01 00".replace(" ", "")


def test_more_than_max_total_is_not_kept() -> None:
    transfers = ServerTransfers(max_total=51)
    with pytest.raises(TooLong):
        transfers.send(GetResponse(0x41, octet_string(FIFTY)), 40, ALL)
    transfers = ServerTransfers(max_total=52)
    transfers.send(GetResponse(0x41, octet_string(FIFTY)), 40, ALL)
    assert transfers.pending == 52


# SET


def test_long_set_of_the_green_book() -> None:
    transfers = ServerTransfers()
    first = registry.decode(vector("SET.request with first datablock (Green Book value)"))
    second = registry.decode(vector("SET.request with datablock 2, last (Green Book value)"))
    assert answer(transfers, first).encode().hex() == "c5028100000001"
    assert transfers.pending == 21
    assert complete(transfers, second) == SetRequest(0x81, FIRST, octet_string(FIFTY))
    assert transfers.pending == 0
    sent = transfers.send(SetResponse(0x81, R.SUCCESS), ROOM, ALL)
    assert sent.hex() == "c5038100 00000002".replace(" ", "")


def test_long_set_with_list_of_the_green_book() -> None:
    transfers = ServerTransfers()
    first = registry.decode(vector("SET.request with list of 2 and first datablock"))
    assert answer(transfers, first) == SetResponseBlock(0x81, 1)
    second = SetRequestBlock(0x81, Block(False, 2, FIFTY[7:38]))
    assert answer(transfers, second) == SetResponseBlock(0x81, 2)
    third = SetRequestBlock(0x81, Block(True, 3, FIFTY[38:] + b"\x0a\x03000"))
    whole = complete(transfers, third)
    assert whole.encode() == vector("SET.request with list of 2 (Green Book p.291)")
    sent = transfers.send(SetResponseWithList(0x81, (R.SUCCESS, R.TYPE_UNMATCHED)), ROOM, ALL)
    assert sent.hex() == "c50481 02 00 0c 00000003".replace(" ", "")


def test_long_set_in_one_block() -> None:
    transfers = ServerTransfers()
    begin = SetRequestFirstBlock(0xC1, FIRST, SELECTION, Block(True, 1, b"\x11\x07"))
    assert complete(transfers, begin) == SetRequest(0xC1, FIRST, unsigned(7), SELECTION)
    sent = transfers.send(SetResponse(0xC1, R.READ_WRITE_DENIED), None, ALL)
    assert registry.decode(sent) == SetResponseLastBlock(0xC1, R.READ_WRITE_DENIED, 1)


def test_the_form_of_the_response_is_that_of_its_own_request() -> None:
    """The request in blocks was never answered; the next one is a plain one."""
    transfers = ServerTransfers()
    complete(transfers, SetRequestFirstBlock(0xC1, FIRST, None, Block(True, 1, b"\0")))
    complete(transfers, SetRequest(0xC2, FIRST, NULL))
    assert transfers.send(SetResponse(0xC2, R.SUCCESS), None, ALL).hex() == "c501c200"


@pytest.mark.parametrize("number", [0, 1, 3, 0xFFFFFFFF])
@pytest.mark.parametrize("last", [False, True])
def test_X_SET_BLOCK_wrong_number(number: int, last: bool) -> None:
    transfers = set_begun()
    wrong = SetRequestBlock(0xC1, Block(last, number, b"abcd"))
    refused = SetResponseLastBlock(0xC1, R.DATA_BLOCK_NUMBER_INVALID, number)
    assert answer(transfers, wrong) == refused
    assert transfers.pending == 0
    late = SetRequestBlock(0xC1, Block(True, 2, b"abcd"))
    assert answer(transfers, late) == SetResponseLastBlock(0xC1, R.NO_LONG_SET_IN_PROGRESS, 2)


@pytest.mark.parametrize("number", [0, 2])
def test_X_SET_BLOCK_first_number_is_not_1(number: int) -> None:
    for begin in (
        SetRequestFirstBlock(0xC1, FIRST, None, Block(True, number, b"\0")),
        SetRequestWithListFirstBlock(0xC1, LIST, Block(True, number, b"\2\0\0")),
    ):
        transfers = ServerTransfers()
        refused = SetResponseLastBlock(0xC1, R.DATA_BLOCK_NUMBER_INVALID, number)
        assert answer(transfers, begin) == refused


def test_X_SET_BLOCK_none_in_progress() -> None:
    stray = SetRequestBlock(0x41, Block(True, 2, b"\0"))
    refused = SetResponseLastBlock(0x41, R.NO_LONG_SET_IN_PROGRESS, 2)
    assert answer(ServerTransfers(), stray) == refused


def test_X_SET_BLOCK_last_block_twice() -> None:
    transfers = set_begun()
    last = SetRequestBlock(0xC1, Block(True, 2, b"abcd"))
    assert complete(transfers, last) == SetRequest(0xC1, FIRST, octet_string(b"abcd"))
    assert answer(transfers, last) == SetResponseLastBlock(0xC1, R.NO_LONG_SET_IN_PROGRESS, 2)


@pytest.mark.parametrize("request_", NEW_REQUESTS, ids=lambda value: type(value).__name__)
def test_X_SET_BLOCK_new_request_amid_the_transfer(request_: Any) -> None:
    """The last block is missing: the attribute stays as it was."""
    transfers = set_begun()
    assert complete(transfers, request_) == request_
    late = SetRequestBlock(0xC1, Block(True, 2, b"abcd"))
    assert answer(transfers, late) == SetResponseLastBlock(0xC1, R.LONG_SET_ABORTED, 2)
    assert answer(transfers, late) == SetResponseLastBlock(0xC1, R.NO_LONG_SET_IN_PROGRESS, 2)


def test_X_SET_BLOCK_begun_anew() -> None:
    transfers = set_begun()
    begin = SetRequestFirstBlock(0xC1, SECOND, None, Block(False, 1, b"\x09\x02"))
    assert answer(transfers, begin) == SetResponseBlock(0xC1, 1)
    last = SetRequestBlock(0xC1, Block(True, 2, b"xy"))
    assert complete(transfers, last) == SetRequest(0xC1, SECOND, octet_string(b"xy"))


def test_X_SET_BLOCK_total_over_the_limit() -> None:
    transfers = set_begun(max_total=6)
    fits = SetRequestBlock(0xC1, Block(False, 2, b"abcd"))
    assert answer(transfers, fits) == SetResponseBlock(0xC1, 2)
    assert transfers.pending == 6
    over = SetRequestBlock(0xC1, Block(False, 3, b"e"))
    assert answer(transfers, over) == SetResponseLastBlock(0xC1, R.LONG_SET_ABORTED, 3)
    assert transfers.pending == 0
    assert answer(transfers, over).result is R.NO_LONG_SET_IN_PROGRESS


def test_the_octets_of_the_first_block_are_kept_once() -> None:
    transfers = set_begun()
    kept: Any = transfers._one.under_way
    assert kept.first == SetRequestFirstBlock(0xC1, FIRST, None, Block(False, 1, b""))
    assert kept.raw == b"\x09\x04"


def test_X_SET_BLOCK_first_block_over_the_limit() -> None:
    for last in (False, True):
        transfers = ServerTransfers(max_total=2)
        begin = SetRequestFirstBlock(0xC1, FIRST, None, Block(last, 1, b"\x09\x01a"))
        assert answer(transfers, begin) == SetResponseLastBlock(0xC1, R.LONG_SET_ABORTED, 1)
        assert transfers.pending == 0


@pytest.mark.parametrize("raw", [b"", b"abc", b"abcde", b"abcd\0"])
def test_X_SET_BLOCK_no_right_value(raw: bytes) -> None:
    """Too few octets, too many, left over: decoded only when all are there, and then refused."""
    transfers = set_begun()
    last = SetRequestBlock(0xC1, Block(True, 2, raw))
    assert answer(transfers, last) == SetResponseLastBlock(0xC1, R.LONG_SET_ABORTED, 2)
    assert transfers.pending == 0


@pytest.mark.parametrize(
    "raw", [b"\x01\x00", b"\x03\x00\x00\x00", b"\x02\x00\x00\x00", b"\x02\x00"]
)
def test_X_SET_BLOCK_not_one_value_for_each_item(raw: bytes) -> None:
    begin = SetRequestWithListFirstBlock(0xC1, LIST, Block(True, 1, raw))
    refused = SetResponseLastBlock(0xC1, R.LONG_SET_ABORTED, 1)
    assert answer(ServerTransfers(), begin) == refused


def test_empty_blocks_are_counted() -> None:
    transfers = set_begun()
    for number in (2, 3):
        empty = SetRequestBlock(0xC1, Block(False, number, b""))
        assert answer(transfers, empty) == SetResponseBlock(0xC1, number)
        assert transfers.pending == 2
    last = SetRequestBlock(0xC1, Block(True, 4, b"abcd"))
    assert complete(transfers, last).value == octet_string(b"abcd")
    transfers = action_begun()
    complete(transfers, ActionRequestBlock(0xC1, Block(True, 2, b"abcd")))


# ACTION


def test_long_action_both_ways() -> None:
    transfers = action_begun()
    last = ActionRequestBlock(0xC1, Block(True, 2, b"abcd"))
    assert complete(transfers, last) == ActionRequest(0xC1, METHOD, octet_string(b"abcd"))
    sent = transfers.send(ActionResponse(0xC1, A.SUCCESS, octet_string(FIFTY)), ROOM, ALL)
    # Result, return-parameters present, Data, octet-string of 50: as in the normal form.
    assert sent.hex() == "c702c1 00 00000001 1f 00 01 00 0932".replace(" ", "") + FIFTY[:26].hex()
    second = answer(transfers, ActionRequestNextBlock(0xC1, 1))
    assert second == ActionResponseBlock(0xC1, Block(True, 2, FIFTY[26:]))
    assert answer(transfers, ActionRequestNextBlock(0xC1, 2)) == ActionResponse(
        0xC1, A.NO_LONG_ACTION_IN_PROGRESS
    )


def test_a_short_response_to_a_long_action_is_the_normal_form() -> None:
    transfers = action_begun()
    complete(transfers, ActionRequestBlock(0xC1, Block(True, 2, b"abcd")))
    assert transfers.send(ActionResponse(0xC1, A.SUCCESS), ROOM, ALL).hex() == "c701c10000"


def test_long_action_with_list() -> None:
    transfers = ServerTransfers()
    begin = ActionRequestWithListFirstBlock(0xC1, (METHOD, METHOD), Block(False, 1, b"\2\0"))
    assert answer(transfers, begin) == ActionResponseNextBlock(0xC1, 1)
    whole = complete(transfers, ActionRequestBlock(0xC1, Block(True, 2, b"\x11\x05")))
    assert whole == ActionRequestWithList(0xC1, (METHOD, METHOD), (NULL, unsigned(5)))
    results = (MethodResult(A.OBJECT_UNDEFINED), MethodResult(A.SUCCESS, octet_string(FIFTY)))
    sent = transfers.send(ActionResponseWithList(0xC1, results), ROOM, ALL)
    head = "c702c1 00 00000001 1f 02 0400 000100 0932".replace(" ", "")
    assert sent.hex() == head + FIFTY[:23].hex()
    assert answer(transfers, ActionRequestNextBlock(0xC1, 1)).block.raw == FIFTY[23:]


def test_action_contents_data() -> None:
    transfers = ServerTransfers(contents=ActionContents.DATA)
    response = ActionResponse(0xC1, A.SUCCESS, octet_string(FIFTY))
    sent = transfers.send(response, ROOM, ALL)
    assert sent.hex() == "c702c1 00 00000001 1f 0932".replace(" ", "") + FIFTY[:29].hex()
    # What DATA cannot say is not said wrongly.
    for unsayable in (
        response._replace(result=A.TEMPORARY_FAILURE),
        ActionResponse(0xC1, A.SUCCESS, R.OTHER_REASON),
    ):
        with pytest.raises(TooLong):
            transfers.send(unsayable, min(ROOM, len(unsayable.encode()) - 1), ALL)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_X_ACT_BLOCK_wrong_number(number: int) -> None:
    transfers = action_begun()
    wrong = ActionRequestBlock(0xC1, Block(True, number, b"abcd"))
    assert answer(transfers, wrong) == ActionResponse(0xC1, A.LONG_ACTION_ABORTED)
    late = ActionRequestBlock(0xC1, Block(True, 2, b"abcd"))
    assert answer(transfers, late) == ActionResponse(0xC1, A.NO_LONG_ACTION_IN_PROGRESS)


@pytest.mark.parametrize("number", [0, 2])
def test_X_ACT_BLOCK_next_with_wrong_number(number: int) -> None:
    transfers = ServerTransfers()
    transfers.send(ActionResponse(0xC1, A.SUCCESS, octet_string(FIFTY)), ROOM, ALL)
    wrong = ActionRequestNextBlock(0xC1, number)
    assert answer(transfers, wrong) == ActionResponse(0xC1, A.LONG_ACTION_ABORTED)
    late = ActionRequestNextBlock(0xC1, 1)
    assert answer(transfers, late) == ActionResponse(0xC1, A.NO_LONG_ACTION_IN_PROGRESS)


def test_X_ACT_BLOCK_none_in_progress() -> None:
    refused = ActionResponse(0x41, A.NO_LONG_ACTION_IN_PROGRESS)
    for stray in (
        ActionRequestBlock(0x41, Block(True, 2, b"\0")),
        ActionRequestNextBlock(0x41, 1),
    ):
        assert answer(ServerTransfers(), stray) == refused


@pytest.mark.parametrize("request_", NEW_REQUESTS, ids=lambda value: type(value).__name__)
def test_X_ACT_BLOCK_new_request_amid_the_transfer(request_: Any) -> None:
    transfers = action_begun()
    assert complete(transfers, request_) == request_
    late = ActionRequestBlock(0xC1, Block(True, 2, b"abcd"))
    assert answer(transfers, late) == ActionResponse(0xC1, A.LONG_ACTION_ABORTED)
    assert answer(transfers, late) == ActionResponse(0xC1, A.NO_LONG_ACTION_IN_PROGRESS)


def test_X_ACT_BLOCK_first_block_refused() -> None:
    refused = ActionResponse(0xC1, A.LONG_ACTION_ABORTED)
    for raw, number, limit in ((b"\0", 2, 9), (b"\x09\x01a", 1, 2), (b"\x09", 1, 9)):
        transfers = ServerTransfers(max_total=limit)
        begin = ActionRequestFirstBlock(0xC1, METHOD, Block(True, number, raw))
        assert answer(transfers, begin) == refused
    begin = ActionRequestWithListFirstBlock(0xC1, (METHOD,), Block(True, 1, b"\2\0\0"))
    assert answer(ServerTransfers(), begin) == refused


def test_a_value_within_a_value() -> None:
    """The cut may be anywhere: inside a tag, a length, an element."""
    value = structure(unsigned(1), octet_string(bytes(200)), visible_string("x"))
    raw = bytes.fromhex("02031101 0981c8") + bytes(200) + b"\x0a\x01x"
    for size in (1, 2, 5, 6, 7, 100):
        transfers = ServerTransfers()
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
        begin = SetRequestFirstBlock(0xC1, FIRST, None, Block(False, 1, pieces[0]))
        assert answer(transfers, begin) == SetResponseBlock(0xC1, 1)
        for number, piece in enumerate(pieces[1:-1], 2):
            step = SetRequestBlock(0xC1, Block(False, number, piece))
            assert answer(transfers, step) == SetResponseBlock(0xC1, number)
        last = SetRequestBlock(0xC1, Block(True, len(pieces), pieces[-1]))
        assert complete(transfers, last).value == value


def test_the_last_form_has_the_number_of_the_last_block() -> None:
    for results in ((R.SUCCESS,) * 2, ()):
        transfers = ServerTransfers()
        items = LIST[: len(results)]
        raw = bytes((len(items),)) + bytes(len(items))
        complete(transfers, SetRequestWithListFirstBlock(0xC1, items, Block(True, 1, raw)))
        sent = transfers.send(SetResponseWithList(0xC1, results), None, ALL)
        assert registry.decode(sent) == SetResponseLastBlockWithList(0xC1, results, 1)
