"""ACCESS: a list of GET, SET and ACTION carried out in its order (GB Ed. 8, 9.3.9)."""

from __future__ import annotations

from devices.answering import attributes, methods
from devices.answering.asking import Asking
from dlms.axdr.data import NULL, Data
from dlms.axdr.datetimes import CosemDateTime
from dlms.security.ops import Step
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
from dlms.xdlms.long_invoke import SELF_DESCRIPTIVE

_SERVICE = {
    AccessGet: AccessService.GET,
    AccessSet: AccessService.SET,
    AccessAction: AccessService.ACTION,
}


def access(asking: Asking, request: AccessRequest) -> Step[AccessResponse]:
    """Carry out every item, or with break-on-error those up to the first that fails.

    The lists of the response are as long as the request's, so an item that was left alone has a
    result, too: other-reason. The specifications are repeated where a self-descriptive response is
    asked for, and a request with a date-time gets the meter's own.
    """
    data: list[Data] = []
    results: list[AccessResult] = []
    broken = False
    for item, value in zip(request.specifications, request.data, strict=True):
        if broken:
            returned, result = NULL, _left_alone(item)
        else:
            returned, result = yield from _item(asking, item, value)
            broken = request.break_on_error and result.result != 0
        data.append(returned)
        results.append(result)
    echoed = request.specifications if request.long_invoke & SELF_DESCRIPTIVE else None
    moment = b""
    if request.date_time:
        clock = asking.now + asking.device.state.clock_offset
        moment = CosemDateTime.from_datetime(clock).to_octets()
    return AccessResponse(request.long_invoke, tuple(data), tuple(results), echoed, moment)


def _item(asking: Asking, item: Specification, value: Data) -> Step[tuple[Data, AccessResult]]:
    """What one item gives back, and its result."""
    if isinstance(item, AccessAction):
        outcome = yield from methods.act(asking, item.method, value)
        returned = NULL if outcome.returned is None else outcome.returned
        return returned, AccessResult(AccessService.ACTION, outcome.result)
    if isinstance(item, AccessSet):
        written = attributes.put(asking, item.attribute, item.selection, value)
        return NULL, AccessResult(AccessService.SET, written)
    read = attributes.get(asking, item.attribute, item.selection)
    if isinstance(read, Data):
        return read, AccessResult(AccessService.GET, DataAccessResult.SUCCESS)
    return NULL, AccessResult(AccessService.GET, read)


def _left_alone(item: Specification) -> AccessResult:
    action = isinstance(item, AccessAction)
    code = ActionResult.OTHER_REASON if action else DataAccessResult.OTHER_REASON
    return AccessResult(_SERVICE[type(item)], code)
