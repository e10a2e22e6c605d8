"""The way of one firmware image to one meter.

A transfer that a lost association has broken off goes on in another one: the same
:class:`Transfer` knows how far it was. One of another process is gone on with, too, if the meter
has a transfer under way whose blocks are as many. Whose they are the meter does not say, so if
verification fails then, the transfer begins anew, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from dlms.axdr.data import double_long_unsigned, octet_string, structure
from dlms.cosem.image_transfer import Status
from emulator.client.errors import MeterFault, Refused
from emulator.client.image_courses import (
    BLOCK,
    IN_WORDS,
    INITIATE,
    PATIENCE,
    PAUSE,
    VERIFY,
    Course,
    invoked,
    looked,
    verified,
)
from emulator.client.image_look import ImageRefused, Look
from emulator.client.targets import What

IMAGE_TRANSFER = "0-0:44.0.0.255"

ROUNDS = 8
"""Times that the missing blocks are sent without a single one arriving."""


class Progress(NamedTuple):
    """How far a transfer is: blocks that the meter has, of all."""

    done: int
    total: int


@dataclass(slots=True, kw_only=True, eq=False)
class Transfer:
    """The way of one image to one meter, over as many associations as it takes.

    ``identifier`` names the image to the meter; its SHA-256 hash if none is given. With ``window``
    so many blocks go out unanswered, then the meter is asked which have come: for ways where
    datagrams are lost. ``resume``: go on with what is under way at the meter.

    ``blocks_sent`` counts every one, ``arrived`` those that the meter is known to have.
    """

    image: bytes
    identifier: bytes = b""
    what: What = IMAGE_TRANSFER
    window: int = 0
    resume: bool = True
    on_progress: Callable[[Progress], None] = lambda progress: None
    pause: float = PAUSE
    patience: int = PATIENCE
    blocks_sent: int = field(default=0, init=False)
    arrived: int = field(default=0, init=False)
    _begun: bool = field(default=False, init=False)
    _resumed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if not self.image:
            raise ValueError("an image has octets")
        if not self.identifier:
            self.identifier = hashlib.sha256(self.image).digest()

    def course(self) -> Course[None]:
        """Until the meter has every block. :class:`ImageRefused`."""
        look = yield from looked(self.what)
        if not look.enabled:
            raise ImageRefused("the transfer of images is not enabled", look.status)
        if self.is_verified(look):
            return
        if self._begun and look.status is Status.VERIFYING:
            return
        if self._begun and look.status is Status.VERIFICATION_FAILED:
            raise ImageRefused(IN_WORDS[VERIFY], look.status)
        if not self._is_under_way(look):
            look = yield from self._begin()
        try:
            yield from self._send_all(look)
        except Refused as refusal:
            if not self._resumed or isinstance(refusal, ImageRefused):
                raise
            # A block that does not fit: what was under way was another image.
            yield from self._send_all((yield from self._begin()))

    def verified(self) -> Course[None]:
        """All of it, until the meter says that the image is good. :class:`ImageRefused`."""
        yield from self.course()
        try:
            yield from verified(self.what, self.pause, self.patience)
        except ImageRefused:
            if not self._resumed:
                raise
            yield from self._send_all((yield from self._begin()))
            yield from verified(self.what, self.pause, self.patience)
        look = yield from looked(self.what)
        if not self.is_verified(look):
            raise ImageRefused("the meter is about to activate something else", look.status)

    def is_verified(self, look: Look) -> bool:
        """Whether this very image is what the meter would activate."""
        named = [(one.size, one.identification) for one in look.to_activate]
        ours = len(self.image), self.identifier
        return look.status is Status.VERIFIED and ours in named

    def _is_under_way(self, look: Look) -> bool:
        if look.status is not Status.INITIATED or not (self._begun or self.resume):
            return False
        some = look.first_missing > 0 if look.bits is None else "1" in look.bits
        alike = look.bits is None or len(look.bits) == self._count(look)
        if not self._begun:
            self._resumed = some and alike
        return alike and (some or self._begun)

    def _begin(self) -> Course[Look]:
        announced = structure(octet_string(self.identifier), double_long_unsigned(len(self.image)))
        yield from invoked(self.what, INITIATE, announced)
        self._begun, self._resumed = True, False
        return (yield from looked(self.what))

    def _count(self, look: Look) -> int:
        if look.block_size <= 0:
            raise MeterFault("the meter's image_block_size is 0")
        return -(-len(self.image) // look.block_size)

    def _missing(self, look: Look) -> list[int]:
        count = self._count(look)
        if look.bits is None:
            return list(range(look.first_missing, count))
        return [number for number in range(count) if look.bits[number : number + 1] != "1"]

    def _send_all(self, look: Look) -> Course[None]:
        rounds = ROUNDS
        missing = self._missing(look)
        while missing:
            self._tell(look, missing)
            yield from self._send(look, missing)
            look = yield from looked(self.what)
            if look.status is not Status.INITIATED:
                raise ImageRefused("somebody else has interfered", look.status)
            before, missing = len(missing), self._missing(look)
            rounds = ROUNDS if len(missing) < before else rounds - 1
            if not rounds:
                raise ImageRefused(f"{len(missing)} blocks do not arrive", look.status)
        self._tell(look, missing)

    def _tell(self, look: Look, missing: list[int]) -> None:
        count = self._count(look)
        self._report(count - len(missing), count)

    def _report(self, arrived: int, count: int) -> None:
        self.arrived = arrived
        self.on_progress(Progress(arrived, count))

    def _send(self, look: Look, missing: list[int]) -> Course[None]:
        """All that are missing, or as many as the window has."""
        size, count = look.block_size, self._count(look)
        batch = missing[: self.window] if self.window else missing
        for number in batch:
            octets = self.image[number * size : (number + 1) * size]
            block = structure(double_long_unsigned(number), octet_string(octets))
            yield from invoked(
                self.what, BLOCK, block, self.pause, self.patience, confirmed=not self.window
            )
            self.blocks_sent += 1
            if not self.window:
                self._report(self.arrived + 1, count)
