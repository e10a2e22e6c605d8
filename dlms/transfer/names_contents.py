"""Read and Write in blocks: which requests are steps, and what all blocks make together.

=================  =================================================================
long               raw data (GB Ed. 8, 9.3.14 and 9.3.15)
=================  =================================================================
Read request       SEQUENCE OF Variable-Access-Specification
Read response      SEQUENCE OF the choice that its results are
Write request      the specifications, then SEQUENCE OF Data, one for each
=================  =================================================================

Each is the APDU without its tag. A Write response has no blocks, and nothing has blocks inside.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from dlms.axdr import DataType
from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import one_each, read_values
from dlms.xdlms.read import BlockTaken, ReadRequest, ReadResponse, Result, read_results
from dlms.xdlms.variable_access import (
    Allowed,
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableName,
    WriteDataBlockAccess,
    read_specifications,
)
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

NameRequest: TypeAlias = ReadRequest | WriteRequest | UnconfirmedWriteRequest
NameResponse: TypeAlias = ReadResponse | WriteResponse

MAX_NUMBER = 0xFFFF
"""A block number is an Unsigned16. There is no way on from it: it does not wrap around."""

_WHOLE: Allowed = frozenset((VariableName, ParameterizedAccess))
_DATA, _RESULTS = "list-of-data", "read-response results"


class Long(Enum):
    """What goes in blocks. There are no invoke ids: this is all by which transfers differ."""

    READ_RESPONSE = "Read response"
    READ_REQUEST = "Read request"
    WRITE_REQUEST = "Write request"


class Piece(NamedTuple):
    """A block of a long request."""

    of: Long
    block: ShortBlock


class Onward(NamedTuple):
    """Block ``number`` of a long response has come, and the next is wanted."""

    number: int


def is_whole(request: NameRequest) -> bool:
    """Whether ``request`` is no step of a transfer, but something to carry out."""
    return all(type(item) in _WHOLE for item in request.specifications)


def step_of(request: NameRequest) -> Piece | Onward | None:
    """The step that ``request`` is; ``None`` if it is none, or blocks among other things."""
    if len(request.specifications) != 1:
        return None
    match request.specifications[0]:
        case BlockNumberAccess(number=number):
            return Onward(number)
        case ReadDataBlockAccess(block=block):
            return Piece(Long.READ_REQUEST, block)
        case WriteDataBlockAccess(last=last, number=number) if isinstance(request, WriteRequest):
            value = request.data[0].value
            if request.data[0].type is DataType.OCTET_STRING and isinstance(value, bytes):
                return Piece(Long.WRITE_REQUEST, ShortBlock(last, number, value))
    return None


def whole_request(of: Long, raw: bytes) -> ReadRequest | WriteRequest:
    """The long request, from all its blocks. :class:`CodecError` if ``raw`` is not right."""
    reader = Reader(raw)
    specifications = read_specifications(reader, _WHOLE)
    if of is Long.READ_REQUEST:
        reader.finish("read-request")
        return ReadRequest(specifications)
    start = reader.position
    data = read_values(reader, _DATA)
    one_each(len(data), len(specifications), _DATA, start)
    reader.finish("write-request")
    return WriteRequest(specifications, data)


def whole_response(request: ReadRequest, raw: bytes) -> ReadResponse:
    """The long answer to ``request``. :class:`CodecError` if ``raw`` is not right."""
    reader = Reader(raw)
    results = read_results(reader)
    reader.finish(_RESULTS)
    one_each(len(results), len(request.specifications), _RESULTS, 0)
    if not all(map(is_result, results)):
        raise CodecError("a block, or success without data, in blocks", offset=0, field=_RESULTS)
    return ReadResponse(results)


def is_result(result: Result) -> bool:
    """Whether this is what becomes of an item: a value, or the reason why there is none."""
    return not isinstance(result, ShortBlock | BlockTaken) and (
        result is not DataAccessResult.SUCCESS
    )
