"""An asyncio DLMS client over the protocol core: one association, values in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from dlms.association import events
from dlms.association.client import ClientAssociation
from dlms.axdr.data import Data
from dlms.errors import DlmsError
from dlms.framing import Wpdu
from dlms.security.ops import Step
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import (
    CONFIRMED,
    AttributeDescriptor,
    MethodDescriptor,
    SelectiveAccess,
)
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.registry import Request, Response
from dlms.xdlms.set import SetRequest, SetResponse
from emulator.channel import WrapperChannel

RESPONSE_TIMEOUT = 10.0
"""Seconds that a meter may take to answer; ``TimeoutError`` then."""

Runner: TypeAlias = Callable[[Step[Any]], Awaitable[Any]]
"""Runs a step of the core: :meth:`emulator.custody.Custody.run` bound to an errand, for example."""


class MeterRefusal(DlmsError):
    """The meter understood, and said no."""


class AssociationRejected(MeterRefusal):
    """There is no association."""


class AccessRefused(MeterRefusal):
    """A GET, SET or ACTION was refused with ``result``."""

    def __init__(self, what: str, result: DataAccessResult | ActionResult) -> None:
        super().__init__(f"{what}: {result.name.lower().replace('_', '-')}")
        self.result = result


class ServiceException(MeterRefusal):
    """The meter answered with an ExceptionResponse."""

    def __init__(self, exception: ExceptionResponse) -> None:
        name = exception.service_error.name.lower().replace("_", "-")
        super().__init__(f"meter answers with an exception: {name}")
        self.exception = exception


class MeterClient:
    """One open association. Made by :meth:`open`, ended by :meth:`release`."""

    def __init__(
        self,
        channel: WrapperChannel,
        association: ClientAssociation,
        run: Runner,
        timeout: float = RESPONSE_TIMEOUT,
    ) -> None:
        self._channel = channel
        self._association = association
        self._run = run
        self._timeout = timeout
        self._invoke = 0

    @property
    def association(self) -> ClientAssociation:
        return self._association

    async def open(self) -> None:
        """AARQ, and the passes of HLS if it takes them. :class:`AssociationRejected` if refused."""
        event = await self._exchange(await self._run(self._association.open()))
        if isinstance(event, events.AuthenticationPending):
            event = await self._exchange(await self._run(self._association.authenticate()))
        match event:
            case events.AssociationOpened():
                return
            case events.AssociationRefused(why=why) | events.AuthenticationFailed(why=why):
                raise AssociationRejected(why)
            case events.ExceptionReceived(exception=exception):
                raise ServiceException(exception)
            case other:
                raise AssociationRejected(f"unexpected {type(other).__name__}")

    async def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> Data:
        """Read an attribute. :class:`AccessRefused` if the meter does not give it."""
        response = await self._request(GetRequest(self._next_invoke(), attribute, selection))
        assert isinstance(response, GetResponse)
        if isinstance(response.result, DataAccessResult):
            raise AccessRefused("read", response.result)
        return response.result

    async def set(self, attribute: AttributeDescriptor, value: Data) -> None:
        """Write an attribute. :class:`AccessRefused` if the meter does not take it."""
        response = await self._request(SetRequest(self._next_invoke(), attribute, value))
        assert isinstance(response, SetResponse)
        if response.result is not DataAccessResult.SUCCESS:
            raise AccessRefused("write", response.result)

    async def action(self, method: MethodDescriptor, parameter: Data | None) -> Data | None:
        """Invoke a method; gives what it returns. :class:`AccessRefused` if it failed."""
        response = await self._request(ActionRequest(self._next_invoke(), method, parameter))
        assert isinstance(response, ActionResponse)
        if response.result is not ActionResult.SUCCESS:
            raise AccessRefused("action", response.result)
        return None if isinstance(response.returned, DataAccessResult) else response.returned

    async def release(self) -> None:
        """RLRQ and RLRE."""
        event = await self._exchange(await self._run(self._association.release()))
        if isinstance(event, events.ExceptionReceived):
            raise ServiceException(event.exception)

    async def close(self) -> None:
        """Drop the connection; the association ends with it."""
        self._channel.close()
        await self._run(self._association.close())

    async def _request(self, request: Request) -> Response:
        event = await self._exchange(await self._run(self._association.request(request)))
        if isinstance(event, events.ExceptionReceived):
            raise ServiceException(event.exception)
        if not isinstance(event, events.ResponseReceived):
            raise AssociationRejected(f"unexpected {type(event).__name__}")
        return event.response

    async def _exchange(self, apdu: bytes) -> events.Event:
        config = self._association.config
        self._channel.send(Wpdu(config.client_sap, config.server_sap, apdu))
        async with asyncio.timeout(self._timeout):
            wpdu = await self._channel.receive()
        event: events.Event = await self._run(self._association.receive(wpdu.apdu))
        return event

    def _next_invoke(self) -> int:
        self._invoke = (self._invoke + 1) & 0x0F
        return CONFIRMED | self._invoke
