"""The blocking driver of dialogues: one association, ``Data`` in and out, no event loop.

:class:`~emulator.client.blocking.BlockingAssociation` is the client for people, on top of this one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from dlms.association.client import ClientAssociation
from dlms.axdr.data import Data
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute, Dialogue, Effect, Glance, Post
from dlms.security.drive import run
from dlms.security.ops import CryptoOp
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.registry import Notification
from emulator.client.blocking_channel import BlockingChannel
from emulator.client.driving import drive_blocking
from emulator.client.errors import NothingSaid
from emulator.client.meter_client import RESPONSE_TIMEOUT
from emulator.client.standing import Standing

T = TypeVar("T")


class BlockingMeterClient:
    """One association. Begun by :meth:`open`, ended by :meth:`release`.

    ``execute`` carries out the cryptography: :meth:`SoftwareModule.execute
    <emulator.modules.software.SoftwareModule.execute>`, for example. What each call does and
    raises is said at :class:`dlms.client.dialogue.Dialogues`; besides,
    :class:`~emulator.client.errors.AssociationLost` once a call was broken off in the middle.
    Calls from several threads wait for each other.
    """

    def __init__(
        self,
        channel: BlockingChannel,
        association: ClientAssociation,
        execute: Callable[[CryptoOp], Any],
        timeout: float = RESPONSE_TIMEOUT,
    ) -> None:
        self.dialogues = Dialogues(association)
        self.timeout = timeout
        self._channel = channel
        self._association = association
        self.pair = association.config.client_sap, association.config.server_sap
        self._execute = execute
        self._standing = Standing()
        self._turn = threading.Lock()

    @property
    def association(self) -> ClientAssociation:
        return self._association

    @property
    def lost(self) -> str:
        """Why the association cannot be used any more; empty while it can."""
        return self._standing.lost

    def open(self) -> None:
        self.hold(self.dialogues.open())

    def get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> Data:
        return self.hold(self.dialogues.get(attribute, selection))

    def set(self, attribute: AttributeDescriptor, value: Data) -> None:
        self.hold(self.dialogues.set(attribute, value))

    def action(self, method: MethodDescriptor, parameter: Data | None) -> Data | None:
        return self.hold(self.dialogues.action(method, parameter))

    def notification(self, within: float | None = None) -> Notification:
        """The next thing that the meter says unasked.
        :class:`~emulator.client.errors.NothingSaid` if that is nothing within ``within`` seconds;
        the association goes on. Other threads wait meanwhile.
        """
        end = time.monotonic() + (math.inf if within is None else within)
        try:
            while (told := self.hold(self.dialogues.overheard())) is None:
                with self._turn:
                    self._channel.news(*self.pair, end - time.monotonic())
        except TimeoutError as error:
            raise NothingSaid(f"nothing within {within} s") from error
        return told

    def release(self) -> None:
        self.hold(self.dialogues.release())

    def abandon(self) -> None:
        """The association is over, whatever the meter thinks; the connection stays."""
        run(self._association.close(), self._execute)

    def close(self) -> None:
        """Drop the connection; the association ends with it."""
        self._channel.close()
        self.abandon()

    def hold(self, dialogue: Dialogue[T]) -> T:
        """Give a dialogue what it asks for until it has its result."""
        with self._turn, self._standing.dialogue():
            return drive_blocking(dialogue, self._grant)

    def _grant(self, wish: Effect) -> Any:
        if isinstance(wish, Compute):
            result = run(wish.step, self._execute)
            self._standing.answered()
            return result
        if isinstance(wish, Post):
            return self._post(wish.apdus)
        if isinstance(wish, Glance):
            return self._channel.glance(*self.pair)
        self._standing.asked()
        return self._transmit(wish.apdus)

    def _transmit(self, apdus: tuple[bytes, ...]) -> bytes:
        self._post(apdus)
        return self._channel.receive(*self.pair, self.timeout)

    def _post(self, apdus: tuple[bytes, ...]) -> None:
        for apdu in apdus:
            self._channel.send(*self.pair, apdu)
