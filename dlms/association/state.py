"""The association machine: one table, the same for client and server (GB Ed. 8, 9.4.1, 9.2.7.4).

Both ends feed it the APDUs that pass, sent or received; it does not know which end it is. A pair
without a row is an error of whoever sent the APDU.

AARQ inside an association replaces it: the client has given up on the old one, and no privilege of
the old identity may outlive the new request (X_AARQ_TWICE).

A pre-established association is there before and after any lower layer; nothing opens or releases
it. An unconfirmed one stands as soon as its AARQ is accepted, which nobody says (R-AA-7).
"""

from __future__ import annotations

from enum import Enum

from dlms.errors import LocalProtocolError, ProtocolError


class State(Enum):
    IDLE = "not associated"
    ASSOCIATING = "AARQ passed, AARE awaited"
    AUTHENTICATING = "HLS pending: pass 3 awaited, nothing else allowed"
    VERIFYING = "HLS pass 3 passed, pass 4 awaited"
    ASSOCIATED = "associated"
    RELEASING = "RLRQ passed, RLRE awaited"
    WITHDRAWING = "RLRQ passed while HLS pending, RLRE awaited"
    UNCONFIRMED = "associated, without responses"
    PRE_ESTABLISHED = "associated, without AARQ and release"

    __hash__ = object.__hash__


class Input(Enum):
    AARQ = "AARQ"
    AARE_ACCEPTED = "AARE, accepted"
    AARE_AUTHENTICATION_REQUIRED = "AARE, accepted, authentication required"
    AARE_REFUSED = "AARE, rejected"
    AARE_WITHHELD = "no AARE, for the AARQ allows no response"
    HLS_PASS_3 = "reply_to_HLS_authentication request"
    HLS_PASS_4 = "reply_to_HLS_authentication response, success"
    HLS_REFUSED = "authentication failed on either side"
    REQUEST = "service request"
    RESPONSE = "service response"
    NOTIFICATION = "unsolicited service of the server"
    CONFIRMATION = "confirmation of an unsolicited service"
    EXCEPTION = "ExceptionResponse or ConfirmedServiceError"
    RLRQ = "RLRQ"
    RLRE = "RLRE"
    CLOSED = "lower layer closed"

    __hash__ = object.__hash__


TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.IDLE, Input.AARQ): State.ASSOCIATING,
    (State.IDLE, Input.EXCEPTION): State.IDLE,
    (State.IDLE, Input.CLOSED): State.IDLE,
    (State.ASSOCIATING, Input.AARE_ACCEPTED): State.ASSOCIATED,
    (State.ASSOCIATING, Input.AARE_AUTHENTICATION_REQUIRED): State.AUTHENTICATING,
    (State.ASSOCIATING, Input.AARE_REFUSED): State.IDLE,
    (State.ASSOCIATING, Input.AARE_WITHHELD): State.UNCONFIRMED,
    (State.ASSOCIATING, Input.EXCEPTION): State.IDLE,
    (State.ASSOCIATING, Input.CLOSED): State.IDLE,
    (State.AUTHENTICATING, Input.HLS_PASS_3): State.VERIFYING,
    (State.AUTHENTICATING, Input.EXCEPTION): State.AUTHENTICATING,
    (State.AUTHENTICATING, Input.AARQ): State.ASSOCIATING,
    (State.AUTHENTICATING, Input.RLRQ): State.WITHDRAWING,
    (State.AUTHENTICATING, Input.HLS_REFUSED): State.IDLE,
    (State.AUTHENTICATING, Input.CLOSED): State.IDLE,
    (State.VERIFYING, Input.HLS_PASS_4): State.ASSOCIATED,
    (State.VERIFYING, Input.HLS_REFUSED): State.IDLE,
    (State.VERIFYING, Input.EXCEPTION): State.IDLE,
    (State.VERIFYING, Input.CLOSED): State.IDLE,
    (State.ASSOCIATED, Input.REQUEST): State.ASSOCIATED,
    (State.ASSOCIATED, Input.RESPONSE): State.ASSOCIATED,
    (State.ASSOCIATED, Input.NOTIFICATION): State.ASSOCIATED,
    (State.ASSOCIATED, Input.CONFIRMATION): State.ASSOCIATED,
    (State.ASSOCIATED, Input.EXCEPTION): State.ASSOCIATED,
    (State.ASSOCIATED, Input.AARQ): State.ASSOCIATING,
    (State.ASSOCIATED, Input.RLRQ): State.RELEASING,
    (State.ASSOCIATED, Input.CLOSED): State.IDLE,
    (State.RELEASING, Input.RLRE): State.IDLE,
    (State.RELEASING, Input.NOTIFICATION): State.RELEASING,
    (State.RELEASING, Input.EXCEPTION): State.ASSOCIATED,
    (State.RELEASING, Input.CLOSED): State.IDLE,
    # An ExceptionResponse is not protected: it must not lead past the authentication.
    (State.WITHDRAWING, Input.RLRE): State.IDLE,
    (State.WITHDRAWING, Input.EXCEPTION): State.AUTHENTICATING,
    (State.WITHDRAWING, Input.CLOSED): State.IDLE,
    (State.UNCONFIRMED, Input.REQUEST): State.UNCONFIRMED,
    (State.UNCONFIRMED, Input.NOTIFICATION): State.UNCONFIRMED,
    (State.UNCONFIRMED, Input.CONFIRMATION): State.UNCONFIRMED,
    (State.UNCONFIRMED, Input.AARQ): State.ASSOCIATING,
    # There will be no RLRE either.
    (State.UNCONFIRMED, Input.RLRQ): State.IDLE,
    (State.UNCONFIRMED, Input.CLOSED): State.IDLE,
    (State.PRE_ESTABLISHED, Input.REQUEST): State.PRE_ESTABLISHED,
    (State.PRE_ESTABLISHED, Input.RESPONSE): State.PRE_ESTABLISHED,
    (State.PRE_ESTABLISHED, Input.NOTIFICATION): State.PRE_ESTABLISHED,
    (State.PRE_ESTABLISHED, Input.CONFIRMATION): State.PRE_ESTABLISHED,
    (State.PRE_ESTABLISHED, Input.EXCEPTION): State.PRE_ESTABLISHED,
    (State.PRE_ESTABLISHED, Input.CLOSED): State.PRE_ESTABLISHED,
}


class IllegalInput(ProtocolError):
    """The table has no row for this input in this state."""

    def __init__(self, state: State, event: Input) -> None:
        super().__init__(f"{event.value} is not allowed while {state.value}")
        self.state = state
        self.event = event


def after(state: State, event: Input) -> State:
    """The state that follows. :class:`IllegalInput` if the table has no such row."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalInput(state, event) from None


def after_ours(state: State, event: Input) -> State:
    """The same for what we are about to do ourselves. :class:`LocalProtocolError`: not now."""
    try:
        return after(state, event)
    except IllegalInput as error:
        raise LocalProtocolError(str(error)) from error
