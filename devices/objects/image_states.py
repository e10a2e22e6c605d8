"""The states of an image transfer: one table (Blue Book 4.4.6)."""

from __future__ import annotations

from enum import Enum, auto

from dlms.cosem.image_transfer import Status


class Input(Enum):
    """What happens to a transfer: methods, and how they end."""

    INITIATE = auto()
    BLOCK = auto()
    VERIFY = auto()
    VERIFIED = auto()
    NOT_VERIFIED = auto()
    ACTIVATE = auto()
    ACTIVATED = auto()
    NOT_ACTIVATED = auto()


_S, _I = Status, Input

TABLE: dict[tuple[Status, Input], Status] = {
    (_S.NOT_INITIATED, _I.INITIATE): _S.INITIATED,
    (_S.INITIATED, _I.INITIATE): _S.INITIATED,
    (_S.INITIATED, _I.BLOCK): _S.INITIATED,
    (_S.INITIATED, _I.VERIFY): _S.VERIFYING,
    (_S.VERIFYING, _I.INITIATE): _S.INITIATED,
    (_S.VERIFYING, _I.VERIFIED): _S.VERIFIED,
    (_S.VERIFYING, _I.NOT_VERIFIED): _S.VERIFICATION_FAILED,
    (_S.VERIFIED, _I.INITIATE): _S.INITIATED,
    (_S.VERIFIED, _I.VERIFY): _S.VERIFYING,
    (_S.VERIFIED, _I.ACTIVATE): _S.ACTIVATING,
    (_S.VERIFICATION_FAILED, _I.INITIATE): _S.INITIATED,
    (_S.VERIFICATION_FAILED, _I.BLOCK): _S.INITIATED,
    (_S.VERIFICATION_FAILED, _I.VERIFY): _S.VERIFYING,
    (_S.ACTIVATING, _I.ACTIVATED): _S.ACTIVATED,
    (_S.ACTIVATING, _I.NOT_ACTIVATED): _S.ACTIVATION_FAILED,
    (_S.ACTIVATED, _I.INITIATE): _S.INITIATED,
    (_S.ACTIVATION_FAILED, _I.INITIATE): _S.INITIATED,
    (_S.ACTIVATION_FAILED, _I.VERIFY): _S.VERIFYING,
}
"""(state, input) -> state; what is not in it does not happen, and a method is refused. Whoever has
given up a transfer may begin another one, but a meter that changes its firmware is not stopped."""
