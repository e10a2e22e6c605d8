"""The server's end of block transfer by short names: its answer to every step, right and wrong.

Octets are put together by hand from the ASN.1 (Green Book 9.5); those with a name are vectors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlms.axdr.data import NULL, octet_string, unsigned
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

READING = Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
WRITING = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
NONE = Conformance.READ | Conformance.WRITE
FIFTY = bytes(range(50))
NAME = VariableName(name=0x2BC8)
READ = ReadRequest((NAME,))
WRITE = WriteRequest((NAME,), (octet_string(b"abc"),))
LONG = ReadResponse((octet_string(FIFTY),))
R = DataAccessResult


def vector(name: str) -> bytes:
    file = Path(__file__).parents[3] / "fixtures" / "vectors" / "services.json"
    (found,) = (e["hex"] for e in json.loads(file.read_text("utf-8")) if e["name"] == name)
    return bytes.fromhex(found)


def answer(server: NamesServer, request: Any) -> Any:
    outcome = server.receive(request)
    assert isinstance(outcome, Answer), outcome
    return outcome.response


def complete(server: NamesServer, request: Any) -> Any:
    outcome = server.receive(request)
    assert isinstance(outcome, Complete), outcome
    return outcome.request


def after(number: int) -> ReadRequest:
    return ReadRequest((BlockNumberAccess(number=number),))


def reading(last: bool, number: int, raw: bytes) -> ReadRequest:
    return ReadRequest((ReadDataBlockAccess(block=ShortBlock(last, number, raw)),))


def writing(last: bool, number: int, raw: bytes) -> WriteRequest:
    return WriteRequest((WriteDataBlockAccess(last=last, number=number),), (octet_string(raw),))


def refused(response: Any, why: DataAccessResult) -> None:
    assert response.results == (why,)


def long_read(**options: Any) -> NamesServer:
    """A server with a long Read response under way, block 1 of 5 sent."""
    server = NamesServer(**options)
    complete(server, READ)
    sent = server.send(LONG, 20, READING)
    # One result, data, octet-string of 50.
    assert sent.hex() == "0c0102" + "00" + "0001" + "0d" + "01000932" + FIFTY[:9].hex()
    assert len(sent) == 20
    assert server.pending == 54
    return server


def read_begun(**options: Any) -> NamesServer:
    server = NamesServer(**options)
    assert answer(server, reading(False, 1, b"\x01\x02")).encode().hex() == "0c01030001"
    return server


def write_begun(**options: Any) -> NamesServer:
    server = NamesServer(**options)
    assert answer(server, writing(False, 1, b"\x01\x02")).encode().hex() == "0d01020001"
    return server


# Long Read responses


def test_long_read_response() -> None:
    server = long_read()
    octets = bytearray(FIFTY[:9])
    for number in range(1, 5):
        (block,) = answer(server, after(number)).results
        assert (block.number, block.last) == (number + 1, number == 4)
        octets += block.raw
    assert octets == FIFTY
    assert server.pending == 0
    refused(answer(server, after(5)), R.NO_LONG_GET_IN_PROGRESS)


def test_a_captured_block_is_what_we_would_send() -> None:
    """A meter's only block: 15 octets, which are the results with their count."""
    captured = vector("Read.response with data-block-result 1, last")
    (block,) = read.decode_response(captured).results
    assert isinstance(block, ShortBlock)
    whole = bytes((0x0C,)) + block.raw
    response = registry.decode(whole)
    assert isinstance(response, ReadResponse)
    assert response.encode() == whole
    assert NamesServer().send(response, 15, NONE | READING) != whole
    assert NamesServer().send(response, 16, NONE) == whole


def test_long_read_response_to_a_list() -> None:
    server = NamesServer()
    complete(server, ReadRequest((NAME, NAME)))
    results = (R.OBJECT_UNDEFINED, octet_string(FIFTY))
    first = server.send(ReadResponse(results), 40, READING)
    assert first.hex() == "0c0102" + "00" + "0001" + "21" + "020104000932" + FIFTY[:27].hex()
    second = answer(server, after(1))
    assert second == ReadResponse((ShortBlock(True, 2, FIFTY[27:]),))


def test_a_response_that_fits_goes_whole() -> None:
    whole = LONG.encode()
    for room in (None, len(whole), 1000):
        server = NamesServer()
        complete(server, READ)
        assert server.send(LONG, room, NONE) == whole
        assert server.pending == 0
    assert server.send(LONG, len(whole) - 1, READING) != whole


