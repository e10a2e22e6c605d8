"""How an association begins and ends, whatever names it uses for what is in between.

A pre-established one is there before and after; one that is unconfirmed is opened and released by
APDUs that nobody answers (GB Ed. 8, 9.4.4).
"""

from __future__ import annotations

from dlms.association import events
from dlms.association.state import State
from dlms.client.conversation import Conversation
from dlms.client.effects import Dialogue
from dlms.client.refusals import AssociationRejected
from dlms.errors import LocalProtocolError
from dlms.xdlms.registry import Notification


class Associating:
    """Open and release, one dialogue at a time with all others on ``talk``."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk

    def open(self) -> Dialogue[None]:
        """AARQ, and the passes of HLS if it takes them.

        :class:`AssociationRejected` if refused, :class:`ServiceException` or
        :class:`ServiceFailed` if the meter cannot. Where the AARQ asks for no response nothing
        says that the meter refuses. :class:`LocalProtocolError` if something is missing that only
        an answer could bring.
        """
        association = self.talk.association
        if association.config.pre_established:
            ciphered = association.config.context.ciphered
            if ciphered and association.answered and association.server_title is None:
                raise LocalProtocolError("the meter's system title is needed: no AARE says it")
            return
        if not association.config.confirmed:
            if association.config.mechanism.is_hls:
                raise LocalProtocolError("HLS takes answers, and the AARQ asks for none")
            yield from self.talk.tell(association.open())
            return
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
        """RLRQ and RLRE, or what there is of them. :class:`ServiceException` or
        :class:`ServiceFailed` if the meter does not release.
        """
        association = self.talk.association
        if association.state is State.PRE_ESTABLISHED:
            return
        if association.state is State.UNCONFIRMED:
            yield from self.talk.tell(association.release())
            return
        yield from self.talk.exchange(association.release())

    def overheard(self) -> Dialogue[Notification | None]:
        """What the meter has said unasked, the oldest first; ``None`` if nothing is here."""
        return (yield from self.talk.overheard())
