"""Firmware images to a meter, for both drivers (Blue Book 4.4.6).

::

    images = a.images()
    await images.transfer_and_verify(octets)      # only the blocks that the meter has not
    await images.activate()

What goes wrong is raised as everywhere (:class:`~emulator.client.association.Association`), and
:class:`~emulator.client.image_look.ImageRefused`. What is done is said at
:class:`~emulator.client.image_transfer.Transfer`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TypeVar

from dlms.cosem.image_transfer import Status
from emulator.client.driving import drive, drive_blocking
from emulator.client.image_courses import Course, Pause, activated, looked, verified
from emulator.client.image_look import Look
from emulator.client.image_transfer import Transfer
from emulator.client.security_setup import BlockingHold, Hold
from emulator.client.targets import What

ATTEMPTS = 5
"""Associations in a row that bring no block to the meter, and after that no more."""

T = TypeVar("T")


async def follow(
    course: Course[T], hold: Hold, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> T:
    """Go a course on one association."""
    return await drive(
        course, lambda wish: sleep(wish.seconds) if isinstance(wish, Pause) else hold(wish)
    )


def follow_blocking(
    course: Course[T], hold: BlockingHold, sleep: Callable[[float], object] = time.sleep
) -> T:
    """The same without an event loop."""
    return drive_blocking(
        course, lambda wish: sleep(wish.seconds) if isinstance(wish, Pause) else hold(wish)
    )


async def deliver(
    associate: Callable[[], AbstractAsyncContextManager[Hold]],
    transfer: Transfer,
    *,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Bring an image to a meter and have it verified, over as many associations as it takes.

    ``associate()`` is entered for each, on a connection of its own, and gives what holds dialogues:
    :meth:`Association.hold <emulator.client.association.Association.hold>`. After ``attempts`` in a
    row that brought no block there, what ended the last one is raised.
    """
    left, best = attempts, transfer.arrived
    while True:
        try:
            async with associate() as hold:
                await follow(transfer.verified(), hold, sleep)
            return
        except (TimeoutError, ConnectionError):
            left, best = _left(transfer, left, best, attempts), max(best, transfer.arrived)
            if not left:
                raise
        await sleep(transfer.pause)


def deliver_blocking(
    associate: Callable[[], AbstractContextManager[BlockingHold]],
    transfer: Transfer,
    *,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """The same without an event loop."""
    left, best = attempts, transfer.arrived
    while True:
        try:
            with associate() as hold:
                follow_blocking(transfer.verified(), hold, sleep)
            return
        except (TimeoutError, ConnectionError):
            left, best = _left(transfer, left, best, attempts), max(best, transfer.arrived)
            if not left:
                raise
        sleep(transfer.pause)


def _left(transfer: Transfer, left: int, best: int, attempts: int) -> int:
    return attempts if transfer.arrived > best else left - 1


class Images:
    """An Image transfer object, for asyncio. Made by :meth:`Association.images
    <emulator.client.association.Association.images>`.
    """

    def __init__(self, hold: Hold, what: What) -> None:
        self._hold = hold
        self._what = what

    async def look(self) -> Look:
        return await follow(looked(self._what), self._hold)

    async def transfer(self, transfer: Transfer | bytes) -> None:
        """Until the meter has every block."""
        await follow(self._of(transfer).course(), self._hold)

    async def transfer_and_verify(self, transfer: Transfer | bytes) -> None:
        """The same, until the meter says that the image is good."""
        await follow(self._of(transfer).verified(), self._hold)

    async def verify(self) -> None:
        await follow(verified(self._what), self._hold)

    async def activate(self) -> Status:
        """As :func:`activated`."""
        return await follow(activated(self._what), self._hold)

    def _of(self, transfer: Transfer | bytes) -> Transfer:
        if isinstance(transfer, Transfer):
            return transfer
        return Transfer(image=transfer, what=self._what)


class BlockingImages:
    """The same without an event loop."""

    def __init__(self, hold: BlockingHold, what: What) -> None:
        self._hold = hold
        self._what = what

    def look(self) -> Look:
        return follow_blocking(looked(self._what), self._hold)

    def transfer(self, transfer: Transfer | bytes) -> None:
        """Until the meter has every block."""
        follow_blocking(self._of(transfer).course(), self._hold)

    def transfer_and_verify(self, transfer: Transfer | bytes) -> None:
        """The same, until the meter says that the image is good."""
        follow_blocking(self._of(transfer).verified(), self._hold)

    def verify(self) -> None:
        follow_blocking(verified(self._what), self._hold)

    def activate(self) -> Status:
        """As :func:`activated`."""
        return follow_blocking(activated(self._what), self._hold)

    def _of(self, transfer: Transfer | bytes) -> Transfer:
        if isinstance(transfer, Transfer):
            return transfer
        return Transfer(image=transfer, what=self._what)
