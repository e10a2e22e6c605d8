"""Lists, attribute 0 and ACCESS: each item is what the single service would have answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.axdr.data import NULL, Data, DataType, integer, octet_string, structure, unsigned
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.xdlms.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResult,
    AccessService,
    AccessSet,
)
from dlms.xdlms.access import decode_response as decode_access
from dlms.xdlms.action import ActionRequest, ActionRequestWithList, ActionResponse, MethodResult
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.get import GetRequest, GetRequestWithList, GetResponse
from dlms.xdlms.set import SetRequest, SetRequestWithList, SetResponse

INVOKE = 0xC5
PAD = "0-0:96.1.9.255"  # of the laboratory: read and written by the dco
OLD, NEW = octet_string(b"\0"), octet_string(b"\1\2")
OK = DataAccessResult.SUCCESS
UNDEFINED = DataAccessResult.OBJECT_UNDEFINED
VIOLATED = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
DENIED = DataAccessResult.READ_WRITE_DENIED
UNMATCHED = DataAccessResult.TYPE_UNMATCHED


def at(code: str, number: int, class_id: int = 1) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, obis.parse(code), number)


def method(code: str, number: int, class_id: int) -> MethodDescriptor:
    return MethodDescriptor(class_id, obis.parse(code), number)


@pytest.fixture
def lab(make_bench: Callable[..., Any]) -> Any:
    return make_bench("laboratory")


READS = (
    (at(PAD, 2), None),
    (at("0-0:199.0.0.255", 2), None),
    (at(PAD, 2, 3), None),
    (at(PAD, 3), None),
    (at("0-0:40.0.0.255", 7, 15), None),
    (at(PAD, 2), SelectiveAccess(1, NULL)),
    (at("1-0:1.8.0.255", 2, 3), None),
)
READ_RESULTS = (OLD, UNDEFINED, DataAccessResult.OBJECT_CLASS_INCONSISTENT, UNDEFINED, DENIED)


def test_get_with_list_keeps_the_order_and_goes_on(lab: Any) -> None:
    response = lab.handle(GetRequestWithList(INVOKE, READS))
    assert response.invoke == INVOKE
    assert response.results[:5] == READ_RESULTS
    assert response.results[5] is VIOLATED
    assert isinstance(response.results[6], Data)
    single = [lab.handle(GetRequest(INVOKE, *item)) for item in READS]
    assert single == [GetResponse(INVOKE, result) for result in response.results]


def test_set_with_list_goes_on_after_a_failure(lab: Any) -> None:
    items = ((at("0-0:199.0.0.255", 2), None), (at(PAD, 1), None), (at(PAD, 2), None))
    response = lab.handle(SetRequestWithList(INVOKE, items, (NEW, NEW, NEW)))
    assert response.results == (UNDEFINED, DENIED, OK)
    assert lab.value(PAD, 2) == NEW.value


def test_the_items_of_a_list_see_what_those_before_have_done(lab: Any) -> None:
    twice = ((at(PAD, 2), None), (at(PAD, 2), None))
    lab.handle(SetRequestWithList(INVOKE, twice, (NEW, OLD)))
    assert lab.value(PAD, 2) == OLD.value


def test_action_with_list(lab: Any) -> None:
    reset = method("0-0:96.1.7.255", 1, 3)
    methods = (method("0-0:1.0.0.255", 6, 8), reset, method("0-0:1.0.0.255", 9, 8), reset)
    parameters = (unsigned(1), integer(0), integer(0), None)
    response = lab.handle(ActionRequestWithList(INVOKE, methods, parameters))
    assert response.results == (
        MethodResult(ActionResult.TYPE_UNMATCHED, None),
        MethodResult(ActionResult.SUCCESS, None),
        MethodResult(ActionResult.OBJECT_UNDEFINED, None),
        MethodResult(ActionResult.TYPE_UNMATCHED, None),
    )
    assert lab.value("0-0:96.1.7.255", 2) == 0


# Attribute 0 --------------------------------------------------------------------------------------


def test_attribute_0_is_the_structure_of_all(lab: Any) -> None:
    found = lab.get("1-0:1.8.0.255", 0)
    assert found.type is DataType.STRUCTURE
    assert found == structure(*(lab.get("1-0:1.8.0.255", number) for number in (1, 2, 3)))


def test_attribute_0_has_null_for_what_is_not_read(lab: Any) -> None:
    found = lab.value("0-0:40.0.0.255", 0)
    assert found[6] == NULL  # the secret
    assert found[1] == lab.get("0-0:40.0.0.255", 2)


def test_attribute_0_is_for_those_who_negotiate_it(lab: Any, bench: Any) -> None:
    assert lab.get(PAD, 0, "sha1") is UNDEFINED
    assert bench.get("0-0:1.0.0.255", 0) is UNDEFINED
    assert bench.set("0-0:1.0.0.255", 0, structure()) is UNDEFINED
    assert lab.get(PAD, 0, selection=SelectiveAccess(1, NULL)) is VIOLATED


def test_attribute_0_without_any_right_is_denied(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("laboratory", f'[objects."{PAD}"]\nrights.dco = "-"\n')
    assert meter.get(PAD, 0) is DENIED
    assert meter.set(PAD, 0, structure(NULL, NULL)) is DENIED


def test_set_of_attribute_0(lab: Any) -> None:
    """null-data leaves an attribute as it is."""
    code, number = "0-0:96.1.7.255", Data(DataType.DOUBLE_LONG_UNSIGNED, 70)
    scaler = lab.get(code, 3)
    assert lab.set(code, 0, structure(NULL, number, NULL)) is OK
    assert (lab.get(code, 2), lab.get(code, 3)) == (number, scaler)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (structure(NULL, NEW), UNMATCHED),
        (structure(NULL, NEW, NULL, NULL), UNMATCHED),
        (NEW, UNMATCHED),
        (structure(octet_string(bytes(6)), NULL, NULL), DENIED),
        (structure(NULL, Data(DataType.DOUBLE_LONG_UNSIGNED, 70), NEW), UNMATCHED),
    ],
)
def test_set_of_attribute_0_is_whole_or_not_at_all(
    lab: Any, value: Data, result: DataAccessResult
) -> None:
    before = lab.digest()
    assert lab.set("0-0:96.1.7.255", 0, value) is result
    assert lab.digest() == before


# ACCESS -------------------------------------------------------------------------------------------

ITEMS = (
    (AccessGet(attribute=at(PAD, 2)), NULL),
    (AccessSet(attribute=at(PAD, 2)), NEW),
    (AccessGet(attribute=at(PAD, 2)), NULL),
    (AccessGet(attribute=at(PAD, 9)), NULL),
    (AccessAction(method=method("0-0:96.1.7.255", 1, 3)), integer(0)),
    (AccessSet(attribute=at(PAD, 2), selection=SelectiveAccess(1, NULL)), OLD),
    (AccessAction(method=method("0-0:96.1.7.255", 1, 3)), NULL),
    (
        AccessGet(
            attribute=at("0-0:40.0.0.255", 2, 15),
            selection=SelectiveAccess(2, Data(DataType.ARRAY, ())),
        ),
        NULL,
    ),
)


def request(long_invoke: int, date_time: bytes = b"") -> AccessRequest:
    specifications, data = zip(*ITEMS, strict=True)
    return AccessRequest(long_invoke, specifications, data, date_time)


def test_access_agrees_with_the_single_services(lab: Any, make_bench: Callable[..., Any]) -> None:
    response = lab.handle(request(0x40000007))
    assert response.long_invoke == 0x40000007
    assert response.specifications is None
    assert response.date_time == b""
    other = make_bench("laboratory")
    for (item, value), data, found in zip(ITEMS, response.data, response.results, strict=True):
        if isinstance(item, AccessGet):
            single = other.handle(GetRequest(INVOKE, item.attribute, item.selection))
            got = isinstance(single.result, Data)
            assert data == (single.result if got else NULL)
            assert found == AccessResult(AccessService.GET, OK if got else single.result)
        elif isinstance(item, AccessSet):
            single = other.handle(SetRequest(INVOKE, item.attribute, value, item.selection))
            assert single == SetResponse(INVOKE, found.result)
            assert (found.service, data) == (AccessService.SET, NULL)
        else:
            single = other.handle(ActionRequest(INVOKE, item.method, value))
            assert single == ActionResponse(INVOKE, found.result, None)
            assert (found.service, data) == (AccessService.ACTION, NULL)
    assert response.data[2] == NEW
    assert lab.digest() == other.digest()
    assert decode_access(response.encode()) == response


def test_break_on_error_leaves_the_rest_alone(lab: Any) -> None:
    response = lab.handle(request(0x60000007))  # confirmed, break on error
    assert [found.result for found in response.results] == [0, 0, 0, 4, 250, 250, 250, 250]
    assert [found.service for found in response.results] == [1, 2, 1, 1, 3, 2, 3, 1]
    assert response.data[4:] == (NULL,) * 4
    assert lab.value("0-0:96.1.7.255", 2) == 7  # the reset behind the error was not carried out
    assert decode_access(response.encode()) == response


def test_self_descriptive_responses_repeat_the_specifications(lab: Any) -> None:
    asked = request(0x50000007)
    response = lab.handle(asked)
    assert response.specifications == asked.specifications
    assert decode_access(response.encode()) == response


def test_a_date_time_gets_the_meters_own(lab: Any) -> None:
    response = lab.handle(request(0x40000007, bytes(12)))
    assert CosemDateTime.from_octets(response.date_time).to_datetime() == lab.now


def test_an_empty_access(lab: Any) -> None:
    assert lab.handle(AccessRequest(1, (), ())).results == ()
