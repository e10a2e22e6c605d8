"""What a meter has to say unasked, until the serving side takes it and sends it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, TypeAlias

from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.long_invoke import LONG_INVOKE_ID
from dlms.xdlms.registry import Notification

MAX_KEPT = 16
"""Notifications of one request, for a request may be a list of methods that push. What comes then
is refused and not dropped: the client learns of it, and may ask again."""

MAX_NOTED = 256
"""Happenings until somebody looks; the logs of the meter have them all."""


class Changed(NamedTuple):
    """An attribute has a new value: an EventNotification, by short names an InformationReport."""

    attribute: AttributeDescriptor


class Pushed(NamedTuple):
    """The Push setup of this logical name pushes: a DataNotification, or an InformationReport."""

    instance: bytes


Announcement: TypeAlias = Changed | Pushed
"""What concerns every client that may know of it."""


class Outbox:
    """``replies`` are for the association whose request is being carried out, ``announcements`` for
    whoever is associated. The serving side takes both after every request, so what is here is of
    the present one.

    ``happenings`` are for people who watch the meter; what nobody watches is not kept.
    """

    __slots__ = ("_announcements", "_happenings", "_invoke", "_replies")

    def __init__(self) -> None:
        self._happenings: deque[int] = deque(maxlen=MAX_NOTED)
        self._replies: list[Notification] = []
        self._announcements: list[Announcement] = []
        self._invoke = 0

    def invoke(self) -> int:
        """The next long-invoke-id."""
        self._invoke = (self._invoke + 1) & LONG_INVOKE_ID
        return self._invoke

    def reply(self, notification: Notification) -> bool:
        """Keep it for the association that asks. False if there is no room."""
        if len(self._replies) >= MAX_KEPT:
            return False
        self._replies.append(notification)
        return True

    def announce(self, what: Announcement) -> None:
        """Keep it for everybody. The value is read when it is told, so once is enough, and there
        are never more than the meter has attributes.
        """
        if what not in self._announcements:
            self._announcements.append(what)

    def note(self, code: int) -> None:
        """Something has happened, by its alert code."""
        self._happenings.append(code)

    def clear(self) -> None:
        """What it was about has not happened."""
        self._happenings.clear()
        self._replies.clear()
        self._announcements.clear()

    def take_happenings(self) -> tuple[int, ...]:
        taken = tuple(self._happenings)
        self._happenings.clear()
        return taken

    def take_replies(self) -> tuple[Notification, ...]:
        taken = tuple(self._replies)
        self._replies.clear()
        return taken

    def take_announcements(self) -> tuple[Announcement, ...]:
        taken = tuple(self._announcements)
        self._announcements.clear()
        return taken
