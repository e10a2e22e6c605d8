"""From what the protocol does to what the policy is asked about."""

from __future__ import annotations

from dlms.security.ops import CryptoOp, Discard, Use, keys_of
from emulator.policy import KeyUse, Purpose, key_uses

_FIXED = {
    Use.ASSOCIATION: Purpose.ESTABLISH_ASSOCIATION,
    Use.OPEN_RESPONSE: Purpose.PROCESS_RESPONSE,
    Use.TRANSFER_KEY: Purpose.TRANSFER_KEY,
    Use.AGREE_KEY: Purpose.TRANSFER_KEY,
    Use.CERTIFICATE: Purpose.OTHER,
    Use.REQUEST: Purpose.OTHER,
}


def purpose_of(use: Use, errand: Purpose) -> Purpose:
    """The purpose of an operation used for ``use`` on an errand.

    A request, and a token that goes into one, are made for what the errand is for: a Command to
    add credit or an Instruction.
    """
    return _FIXED.get(use, errand)


def keys_used(op: CryptoOp) -> tuple[KeyUse, ...]:
    """The keys the policy is to judge.

    Destroying a key is neither generation, storage nor use of Secret Key Material, so it is no
    Cryptographic Processing and touches no key in this sense.
    """
    return () if isinstance(op, Discard) else key_uses(keys_of(op))
