"""Image transfer for people: a firmware image to a meter, for both drivers (Blue Book 4.4.6).

::

    images = a.images()
    await images.transfer(octets)        # only the blocks that the meter has not
    await images.verify()
    await images.activate()

What is done is a *course*: a generator that wishes for dialogues with the meter and for pauses
between them, so that others may use the association meanwhile. What goes wrong is raised as
everywhere (:class:`~emulator.client.association.Association`), and :class:`ImageRefused`.

A transfer that a lost association has broken off goes on in another one: the same
:class:`Transfer` knows how far it was. One of another process is gone on with, too, if the meter
has a transfer under way whose blocks are as many. Whose they are the meter does not say, so if
verification fails then, the transfer begins anew, once.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias, TypeVar

from dlms.axdr.data import Data, double_long_unsigned, octet_string, structure
from dlms.client.effects import Dialogue
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.words import word
from dlms.xdlms.codes import ActionResult
from emulator.client.errors import AnswerTimeout, AssociationLost, MeterFault, Refused
from emulator.client.security_setup import BlockingHold, Hold
from emulator.client.session import Session
from emulator.client.targets import What

IMAGE_TRANSFER = "0-0:44.0.0.255"

PAUSE = 1.0
"""Seconds between two questions whether the meter is done."""

PATIENCE = 600
"""Such questions until it has taken too long: a small processor needs minutes for a megabyte."""

ROUNDS = 8
"""Times that the missing blocks are sent without a single one arriving."""

_CLASS = classes.IMAGE_TRANSFER.class_id
_INITIATE, _BLOCK, _VERIFY, _ACTIVATE = 1, 2, 3, 4

T = TypeVar("T")


class ImageStatus(IntEnum):
    """image_transfer_status."""

    NOT_INITIATED = 0
    INITIATED = 1
    VERIFICATION_INITIATED = 2
    VERIFIED = 3
    VERIFICATION_FAILED = 4
    ACTIVATION_INITIATED = 5
    ACTIVATED = 6
    ACTIVATION_FAILED = 7


class ImageRefused(Refused):
    """The meter does not take, verify or activate the image. ``status`` is what it says then."""

    def __init__(self, why: str, status: ImageStatus) -> None:
        super().__init__("image transfer", f"{why} (status {int(status)}, {word(status)})")
        self.status = status


class Progress(NamedTuple):
    """How far a transfer is: blocks that the meter has, of all."""

    done: int
    total: int


class ToActivate(NamedTuple):
    """One image of image_to_activate_info."""

    size: int
    identification: bytes
    signature: bytes


class Look(NamedTuple):
    """What the object says. ``bits`` are ``None`` where it does not give them: they may be more
    than fits into a PDU; ``first_missing`` is the number of a block.
    """

    block_size: int
    bits: str | None
    first_missing: int
    enabled: bool
    status: ImageStatus
    to_activate: tuple[ToActivate, ...]


class Pause(NamedTuple):
    """Let ``seconds`` pass, and others have the association."""

    seconds: float


Wish: TypeAlias = Callable[[Session], Dialogue[Any]] | Pause
Course: TypeAlias = Generator[Wish, Any, T]


@dataclass(slots=True, kw_only=True, eq=False)
class Transfer:
    """The way of one image to one meter, over as many associations as it takes.

    ``identifier`` names the image to the meter; its SHA-256 hash if none is given. With ``window``
    so many blocks go out unanswered, then the meter is asked which have come: for ways where
    datagrams are lost. ``resume``: go on with what is under way at the meter.
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
        return look.status is ImageStatus.VERIFIED and ours in named

    def _is_under_way(self, look: Look) -> bool:
        if look.status is not ImageStatus.INITIATED or not (self._begun or self.resume):
            return False
        some = look.first_missing > 0 if look.bits is None else "1" in look.bits
        alike = look.bits is None or len(look.bits) == self._count(look)
        if not self._begun:
            self._resumed = some and alike
        return alike and (some or self._begun)

    def _begin(self) -> Course[Look]:
        announced = structure(octet_string(self.identifier), double_long_unsigned(len(self.image)))
        yield from invoked(self.what, _INITIATE, announced)
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
            if look.status is not ImageStatus.INITIATED:
                raise ImageRefused("somebody else has interfered", look.status)
            before, missing = len(missing), self._missing(look)
            rounds = ROUNDS if len(missing) < before else rounds - 1
            if not rounds:
                raise ImageRefused(f"{len(missing)} blocks do not arrive", look.status)
        self._tell(look, missing)

    def _tell(self, look: Look, missing: list[int]) -> None:
        count = self._count(look)
        self.on_progress(Progress(count - len(missing), count))

    def _send(self, look: Look, missing: list[int]) -> Course[None]:
        """All that are missing, or as many as the window has."""
        size, count = look.block_size, self._count(look)
        batch = missing[: self.window] if self.window else missing
        done = count - len(missing)
        for number in batch:
            octets = self.image[number * size : (number + 1) * size]
            block = structure(double_long_unsigned(number), octet_string(octets))
            yield from invoked(
                self.what, _BLOCK, block, self.pause, self.patience, confirmed=not self.window
            )
            self.blocks_sent += 1
            if not self.window:
                done += 1
                self.on_progress(Progress(done, count))


