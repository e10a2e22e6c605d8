"""The Write and UnconfirmedWrite services of short names (GB Ed. 8, 9.3.15, 9.3.16 and 9.5).

There is one Data for each specification. A long write-request has one write-data-block-access, and
its Data is an octet-string: the piece.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dlms.axdr import Data
from dlms.octets import Reader
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import (
    encode_count,
    one_each,
    read_count,
    read_values,
    unknown_choice,
    write_values,
)
from dlms.xdlms.get import read_access_result
from dlms.xdlms.read import BlockTaken
from dlms.xdlms.variable_access import (
    Allowed,
    ParameterizedAccess,
    VariableAccess,
    VariableName,
    WriteDataBlockAccess,
    access_needs,
    encode_u16,
    read_specifications,
    write_specifications,
)

REQUEST_TAG = 0x06
RESPONSE_TAG = 0x0D
UNCONFIRMED_TAG = 0x16
_SUCCESS, _ERROR, _NUMBER = 0, 1, 2
_ALLOWED: Allowed = frozenset((VariableName, ParameterizedAccess, WriteDataBlockAccess))
_ALLOWED_UNCONFIRMED: Allowed = frozenset((VariableName, ParameterizedAccess))
_DATA = "list-of-data"
_RESULTS = "write-response results"

Result: TypeAlias = DataAccessResult | BlockTaken


class WriteRequest(NamedTuple):
    """Write attributes, or invoke methods that return nothing."""

    specifications: tuple[VariableAccess, ...]
    data: tuple[Data, ...]

    @property
    def needs(self) -> Conformance:
        return access_needs(
            self.specifications, Conformance.WRITE, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
        )

    def encode(self) -> bytes:
        return _encode(REQUEST_TAG, self.specifications, self.data, _ALLOWED)


class UnconfirmedWriteRequest(NamedTuple):
    """The same, and nobody says what became of it."""

    specifications: tuple[VariableAccess, ...]
    data: tuple[Data, ...]

    @property
    def needs(self) -> Conformance:
        return access_needs(
            self.specifications, Conformance.UNCONFIRMED_WRITE, Conformance.UNCONFIRMED_WRITE
        )

    def encode(self) -> bytes:
        return _encode(UNCONFIRMED_TAG, self.specifications, self.data, _ALLOWED_UNCONFIRMED)


class WriteResponse(NamedTuple):
    """A result for each specification; or one step of a block transfer."""

    results: tuple[Result, ...]

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG,))
        out += encode_count(len(self.results), _RESULTS)
        for result in self.results:
            if isinstance(result, BlockTaken):
                out.append(_NUMBER)
                out += encode_u16(result.number, "block-number")
            elif result is DataAccessResult.SUCCESS:
                out.append(_SUCCESS)
            else:
                out += bytes((_ERROR, result))
        return bytes(out)


def decode_request(octets: bytes) -> WriteRequest:
    return WriteRequest(*_decode(octets, _ALLOWED, "write-request"))


def decode_unconfirmed(octets: bytes) -> UnconfirmedWriteRequest:
    return UnconfirmedWriteRequest(
        *_decode(octets, _ALLOWED_UNCONFIRMED, "unconfirmed-write-request")
    )


def decode_response(octets: bytes) -> WriteResponse:
    reader = Reader(octets, 1)
    count = read_count(reader, _RESULTS)
    results = tuple([_read_result(reader) for _ in range(count)])
    reader.finish("write-response")
    return WriteResponse(results)


def _encode(
    tag: int,
    specifications: tuple[VariableAccess, ...],
    data: tuple[Data, ...],
    allowed: Allowed,
) -> bytes:
    one_each(len(data), len(specifications), _DATA)
    out = bytearray((tag,))
    write_specifications(out, specifications, allowed)
    write_values(out, data, _DATA)
    return bytes(out)


def _decode(
    octets: bytes, allowed: Allowed, what: str
) -> tuple[tuple[VariableAccess, ...], tuple[Data, ...]]:
    reader = Reader(octets, 1)
    specifications = read_specifications(reader, allowed)
    start = reader.position
    data = read_values(reader, _DATA)
    one_each(len(data), len(specifications), _DATA, start)
    reader.finish(what)
    return specifications, data


def _read_result(reader: Reader) -> Result:
    choice = reader.u8(_RESULTS)
    if choice == _SUCCESS:
        return DataAccessResult.SUCCESS
    if choice == _ERROR:
        return read_access_result(reader)
    if choice == _NUMBER:
        return BlockTaken(number=reader.u16("block-number"))
    raise unknown_choice(choice, _RESULTS, reader.position - 1)
