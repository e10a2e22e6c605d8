"""Block transfer at the client's end: Read and Write (GB Ed. 8, 9.3.13 to 9.3.15).

:func:`exchange_names` yields what to send, is sent what came back, and returns the complete
response. How a server is judged that does not keep to the procedure, or to the bounds, is said in
:mod:`dlms.transfer.judging`; there are no invoke ids to judge by.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TypeAlias

from dlms.axdr.data import octet_string
from dlms.errors import CodecError, LocalProtocolError, RemoteProtocolError
from dlms.transfer.judging import Collected, Limits, acknowledged, early_success, unexpected
from dlms.transfer.names_contents import MAX_NUMBER, NameResponse, is_result, whole_response
from dlms.transfer.pieces import TooLong, capacity, cut
from dlms.xdlms.block import Block
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.read import BlockTaken, ReadRequest, ReadResponse
from dlms.xdlms.variable_access import (
    BlockNumberAccess,
    ReadDataBlockAccess,
    ShortBlock,
    WriteDataBlockAccess,
)
from dlms.xdlms.write import WriteRequest, WriteResponse

NameStep: TypeAlias = ReadRequest | WriteRequest
NameTransfer: TypeAlias = Generator[NameStep, NameResponse, NameResponse]

_READ_HEAD, _WRITE_HEAD = 6, 8
"""Octets in front of the OCTET STRING of a request block."""

_DEFAULT_LIMITS = Limits()


def exchange_names(
    request: NameStep,
    room: int | None,
    conformance: Conformance,
    *,
    whole: bool = False,
    limits: Limits = _DEFAULT_LIMITS,
) -> NameTransfer:
    """Carry ``request`` over, in blocks where it must be, and return its complete response.

    ``room`` is how many octets a plain request APDU may have, ``None`` any number; ``conformance``
    is what was negotiated. What is returned is of the service of ``request`` and has a result for
    each of its items.

    A request that does not fit and cannot be cut is yielded as it is if ``whole``, for others to
    cut; else it is :class:`TooLong` before anything is sent. :class:`LocalProtocolError` if it is
    to be cut and was not negotiated.
    :class:`RemoteProtocolError` if the server breaks the rules (:mod:`dlms.transfer.judging`).
    """
    steps = _blocks(request, room, conformance, whole)
    if steps is None:
        response = yield request
    else:
        for step, block in steps:
            response = yield step
            if block.last:
                break
            taken = _only(request, response)
            if not isinstance(taken, BlockTaken):
                return _failed(request, response)
            acknowledged(taken.number, block)
    only = _only(request, response)
    if isinstance(request, ReadRequest) and isinstance(only, ShortBlock):
        if not conformance & Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ:
            raise unexpected(response)
        return (yield from _collect(request, response, limits))
    if steps is not None and len(request.specifications) != len(response.results):
        return _failed(request, response)
    return _fitting(request, response)


def _collect(
    request: ReadRequest, response: NameResponse, limits: Limits
) -> Generator[NameStep, NameResponse, NameResponse]:
    collected = Collected(limits)
    while True:
        block = _only(request, response)
        if not isinstance(block, ShortBlock):
            return _failed(request, response)
        collected.take(Block(*block))
        if block.last:
            break
        response = yield ReadRequest((BlockNumberAccess(number=block.number),))
    try:
        return whole_response(request, bytes(collected.raw))
    except CodecError as error:
        raise RemoteProtocolError(
            f"the blocks together: {error}", reason="malformed-blocks"
        ) from error


def _blocks(
    request: NameStep, room: int | None, conformance: Conformance, whole: bool
) -> Iterator[tuple[NameStep, Block]] | None:
    """The steps that carry ``request``, or ``None`` if it fits, or is wanted whole."""
    apdu = request.encode()
    if room is None or len(apdu) <= room:
        return None
    reading = isinstance(request, ReadRequest)
    needs = (
        Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
        if reading
        else Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    )
    raw, size = apdu[1:], capacity(room - (_READ_HEAD if reading else _WRITE_HEAD))
    # A product, so that no room at all makes it too long, too.
    if needs not in conformance or len(raw) > size * MAX_NUMBER:
        if whole:
            return None
        raise TooLong(f"the request does not fit into {room} octets and cannot be cut")
    # No step shows what the whole of them needs.
    if request.needs & ~conformance:
        raise LocalProtocolError("the service was not negotiated")
    return ((_step(block, reading), block) for block in cut(raw, size, size))


def _step(block: Block, reading: bool) -> NameStep:
    if reading:
        return ReadRequest((ReadDataBlockAccess(block=ShortBlock(*block)),))
    start = WriteDataBlockAccess(last=block.last, number=block.number)
    return WriteRequest((start,), (octet_string(block.raw),))


def _only(request: NameStep, response: NameResponse) -> object:
    """The one result of a step. ``None`` if there is not one, or of another service."""
    if isinstance(request, ReadRequest) is not isinstance(response, ReadResponse):
        raise unexpected(response)
    return response.results[0] if len(response.results) == 1 else None


def _fitting(request: NameStep, response: NameResponse) -> NameResponse:
    """``response``, if it is of the form that goes with ``request``."""
    if len(response.results) != len(request.specifications):
        raise unexpected(response)
    if isinstance(response, ReadResponse):
        if DataAccessResult.SUCCESS in response.results:
            raise early_success()
        if all(map(is_result, response.results)):
            return response
    elif all(isinstance(result, DataAccessResult) for result in response.results):
        return response
    raise unexpected(response)


def _failed(request: NameStep, response: NameResponse) -> NameResponse:
    """The complete response, where a step says why the transfer has come to nothing."""
    why = _only(request, response)
    if not isinstance(why, DataAccessResult):
        raise unexpected(response)
    if why is DataAccessResult.SUCCESS:
        raise early_success()
    results = (why,) * len(request.specifications)  # one reason for all of it
    return ReadResponse(results) if isinstance(request, ReadRequest) else WriteResponse(results)
