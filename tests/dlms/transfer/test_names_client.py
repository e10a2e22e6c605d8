"""The client's end of block transfer by short names: what it sends, and how it judges answers."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dlms.axdr.data import NULL, octet_string, unsigned
from dlms.errors import CodecError, LocalProtocolError
from dlms.transfer.judging import Limits
from dlms.transfer.names_client import exchange_names
from dlms.transfer.pieces import TooLong
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
from dlms.xdlms.write import WriteRequest, WriteResponse

NONE = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
)
READING = Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
WRITING = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
ALL = NONE | READING | WRITING
ROOM = 20
FIFTY = bytes(range(50))
NAMES = tuple(VariableName(name=0x2BC0 + 8 * number) for number in range(6))
READ, READ_LIST = ReadRequest(NAMES[:1]), ReadRequest(NAMES)
WRITE = WriteRequest(NAMES[:1], (octet_string(FIFTY),))
WRITE_LIST = WriteRequest(NAMES[:2], (octet_string(FIFTY), NULL))
R = DataAccessResult
TAKEN = tuple(BlockTaken(number=number) for number in range(10))
SIX = (unsigned(1), R.OBJECT_UNDEFINED, NULL, NULL, NULL, octet_string(b""))


@pytest.fixture(scope="module")
def played(play: Any) -> Any:
    return partial(play, exchange_names, conformance=ALL)


@pytest.fixture(scope="module")
def refused(refuse: Any) -> Any:
    return partial(refuse, exchange_names, conformance=ALL, room=ROOM)


def block(last: bool, number: int, raw: bytes) -> ReadResponse:
    return ReadResponse((ShortBlock(last, number, raw),))


def reads(*results: Any) -> ReadResponse:
    return ReadResponse(results)


def writes(*results: Any) -> WriteResponse:
    return WriteResponse(results)


# As it should be

FITTING: list[tuple[Any, Any]] = [
    (READ, reads(NULL)),
    (READ, reads(R.OBJECT_UNDEFINED)),
    (READ_LIST, reads(*SIX)),
    (WRITE, writes(R.SUCCESS)),
    (WRITE, writes(R.READ_WRITE_DENIED)),
    (WRITE_LIST, writes(R.SUCCESS, R.TYPE_UNMATCHED)),
    (ReadRequest(()), reads()),
]


@pytest.mark.parametrize(("request_", "response"), FITTING)
def test_what_fits_goes_whole(request_: Any, response: Any, played: Any) -> None:
    for room in (None, len(request_.encode()), 1000):
        sent, returned = played(request_, response, room=room, conformance=NONE)
        assert sent == [request_]
        assert returned == response


def test_long_read_response(played: Any) -> None:
    """The count, then of each result its choice and what it is."""
    raw = bytes.fromhex("01000932") + FIFTY
    sent, returned = played(
        READ, block(False, 1, raw[:20]), block(False, 2, b""), block(True, 3, raw[20:])
    )
    assert sent[1:] == [
        ReadRequest((BlockNumberAccess(number=1),)),
        ReadRequest((BlockNumberAccess(number=2),)),
    ]
    assert sent[1].encode().hex() == "0501050001"
    assert returned == reads(octet_string(FIFTY))


def test_a_captured_block(played: Any) -> None:
    """From a meter (fixtures/vectors/services.json): one block, which is the last."""
    raw = bytes.fromhex("01000A0B5A49503031373639333236")
    _, returned = played(READ, block(True, 1, raw))
    assert returned.results[0].value == "ZIP01769326"


def test_long_read_request(played: Any) -> None:
    """Six names take 19 octets; blocks of 13 fit behind the header and their length."""
    sent, returned = played(READ_LIST, reads(TAKEN[1]), reads(*SIX), room=ROOM - 1)
    raw = READ_LIST.encode()[1:]
    assert len(raw) == 19
    assert sent == [
        ReadRequest((ReadDataBlockAccess(block=ShortBlock(False, 1, raw[:12])),)),
        ReadRequest((ReadDataBlockAccess(block=ShortBlock(True, 2, raw[12:])),)),
    ]
    assert len(sent[0].encode()) == ROOM - 1
    assert returned == reads(*SIX)


def test_long_request_with_a_long_response(played: Any) -> None:
    raw = reads(*SIX).encode()[1:]
    sent, returned = played(
        READ_LIST,
        reads(TAKEN[1]),
        block(False, 1, raw[:4]),
        block(True, 2, raw[4:]),
        room=ROOM - 1,
    )
    assert len(sent) == 3
    assert returned == reads(*SIX)


def test_long_write_request(played: Any) -> None:
    raw = WRITE.encode()[1:]
    answers = [*(writes(TAKEN[number]) for number in range(1, 6)), writes(R.SUCCESS)]
    sent, returned = played(WRITE, *answers, room=ROOM)
    assert returned == writes(R.SUCCESS)
    pieces = [step.data[0].value for step in sent]
    assert b"".join(pieces) == raw
    assert [len(piece) for piece in pieces] == [11, 11, 11, 11, 11, 2]
    starts = [step.specifications[0] for step in sent]
    assert starts == [
        WriteDataBlockAccess(last=number == 6, number=number) for number in range(1, 7)
    ]
    assert sent[0].encode()[:9].hex() == "060107000001" + "01" + "090b"
    assert all(len(step.encode()) <= ROOM for step in sent)


def test_a_refused_step_is_the_result_of_all(played: Any) -> None:
    _, returned = played(WRITE_LIST, writes(TAKEN[1]), writes(R.LONG_SET_ABORTED), room=ROOM)
    assert returned == writes(R.LONG_SET_ABORTED, R.LONG_SET_ABORTED)
    last = [*(writes(TAKEN[number]) for number in range(1, 6)), writes(R.OTHER_REASON)]
    _, returned = played(WRITE_LIST, *last, room=ROOM)
    assert returned == writes(R.OTHER_REASON, R.OTHER_REASON)
    _, returned = played(READ_LIST, reads(R.OTHER_REASON), room=ROOM - 1)
    assert returned == reads(*(R.OTHER_REASON,) * 6)
    _, returned = played(READ_LIST, reads(TAKEN[1]), reads(R.LONG_GET_ABORTED), room=ROOM - 1)
    assert returned == reads(*(R.LONG_GET_ABORTED,) * 6)
    _, returned = played(
        READ_LIST, block(False, 1, b"\x06"), reads(R.DATA_BLOCK_NUMBER_INVALID), room=None
    )
    assert returned == reads(*(R.DATA_BLOCK_NUMBER_INVALID,) * 6)


# What cannot be sent


@pytest.mark.parametrize(
    ("request_", "room", "conformance"),
    [
        (READ_LIST, 19, NONE | WRITING),
        (READ_LIST, 7, ALL),
        (READ_LIST, 0, ALL),
        (WRITE, 40, NONE | READING),
        (WRITE, 9, ALL),
        (WRITE, 0, ALL),
        # One octet in each of 65535 blocks, and one too many.
        (WriteRequest(NAMES[:1], (octet_string(bytes(0x10000 - 9)),)), 10, ALL),
    ],
)
def test_too_long(request_: Any, room: int, conformance: Conformance) -> None:
    with pytest.raises(TooLong):
        next(exchange_names(request_, room, conformance))


def test_least_room() -> None:
    assert len(next(exchange_names(READ_LIST, 8, ALL)).encode()) == 8
    assert len(next(exchange_names(WRITE, 10, ALL)).encode()) == 10
    most = WriteRequest(NAMES[:1], (octet_string(bytes(0xFFFF - 9)),))
    assert len(most.encode()) == 0x10000
    next(exchange_names(most, 10, ALL))


@pytest.mark.parametrize(
    ("request_", "lacking"),
    [
        (READ_LIST, Conformance.MULTIPLE_REFERENCES),
        (READ_LIST, Conformance.READ),
        (WRITE_LIST, Conformance.MULTIPLE_REFERENCES),
        (
            ReadRequest(
                (ParameterizedAccess(name=8, selector=1, parameter=octet_string(FIFTY)),),
            ),
            Conformance.PARAMETERIZED_ACCESS,
        ),
    ],
)
def test_blocks_hide_nothing_that_was_not_negotiated(request_: Any, lacking: Conformance) -> None:
    with pytest.raises(LocalProtocolError, match="not negotiated"):
        next(exchange_names(request_, 19, ALL & ~lacking))
    next(exchange_names(request_, 19, ALL))


def test_what_cannot_be_encoded() -> None:
    with pytest.raises(CodecError):
        next(exchange_names(WriteRequest(NAMES, (NULL,)), None, ALL))


# As it should not be

UNEXPECTED: list[tuple[Any, Any]] = [
    (READ, writes(R.SUCCESS)),
    (READ, reads()),
    (READ, reads(NULL, NULL)),
    (READ, reads(TAKEN[1])),
    (READ_LIST, reads(NULL)),
    (READ_LIST, reads(R.OTHER_REASON)),
    (READ_LIST, reads(NULL, NULL, NULL, NULL, NULL, TAKEN[1])),
    (READ_LIST, reads(NULL, NULL, NULL, NULL, NULL, ShortBlock(True, 1, b""))),
    (WRITE, reads(NULL)),
    (WRITE, reads(ShortBlock(True, 1, b""))),
    (WRITE, writes()),
    (WRITE, writes(TAKEN[1])),
    (WRITE, writes(R.SUCCESS, R.SUCCESS)),
    (WRITE_LIST, writes(R.OTHER_REASON)),
]


@pytest.mark.parametrize(("request_", "response"), UNEXPECTED)
def test_unexpected_forms(request_: Any, response: Any, refused: Any) -> None:
    assert refused(request_, response, room=None) == "unexpected-form"


IN_BLOCKS: list[tuple[Any, list[Any], str]] = [
    (READ_LIST, [writes(TAKEN[1])], "unexpected-form"),
    (READ_LIST, [reads(TAKEN[2])], "block-number"),
    (READ_LIST, [reads(TAKEN[0])], "block-number"),
    (READ_LIST, [reads(NULL)], "unexpected-form"),
    (READ_LIST, [reads(*SIX)], "unexpected-form"),
    (READ_LIST, [reads(R.SUCCESS)], "early-success"),
    (READ_LIST, [block(True, 1, b"")], "unexpected-form"),
    (READ_LIST, [reads(TAKEN[1]), reads(TAKEN[2])], "unexpected-form"),
    (READ_LIST, [reads(TAKEN[1]), reads(NULL)], "unexpected-form"),
    (READ_LIST, [reads(TAKEN[1]), reads()], "unexpected-form"),
    (READ_LIST, [reads(TAKEN[1]), reads(NULL, NULL)], "unexpected-form"),
    (WRITE, [reads(TAKEN[1])], "unexpected-form"),
    (WRITE, [writes(TAKEN[2])], "block-number"),
    (WRITE, [writes(R.SUCCESS)], "early-success"),
    (WRITE, [writes(TAKEN[1]), writes(TAKEN[1])], "block-number"),
    (WRITE, [writes(TAKEN[n]) for n in range(1, 7)], "unexpected-form"),
    (WRITE_LIST, [*(writes(TAKEN[n]) for n in range(1, 6)), writes(R.SUCCESS)], "early-success"),
    (WRITE_LIST, [writes(R.SUCCESS, R.SUCCESS)], "unexpected-form"),
]


@pytest.mark.parametrize(("request_", "responses", "reason"), IN_BLOCKS)
def test_answers_to_blocks(request_: Any, responses: list[Any], reason: str, refused: Any) -> None:
    assert refused(request_, *responses, room=ROOM - (request_ is READ_LIST)) == reason


BLOCKS: list[tuple[list[Any], str]] = [
    ([block(False, 0, b"")], "block-number"),
    ([block(False, 2, b"")], "block-number"),
    ([block(False, 1, b""), block(True, 1, b"")], "block-number"),
    ([block(False, 1, b""), block(True, 3, b"")], "block-number"),
    ([block(False, 1, b""), reads(NULL)], "unexpected-form"),
    ([block(False, 1, b""), reads(TAKEN[1])], "unexpected-form"),
    ([block(False, 1, b""), writes(R.SUCCESS)], "unexpected-form"),
    ([block(False, 1, b""), reads()], "unexpected-form"),
    ([block(False, 1, b""), reads(R.SUCCESS)], "early-success"),
    ([block(True, 1, b"")], "malformed-blocks"),
    ([block(True, 1, bytes.fromhex("0100"))], "malformed-blocks"),
    ([block(True, 1, bytes.fromhex("01000000"))], "malformed-blocks"),
    ([block(True, 1, bytes.fromhex("0200000000"))], "malformed-blocks"),
    ([block(True, 1, bytes.fromhex("00"))], "malformed-blocks"),
    ([block(True, 1, bytes.fromhex("010100"))], "malformed-blocks"),  # success without data
    ([block(True, 1, bytes.fromhex("010201000100"))], "malformed-blocks"),  # a block inside
    ([block(True, 1, bytes.fromhex("01030001"))], "malformed-blocks"),  # its number inside
]


@pytest.mark.parametrize(("responses", "reason"), BLOCKS)
def test_blocks_of_a_response(responses: list[Any], reason: str, refused: Any) -> None:
    assert refused(READ, *responses) == reason


def test_success_is_no_value(refused: Any) -> None:
    assert refused(READ, reads(R.SUCCESS)) == "early-success"


def test_blocks_that_were_not_negotiated(refused: Any) -> None:
    assert refused(READ, block(True, 1, b"\x01\0\0"), conformance=NONE) == "unexpected-form"


def test_bounded(played: Any, refused: Any) -> None:
    few = Limits(total=10, blocks=3)
    assert refused(READ, block(False, 1, bytes(11)), limits=few) == "long-response"
    more = [block(False, number, b"") for number in range(1, 5)]
    assert refused(READ, *more, limits=few) == "long-response"
    _, returned = played(
        READ, *more[:2], block(True, 3, bytes.fromhex("01000906") + bytes(6)), limits=few
    )
    assert returned == reads(octet_string(bytes(6)))
