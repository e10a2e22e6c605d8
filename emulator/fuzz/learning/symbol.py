"""The letters that a meter is asked in."""

from __future__ import annotations

from enum import Enum


class Symbol(Enum):
    """What a client may do at any time, whatever there is. The value is its name."""

    CONNECT = "connect"
    HANG = "hang up"
    SNRM = "SNRM"
    DISC = "DISC"
    AARQ = "AARQ"
    """As the association has it."""
    AARQ_NONE = "AARQ without authentication"
    AARQ_LLS = "AARQ with a wrong password"
    AARQ_HLS = "AARQ of another HLS"
    AARQ_PLAIN = "AARQ with a plain InitiateRequest"
    AARQ_BROKEN = "AARQ with a broken InitiateRequest"
    AARQ_CONTEXT = "AARQ in another context"
    AARQ_SHORT = "AARQ cut short"
    PASS_3 = "pass 3"
    PASS_3_WRONG = "wrong pass 3"
    PASS_3_REPLAYED = "old pass 3"
    GET = "GET"
    GET_PROTECTED = "GET protected"
    SET = "SET"
    SET_PROTECTED = "SET protected"
    ACTION = "ACTION"
    ACTION_PROTECTED = "ACTION protected"
    RLRQ = "RLRQ"
    RLRQ_PROTECTED = "RLRQ protected"
    UNKNOWN = "unknown tag"

    __hash__ = object.__hash__


class Kind(Enum):
    """The kinds of answers. Which protection an answer has goes with it (:class:`Answer`)."""

    NO_LINE = "no line"
    """It could not be sent."""
    SILENCE = "silence"
    HUNG_UP = "hung up"
    DONE = "done"
    """The lower layer did as it was told."""
    UA = "UA"
    DM = "DM"
    FRMR = "FRMR"
    ACCEPTED = "AARE accepted"
    AUTHENTICATION_REQUIRED = "AARE accepted, authentication required"
    REJECTED = "AARE rejected"
    PASS_4 = "pass 4"
    PASS_4_WRONG = "pass 4, f(CtoS) wrong"
    RESPONSE = "response"
    REFUSED = "response that refuses"
    EXCEPTION = "exception"
    RLRE = "RLRE"
    UNREADABLE = "what cannot be read"

    __hash__ = object.__hash__


PROTECTED = " protected"


def protected(said: str) -> str:
    """The same answer as one that is ciphered."""
    return said + PROTECTED
