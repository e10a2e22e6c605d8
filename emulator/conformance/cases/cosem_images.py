"""Images whose blocks come out of order, or not all (X_IMAGE_*). Nothing is activated."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dlms.axdr.data import double_long_unsigned, octet_string, structure
from dlms.client.effects import Dialogue
from dlms.client.refusals import MeterRefusal
from dlms.cosem import classes
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.client.errors import Refused
from emulator.client.image_courses import BLOCK, INITIATE, VERIFY, verified
from emulator.client.image_look import Look, look_of
from emulator.client.images import follow
from emulator.client.session import Session
from emulator.conformance.cases.object_walk import Seat, seats
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

PAUSE = 0.1
"""Seconds between two questions whether the verification is done."""


class _Transfer:
    """One image on its way to the Image transfer object that ``seat`` may use."""

    def __init__(self, seat: Seat, instance: bytes, image: bytes, trial: Trial) -> None:
        self._seat = seat
        self._instance = instance
        self._image = image
        self._trial = trial
        self._size = 0

    async def begin(self) -> int:
        """Initiate; how many blocks there are."""
        identifier = hashlib.sha256(self._image).digest()
        announced = structure(octet_string(identifier), double_long_unsigned(len(self._image)))
        await self._act(INITIATE, announced)
        self._size = (await self.look()).block_size
        if self._size <= 0:
            raise Unjudged("image_block_size is 0")
        return -(-len(self._image) // self._size)

    async def block(self, number: int) -> None:
        piece = self._image[number * self._size : (number + 1) * self._size]
        await self._act(BLOCK, structure(double_long_unsigned(number), octet_string(piece)))

    async def look(self) -> Look:
        return await self._seat.client.hold(look_of(self._seat.session, self._what))

    async def verify(self) -> str:
        """Why it does not verify; nothing if it does."""
        patience = int(self._trial.timing.patience / PAUSE)

        async def hold(dialogue: Callable[[Session], Dialogue[Any]]) -> Any:
            return await self._seat.client.hold(dialogue(self._seat.session))

        try:
            await follow(verified(self._what, PAUSE, patience), hold, self._trial.clocks.sleep)
        except (Refused, MeterRefusal) as refusal:
            if getattr(refusal, "result", None) is ActionResult.TEMPORARY_FAILURE:
                raise Unjudged("the verification takes too long") from refusal
            return str(refusal)
        return ""

    @property
    def _what(self) -> tuple[int, bytes, int]:
        return classes.IMAGE_TRANSFER.class_id, self._instance, 2

    async def _act(self, method: int, parameter: Any) -> None:
        class_id = classes.IMAGE_TRANSFER.class_id
        await self._seat.client.action(
            MethodDescriptor(class_id, self._instance, method), parameter
        )


@asynccontextmanager
async def _transfer(trial: Trial) -> AsyncIterator[_Transfer]:
    """:class:`Unjudged` if there is no image, or nobody may transfer one."""
    image = _image(trial.declaration.image)
    async with seats(trial) as each:
        async for seat in each:
            for entry in seat.objects_of(classes.IMAGE_TRANSFER):
                if all(entry.methods.get(method) for method in (INITIATE, BLOCK, VERIFY)):
                    yield _Transfer(seat, entry.instance, image, trial)
                    return
    raise Unjudged("no association may transfer an image")


def _image(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unjudged(f"the image cannot be read: {error}") from None


Work = Callable[[_Transfer], Awaitable[Seen]]


async def _with(trial: Trial, work: Work) -> Seen:
    async with _transfer(trial) as transfer:
        return await work(transfer)


@conversation("X_IMAGE_REVERSED")
def reversed_blocks() -> Sequence[Node]:
    async def work(transfer: _Transfer) -> Seen:
        count = await transfer.begin()
        for number in reversed(range(count)):
            try:
                await transfer.block(number)
            except MeterRefusal:
                look = await transfer.look()
                missing = look.first_missing < count
                problems = [] if missing else ["nothing is missing, and a block was refused"]
                return Seen.found(problems, answer="refused")
        why = await transfer.verify()
        return Seen.found([why] if why else (), answer="done")

    return (step("reversed", lambda trial: _with(trial, work), found("done"), found("refused")),)


@conversation("X_IMAGE_LOST")
def lost_block() -> Sequence[Node]:
    async def missing(trial: Trial) -> Seen:
        async def work(transfer: _Transfer) -> Seen:
            count = await transfer.begin()
            lost = trial.rng.randrange(count)
            for number in range(count):
                if number != lost:
                    await transfer.block(number)
            look = await transfer.look()
            problems = []
            if look.first_missing != lost:
                problems.append(
                    f"image_first_not_transferred_block_number is {look.first_missing}, not {lost}"
                )
            if look.bits is not None:
                shown = {number for number, bit in enumerate(look.bits[:count]) if bit == "0"}
                if shown != {lost}:
                    problems.append(f"image_transferred_blocks_status lacks {sorted(shown)}")
            return Seen.found(problems, lost=lost)

        return await _with(trial, work)

    async def verify(trial: Trial) -> Seen:
        async def work(transfer: _Transfer) -> Seen:
            why = await transfer.verify()
            return Seen.found() if why else Seen.found(["an image that is not whole verifies"])

        return await _with(trial, work)

    return (
        step("missing", missing, found("agrees")),
        step("verify", verify, found("refused")),
    )
