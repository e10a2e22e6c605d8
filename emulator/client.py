"""An asyncio DLMS client over the protocol core: one association, values in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from dlms.association.client import ClientAssociation
from dlms.axdr.data import Data
from dlms.client.dialogue import Compute, Dialogue, Dialogues
from dlms.security.ops import Step
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from emulator.channel import Channel

RESPONSE_TIMEOUT = 10.0
"""Seconds that a meter may take to answer; ``TimeoutError`` then."""

Runner: TypeAlias = Callable[[Step[Any]], Awaitable[Any]]
"""Runs a step of the core: :meth:`emulator.custody.Custody.run` bound to an errand, for example."""

T = TypeVar("T")


class MeterClient:
    """One association. Begun by :meth:`open`, ended by :meth:`release`.

    What each call does and raises is said at :class:`dlms.client.dialogue.Dialogues`.
    """

    def __init__(
        self,
        channel: Channel,
        association: ClientAssociation,
        run: Runner,
        timeout: float = RESPONSE_TIMEOUT,
    ) -> None:
        self._channel = channel
        self._association = association
        self._dialogues = Dialogues(association)
        self._run = run
        self._timeout = timeout

    @property
    def association(self) -> ClientAssociation:
        return self._association

    async def open(self) -> None:
        await self._hold(self._dialogues.open())

    async def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> Data:
        return await self._hold(self._dialogues.get(attribute, selection))

    async def set(self, attribute: AttributeDescriptor, value: Data) -> None:
        await self._hold(self._dialogues.set(attribute, value))

    async def action(self, method: MethodDescriptor, parameter: Data | None) -> Data | None:
        return await self._hold(self._dialogues.action(method, parameter))

    async def release(self) -> None:
        await self._hold(self._dialogues.release())

    async def close(self) -> None:
        """Drop the connection; the association ends with it."""
        self._channel.close()
        await self._run(self._association.close())

    async def _hold(self, dialogue: Dialogue[T]) -> T:
        """Give a dialogue what it asks for until it has its result."""
        given: Any = None
        try:
            while True:
                wish = dialogue.send(given)
                if isinstance(wish, Compute):
                    given = await self._run(wish.step)
                else:
                    given = await self._transmit(wish.apdu)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _transmit(self, apdu: bytes) -> bytes:
        config = self._association.config
        pair = config.client_sap, config.server_sap
        self._channel.send(*pair, apdu)
        async with asyncio.timeout(self._timeout):
            return await self._channel.receive(*pair)
