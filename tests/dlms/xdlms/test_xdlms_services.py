"""GET, SET and ACTION, the error APDUs, and the registry of all."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.axdr.data import NULL, array, octet_string, structure, unsigned
from dlms.errors import CodecError
from dlms.xdlms import action, get, registry
from dlms.xdlms import set as set_service
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import (
    ActionResult,
    ApplicationReferenceError,
    DataAccessResult,
    ErrorClass,
    ErrorService,
    InitiateError,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.errors import NOT_ASSOCIATED, ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest, SetResponse

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
METHOD = MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
SELECTION = SelectiveAccess(2, structure(unsigned(1), array()))

# APDU and its octets, written by hand.
CASES: list[tuple[Any, str]] = [
    (GetRequest(0xC1, CLOCK), "C001C1 0008 0000010000FF 02 00"),
    (GetRequest(0x41, CLOCK, SELECTION), "C00141 0008 0000010000FF 02 01 02 020211010100"),
    (GetResponse(0x41, unsigned(7)), "C40141 00 1107"),
    (GetResponse(0x41, NULL), "C40141 00 00"),
    (GetResponse(0x41, DataAccessResult.READ_WRITE_DENIED), "C40141 01 03"),
    (GetResponse(0x41, DataAccessResult.OTHER_REASON), "C40141 01 FA"),
    (SetRequest(0x41, CLOCK, octet_string(b"A")), "C10141 0008 0000010000FF 02 00 090141"),
    (
        SetRequest(0x41, CLOCK, unsigned(9), SELECTION),
        "C10141 0008 0000010000FF 02 01 02 020211010100 1109",
    ),
    (SetResponse(0x41, DataAccessResult.SUCCESS), "C50141 00"),
    (SetResponse(0x41, DataAccessResult.TYPE_UNMATCHED), "C50141 0C"),
    (ActionRequest(0x41, METHOD), "C30141 0046 000060030AFF 01 00"),
    (ActionRequest(0x41, METHOD, unsigned(0)), "C30141 0046 000060030AFF 01 01 1100"),
    (ActionResponse(0x41, ActionResult.SUCCESS), "C70141 00 00"),
    (ActionResponse(0x41, ActionResult.OBJECT_UNDEFINED), "C70141 04 00"),
    (ActionResponse(0x41, ActionResult.SUCCESS, unsigned(1)), "C70141 00 01 00 1101"),
    (
        ActionResponse(0x41, ActionResult.SUCCESS, DataAccessResult.HARDWARE_FAULT),
        "C70141 00 01 01 01",
    ),
    (
        ConfirmedServiceError(
            service=ErrorService.INITIATE,
            error_class=ErrorClass.INITIATE,
            value=InitiateError.DLMS_VERSION_TOO_LOW,
        ),
        "0E 01 06 01",
    ),
    (
        ConfirmedServiceError(
            service=ErrorService.INITIATE,
            error_class=ErrorClass.APPLICATION_REFERENCE,
            value=ApplicationReferenceError.DECIPHERING_ERROR,
        ),
        "0E 01 00 06",
    ),
    (
        ConfirmedServiceError(service=ErrorService.READ, error_class=ErrorClass.SERVICE, value=2),
        "0E 05 03 02",
    ),
    (NOT_ASSOCIATED, "D8 01 02"),
    (
        ExceptionResponse(
            state_error=StateError.SERVICE_UNKNOWN, service_error=ServiceErrorCode.OTHER_REASON
        ),
        "D8 02 03",
    ),
    (
        ExceptionResponse(
            state_error=StateError.SERVICE_NOT_ALLOWED,
            service_error=ServiceErrorCode.INVOCATION_COUNTER_ERROR,
            invocation_counter=0x01020304,
        ),
        "D8 01 06 01020304",
    ),
]


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(("apdu", "text"), CASES, ids=lambda value: str(value)[:40])
def test_both_ways(apdu: Any, text: str) -> None:
    assert apdu.encode() == octets(text)
    decoded = registry.decode(octets(text))
    assert decoded == apdu
    assert type(decoded) is type(apdu)


@pytest.mark.parametrize(("apdu", "text"), CASES, ids=lambda value: str(value)[:40])
def test_cut_and_left_over(apdu: Any, text: str) -> None:
    whole = octets(text)
    for cut in range(len(whole)):
        with pytest.raises(CodecError):
            registry.decode(whole[:cut])
    with pytest.raises(CodecError):
        registry.decode(whole + b"\0")


@pytest.mark.parametrize("code", [c for c in range(256) if c not in set(DataAccessResult)])
def test_unknown_access_results(code: int) -> None:
    for decode, head in (
        (get.decode_response, "C4014101"),
        (set_service.decode_response, "C50141"),
        (action.decode_response, "C70141000101"),
    ):
        with pytest.raises(CodecError):
            decode(bytes.fromhex(head) + bytes((code,)))


@pytest.mark.parametrize("code", [c for c in range(256) if c not in set(ActionResult)])
def test_unknown_action_results(code: int) -> None:
    with pytest.raises(CodecError):
        action.decode_response(bytes.fromhex("C70141") + bytes((code, 0)))


FORMS = {0xC0: 3, 0xC1: 5, 0xC3: 6, 0xC4: 3, 0xC5: 5, 0xC7: 4}
"""How many forms each APDU has, by its tag."""


@pytest.mark.parametrize("choice", [0, *range(4, 9), 255])
def test_unknown_forms(choice: int) -> None:
    for apdu, text in CASES:
        forms = FORMS.get(apdu.encode()[0])
        if forms is not None and not 0 < choice <= forms:
            changed = bytearray(octets(text))
            changed[1] = choice
            with pytest.raises(CodecError, match="unknown") as caught:
                registry.decode(bytes(changed))
            assert caught.value.offset == 1


@pytest.mark.parametrize("choice", [2, 255])
def test_unknown_get_data_result(choice: int) -> None:
    with pytest.raises(CodecError):
        get.decode_response(bytes((0xC4, 1, 0x41, choice, 0)))


@pytest.mark.parametrize(
    "text", ["0E 02 06 01", "0E 01 08 00", "0E 01 FF 00", "0D 01 06 00", "0E 00 00 00"]
)
def test_unknown_service_errors(text: str) -> None:
    with pytest.raises(CodecError):
        ConfirmedServiceError.decode(octets(text))


@pytest.mark.parametrize(
    "text", ["D8 00 01", "D8 03 01", "D8 01 00", "D8 01 07", "D9 01 01", "D8 01 05 00000001"]
)
def test_unknown_exceptions(text: str) -> None:
    with pytest.raises(CodecError):
        ExceptionResponse.decode(octets(text))


def test_registry() -> None:
    assert {f"{tag:02X}" for tag in registry.BY_TAG} == {
        "01", "05", "06", "08", "0C", "0D", "0E", "0F", "10", "16", "18",
        "C0", "C1", "C2", "C3", "C4", "C5", "C7", "D8", "D9", "DA", "E0",
    }  # fmt: skip
    assert all(tag == row.tag for tag, row in registry.BY_TAG.items())
    needs = {row.name: row.needs for row in registry.BY_TAG.values() if row.needs}
    assert needs == {
        "get-request": Conformance.GET,
        "get-response": Conformance.GET,
        "set-request": Conformance.SET,
        "set-response": Conformance.SET,
        "action-request": Conformance.ACTION,
        "action-response": Conformance.ACTION,
        "access-request": Conformance.ACCESS,
        "access-response": Conformance.ACCESS,
        "read-request": Conformance.READ,
        "read-response": Conformance.READ,
        "write-request": Conformance.WRITE,
        "write-response": Conformance.WRITE,
        "unconfirmed-write-request": Conformance.UNCONFIRMED_WRITE,
        "data-notification": Conformance.DATA_NOTIFICATION,
        "data-notification-confirm": Conformance.DATA_NOTIFICATION,
        "event-notification-request": Conformance.EVENT_NOTIFICATION,
        "information-report-request": Conformance.INFORMATION_REPORT,
        "general-block-transfer": Conformance.GENERAL_BLOCK_TRANSFER,
    }


@pytest.mark.parametrize("tag", [t for t in range(256) if t not in registry.BY_TAG])
def test_unknown_tags(tag: int) -> None:
    with pytest.raises(CodecError) as caught:
        registry.decode(bytes((tag,)) + bytes(10))
    assert caught.value.offset == 0


def test_nothing() -> None:
    with pytest.raises(CodecError):
        registry.decode(b"")