@pytest.mark.parametrize("number", [0, 2, 3, 7, 0xFFFF])
def test_wrong_number_of_a_read(number: int) -> None:
    server = long_read()
    refused(answer(server, after(number)), R.DATA_BLOCK_NUMBER_INVALID)
    assert server.pending == 0
    # It was aborted: the right number comes too late.
    refused(answer(server, after(1)), R.NO_LONG_GET_IN_PROGRESS)


def test_old_number_of_a_read() -> None:
    server = long_read()
    assert answer(server, after(1)).results[0].number == 2
    refused(answer(server, after(1)), R.DATA_BLOCK_NUMBER_INVALID)


def test_no_read_in_progress() -> None:
    server = NamesServer()
    assert answer(server, after(1)).encode().hex() == "0c010110"
    assert answer(server, reading(False, 2, b"")).encode().hex() == "0c010110"


NEW: list[Any] = [
    READ,
    WRITE,
    UnconfirmedWriteRequest((NAME,), (NULL,)),
    ReadRequest((ParameterizedAccess(name=8, selector=1, parameter=NULL), NAME)),
    ReadRequest(()),
]


@pytest.mark.parametrize("request_", NEW, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("begin", "step", "aborted", "none"),
    [
        (long_read, after(1), R.LONG_GET_ABORTED, R.NO_LONG_GET_IN_PROGRESS),
        (read_begun, reading(True, 2, b""), R.LONG_GET_ABORTED, R.NO_LONG_GET_IN_PROGRESS),
        (write_begun, writing(True, 2, b""), R.LONG_SET_ABORTED, R.NO_LONG_SET_IN_PROGRESS),
    ],
    ids=["response", "read", "write"],
)
def test_new_request_amid_a_transfer(
    request_: Any, begin: Any, step: Any, aborted: DataAccessResult, none: DataAccessResult
) -> None:
    """It is served; the rest of the old one is told once to be aborted."""
    server = begin()
    assert complete(server, request_) == request_
    assert server.pending == 0
    refused(answer(server, step), aborted)
    refused(answer(server, step), none)


def test_the_second_of_its_kind_leaves_no_abortion_behind() -> None:
    server = long_read()
    complete(server, READ)
    server.send(LONG, 20, READING)
    for number in range(1, 5):
        answer(server, after(number))
    refused(answer(server, after(5)), R.NO_LONG_GET_IN_PROGRESS)
    server = write_begun()
    answer(server, writing(False, 1, b""))
    refused(answer(server, writing(False, 3, b"")), R.DATA_BLOCK_NUMBER_INVALID)
    refused(answer(server, writing(False, 2, b"")), R.NO_LONG_SET_IN_PROGRESS)


def test_a_block_of_another_kind_belongs_to_no_transfer() -> None:
    server = long_read()
    refused(answer(server, writing(True, 2, b"")), R.NO_LONG_SET_IN_PROGRESS)
    refused(answer(server, reading(True, 2, b"")), R.NO_LONG_GET_IN_PROGRESS)
    assert answer(server, after(1)).results[0].number == 2
    server = write_begun()
    refused(answer(server, after(1)), R.NO_LONG_GET_IN_PROGRESS)
    refused(answer(server, reading(True, 2, b"")), R.NO_LONG_GET_IN_PROGRESS)
    assert answer(server, writing(False, 2, b"")) == WriteResponse((BlockTaken(number=2),))


@pytest.mark.parametrize("last", [False, True])
def test_a_first_block_ends_what_is_under_way(last: bool) -> None:
    """Whoever asks for the rest is told once that it was aborted."""
    for begin, step, aborted in (
        (long_read, after(1), R.LONG_GET_ABORTED),
        (read_begun, reading(True, 2, b""), R.LONG_GET_ABORTED),
    ):
        server = begin()
        server.receive(writing(last, 1, WRITE.encode()[1:]))
        refused(answer(server, step), aborted)
        refused(answer(server, step), R.NO_LONG_GET_IN_PROGRESS)
    server = write_begun()
    server.receive(reading(last, 1, READ.encode()[1:]))
    refused(answer(server, writing(True, 2, b"")), R.LONG_SET_ABORTED)


