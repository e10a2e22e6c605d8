"""ACCESS: what is refused, and what a request needs. Octets that are right are in the vectors."""

from __future__ import annotations

import pytest

from dlms.axdr.data import NULL, unsigned
from dlms.errors import CodecError
from dlms.xdlms import access
from dlms.xdlms.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessService,
    AccessSet,
    Specification,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
WHOLE_CLOCK = CLOCK._replace(attribute=0)
METHOD = MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
SELECTION = SelectiveAccess(1, NULL)
GET = AccessGet(attribute=CLOCK)
GET_OCTETS = "01 0008 0000010000FF 02 "
OK = AccessResult(AccessService.GET, DataAccessResult.SUCCESS)


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(
    ("items", "extra"),
    [
        ((), Conformance(0)),
        ((GET, GET, AccessSet(attribute=CLOCK), AccessAction(method=METHOD)), Conformance(0)),
        ((GET, AccessGet(attribute=CLOCK, selection=SELECTION)), Conformance.SELECTIVE_ACCESS),
        ((AccessSet(attribute=CLOCK, selection=SELECTION),), Conformance.SELECTIVE_ACCESS),
        ((AccessGet(attribute=WHOLE_CLOCK),), Conformance.ATTRIBUTE0_WITH_GET),
        ((AccessSet(attribute=WHOLE_CLOCK),), Conformance.ATTRIBUTE0_WITH_SET),
    ],
)
def test_needs(items: tuple[Specification, ...], extra: Conformance) -> None:
    request = AccessRequest(0, items, (NULL,) * len(items))
    assert request.needs == Conformance.ACCESS | extra


@pytest.mark.parametrize(
    ("long_invoke", "confirmed", "break_on_error"),
    [
        (0x00FFFFFF, False, False),
        (0x40000000, True, False),
        (0x20000000, False, True),
        (0x60000001, True, True),
        (0x90000000, False, False),
    ],
)
def test_flags(long_invoke: int, confirmed: bool, break_on_error: bool) -> None:
    """X_ACCESS."""
    request = access.decode_request(bytes((0xD9,)) + long_invoke.to_bytes(4, "big") + bytes(3))
    assert request == AccessRequest(long_invoke, (), ())
    assert request.confirmed is confirmed
    assert request.break_on_error is break_on_error


def test_results_are_of_their_service() -> None:
    """15 is another code for an action than for the others."""
    response = access.decode_response(octets("DA 00000000 00 00 03 000000 03 030F 010F 020F"))
    assert [type(result) for _, result in response.results] == [
        ActionResult,
        DataAccessResult,
        DataAccessResult,
    ]


REQUESTS = {
    "one value less": ("00 02 " + GET_OCTETS * 2 + "01 00", 27),
    "one value more": ("00 01 " + GET_OCTETS + "02 00 00", 17),
    "unknown specification 0": ("00 01 00 0008 0000010000FF 02 01 00", 7),
    "unknown specification 6": ("00 01 06 0008 0000010000FF 02 01 00", 7),
    "256 specifications": ("00 820100 " + GET_OCTETS * 256 + "820100" + "00" * 256, 6),
    "date-time of 11": ("0B" + "00" * 11 + "00 00", 5),
    "date-time of 13": ("0D" + "00" * 13 + "00 00", 5),
    "date-time as Data": ("09 0C" + "07E1090C0217122AFF800000" + "00 00", 5),
    "left over": ("00 00 00 00", 8),
}


@pytest.mark.parametrize("case", REQUESTS, ids=str)
def test_refused_requests(case: str) -> None:
    text, offset = REQUESTS[case]
    with pytest.raises(CodecError) as caught:
        access.decode_request(octets("D9 40000000 " + text))
    assert caught.value.offset == offset


RESPONSES = {
    "one result less": ("00 02 00 00 01 0100", 10),
    "one result more": ("00 01 00 02 0100 0100", 9),
    "one specification less": ("01 01 " + GET_OCTETS + "02 00 00 02 0100 0100", 18),
    "one specification more": ("01 02 " + GET_OCTETS * 2 + "01 00 01 0100", 28),
    "presence flag 2": ("02 00 00", 6),
    "result of service 0": ("00 01 00 01 0000", 10),
    "result of service 4": ("00 01 00 01 0400", 10),
    "no data-access-result": ("00 01 00 01 0105", 11),
    "no action-result": ("00 01 00 01 0311", 11),
    "left over": ("00 00 00 00", 9),
}


@pytest.mark.parametrize("case", RESPONSES, ids=str)
def test_refused_responses(case: str) -> None:
    text, offset = RESPONSES[case]
    with pytest.raises(CodecError) as caught:
        access.decode_response(octets("DA 40000000 00 " + text))
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "apdu",
    [
        AccessRequest(1 << 32, (), ()),
        AccessRequest(-1, (), ()),
        AccessRequest(0, (GET,), ()),
        AccessRequest(0, (), (NULL,)),
        AccessRequest(0, (), (), b"\0" * 5),
        AccessRequest(0, (GET,) * 256, (NULL,) * 256),
        AccessResponse(0, (NULL,), ()),
        AccessResponse(0, (), (OK,)),
        AccessResponse(0, (unsigned(1),), (OK,), ()),
        AccessResponse(0, (), (), (GET,)),
        AccessResponse(0, (NULL,), (AccessResult(AccessService.GET, ActionResult.SUCCESS),)),
        AccessResponse(0, (NULL,), (AccessResult(AccessService.ACTION, DataAccessResult.SUCCESS),)),
    ],
    ids=repr,
)
def test_what_cannot_be_encoded(apdu: AccessRequest | AccessResponse) -> None:
    with pytest.raises(CodecError):
        apdu.encode()


def test_a_list_of_255() -> None:
    request = AccessRequest(0, (GET,) * 255, (NULL,) * 255)
    assert access.decode_request(request.encode()) == request
    assert request.encode()[6:8] == b"\x81\xff"
