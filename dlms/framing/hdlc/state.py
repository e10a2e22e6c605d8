"""The link machine: one table, the same for primary and secondary (IEC 62056-46, 6.4.4).

Both ends feed it the frames that pass, sent or received; it does not know which end it is. A pair
without a row is an error of whoever sent the frame: it has no effect.
"""

from __future__ import annotations

from enum import Enum

from dlms.framing.hdlc.control import Kind


class State(Enum):
    NDM = "disconnected (NDM)"
    CONNECTING = "SNRM passed, UA awaited"
    NRM = "connected (NRM)"
    REJECTED = "FRMR passed, nothing but SNRM and DISC helps"
    DISCONNECTING = "DISC passed, UA awaited"

    __hash__ = object.__hash__


class Input(Enum):
    SNRM = "SNRM"
    UA = "UA"
    DM = "DM"
    DISC = "DISC"
    FRMR = "FRMR"
    INFORMATION = "I"
    SUPERVISORY = "RR, RNR, REJ"
    UI = "UI"
    INACTIVE = "nothing heard for too long"
    CLOSED = "lower layer closed, or link given up"

    __hash__ = object.__hash__


INPUT_OF = {
    Kind.I: Input.INFORMATION,
    Kind.RR: Input.SUPERVISORY,
    Kind.RNR: Input.SUPERVISORY,
    Kind.REJ: Input.SUPERVISORY,
    Kind.UI: Input.UI,
    Kind.DM: Input.DM,
    Kind.DISC: Input.DISC,
    Kind.UA: Input.UA,
    Kind.SNRM: Input.SNRM,
    Kind.FRMR: Input.FRMR,
}
"""The input that each kind of frame is."""


TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.NDM, Input.SNRM): State.CONNECTING,
    (State.NDM, Input.DISC): State.DISCONNECTING,
    (State.NDM, Input.DM): State.NDM,
    (State.NDM, Input.UI): State.NDM,
    (State.NDM, Input.CLOSED): State.NDM,
    (State.CONNECTING, Input.SNRM): State.CONNECTING,
    (State.CONNECTING, Input.UA): State.NRM,
    (State.CONNECTING, Input.DM): State.NDM,
    (State.CONNECTING, Input.INACTIVE): State.NDM,
    (State.CONNECTING, Input.CLOSED): State.NDM,
    (State.NRM, Input.INFORMATION): State.NRM,
    (State.NRM, Input.SUPERVISORY): State.NRM,
    (State.NRM, Input.UI): State.NRM,
    (State.NRM, Input.SNRM): State.CONNECTING,
    (State.NRM, Input.DISC): State.DISCONNECTING,
    (State.NRM, Input.DM): State.NDM,
    (State.NRM, Input.FRMR): State.REJECTED,
    (State.NRM, Input.INACTIVE): State.NDM,
    (State.NRM, Input.CLOSED): State.NDM,
    (State.REJECTED, Input.FRMR): State.REJECTED,
    (State.REJECTED, Input.SNRM): State.CONNECTING,
    (State.REJECTED, Input.DISC): State.DISCONNECTING,
    (State.REJECTED, Input.INACTIVE): State.NDM,
    (State.REJECTED, Input.CLOSED): State.NDM,
    (State.DISCONNECTING, Input.DISC): State.DISCONNECTING,
    (State.DISCONNECTING, Input.UA): State.NDM,
    (State.DISCONNECTING, Input.DM): State.NDM,
    (State.DISCONNECTING, Input.INACTIVE): State.NDM,
    (State.DISCONNECTING, Input.CLOSED): State.NDM,
}


def after(state: State, event: Input) -> State | None:
    """The state that follows, or ``None`` if the table has no such row."""
    return TRANSITIONS.get((state, event))


def passed(state: State, event: Input) -> State:
    """The state that follows, where the caller knows that there is a row."""
    following = TRANSITIONS.get((state, event))
    assert following is not None, (state, event)
    return following
