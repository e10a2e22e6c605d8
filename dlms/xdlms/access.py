"""The ACCESS service: GET, SET and ACTION in one list (GB Ed. 8, 9.3.9 and 9.5).

A request has one Data for each specification, null-data where there is nothing to say; a response
has one Data and one result for each. The items are carried out in their order; by the processing
option in the long invoke id the server goes on after one that failed, or breaks off.

Selection is a specification of its own (get-with-selection, set-with-selection), so that the
Selective-Access-Descriptor has no presence flag here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectiveAccess,
    encode_count,
    encode_descriptor,
    one_each,
    read_attribute,
    read_count,
    read_method,
    read_values,
    selection_needs,
    unknown_choice,
    write_values,
)
from dlms.xdlms.get import read_access_result
from dlms.xdlms.long_invoke import (
    BREAK_ON_ERROR,
    CONFIRMED,
    read_long_invoke,
    write_long_invoke,
)

REQUEST_TAG = 0xD9
RESPONSE_TAG = 0xDA
_GET, _SET, _ACTION, _GET_WITH_SELECTION, _SET_WITH_SELECTION = 1, 2, 3, 4, 5
_SPECIFICATIONS = "access-request-specification"
_REQUEST_DATA = "access-request-list-of-data"
_RESPONSE_DATA = "access-response-list-of-data"
_RESULTS = "access-response-specification"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGet:
    """Read an attribute, or the selected part of it."""

    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSet:
    """Write an attribute, or the selected part of it."""

    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAction:
    """Invoke a method."""

    method: MethodDescriptor


Specification: TypeAlias = AccessGet | AccessSet | AccessAction


class AccessService(IntEnum):
    """Which kind of access a result is of: the choices of Access-Response-Specification."""

    GET = 1
    SET = 2
    ACTION = 3


class AccessResult(NamedTuple):
    """What became of one item; an :class:`ActionResult` goes with an action and with it only."""

    service: AccessService
    result: DataAccessResult | ActionResult


class AccessRequest(NamedTuple):
    """``date_time`` is 12 octets or none."""

    long_invoke: int
    specifications: tuple[Specification, ...]
    data: tuple[Data, ...]
    date_time: bytes = b""

    @property
    def confirmed(self) -> bool:
        """Whether a response is due."""
        return bool(self.long_invoke & CONFIRMED)

    @property
    def break_on_error(self) -> bool:
        """Whether items behind one that failed are left alone."""
        return bool(self.long_invoke & BREAK_ON_ERROR)

    @property
    def needs(self) -> Conformance:
        """ACCESS, and the bits for selective access and attribute 0 as with GET and SET.

        The list itself needs no multiple-references: it is the service's only form.
        """
        needs = Conformance.ACCESS
        for item in self.specifications:
            if not isinstance(item, AccessAction):
                needs = selection_needs(
                    ((item.attribute, item.selection),), needs, _ATTRIBUTE_0[type(item)]
                )
        return needs

    def encode(self) -> bytes:
        one_each(len(self.data), len(self.specifications), _REQUEST_DATA)
        out = bytearray((REQUEST_TAG,))
        write_long_invoke(out, self.long_invoke, self.date_time)
        _write_specifications(out, self.specifications)
        write_values(out, self.data, _REQUEST_DATA)
        return bytes(out)


_ATTRIBUTE_0: dict[type[AccessGet | AccessSet], Conformance] = {
    AccessGet: Conformance.ATTRIBUTE0_WITH_GET,
    AccessSet: Conformance.ATTRIBUTE0_WITH_SET,
}


class AccessResponse(NamedTuple):
    """Data and result of each item. ``specifications`` repeats the request's, where the server
    does that; they are as many then.
    """

    long_invoke: int
    data: tuple[Data, ...]
    results: tuple[AccessResult, ...]
    specifications: tuple[Specification, ...] | None = None
    date_time: bytes = b""

    def encode(self) -> bytes:
        one_each(len(self.results), len(self.data), _RESULTS)
        out = bytearray((RESPONSE_TAG,))
        write_long_invoke(out, self.long_invoke, self.date_time)
        if self.specifications is None:
            out.append(0)
        else:
            one_each(len(self.data), len(self.specifications), _RESPONSE_DATA)
            out.append(1)
            _write_specifications(out, self.specifications)
        write_values(out, self.data, _RESPONSE_DATA)
        out += encode_count(len(self.results), _RESULTS)
        for service, result in self.results:
            if isinstance(result, ActionResult) is not (service is AccessService.ACTION):
                raise CodecError(f"{result!r} is no result of {service.name}", field=_RESULTS)
            out += bytes((service, result))
        return bytes(out)


def decode_request(octets: bytes) -> AccessRequest:
    reader = Reader(octets, 1)
    long_invoke, date_time = read_long_invoke(reader)
    specifications = _read_specifications(reader)
    start = reader.position
    data = read_values(reader, _REQUEST_DATA)
    one_each(len(data), len(specifications), _REQUEST_DATA, start)
    reader.finish("access-request")
    return AccessRequest(long_invoke, specifications, data, date_time)


def decode_response(octets: bytes) -> AccessResponse:
    reader = Reader(octets, 1)
    long_invoke, date_time = read_long_invoke(reader)
    specifications = _read_specifications(reader) if reader.flag(_SPECIFICATIONS) else None
    start = reader.position
    data = read_values(reader, _RESPONSE_DATA)
    if specifications is not None:
        one_each(len(data), len(specifications), _RESPONSE_DATA, start)
    start = reader.position
    count = read_count(reader, _RESULTS)
    one_each(count, len(data), _RESULTS, start)
    results = tuple([_read_result(reader) for _ in range(count)])
    reader.finish("access-response")
    return AccessResponse(long_invoke, data, results, specifications, date_time)


def _read_specifications(reader: Reader) -> tuple[Specification, ...]:
    count = read_count(reader, _SPECIFICATIONS)
    return tuple([_read_specification(reader) for _ in range(count)])


def _read_specification(reader: Reader) -> Specification:
    choice = reader.u8(_SPECIFICATIONS)
    if not _GET <= choice <= _SET_WITH_SELECTION:
        raise unknown_choice(choice, _SPECIFICATIONS, reader.position - 1)
    if choice == _ACTION:
        return AccessAction(method=read_method(reader))
    attribute = read_attribute(reader)
    selection = None
    if choice in (_GET_WITH_SELECTION, _SET_WITH_SELECTION):
        selector = reader.u8("access-selector")
        selection = SelectiveAccess(selector, read_data(reader))
    if choice in (_GET, _GET_WITH_SELECTION):
        return AccessGet(attribute=attribute, selection=selection)
    return AccessSet(attribute=attribute, selection=selection)


def _write_specifications(out: bytearray, specifications: tuple[Specification, ...]) -> None:
    out += encode_count(len(specifications), _SPECIFICATIONS)
    for item in specifications:
        if isinstance(item, AccessAction):
            out.append(_ACTION)
            out += encode_descriptor(item.method)
            continue
        selected = item.selection is not None
        if isinstance(item, AccessGet):
            out.append(_GET_WITH_SELECTION if selected else _GET)
        else:
            out.append(_SET_WITH_SELECTION if selected else _SET)
        out += encode_descriptor(item.attribute)
        if item.selection is not None:
            out.append(item.selection.selector)
            write_data(out, item.selection.parameters)


def _read_result(reader: Reader) -> AccessResult:
    choice = reader.u8(_RESULTS)
    if choice == _ACTION:
        return AccessResult(AccessService.ACTION, _read_action_result(reader))
    if choice in (_GET, _SET):
        return AccessResult(AccessService(choice), read_access_result(reader))
    raise unknown_choice(choice, _RESULTS, reader.position - 1)


def _read_action_result(reader: Reader) -> ActionResult:
    code = reader.u8("action-result")
    try:
        return ActionResult(code)
    except ValueError:
        raise CodecError(
            f"result {code} is unknown", offset=reader.position - 1, field="action-result"
        ) from None
