"""What a meter has said unasked, kept until somebody wants to know."""

from __future__ import annotations

from collections import deque

from dlms.association.events import Event, NotificationReceived
from dlms.errors import RemoteProtocolError
from dlms.security.ops import Step
from dlms.xdlms.registry import Notification

MAX_KEPT = 64
"""Notifications kept; each is no longer than the client's PDU size. The oldest give way: news is
worth more than what nobody has asked about for so long."""

MAX_BETWEEN = 16
"""Notifications between a request and its response. A meter has a handful of things to say at once;
one that does not stop would never answer, and no time-out would end it (X_CLI_PUSH_MIX)."""


class Notices:
    """Those of one association. ``dropped`` counts the ones that gave way."""

    def __init__(self) -> None:
        self.dropped = 0
        self._kept: deque[Notification] = deque()
        self._between = 0

    def begin(self) -> None:
        """A request goes out."""
        self._between = 0

    def hear(self, received: Step[Event]) -> Step[Event]:
        """What came where a response is awaited; a notification is set aside.

        :class:`RemoteProtocolError` if it is one too many. That is part of taking it in, for the
        request is still without its response, and so the association is lost.
        """
        event = yield from received
        if isinstance(event, NotificationReceived):
            self._set_aside(event.notification)
        return event

    def _set_aside(self, notification: Notification) -> None:
        self._between += 1
        if self._between > MAX_BETWEEN:
            raise RemoteProtocolError(
                f"more than {MAX_BETWEEN} notifications instead of a response",
                reason="notification-flood",
            )
        if len(self._kept) >= MAX_KEPT:
            self._kept.popleft()
            self.dropped += 1
        self._kept.append(notification)

    def next(self) -> Notification | None:
        """The oldest one kept, which is not kept any longer."""
        return self._kept.popleft() if self._kept else None