def test_reset_forgets() -> None:
    for begin, step in ((long_read, after(1)), (write_begun, writing(False, 2, b""))):
        server = begin()
        server.reset()
        assert server.pending == 0
        none = R.NO_LONG_GET_IN_PROGRESS if begin is long_read else R.NO_LONG_SET_IN_PROGRESS
        refused(answer(server, step), none)
        server = begin()
        complete(server, READ)
        server.reset()
        refused(answer(server, step), none)


# What cannot be cut


@pytest.mark.parametrize(
    ("response", "room", "conformance"),
    [
        (LONG, 40, NONE),
        (LONG, 40, WRITING),
        (LONG, 7, READING),  # header and length octet, nothing else
        (LONG, 0, READING),
        (LONG, -20, READING),
        (WriteResponse((R.SUCCESS,) * 50), 40, READING | WRITING),  # no blocks for it
    ],
)
def test_too_long(response: Any, room: int, conformance: Conformance) -> None:
    server = NamesServer()
    with pytest.raises(TooLong):
        server.send(response, room, conformance)
    assert server.pending == 0
    assert server.send(response, room, conformance, whole=True) == response.encode()
    assert server.pending == 0


def test_least_room() -> None:
    assert NamesServer().send(LONG, 8, READING).hex() == "0c0102" + "00" + "0001" + "0101"


def test_more_than_max_total_is_not_kept() -> None:
    with pytest.raises(TooLong):
        NamesServer(max_total=53).send(LONG, 40, READING)
    server = NamesServer(max_total=54)
    server.send(LONG, 40, READING)
    assert server.pending == 54


def test_no_more_blocks_than_there_are_numbers() -> None:
    """65535 blocks of one octet: the results' count, choice, type and length take six."""
    most = ReadResponse((octet_string(bytes(0xFFFF - 6)),))
    assert len(most.encode()) == 0x10000
    server = NamesServer()
    server.send(most, 8, READING)
    for number in range(1, 0xFFFF):
        response = answer(server, after(number))
    assert response == ReadResponse((ShortBlock(True, 0xFFFF, b"\0"),))
    with pytest.raises(TooLong):
        server.send(ReadResponse((octet_string(bytes(0xFFFF - 5)),)), 8, READING)


# Long Read requests


def test_long_read_request() -> None:
    """Two names, cut where it hurts; the answer is that to a request of two names."""
    server = NamesServer()
    raw = bytes.fromhex("02" + "022bc8" + "02fd08")
    assert answer(server, reading(False, 1, raw[:2])) == ReadResponse((BlockTaken(number=1),))
    assert server.pending == 2
    assert answer(server, reading(False, 2, raw[2:3])) == ReadResponse((BlockTaken(number=2),))
    whole = complete(server, reading(True, 3, raw[3:]))
    assert whole == ReadRequest((NAME, VariableName(name=0xFD08)))
    assert server.pending == 0
    sent = server.send(ReadResponse((NULL, R.OBJECT_UNDEFINED)), None, NONE)
    assert sent.hex() == "0c02" + "0000" + "0104"


def test_the_vectors_of_blocks_in_requests() -> None:
    server = NamesServer()
    first = read.decode_request(vector("Read.request, data block 1 of several"))
    assert answer(server, first) == ReadResponse((BlockTaken(number=1),))
    assert complete(server, reading(True, 2, bytes.fromhex("08" + "022bc8"))) == ReadRequest(
        (VariableName(name=0xFA08), NAME)
    )
    last = read.decode_request(vector("Read.request, data block 65535, last"))
    refused(answer(server, last), R.NO_LONG_GET_IN_PROGRESS)
    begin = write.decode_request(vector("Write.request, data block 1 of several"))
    assert answer(server, begin).encode() == vector("Write.response, block 1 was received")
    # 01 02 03 04 FF: one specification, which is then cut off.
    end = write.decode_request(vector("Write.request, data block 2, last"))
    refused(answer(server, end), R.LONG_SET_ABORTED)


def test_one_block_is_first_and_last() -> None:
    server = NamesServer()
    assert complete(server, reading(True, 1, bytes.fromhex("01022bc8"))) == READ
    assert complete(server, writing(True, 1, WRITE.encode()[1:])) == WRITE


