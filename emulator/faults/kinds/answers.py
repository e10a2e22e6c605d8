"""The meter is busy: it refuses what it would do at another time."""

from __future__ import annotations

from collections.abc import Iterable

from devices.answering.asking import Answerable
from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.release import RLRQ_TAG
from dlms.axdr.data import NULL
from dlms.xdlms.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessService,
)
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestWithList,
    ActionResponse,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.codes import (
    ActionResult,
    DataAccessResult,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.get import GetRequest, GetRequestWithList, GetResponse, GetResponseWithList
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.registry import AnyResponse
from dlms.xdlms.set import SetRequest, SetRequestWithList, SetResponse, SetResponseWithList
from dlms.xdlms.write import WriteRequest, WriteResponse
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind
from emulator.faults.kinds.parameters import ASSOCIATION, choice
from emulator.serving.taps import Parcel, Place

_RESULTS = {
    "temporary-failure": (DataAccessResult.TEMPORARY_FAILURE, ActionResult.TEMPORARY_FAILURE),
    "hardware-fault": (DataAccessResult.HARDWARE_FAULT, ActionResult.HARDWARE_FAULT),
    "other-reason": (DataAccessResult.OTHER_REASON, ActionResult.OTHER_REASON),
}
_EXCEPTION = ExceptionResponse(
    state_error=StateError.SERVICE_NOT_ALLOWED,
    service_error=ServiceErrorCode.OPERATION_NOT_POSSIBLE,
).encode()


def refusal(
    request: Answerable, data: DataAccessResult, action: ActionResult
) -> AnyResponse | None:
    """The response that refuses all of a request; ``None`` if it has no response."""
    match request:
        case GetRequest(invoke):
            return GetResponse(invoke, data)
        case GetRequestWithList(invoke, items):
            return GetResponseWithList(invoke, (data,) * len(items))
        case SetRequest(invoke):
            return SetResponse(invoke, data)
        case SetRequestWithList(invoke, items):
            return SetResponseWithList(invoke, (data,) * len(items))
        case ActionRequest(invoke):
            return ActionResponse(invoke, action)
        case ActionRequestWithList(invoke, methods):
            return ActionResponseWithList(invoke, (MethodResult(action),) * len(methods))
        case ReadRequest(specifications):
            return ReadResponse((data,) * len(specifications))
        case WriteRequest(specifications):
            return WriteResponse((data,) * len(specifications))
        case AccessRequest(long_invoke, specifications):
            results = tuple(
                AccessResult(AccessService.ACTION, action)
                if isinstance(item, AccessAction)
                else AccessResult(
                    AccessService.GET if isinstance(item, AccessGet) else AccessService.SET, data
                )
                for item in specifications
            )
            return AccessResponse(long_invoke, (NULL,) * len(results), results)
    return None


def busy(fault: Fault) -> None:
    how, only = fault["how"], fault["association"]

    def turn_away(parcel: Parcel) -> Iterable[Parcel]:
        if parcel.octets[:1] in (bytes((AARQ_TAG,)), bytes((RLRQ_TAG,))):
            return (parcel,)
        fault.has_acted("request answered with an ExceptionResponse", parcel)
        return (parcel._replace(answer=_EXCEPTION),)

    def answer(request: Answerable, association: str) -> AnyResponse | None:
        if fault.is_over or (only and association != only):
            return None
        response = refusal(request, *_RESULTS[how])
        if response is not None:
            fault.has_acted(f"{type(request).__name__} answered with {how}")
        return response

    if how == "exception":
        fault.tap(Place.APDU_IN, turn_away)
    else:
        fault.answer(answer)


KINDS = (
    Kind(
        name="busy",
        place="association",
        help="the meter refuses requests, and does nothing of what they ask",
        seen="an ExceptionResponse (service-not-allowed, operation-not-possible) to anything but"
        " AARQ and RLRQ; or a result to each item, protected as usual",
        begin=busy,
        parameters=(
            choice("how", ("exception", *_RESULTS), "exception", "what is answered"),
            ASSOCIATION,
        ),
    ),
)
