"""Read, Write and UnconfirmedWrite: what is refused, and what a request needs."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.axdr.data import NULL, octet_string
from dlms.errors import CodecError
from dlms.xdlms import registry
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance as C
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

NAME = VariableName(name=0xFA00)
PARAMETERIZED = ParameterizedAccess(name=0xFA00, selector=1, parameter=NULL)
BLOCK_NUMBER = BlockNumberAccess(number=1)
READ_BLOCK = ReadDataBlockAccess(block=ShortBlock(True, 1, b"a"))
WRITE_BLOCK = WriteDataBlockAccess(last=True, number=1)
MANY = C.MULTIPLE_REFERENCES


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(
    ("items", "needs"),
    [
        ((NAME,), C.READ),
        ((NAME, NAME), C.READ | MANY),
        ((PARAMETERIZED,), C.READ | C.PARAMETERIZED_ACCESS),
        ((NAME, PARAMETERIZED), C.READ | C.PARAMETERIZED_ACCESS | MANY),
        ((BLOCK_NUMBER,), C.READ | C.BLOCK_TRANSFER_WITH_GET_OR_READ),
        ((READ_BLOCK,), C.READ | C.BLOCK_TRANSFER_WITH_GET_OR_READ),
    ],
)
def test_read_needs(items: tuple[Any, ...], needs: C) -> None:
    assert ReadRequest(items).needs == needs
    assert registry.decode(ReadRequest(items).encode()) == ReadRequest(items)


@pytest.mark.parametrize(
    ("items", "needs"),
    [
        ((NAME,), C.WRITE),
        ((NAME, NAME), C.WRITE | MANY),
        ((PARAMETERIZED,), C.WRITE | C.PARAMETERIZED_ACCESS),
        ((WRITE_BLOCK,), C.WRITE | C.BLOCK_TRANSFER_WITH_SET_OR_WRITE),
    ],
)
def test_write_needs(items: tuple[Any, ...], needs: C) -> None:
    request = WriteRequest(items, (octet_string(b"a"),) * len(items))
    assert request.needs == needs
    assert registry.decode(request.encode()) == request


@pytest.mark.parametrize(
    ("items", "needs"),
    [
        ((NAME,), C.UNCONFIRMED_WRITE),
        ((NAME, NAME), C.UNCONFIRMED_WRITE | MANY),
        ((PARAMETERIZED,), C.UNCONFIRMED_WRITE | C.PARAMETERIZED_ACCESS),
    ],
)
def test_unconfirmed_write_needs(items: tuple[Any, ...], needs: C) -> None:
    request = UnconfirmedWriteRequest(items, (NULL,) * len(items))
    assert request.needs == needs
    assert registry.decode(request.encode()) == request


def test_what_is_answered() -> None:
    """Every request has its response, but one."""
    assert {tag for tag in registry.REQUESTS if tag not in registry.ANSWERS} == {0x16}
    assert set(registry.ANSWERS.values()) == set(registry.RESPONSES)
    for tag, answer in registry.ANSWERS.items():
        name = registry.REQUESTS[tag].name.replace("request", "response")
        assert registry.RESPONSES[answer].name == name


REFUSED = {
    "read, detailed access": ("05 01 03 FA00", 2),
    "read, choice 8": ("05 01 08 FA00", 2),
    "read, choice 0": ("05 01 00", 2),
    "read, write-data-block-access": ("05 01 07 01 0001", 2),
    "read, block last 2": ("05 01 06 02 0001 00", 3),
    "read, left over": ("05 01 02 FA00 00", 5),
    "read, 256 items": ("05 820100" + "02FA00" * 256, 1),
    "read response, choice 4": ("0C 01 04 0001", 2),
    "read response, unknown error": ("0C 01 01 05", 3),
    "read response, 256 results": ("0C 820100" + "0000" * 256, 1),
    "read response, left over": ("0C 01 00 00 00", 4),
    "write, block-number-access": ("06 01 05 0001 01 00", 2),
    "write, read-data-block-access": ("06 01 06 01 0001 00 01 00", 2),
    "write, one value less": ("06 02 02FA00 02FA08 01 00", 8),
    "write, one value more": ("06 01 02FA00 02 00 00", 5),
    "write, left over": ("06 00 00 00", 3),
    "write response, choice 3": ("0D 01 03", 2),
    "write response, unknown error": ("0D 01 01 05", 3),
    "unconfirmed write, block": ("16 01 07 01 0001 01 090161", 2),
    "unconfirmed write, one value less": ("16 01 02FA00 00", 5),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_refused(case: str) -> None:
    text, offset = REFUSED[case]
    with pytest.raises(CodecError) as caught:
        registry.decode(octets(text))
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "apdu",
    [
        ReadRequest((WRITE_BLOCK,)),
        ReadRequest((NAME,) * 256),
        ReadRequest((VariableName(name=-1),)),
        ReadRequest((BlockNumberAccess(number=0x10000),)),
        ReadRequest((ReadDataBlockAccess(block=ShortBlock(True, 0x10000, b"")),)),
        ReadResponse((BlockTaken(number=0x10000),)),
        ReadResponse((NULL,) * 256),
        WriteRequest((NAME,), ()),
        WriteRequest((READ_BLOCK,), (NULL,)),
        WriteRequest((BLOCK_NUMBER,), (NULL,)),
        UnconfirmedWriteRequest((WRITE_BLOCK,), (NULL,)),
        UnconfirmedWriteRequest((), (NULL,)),
        WriteResponse((BlockTaken(number=-1),)),
        WriteResponse((DataAccessResult.SUCCESS,) * 256),
    ],
    ids=lambda apdu: repr(apdu)[:60],
)
def test_what_cannot_be_encoded(apdu: Any) -> None:
    with pytest.raises(CodecError):
        apdu.encode()


@pytest.mark.parametrize("true", [1, 255])
def test_both_forms_of_true(true: int) -> None:
    decoded = registry.decode(bytes((5, 1, 6, true, 0, 1, 0)))
    assert decoded == ReadRequest((ReadDataBlockAccess(block=ShortBlock(True, 1, b"")),))


def test_success_as_an_error() -> None:
    """Octets that nobody should send, but which say nothing wrong."""
    assert registry.decode(octets("0D 01 01 00")) == WriteResponse((DataAccessResult.SUCCESS,))
