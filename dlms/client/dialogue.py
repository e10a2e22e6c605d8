"""The dialogues of a client with a meter: one for asyncio, threads and tests alike.

A dialogue is a generator. It yields :class:`Compute`, a step of the protocol to run (it may need
cryptography), and is sent the result; or :class:`Transmit`, an APDU to send, and is sent the APDU
that comes back. What it returns is a value, what it raises a refusal of the meter.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar, get_args

from dlms.association import events
from dlms.association.client import ClientAssociation
from dlms.association.naming import ServedResponse
from dlms.axdr.data import Data
from dlms.client.refusals import AccessRefused, AssociationRejected, ServiceException
from dlms.security.ops import Step
from dlms.transfer.client import exchange
from dlms.xdlms import registry
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestWithList,
    ActionResponse,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import (
    CONFIRMED,
    INVOKE_ID,
    AttributeDescriptor,
    Item,
    MethodDescriptor,
    SelectiveAccess,
)
from dlms.xdlms.get import GetRequest, GetRequestWithList, GetResponse, GetResponseWithList
from dlms.xdlms.registry import CompleteRequest, Request, Response
from dlms.xdlms.set import SetRequest, SetRequestWithList, SetResponse, SetResponseWithList

_RESPONSES = get_args(registry.Response)


class Compute(NamedTuple):
    """Run ``step`` and send back what it returns."""

    step: Step[Any]


class Transmit(NamedTuple):
    """Send ``apdu`` and send back the APDU that answers it."""

    apdu: bytes


T = TypeVar("T")
Dialogue: TypeAlias = Generator[Compute | Transmit, Any, T]


class Dialogues:
    """The dialogues possible on one association, one at a time."""

    def __init__(self, association: ClientAssociation) -> None:
        self._association = association
        self._invoke = 0

    def open(self) -> Dialogue[None]:
        """AARQ, and the passes of HLS if it takes them. :class:`AssociationRejected` if refused."""
        event = yield from self._exchange(self._association.open())
        if isinstance(event, events.AuthenticationPending):
            event = yield from self._exchange(self._association.authenticate())
        match event:
            case events.AssociationOpened():
                return
            case events.AssociationRefused(why=why) | events.AuthenticationFailed(why=why):
                raise AssociationRejected(why)
            case events.ExceptionReceived(exception=exception):
                raise ServiceException(exception)
            case other:
                raise AssociationRejected(f"unexpected {type(other).__name__}")

    def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> Dialogue[Data]:
        """Read an attribute. :class:`AccessRefused` if the meter does not give it."""
        response = yield from self._carry(GetRequest(self._next(), attribute, selection))
        assert isinstance(response, GetResponse)
        if isinstance(response.result, DataAccessResult):
            raise AccessRefused("read", response.result)
        return response.result

    def set(self, attribute: AttributeDescriptor, value: Data) -> Dialogue[None]:
        """Write an attribute. :class:`AccessRefused` if the meter does not take it."""
        response = yield from self._carry(SetRequest(self._next(), attribute, value))
        assert isinstance(response, SetResponse)
        if response.result is not DataAccessResult.SUCCESS:
            raise AccessRefused("write", response.result)

    def action(self, method: MethodDescriptor, parameter: Data | None) -> Dialogue[Data | None]:
        """Invoke a method; gives what it returns. :class:`AccessRefused` if it failed."""
        response = yield from self._carry(ActionRequest(self._next(), method, parameter))
        assert isinstance(response, ActionResponse)
        if response.result is not ActionResult.SUCCESS:
            raise AccessRefused("action", response.result)
        return None if isinstance(response.returned, DataAccessResult) else response.returned

    def release(self) -> Dialogue[None]:
        """RLRQ and RLRE. :class:`ServiceException` if the meter does not release."""
        event = yield from self._exchange(self._association.release())
        if isinstance(event, events.ExceptionReceived):
            raise ServiceException(event.exception)

    def get_list(self, items: Sequence[Item]) -> Dialogue[tuple[Data | DataAccessResult, ...]]:
        """Read several attributes at once; each has its value, or the reason why not."""
        response = yield from self._carry(GetRequestWithList(self._next(), tuple(items)))
        assert isinstance(response, GetResponseWithList)
        return response.results

    def set_list(
        self, items: Sequence[Item], values: Sequence[Data]
    ) -> Dialogue[tuple[DataAccessResult, ...]]:
        """Write several attributes at once; each has its own result."""
        request = SetRequestWithList(self._next(), tuple(items), tuple(values))
        response = yield from self._carry(request)
        assert isinstance(response, SetResponseWithList)
        return response.results

    def action_list(
        self, methods: Sequence[MethodDescriptor], parameters: Sequence[Data]
    ) -> Dialogue[tuple[MethodResult, ...]]:
        """Invoke several methods, in their order; each has its own result."""
        request = ActionRequestWithList(self._next(), tuple(methods), tuple(parameters))
        response = yield from self._carry(request)
        assert isinstance(response, ActionResponseWithList)
        return response.results

    def _carry(self, request: CompleteRequest) -> Dialogue[Response]:
        """Carry a request over, in blocks where it must be (GB Ed. 8, 9.3.6 to 9.3.8)."""
        association = self._association
        transfer = exchange(request, association.room, association.conformance)
        step = next(transfer)
        try:
            while True:
                response = yield from self._request(step)
                assert isinstance(response, _RESPONSES)  # the one that was awaited
                step = transfer.send(response)
        except StopIteration as stop:
            whole: Response = stop.value
            return whole

    def _request(self, request: Request) -> Dialogue[ServedResponse]:
        event = yield from self._exchange(self._association.request(request))
        if isinstance(event, events.ExceptionReceived):
            raise ServiceException(event.exception)
        if not isinstance(event, events.ResponseReceived):
            raise AssociationRejected(f"unexpected {type(event).__name__}")
        return event.response

    def _exchange(self, step: Step[bytes]) -> Dialogue[events.Event]:
        apdu: bytes = yield Compute(step)
        answer: bytes = yield Transmit(apdu)
        event: events.Event = yield Compute(self._association.receive(answer))
        return event

    def _next(self) -> int:
        self._invoke = (self._invoke + 1) & INVOKE_ID
        return CONFIRMED | self._invoke
