"""The dialogues of a client with a meter: one for asyncio, threads and tests alike.

Read, write and act by logical names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from dlms.association.client import ClientAssociation
from dlms.axdr.data import Data
from dlms.client.associating import Associating
from dlms.client.conversation import Conversation
from dlms.client.effects import Dialogue
from dlms.client.refusals import AccessRefused
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
    AttributeDescriptor,
    Item,
    MethodDescriptor,
    SelectiveAccess,
)
from dlms.xdlms.get import GetRequest, GetRequestWithList, GetResponse, GetResponseWithList
from dlms.xdlms.registry import CompleteRequest, Response
from dlms.xdlms.set import SetRequest, SetRequestWithList, SetResponse, SetResponseWithList

_RESPONSES: tuple[type[Response], ...] = get_args(registry.Response)


class Dialogues(Associating):
    """The dialogues possible on one association, one at a time."""

    def __init__(self, association: ClientAssociation) -> None:
        super().__init__(Conversation(association))

    def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> Dialogue[Data]:
        """Read an attribute. :class:`AccessRefused` if the meter does not give it."""
        response = yield from self._carry(GetRequest(self.talk.invoke(), attribute, selection))
        assert isinstance(response, GetResponse)
        if isinstance(response.result, DataAccessResult):
            raise AccessRefused("read", response.result)
        return response.result

    def set(self, attribute: AttributeDescriptor, value: Data) -> Dialogue[None]:
        """Write an attribute. :class:`AccessRefused` if the meter does not take it."""
        response = yield from self._carry(SetRequest(self.talk.invoke(), attribute, value))
        assert isinstance(response, SetResponse)
        if response.result is not DataAccessResult.SUCCESS:
            raise AccessRefused("write", response.result)

    def set_unconfirmed(self, attribute: AttributeDescriptor, value: Data) -> Dialogue[None]:
        """Write an attribute, and nobody says what became of it. There are no blocks of SET for
        that; general ones there are.
        """
        yield from self.talk.post(SetRequest(self.talk.invoke(confirmed=False), attribute, value))

    def action(self, method: MethodDescriptor, parameter: Data | None) -> Dialogue[Data | None]:
        """Invoke a method; gives what it returns. :class:`AccessRefused` if it failed."""
        response = yield from self._carry(ActionRequest(self.talk.invoke(), method, parameter))
        assert isinstance(response, ActionResponse)
        if response.result is not ActionResult.SUCCESS:
            raise AccessRefused("action", response.result)
        return None if isinstance(response.returned, DataAccessResult) else response.returned

    def action_unconfirmed(
        self, method: MethodDescriptor, parameter: Data | None
    ) -> Dialogue[None]:
        """Invoke a method, and nobody says what became of it, as with :meth:`set_unconfirmed`."""
        invoke = self.talk.invoke(confirmed=False)
        yield from self.talk.post(ActionRequest(invoke, method, parameter))

    def get_list(self, items: Sequence[Item]) -> Dialogue[tuple[Data | DataAccessResult, ...]]:
        """Read several attributes at once; each has its value, or the reason why not."""
        response = yield from self._carry(GetRequestWithList(self.talk.invoke(), tuple(items)))
        assert isinstance(response, GetResponseWithList)
        return response.results

    def set_list(
        self, items: Sequence[Item], values: Sequence[Data]
    ) -> Dialogue[tuple[DataAccessResult, ...]]:
        """Write several attributes at once; each has its own result."""
        request = SetRequestWithList(self.talk.invoke(), tuple(items), tuple(values))
        response = yield from self._carry(request)
        assert isinstance(response, SetResponseWithList)
        return response.results

    def action_list(
        self, methods: Sequence[MethodDescriptor], parameters: Sequence[Data]
    ) -> Dialogue[tuple[MethodResult, ...]]:
        """Invoke several methods, in their order; each has its own result."""
        request = ActionRequestWithList(self.talk.invoke(), tuple(methods), tuple(parameters))
        response = yield from self._carry(request)
        assert isinstance(response, ActionResponseWithList)
        return response.results

    def _carry(self, request: CompleteRequest) -> Dialogue[Response]:
        """Carry a request over, in blocks where it must be (GB Ed. 8, 9.3.6 to 9.3.8)."""
        association = self.talk.association
        transfer = exchange(
            request,
            association.room,
            association.conformance,
            whole=association.carrier.negotiated,
        )
        return (yield from self.talk.carry(transfer, _RESPONSES))
