"""The asyncio driver of dialogues: one association, ``Data`` in and out.

:class:`~emulator.client.association.Association` is the client for people, on top of this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from dlms.association.client import ClientAssociation
from dlms.axdr.data import Data
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute, Dialogue, Effect, Glance, Post
from dlms.security.ops import Step
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.registry import Notification
from emulator.channel import ApduLink
from emulator.client.driving import drive
from emulator.client.errors import NothingSaid
from emulator.client.standing import Standing

RESPONSE_TIMEOUT = 10.0
"""Seconds that a meter may take to answer; ``TimeoutError`` then."""

Runner: TypeAlias = Callable[[Step[Any]], Awaitable[Any]]
"""Runs a step of the core: :meth:`emulator.custody.Custody.run` bound to an errand, for example."""

T = TypeVar("T")


class MeterClient:
    """One association. Begun by :meth:`open`, ended by :meth:`release`.

    What each call does and raises is said at :class:`dlms.client.dialogue.Dialogues`; besides,
    :class:`~emulator.client.errors.AssociationLost` once a call was broken off in the middle. Calls
    wait for each other.
    """

    def __init__(
        self,
        channel: ApduLink,
        association: ClientAssociation,
        run: Runner,
        timeout: float = RESPONSE_TIMEOUT,
    ) -> None:
        self.dialogues = Dialogues(association)
        self.timeout = timeout
        self._channel = channel
        self._association = association
        self.pair = association.config.client_sap, association.config.server_sap
        self._run = run
        self._standing = Standing()
        self._turn = asyncio.Lock()

    @property
    def association(self) -> ClientAssociation:
        return self._association

    @property
    def lost(self) -> str:
        """Why the association cannot be used any more; empty while it can."""
        return self._standing.lost

    async def open(self) -> None:
        await self.hold(self.dialogues.open())

    async def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> Data:
        return await self.hold(self.dialogues.get(attribute, selection))

    async def set(self, attribute: AttributeDescriptor, value: Data) -> None:
        await self.hold(self.dialogues.set(attribute, value))

    async def action(self, method: MethodDescriptor, parameter: Data | None) -> Data | None:
        return await self.hold(self.dialogues.action(method, parameter))

    async def notification(self, within: float | None = None) -> Notification:
        """The next thing that the meter says unasked.
        :class:`~emulator.client.errors.NothingSaid` if that is nothing within ``within`` seconds;
        the association goes on. Other calls may be made meanwhile.
        """
        try:
            async with asyncio.timeout(within):
                while (told := await self.hold(self.dialogues.overheard())) is None:
                    await self._channel.news(*self.pair)
        except TimeoutError as error:
            raise NothingSaid(f"nothing within {within} s") from error
        return told

    async def release(self) -> None:
        await self.hold(self.dialogues.release())

    async def abandon(self) -> None:
        """The association is over, whatever the meter thinks; the connection stays."""
        await self._run(self._association.close())

    async def close(self) -> None:
        """Drop the connection; the association ends with it."""
        self._channel.close()
        await self.abandon()

    async def hold(self, dialogue: Dialogue[T]) -> T:
        """Give a dialogue what it asks for until it has its result."""
        async with self._turn:
            with self._standing.dialogue():
                return await drive(dialogue, self._grant)

    async def _grant(self, wish: Effect) -> Any:
        if isinstance(wish, Compute):
            result = await self._run(wish.step)
            self._standing.answered()
            return result
        if isinstance(wish, Post):
            return self._post(wish.apdus)
        if isinstance(wish, Glance):
            return self._channel.glance(*self.pair)
        self._standing.asked()
        return await self._transmit(wish.apdus)

    async def _transmit(self, apdus: tuple[bytes, ...]) -> bytes:
        self._post(apdus)
        async with asyncio.timeout(self.timeout):
            return await self._channel.receive(*self.pair)

    def _post(self, apdus: tuple[bytes, ...]) -> None:
        for apdu in apdus:
            self._channel.send(*self.pair, apdu)
