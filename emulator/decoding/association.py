"""What is remembered of an association while its messages are decoded: who the parties are, what
was asked, how far it has come, and the pieces of what comes in blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dlms.acse import Aare, Aarq
from dlms.acse.aare import TAG as AARE
from dlms.acse.aarq import TAG as AARQ
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import RLRE_TAG, RLRQ_TAG
from dlms.errors import CodecError
from dlms.security.ciphered import TAGS
from dlms.xdlms import registry
from dlms.xdlms.access import AccessAction, AccessRequest
from dlms.xdlms.action import ActionRequest, ActionRequestWithList, ActionResponse
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.get import GetRequest, GetRequestWithList
from dlms.xdlms.long_invoke import LONG_INVOKE_ID
from dlms.xdlms.set import SetRequest, SetRequestWithList
from emulator.decoding.fields import Subject

_PASS_3 = (15, 1)
"""Class and method of reply_to_HLS_authentication."""
_ANY_ANSWER = (0xD8, 0x0E)
_NOTIFICATION = 0x0F
_MAY_BE_LONG = (GetRequest, GetRequestWithList, ActionRequest, ActionRequestWithList)
_CONFIRMATION = 0x10
REQUEST_TAGS = frozenset((*registry.REQUESTS, AARQ, RLRQ_TAG, _CONFIRMATION))
RESPONSE_TAGS = frozenset(
    (*registry.RESPONSES, *registry.NOTIFICATIONS, AARE, RLRE_TAG, *_ANY_ANSWER, 0x08)
)
_BY_ID = {answer: asked for asked, answer in registry.ANSWERS.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for its response. ``value`` is what ``dlms`` decodes it to."""

    number: int
    at: float | None
    value: Any


@dataclass(slots=True)
class Association:
    """Between two ends of a line. Times are as the chunks have them."""

    titles: dict[bool | None, bytes] = field(default_factory=dict)
    state: str = "no association"
    asked: dict[object, Asked] = field(default_factory=dict)
    long: dict[object, Asked] = field(default_factory=dict)
    """The request that a response in blocks goes back to: between the blocks others are asked."""
    pieces: dict[object, list[bytes]] = field(default_factory=dict)
    first: dict[object, Any] = field(default_factory=dict)

    def learn(self, apdu: bytes, forward: bool | None) -> None:
        """Titles out of an AARQ or AARE, before anything in it is opened."""
        try:
            if apdu[:1] == bytes((AARQ,)):
                title = Aarq.decode(apdu).calling_ap_title
            elif apdu[:1] == bytes((AARE,)):
                title = Aare.decode(apdu).responding_ap_title
            else:
                return
        except CodecError:
            return
        if title is not None:
            self.titles[forward] = title

    def originators(self, forward: bool | None, given: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """System titles to try, the likeliest first."""
        own = [self.titles[forward]] if forward in self.titles else []
        return tuple(dict.fromkeys((*own, *self.titles.values(), *given)))

    def about(self, apdu: bytes) -> tuple[Subject | None, ...]:
        """What the values of a response are, if its request was seen."""
        key = _key(apdu)
        asked = self.long.get(key, self.asked.get(key))
        return () if key is None or asked is None else subjects_of(asked.value)

    def take(self, apdu: bytes, number: int, at: float | None) -> Asked | None:
        """Go on with an APDU in clear; the request that it answers."""
        tag = apdu[0] if apdu else -1
        key = _key(apdu)
        tag = TAGS[tag][1] if tag in TAGS else tag
        if tag == _NOTIFICATION or (tag in REQUEST_TAGS and tag != _CONFIRMATION):
            asked = Asked(number, at, _decoded(apdu))
            self.asked[key] = asked
            if isinstance(asked.value, _MAY_BE_LONG):
                self.long[key] = asked
            self._asks(tag, asked.value)
            return None
        answered = self.asked.pop(key, None) if key is not None else None
        if tag in _ANY_ANSWER and self.asked:
            last = max(self.asked, key=lambda one: self.asked[one].number)
            answered = self.asked.pop(last)
        self._answers(tag, apdu, answered)
        return answered

    def _asks(self, tag: int, value: Any) -> None:
        if tag == AARQ:
            self.state = "association requested"
            self.pieces.clear()
        elif tag == RLRQ_TAG:
            self.state = "release requested"
        elif self.state.startswith("HLS") and _is_pass_3(value):
            self.state = "HLS, pass 3 sent"

    def _answers(self, tag: int, apdu: bytes, answered: Asked | None) -> None:
        if tag == AARE:
            self.state = _outcome(apdu)
        elif tag == RLRE_TAG:
            self.state = "released"
        elif self.state == "HLS, pass 3 sent" and answered is not None:
            value = _decoded(apdu)
            good = isinstance(value, ActionResponse) and value.result is ActionResult.SUCCESS
            self.state = "associated" if good else "HLS failed"


def _is_pass_3(value: Any) -> bool:
    if not isinstance(value, ActionRequest):
        return False
    return (value.method.class_id, value.method.method) == _PASS_3


def _outcome(apdu: bytes) -> str:
    try:
        aare = Aare.decode(apdu)
    except CodecError:
        return "answered, and not understood"
    if aare.result is not AssociationResult.ACCEPTED:
        return f"refused: {aare.diagnostic.name}"
    mechanism = Mechanism.from_oid(aare.mechanism_name or b"")
    context = ApplicationContext.from_oid(aare.application_context_name)
    name = f" ({context.name})" if context else ""
    if aare.diagnostic is UserDiagnostic.AUTHENTICATION_REQUIRED or (
        mechanism and mechanism.is_hls
    ):
        return f"HLS, passes 3 and 4 to come{name}"
    return f"associated{name}"


def _decoded(apdu: bytes) -> Any:
    try:
        return registry.decode(apdu)
    except CodecError:
        return None


def _key(apdu: bytes) -> object:
    """What a request and its response have in common; ``None`` where there is nothing."""
    tag = apdu[0] if apdu else -1
    if tag in (AARQ, AARE):
        return "association"
    if tag in (RLRQ_TAG, RLRE_TAG):
        return "release"
    if tag in TAGS:  # still closed: all that is known is which service it is
        plain = TAGS[tag][1]
        return ("closed", _BY_ID.get(plain, plain))
    tag = _BY_ID.get(tag, tag)
    if tag in (0xC0, 0xC1, 0xC3):
        return (tag, apdu[2] & 0x0F) if len(apdu) > 2 else None
    if tag in (0xD9, _NOTIFICATION, _CONFIRMATION):
        number = int.from_bytes(apdu[1:5], "big") & LONG_INVOKE_ID
        return (_NOTIFICATION if tag == _CONFIRMATION else tag, number)
    return tag if tag in (0x05, 0x06) else None


def subjects_of(value: Any) -> tuple[Subject | None, ...]:
    """What a request is about, in its order."""
    match value:
        case GetRequest(attribute=found) | SetRequest(attribute=found):
            return (found,)
        case GetRequestWithList(items=items) | SetRequestWithList(items=items):
            return tuple(found for found, _ in items)
        case ActionRequest(method=invoked):
            return (invoked,)
        case ActionRequestWithList(methods=methods):
            return methods
        case AccessRequest(specifications=specifications):
            return tuple(
                one.method if isinstance(one, AccessAction) else one.attribute
                for one in specifications
            )
        case _:
            return ()
