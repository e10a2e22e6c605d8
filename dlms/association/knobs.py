"""What the standard leaves open, or practice does otherwise: one field per question.

The codecs know none of this. An association judges by the knobs of its configuration, so that one
meter can be as strict as the book and the next as lenient as those in the field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from dlms.security.hls_gmac import InnerCounter
from dlms.security.suites import AlgorithmIdForm


class Unasked(Enum):
    """What becomes of something that has no place here."""

    REJECT = "reject"
    IGNORE = "ignore"


class SecondAarq(Enum):
    """What an AARQ inside an open association does."""

    REPLACE = "the open association ends, whatever becomes of the new one"
    REJECT = "the new one is refused and the open one goes on"


class ResponseProtection(Enum):
    """How a response is protected."""

    AS_REQUEST = "as its request was"
    POLICY = "as the policy demands"
    AT_LEAST_REQUEST = "as the request was, and at least as the policy demands"


class KeyInForce(Enum):
    """From when on a transferred key is used; the response to the transfer goes under the old."""

    IMMEDIATE = "from the next APDU on, in every open association"
    NEXT_ASSOCIATION = "from the next association on"


class BroadcastConfirmed(Enum):
    """What a confirmed service under the broadcast key on a unicast address gets."""

    REFUSE = "refused"
    SERVE_SILENTLY = "carried out, without a response"


class AnswerForm(Enum):
    """Which dialect of ciphering a response has."""

    IN_KIND = "that of its request"
    SERVICE = "service-specific"
    GENERAL = "general"


class RlreInformation(Enum):
    """When an RLRE carries an InitiateResponse."""

    IN_KIND = "if the RLRQ carried an InitiateRequest"
    NEVER = "never"
    ALWAYS = "always"


class ExceptionCodes(Enum):
    """How much an ExceptionResponse tells about a ciphered APDU that is refused."""

    ALL = "deciphering-error, and invocation-counter-error with the counter"
    NO_COUNTER = "deciphering-error for both"
    FIRST_EDITION = "other-reason for both: servers of before Ed. 8 have codes 1 to 3 only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How one end of an association behaves where it may choose. The defaults are ``STRICT``."""

    dedicated_key_in_plain_context: Unasked = Unasked.REJECT
    """A dedicated key in a context without ciphering (GB Ed. 8, 9.2.5.1; APPL_OPEN_9)."""
    aarq_in_association: SecondAarq = SecondAarq.REPLACE
    """GB Ed. 8, 9.4.4. No privilege of the old identity goes with the new one in either case."""
    pass_3_needs_action: bool = False
    """Whether reply_to_HLS_authentication needs its service negotiated (GB Ed. 8, 9.2.7.4)."""
    unknown_user: Unasked = Unasked.IGNORE
    """A calling-AE-invocation-id where no users are identified (GB Ed. 8, 9.4.2.2; APPL_OPEN_6)."""
    channel_title: Unasked = Unasked.REJECT
    """A calling-AP-title that is not that of the peer's TLS certificate (GB Ed. 8, 4.3.4)."""
    response_protection: ResponseProtection = ResponseProtection.AT_LEAST_REQUEST
    """GB Ed. 8, 9.2.7.2.2."""
    answer_form: AnswerForm = AnswerForm.IN_KIND
    """The dialect of responses (GB Ed. 8, 9.2.7.2.4)."""
    plain_request_accepted: bool = True
    """A plain request in a ciphered context whose policy asks for nothing (GB Ed. 8, 9.2.7.2.3)."""
    unprotected_control_accepted: bool = False
    """Security control without A and E in glo- and ded- APDUs, read as plain (Table 37)."""
    dedicated_demanded: bool = False
    """Whether glo- services are refused once there is a dedicated key (GB Ed. 8, 9.2.3.4)."""
    empty_title_accepted: bool = True
    """Whether an empty system title in the general forms stands for the known one (9.2.7.2.4)."""
    absent_title_accepted: bool = False
    """Whether an AARE without responding-AP-title is taken to come from the server that is meant,
    if its title was registered before (GB Ed. 8, 4.3.4)."""
    inner_counter: InnerCounter = InnerCounter.STRICT
    """The counter of f(challenge) inside a ciphered APDU (GB Ed. 8, 9.2.3.3.7.3)."""
    max_forward_jump: int | None = None
    """By how much a received counter may exceed the lowest acceptable; ``None`` for any
    (GB Ed. 8, 9.2.2.5, NOTE 1)."""
    first_counter: int = 0
    """The first invocation counter sent under a key, 0 or 1 (GB Ed. 8, 9.2.3.3.7.3)."""
    key_in_force: KeyInForce = KeyInForce.IMMEDIATE
    """When a transferred key comes into use (GB Ed. 8, 9.2.5.4)."""
    confirmed_under_broadcast_key: BroadcastConfirmed = BroadcastConfirmed.REFUSE
    """On a unicast address (GB Ed. 8, 9.2.3.4, global broadcast encryption key)."""
    exception_codes: ExceptionCodes = ExceptionCodes.ALL
    """GB Ed. 8, 9.5, ExceptionResponse."""
    algorithm_id_form: AlgorithmIdForm = AlgorithmIdForm.REGISTERED
    """How AlgorithmID is written where a key is derived (GB Ed. 8, 9.2.3.4.6.5, Table 18)."""
    message_counter_zero: bool = False
    """Whether a message that brings its own key must have invocation counter 0: the counter starts
    there, and many count from 1 (GB Ed. 8, 9.2.3.3.7.3)."""
    key_info_optional: bool = False
    """Whether general-ciphering without key-info is under the global unicast key (Table 21)."""
    content_length_signed: bool = True
    """Whether a signature covers the length of the content (GB Ed. 8, Figure 85)."""
    release_supported: bool = True
    """Whether RLRQ is known; if not, only the lower layer ends associations (GB Ed. 8, 9.4.5)."""
    rlre_information: RlreInformation = RlreInformation.IN_KIND
    """The user-information of RLRE (GB Ed. 8, 9.4.2.3)."""

    def __post_init__(self) -> None:
        if self.first_counter not in (0, 1):
            raise ValueError(f"the first counter is 0 or 1, not {self.first_counter}")
        if self.max_forward_jump is not None and self.max_forward_jump < 0:
            raise ValueError("a counter cannot be asked to go back")


STRICT = Knobs()
"""The book, and where it is silent what protects most without refusing a client that is right."""

FIELD = replace(
    STRICT,
    dedicated_key_in_plain_context=Unasked.IGNORE,
    response_protection=ResponseProtection.AS_REQUEST,
    key_info_optional=True,
    absent_title_accepted=True,
    inner_counter=InnerCounter.LENIENT,
    first_counter=1,
)
"""Meters and clients as they are found: right on the whole, and lenient."""

LEGACY = replace(
    FIELD,
    unprotected_control_accepted=True,
    inner_counter=InnerCounter.IGNORE,
    answer_form=AnswerForm.SERVICE,
    key_in_force=KeyInForce.NEXT_ASSOCIATION,
    exception_codes=ExceptionCodes.FIRST_EDITION,
    rlre_information=RlreInformation.NEVER,
)
"""Suite 0 before Green Book Ed. 8: no general ciphering of one's own, few error codes."""

PRESETS = {"strict": STRICT, "field": FIELD, "legacy": LEGACY}