# Courses ------------------------------------------------------------------------------------------


def invoked(
    what: What,
    method: int,
    parameter: Data | None = None,
    pause: float = PAUSE,
    patience: int = 0,
    *,
    confirmed: bool = True,
) -> Course[None]:
    """Invoke a method, again for ``patience`` times while the meter says that it cannot now."""

    def dialogue(session: Session) -> Dialogue[Any]:
        return session.invoke(what, method, parameter, _CLASS, confirmed=confirmed)

    for left in range(patience, -1, -1):
        try:
            yield dialogue
            return
        except Refused as refusal:
            if refusal.result is not ActionResult.TEMPORARY_FAILURE or not left:
                raise
        yield Pause(pause)


def looked(what: What) -> Course[Look]:
    """Everything that the object says."""
    look: Look = yield lambda session: _look(session, what)
    return look


def verified(what: What, pause: float = PAUSE, patience: int = PATIENCE) -> Course[None]:
    """Have the image verified, and wait for it. :class:`ImageRefused` if it is not good."""
    yield from _carried_out(what, _VERIFY, ImageStatus.VERIFIED, pause, patience)


def activated(what: What, pause: float = PAUSE, patience: int = PATIENCE) -> Course[ImageStatus]:
    """Have the image activated, and wait for it. :class:`ImageRefused` if it is not.

    A meter that has begun may restart, and the association is lost: the result is then that
    activation is initiated, and what has come of it is to be seen in another association.
    """
    return (yield from _carried_out(what, _ACTIVATE, ImageStatus.ACTIVATED, pause, patience))


def settled(what: What, pause: float = PAUSE, patience: int = PATIENCE) -> Course[ImageStatus]:
    """The status once the meter is not at work on it any more."""
    status: ImageStatus = ImageStatus.NOT_INITIATED
    for _ in range(patience):
        status = yield lambda session: _status(session, what)
        if status not in _AT_WORK:
            return status
        yield Pause(pause)
    raise ImageRefused("it takes too long", status)


_AT_WORK = (ImageStatus.VERIFICATION_INITIATED, ImageStatus.ACTIVATION_INITIATED)
_FAILED = (ImageStatus.VERIFICATION_FAILED, ImageStatus.ACTIVATION_FAILED)
_IN_WORDS = {_VERIFY: "it does not verify", _ACTIVATE: "it is not activated"}


