"""The Read service of short names (GB Ed. 8, 9.3.14 and 9.5).

What the blocks of a long response make together are its results, what the blocks of a long request
make together its specifications, both as SEQUENCE OF with its count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from dlms.axdr import Data, read_data, write_data
from dlms.octets import Reader
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import encode_count, read_count, unknown_choice
from dlms.xdlms.get import read_access_result
from dlms.xdlms.variable_access import (
    Allowed,
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableAccess,
    VariableName,
    access_needs,
    encode_short_block,
    encode_u16,
    read_short_block,
    read_specifications,
    write_specifications,
)

REQUEST_TAG = 0x05
RESPONSE_TAG = 0x0C
_DATA, _ERROR, _BLOCK, _NUMBER = 0, 1, 2, 3
_ALLOWED: Allowed = frozenset(
    (VariableName, ParameterizedAccess, BlockNumberAccess, ReadDataBlockAccess)
)
_RESULTS = "read-response results"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTaken:
    """Block ``number`` of a long request was received, and is not the last."""

    number: int


Result: TypeAlias = Data | DataAccessResult | ShortBlock | BlockTaken


class ReadRequest(NamedTuple):
    """Read attributes, or invoke methods that return something."""

    specifications: tuple[VariableAccess, ...]

    @property
    def needs(self) -> Conformance:
        return access_needs(
            self.specifications, Conformance.READ, Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
        )

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG,))
        write_specifications(out, self.specifications, _ALLOWED)
        return bytes(out)


class ReadResponse(NamedTuple):
    """A value, or why there is none, for each specification; or one step of a block transfer."""

    results: tuple[Result, ...]

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG,))
        write_results(out, self.results)
        return bytes(out)


def decode_request(octets: bytes) -> ReadRequest:
    reader = Reader(octets, 1)
    specifications = read_specifications(reader, _ALLOWED)
    reader.finish("read-request")
    return ReadRequest(specifications)


def decode_response(octets: bytes) -> ReadResponse:
    reader = Reader(octets, 1)
    results = read_results(reader)
    reader.finish("read-response")
    return ReadResponse(results)


def read_results(reader: Reader) -> tuple[Result, ...]:
    """Read the SEQUENCE OF CHOICE that a response is."""
    return tuple([_read_result(reader) for _ in range(read_count(reader, _RESULTS))])


def write_results(out: bytearray, results: tuple[Result, ...]) -> None:
    out += encode_count(len(results), _RESULTS)
    for result in results:
        match result:
            case DataAccessResult():
                out += bytes((_ERROR, result))
            case ShortBlock():
                out.append(_BLOCK)
                out += encode_short_block(result)
            case BlockTaken(number=number):
                out.append(_NUMBER)
                out += encode_u16(number, "block-number")
            case _:
                out.append(_DATA)
                write_data(out, result)


def _read_result(reader: Reader) -> Result:
    choice = reader.u8(_RESULTS)
    if choice == _DATA:
        return read_data(reader)
    if choice == _ERROR:
        return read_access_result(reader)
    if choice == _BLOCK:
        return read_short_block(reader)
    if choice == _NUMBER:
        return BlockTaken(number=reader.u16("block-number"))
    raise unknown_choice(choice, _RESULTS, reader.position - 1)
