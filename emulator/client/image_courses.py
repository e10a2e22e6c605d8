"""The courses of an image transfer: what is done at the meter, and when, without transport.

A course is a generator that wishes for dialogues with the meter and for pauses between them, so
that others may use the association meanwhile. What goes wrong is thrown into it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from dlms.axdr.data import Data
from dlms.client.effects import Dialogue
from dlms.cosem.image_transfer import Status
from dlms.xdlms.codes import ActionResult
from emulator.client.errors import AnswerTimeout, AssociationLost, Refused
from emulator.client.image_look import (
    CLASS,
    ImageRefused,
    Look,
    look_of,
    status_of,
)
from emulator.client.session import Session
from emulator.client.targets import What

PAUSE = 1.0
"""Seconds between two questions whether the meter is done."""

PATIENCE = 600
"""Such questions until it has taken too long: a small processor needs minutes for a megabyte."""

INITIATE, BLOCK, VERIFY, ACTIVATE = 1, 2, 3, 4

T = TypeVar("T")


class Pause(NamedTuple):
    """Let ``seconds`` pass, and others have the association."""

    seconds: float


Wish: TypeAlias = Callable[[Session], Dialogue[Any]] | Pause
Course: TypeAlias = Generator[Wish, Any, T]


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
        return session.invoke(what, method, parameter, CLASS, confirmed=confirmed)

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
    look: Look = yield lambda session: look_of(session, what)
    return look


def verified(what: What, pause: float = PAUSE, patience: int = PATIENCE) -> Course[None]:
    """Have the image verified, and wait for it. :class:`ImageRefused` if it is not good."""
    yield from _carried_out(what, VERIFY, Status.VERIFIED, pause, patience)


def activated(what: What, pause: float = PAUSE, patience: int = PATIENCE) -> Course[Status]:
    """Have the image activated, and wait for it. :class:`ImageRefused` if it is not.

    A meter that has begun may restart, and the association is lost: the result is then that
    activation is initiated, and what has come of it is to be seen in another association.
    """
    return (yield from _carried_out(what, ACTIVATE, Status.ACTIVATED, pause, patience))


def settled(what: What, pause: float = PAUSE, patience: int = PATIENCE) -> Course[Status]:
    """The status once the meter is not at work on it any more."""
    status: Status = Status.NOT_INITIATED
    for _ in range(patience):
        status = yield lambda session: status_of(session, what)
        if status not in _AT_WORK:
            return status
        yield Pause(pause)
    raise ImageRefused("it takes too long", status)


_AT_WORK = (Status.VERIFYING, Status.ACTIVATING)
_FAILED = (Status.VERIFICATION_FAILED, Status.ACTIVATION_FAILED)
IN_WORDS = {VERIFY: "it does not verify", ACTIVATE: "it is not activated"}


def _carried_out(
    what: What, method: int, good: Status, pause: float, patience: int
) -> Course[Status]:
    at_work = False
    status: Status = Status.NOT_INITIATED
    for _ in range(patience):
        if not at_work:
            try:
                yield lambda session: session.invoke(what, method, None, CLASS)
                return good
            except Refused as refusal:
                if refusal.result is not ActionResult.TEMPORARY_FAILURE:
                    status = yield lambda session: status_of(session, what)
                    raise ImageRefused(IN_WORDS[method], status) from refusal
        yield Pause(pause)
        try:
            status = yield lambda session: status_of(session, what)
        except (AnswerTimeout, AssociationLost):
            if method != ACTIVATE:
                raise
            return Status.ACTIVATING
        if status is good:
            return good
        if status in _FAILED:
            raise ImageRefused(IN_WORDS[method], status)
        at_work = status in _AT_WORK
    raise ImageRefused("it takes too long", status)