def _carried_out(
    what: What, method: int, good: ImageStatus, pause: float, patience: int
) -> Course[ImageStatus]:
    at_work = False
    status: ImageStatus = ImageStatus.NOT_INITIATED
    for _ in range(patience):
        if not at_work:
            try:
                yield lambda session: session.invoke(what, method, None, _CLASS)
                return good
            except Refused as refusal:
                if refusal.result is not ActionResult.TEMPORARY_FAILURE:
                    status = yield lambda session: _status(session, what)
                    raise ImageRefused(_IN_WORDS[method], status) from refusal
        yield Pause(pause)
        try:
            status = yield lambda session: _status(session, what)
        except (AnswerTimeout, AssociationLost):
            if method != _ACTIVATE:
                raise
            return ImageStatus.ACTIVATION_INITIATED
        if status is good:
            return good
        if status in _FAILED:
            raise ImageRefused(_IN_WORDS[method], status)
        at_work = status in _AT_WORK
    raise ImageRefused("it takes too long", status)


# Dialogues ----------------------------------------------------------------------------------------


def _look(session: Session, what: What) -> Dialogue[Look]:
    target = yield from session.target(what, _CLASS)
    found = yield from session.fetch([(target.attribute(n), None) for n in range(2, 8)])
    size, bits, first, enabled, status, info = found
    return Look(
        _number(size),
        None if isinstance(bits, Refused) else _bits(bits),
        _number(first),
        bool(_value(enabled)),
        _status_of(status),
        tuple(_to_activate(info)),
    )


def _status(session: Session, what: What) -> Dialogue[ImageStatus]:
    target = yield from session.target(what, _CLASS)
    (status,) = yield from session.fetch([(target.attribute(6), None)])
    return _status_of(status)


def _value(given: Data | Refused) -> Any:
    if isinstance(given, Refused):
        raise given
    return given.value


def _number(given: Data | Refused) -> int:
    value = _value(given)
    if not isinstance(value, int):
        raise MeterFault("the meter's Image transfer gives something else than a number")
    return value


def _bits(given: Data) -> str:
    if not isinstance(given.value, str):
        raise MeterFault("the meter's image_transferred_blocks_status is no bit-string")
    return given.value


def _status_of(given: Data | Refused) -> ImageStatus:
    try:
        return ImageStatus(_number(given))
    except ValueError:
        raise MeterFault("the meter's image_transfer_status is not known") from None


def _to_activate(given: Data | Refused) -> Iterator[ToActivate]:
    if isinstance(given, Refused):
        raise given
    for one in elements_of(given) or ():
        match [part.value for part in elements_of(one) or ()]:
            case [int(size), bytes(identification), bytes(signature)]:
                yield ToActivate(size, identification, signature)
            case _:
                raise MeterFault("the meter's image_to_activate_info is not as it should be")


# Drivers ------------------------------------------------------------------------------------------


async def follow(
    course: Course[T], hold: Hold, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> T:
    """Go a course on one association."""
    given: Any = None
    resume: Callable[[Any], Wish] = course.send
    try:
        while True:
            wish = resume(given)
            try:
                if isinstance(wish, Pause):
                    given = await sleep(wish.seconds)
                else:
                    given = await hold(wish)
                resume = course.send
            except Exception as error:
                given, resume = error, course.throw
    except StopIteration as stop:
        result: T = stop.value
        return result


def follow_blocking(
    course: Course[T], hold: BlockingHold, sleep: Callable[[float], object] = time.sleep
) -> T:
    """The same without an event loop."""
    given: Any = None
    resume: Callable[[Any], Wish] = course.send
    try:
        while True:
            wish = resume(given)
            try:
                given = sleep(wish.seconds) if isinstance(wish, Pause) else hold(wish)
                resume = course.send
            except Exception as error:
                given, resume = error, course.throw
    except StopIteration as stop:
        result: T = stop.value
        return result


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

    async def activate(self) -> ImageStatus:
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

    def activate(self) -> ImageStatus:
        """As :func:`activated`."""
        return follow_blocking(activated(self._what), self._hold)

    def _of(self, transfer: Transfer | bytes) -> Transfer:
        if isinstance(transfer, Transfer):
            return transfer
        return Transfer(image=transfer, what=self._what)