def test_a_long_request_with_a_long_response() -> None:
    server = read_begun()
    assert complete(server, reading(True, 2, bytes.fromhex("2bc8"))) == READ
    server.send(LONG, 40, READING)
    assert answer(server, after(1)).results[0].last


# Long Write requests


def test_long_write_request() -> None:
    """One name, then one Data; the result has no block number."""
    server = NamesServer()
    raw = bytes.fromhex("01" + "022bc8" + "01" + "0903616263")
    for number, octet in enumerate(raw[:-1], 1):
        assert answer(server, writing(False, number, bytes((octet,)))).results == (
            BlockTaken(number=number),
        )
        assert server.pending == number
    assert complete(server, writing(True, len(raw), raw[-1:])) == WRITE
    assert server.pending == 0
    sent = server.send(WriteResponse((R.SUCCESS,)), None, NONE)
    assert sent.hex() == "0d0100"


def test_a_last_block_that_comes_twice_does_nothing() -> None:
    server = write_begun()
    last = writing(True, 2, WRITE.encode()[3:])
    assert complete(server, last) == WRITE
    refused(answer(server, last), R.NO_LONG_SET_IN_PROGRESS)


@pytest.mark.parametrize("number", [0, 3, 7, 0xFFFF])
@pytest.mark.parametrize(
    ("begin", "step", "none"),
    [
        (read_begun, reading, R.NO_LONG_GET_IN_PROGRESS),
        (write_begun, writing, R.NO_LONG_SET_IN_PROGRESS),
    ],
)
def test_wrong_number_of_a_request(
    begin: Any, step: Any, none: DataAccessResult, number: int
) -> None:
    server = begin()
    refused(answer(server, step(True, number, b"")), R.DATA_BLOCK_NUMBER_INVALID)
    assert server.pending == 0
    refused(answer(server, step(True, 2, b"")), none)


def test_a_repeated_block() -> None:
    server = write_begun()
    answer(server, writing(False, 2, b""))
    refused(answer(server, writing(False, 2, b"")), R.DATA_BLOCK_NUMBER_INVALID)
    # With number 1 it begins anew.
    server = write_begun()
    answer(server, writing(False, 1, WRITE.encode()[1:5]))
    assert complete(server, writing(True, 2, WRITE.encode()[5:])) == WRITE


def test_bounded() -> None:
    for begin, step, why in (
        (write_begun, writing, R.LONG_SET_ABORTED),
        (read_begun, reading, R.LONG_GET_ABORTED),
    ):
        server = begin(max_total=10)
        answer(server, step(False, 2, bytes(8)))
        assert server.pending == 10
        refused(answer(server, step(False, 3, b"\0")), why)
        assert server.pending == 0
    server = NamesServer(max_total=10)
    refused(answer(server, writing(False, 1, bytes(11))), R.LONG_SET_ABORTED)
    refused(answer(server, writing(True, 1, bytes(11))), R.LONG_SET_ABORTED)
    assert server.pending == 0


WRONG = {
    "too short": "0102",
    "octets behind": "01022bc80111070000",
    "no data": "01022bc8",
    "more data than names": "01022bc8021107" + "1107",
    "fewer data than names": "02022bc8022bd001" + "1107",
    "a block inside": "0107000001" + "010900",
    "a block number inside": "01050001" + "0100",
    "no value": "01022bc801fe",
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=list(WRONG))
def test_a_whole_that_is_not_right(raw: str) -> None:
    server = NamesServer()
    octets = bytes.fromhex(raw)
    refused(answer(server, writing(True, 1, octets)), R.LONG_SET_ABORTED)
    answer(server, writing(False, 1, octets[:1]))
    refused(answer(server, writing(True, 2, octets[1:])), R.LONG_SET_ABORTED)
    assert server.pending == 0
    if raw != WRONG["no data"]:
        refused(answer(server, reading(True, 1, octets)), R.LONG_GET_ABORTED)


def test_a_block_inside_a_long_read() -> None:
    for inside in ("0105" + "0001", "0106" + "01" + "0001" + "0401022bc8"):
        server = NamesServer()
        refused(answer(server, reading(True, 1, bytes.fromhex(inside))), R.LONG_GET_ABORTED)


def test_a_piece_that_is_no_octet_string_is_no_step() -> None:
    strange = WriteRequest((WriteDataBlockAccess(last=True, number=1),), (unsigned(1),))
    assert complete(NamesServer(), strange) == strange
