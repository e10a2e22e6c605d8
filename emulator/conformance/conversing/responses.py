"""What a response is, whatever service it answers: its value, its result, and where an octet is."""

from __future__ import annotations

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult
from dlms.axdr.data import Data
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetResponse
from dlms.xdlms.read import ReadResponse
from dlms.xdlms.set import SetResponse
from dlms.xdlms.write import WriteResponse
from emulator.conformance.probing.seen import Seen


def data_of(seen: Seen) -> Data | None:
    """The value in a response, if it has one."""
    said = seen.message
    if isinstance(said, GetResponse) and isinstance(said.result, Data):
        return said.result
    if isinstance(said, ReadResponse) and len(said.results) == 1:
        result = said.results[0]
        return result if isinstance(result, Data) else None
    if isinstance(said, ActionResponse) and isinstance(said.returned, Data):
        return said.returned
    return None


def data_result(seen: Seen) -> DataAccessResult | None:
    """The data-access-result in a response; SUCCESS where there is a value."""
    said = seen.message
    if isinstance(said, GetResponse):
        return said.result if isinstance(said.result, DataAccessResult) else _SUCCESS
    if isinstance(said, SetResponse):
        return said.result
    if isinstance(said, ReadResponse | WriteResponse) and len(said.results) == 1:
        result = said.results[0]
        return result if isinstance(result, DataAccessResult) else _SUCCESS
    other = getattr(said, "result", None)
    return other if isinstance(other, DataAccessResult) else None


_SUCCESS = DataAccessResult.SUCCESS


def is_success(seen: Seen) -> bool:
    said = seen.message
    if isinstance(said, ActionResponse):
        return said.result is ActionResult.SUCCESS
    return data_result(seen) is DataAccessResult.SUCCESS


def is_refusal(seen: Seen) -> bool:
    """Whether an APDU says no, in any of the ways there are."""
    said = seen.message
    if isinstance(said, ExceptionResponse | ConfirmedServiceError):
        return True
    if isinstance(said, Aare):
        return said.result is not AssociationResult.ACCEPTED
    if isinstance(said, ActionResponse):
        return said.result is not ActionResult.SUCCESS
    result = data_result(seen)
    return result is not None and result is not DataAccessResult.SUCCESS


def first_octet(seen: Seen) -> int | None:
    """The octet at fault where something came in the place of nothing, or cannot be decoded."""
    if not seen.octets:
        return None
    return 0 if seen.fault is None else seen.fault


def element(seen: Seen, tag: int) -> int | None:
    """Where the element of that tag is in an AARE, in its short form of lengths."""
    octets, position = seen.octets, 2
    while position + 1 < len(octets):
        if octets[position] == tag:
            return position
        position += 2 + octets[position + 1]
    return None


def last_octet(seen: Seen) -> int | None:
    """The last octet of a response, where its result is."""
    return len(seen.plain) - 1 if seen.plain else None
