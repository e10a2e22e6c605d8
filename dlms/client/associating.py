"""How an association begins and ends, whatever names it uses for what is in between."""

from __future__ import annotations

from dlms.association import events
from dlms.client.conversation import Conversation
from dlms.client.effects import Dialogue
from dlms.client.refusals import AssociationRejected
from dlms.xdlms.registry import Notification


class Associating:
    """Open and release, one dialogue at a time with all others on ``talk``."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk

    def open(self) -> Dialogue[None]:
        """AARQ, and the passes of HLS if it takes them.

        :class:`AssociationRejected` if refused, :class:`ServiceException` or
        :class:`ServiceFailed` if the meter cannot.
        """
        association = self.talk.association
        event = yield from self.talk.exchange(association.open())
        if isinstance(event, events.AuthenticationPending):
            event = yield from self.talk.exchange(association.authenticate())
        match event:
            case events.AssociationOpened():
                return
            case events.AssociationRefused(why=why) | events.AuthenticationFailed(why=why):
                raise AssociationRejected(why)
            case other:
                raise AssociationRejected(f"unexpected {type(other).__name__}")

    def release(self) -> Dialogue[None]:
        """RLRQ and RLRE. :class:`ServiceException` or :class:`ServiceFailed` if the meter does not
        release.
        """
        yield from self.talk.exchange(self.talk.association.release())

    def overheard(self) -> Dialogue[Notification | None]:
        """What the meter has said unasked, the oldest first; ``None`` if nothing is here."""
        return (yield from self.talk.overheard())
