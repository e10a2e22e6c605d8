"""Fields of xDLMS APDUs in clear (GB Ed. 8, 9.5)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from dlms.axdr import Data, read_data
from dlms.axdr.data import CompactArray
from dlms.errors import CodecError
from dlms.xdlms import registry
from dlms.xdlms.codes import (
    ActionResult,
    DataAccessResult,
    ErrorClass,
    ErrorService,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest
from emulator.conformance.reports.fields.cutting import Cutter, Field

_INITIATE_REQUEST, _INITIATE_RESPONSE = 0x01, 0x08
_SERVICE_ERROR, _EXCEPTION = 0x0E, 0xD8
_GET, _SET, _ACTION = 0xC0, 0xC1, 0xC3
_GOT, _DONE_SET, _DONE_ACTION = 0xC4, 0xC5, 0xC7
_NORMAL, _NEXT, _LATER_BLOCK = 1, 2, 3
_ASSOCIATION_LN, _SECRET, _CHANGE_SECRET = 15, 7, 2
_ARRAY, _STRUCTURE = 1, 2
_MOST = 64
"""Elements of an array or structure that get a field each; the rest is one."""

_LONGEST = 160
"""Characters of a value that is shown."""


def xdlms(cutter: Cutter, stop: int) -> None:
    """From its tag to before ``stop``."""
    outer, cutter.reader.end = cutter.reader.end, stop
    try:
        _apdu(cutter)
    finally:
        cutter.reader.end = outer


def _apdu(cutter: Cutter) -> None:
    start = cutter.position
    tag = cutter.take(1, "tag", _tag)[0]
    match tag:
        case 0x01:
            _initiate_request(cutter)
        case 0x08:
            _initiate_response(cutter)
        case 0x0E:
            cutter.take(1, "service", _named(ErrorService))
            cutter.take(1, "error class", _named(ErrorClass))
            cutter.take(1, "error")
        case 0xD8:
            cutter.take(1, "state-error", _named(StateError))
            cutter.take(1, "service-error", _named(ServiceErrorCode))
            cutter.rest("invocation-counter-error", lambda one: str(int.from_bytes(one, "big")))
        case 0xC0 | 0xC1 | 0xC3:
            _request(cutter, tag)
        case 0xC4 | 0xC5 | 0xC7:
            _response(cutter, tag)
        case _:
            whole = cutter.octets[start : cutter.reader.end]
            cutter.rest("content", lambda _: _decoded(whole))
    cutter.rest("left over")


def _initiate_request(cutter: Cutter) -> None:
    cutter.hides = True
    if cutter.take(1, "dedicated-key", _presence)[0]:
        cutter.string("dedicated-key", secret=True)
    if cutter.take(1, "response-allowed", _presence)[0]:
        cutter.take(1, "response-allowed")
    if cutter.take(1, "proposed-quality-of-service", _presence)[0]:
        cutter.take(1, "proposed-quality-of-service")
    cutter.take(1, "proposed-dlms-version-number")
    _conformance(cutter, "proposed-conformance")
    cutter.take(2, "client-max-receive-pdu-size")


def _initiate_response(cutter: Cutter) -> None:
    if cutter.take(1, "negotiated-quality-of-service", _presence)[0]:
        cutter.take(1, "negotiated-quality-of-service")
    cutter.take(1, "negotiated-dlms-version-number")
    _conformance(cutter, "negotiated-conformance")
    cutter.take(2, "server-max-receive-pdu-size")
    cutter.take(2, "vaa-name", bytes.hex)


def _conformance(cutter: Cutter, name: str) -> None:
    head = cutter.reader.peek(name)
    tag = 2 if head == 0x5F else 1
    cutter.take(tag, "tag", lambda _: name)
    cutter.length(f"length of {name}")
    cutter.take(1, "unused bits")
    cutter.take(3, name, lambda one: _clipped(repr(Conformance(int.from_bytes(one, "big")))))


def _request(cutter: Cutter, tag: int) -> None:
    choice = cutter.take(1, "choice", _choice)[0]
    cutter.take(1, "invoke-id-and-priority", bytes.hex)
    secret = False
    if choice == _NORMAL:
        class_id = int.from_bytes(cutter.take(2, "class id"), "big")
        cutter.take(6, "logical name", lambda one: ".".join(str(octet) for octet in one))
        index = cutter.take(1, "method" if tag == _ACTION else "attribute")[0]
        secret = class_id == _ASSOCIATION_LN and (tag, index) in (
            (_SET, _SECRET),
            (_ACTION, _CHANGE_SECRET),
        )
        if cutter.remaining:
            what = "parameters" if tag == _ACTION else "selective access"
            present = cutter.take(1, what, _presence)[0]
            if present and tag != _ACTION:
                cutter.take(1, "selector")
                _data(cutter, "access parameters")
            if (present and tag == _ACTION) or tag == _SET:
                _data(cutter, "data", secret=secret)
    elif choice == _NEXT and tag != _SET:
        cutter.take(4, "block number")
    elif choice == _LATER_BLOCK and tag == _SET:
        cutter.take(1, "last block")
        cutter.take(4, "block number")
        cutter.string("block data", secret=True)
    else:
        # Lists and first blocks: what is written may be a secret, and in which octets is not told.
        cutter.rest("content", secret=tag != _GET)


def _response(cutter: Cutter, tag: int) -> None:
    choice = cutter.take(1, "choice", _choice)[0]
    cutter.take(1, "invoke-id-and-priority", bytes.hex)
    if choice != _NORMAL:
        cutter.rest("content")
    elif tag == _GOT:
        _result(cutter)
    elif tag == _DONE_SET:
        cutter.take(1, "result", _named(DataAccessResult))
    else:
        cutter.take(1, "result", _named(ActionResult))
        if cutter.take(1, "return parameters", _presence)[0]:
            _result(cutter)


def _result(cutter: Cutter) -> None:
    if cutter.take(1, "choice", lambda one: "data" if not one[0] else "data-access-result")[0]:
        cutter.take(1, "data-access-result", _named(DataAccessResult))
    else:
        _data(cutter, "data")


def _data(cutter: Cutter, name: str, *, secret: bool = False) -> None:
    """A Data; of an array or structure each element is a field."""
    if secret:
        cutter.rest(name, secret=True)
        return
    if cutter.remaining and cutter.reader.peek(name) in (_ARRAY, _STRUCTURE):
        cutter.take(1, name, lambda one: "array" if one[0] == _ARRAY else "structure")
        count = cutter.length(f"elements of {name}")
        for number in range(min(count, _MOST)):
            _value(cutter, f"{name}[{number}]")
        if count > _MOST:
            cutter.rest(f"{name}[{_MOST}] and on")
    else:
        _value(cutter, name)


def _value(cutter: Cutter, name: str) -> None:
    start = cutter.position
    data = read_data(cutter.reader)
    cutter.fields.append(Field(start, cutter.position, name, _clipped(_written(data))))


def _written(data: Data) -> str:
    """Type and value, octets in hexadecimal."""
    value = data.value
    if isinstance(value, tuple) and not isinstance(value, CompactArray):
        said = f"({', '.join(_written(one) for one in value)})"
    else:
        said = value.hex() if isinstance(value, bytes) else repr(value)
    return f"{data.type.label} {said}"


def _decoded(apdu: bytes) -> str:
    try:
        decoded = registry.decode(apdu)
    except CodecError as error:
        return f"malformed: {error}"
    assert not isinstance(decoded, InitiateRequest)  # it has fields of its own
    return _clipped(repr(decoded))


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _tag(octets: bytes) -> str:
    row = registry.BY_TAG.get(octets[0])
    return row.name if row else "unknown"


def _choice(octets: bytes) -> str:
    return f"form {octets[0]}"


def _presence(octets: bytes) -> str:
    return "present" if octets[0] else "absent"


def _named(kind: type[IntEnum]) -> Callable[[bytes], str]:
    def name(octets: bytes) -> str:
        try:
            return kind(octets[0]).name
        except ValueError:
            return f"{octets[0]}, unknown"

    return name
