"""What a meter verifies too little of: tags, f(StoC), and under which keys; and what it draws."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    TAG_LENGTH,
    CryptoFailure,
    CryptoOp,
    Discard,
    KeyUnavailable,
    Mac,
    Open,
    Random,
    Seal,
    VerificationFailed,
)
from emulator.faults.bent.proving import take_proofs
from emulator.faults.bent.reaching import concerns, forgotten_with_power
from emulator.faults.fault import Fault
from emulator.serving.workings import Execute

_ENCRYPTED, _BOTH = int(Protection.ENCRYPTED), int(Protection.BOTH)
_SHORT = 4
"""Octets that are compared where a tag is cut short: what is left of ``memcmp`` with the length of
a word."""

_LEFT = 8
"""Dedicated keys of before for which there is room."""


def deciphered(op: Open, execute: Execute) -> bytes:
    """What is inside, whatever the tag is. In counter mode to encipher is to decipher (GB Ed. 8,
    9.2.3.3.7).
    """
    body = op.body[:-TAG_LENGTH]
    if not op.control & _ENCRYPTED:
        return body
    control = op.control & ~_BOTH | _ENCRYPTED
    result: bytes = execute(Seal(op.use, op.ek, None, control, op.title, op.counter, body))
    return result


def short_tag(fault: Fault) -> None:
    """Only the first octets of a tag are compared (KL-PR-05)."""

    def begins_right(op: Open, plain: bytes, execute: Execute) -> bool:
        right: bytes = execute(Seal(*op[:6], plain, op.extra))[-TAG_LENGTH:]
        return op.body[-TAG_LENGTH:][:_SHORT] == right[:_SHORT]

    _let_pass(fault, begins_right, "the first octets of a tag are right, and no more is looked at")


def tag_of_set(fault: Fault) -> None:
    """The way of SET through the meter has no look at the tag (R-PROT-2)."""

    def is_set(op: Open, plain: bytes, execute: Execute) -> bool:
        return plain[:1] == b"\xc1"

    _let_pass(fault, is_set, "a SET is carried out whatever its tag is")


def _let_pass(fault: Fault, is_taken: Callable[[Open, bytes, Execute], bool], acted: str) -> None:
    """Of messages that do not verify, those are taken that ``is_taken`` takes, deciphered."""

    def detour(op: CryptoOp, execute: Execute) -> Any:
        if not isinstance(op, Open) or not concerns(fault, op.ek.scope):
            return execute(op)
        try:
            return execute(op)
        except VerificationFailed:
            if len(op.body) < TAG_LENGTH:
                raise
            plain = deciphered(op, execute)
            if not is_taken(op, plain, execute):
                raise
            fault.has_acted(acted)
            return plain

    fault.detour(detour)


def short_answer(fault: Fault) -> None:
    """Of f(StoC) only the first octets of the tag are compared (KL-HL-05)."""

    def begins_right(op: Mac, right: bytes, claimed: bytes, execute: Execute) -> bool:
        return claimed[:_SHORT] == right[:_SHORT]

    acted = "the first octets of f(StoC) are right, and no more is looked at"
    take_proofs(fault, begins_right, acted)


def former_key(fault: Fault) -> None:
    """What does not verify under the key in force is tried under the one before (R-KEY-1)."""

    def before(ref: KeyRef | None) -> KeyRef | None:
        return ref if ref is None or not ref.version else ref._replace(version=ref.version - 1)

    def detour(op: CryptoOp, execute: Execute) -> Any:
        try:
            return execute(op)
        except VerificationFailed:
            if not isinstance(op, Open) or not concerns(fault, op.ek.scope):
                raise
            for ek, ak in ((before(op.ek), op.ak), (op.ek, before(op.ak))):
                if (ek, ak) == (op.ek, op.ak) or ek is None:
                    continue
                try:
                    result = execute(op._replace(ek=ek, ak=ak))
                except CryptoFailure:
                    continue
                fault.has_acted("the key of before is still good")
                return result
            raise

    fault.detour(detour)


def former_dedicated_key(fault: Fault) -> None:
    """A dedicated key is not destroyed with its association, and is tried in those that come after
    it (KL-PR-13).
    """
    left: deque[KeyRef] = deque(maxlen=_LEFT)

    def detour(op: CryptoOp, execute: Execute) -> Any:
        if isinstance(op, Discard) and op.key.kind is KeyKind.DEDICATED:
            if not concerns(fault, op.key.scope):
                return execute(op)
            return left.append(op.key)
        if not isinstance(op, Open) or op.ek.kind is not KeyKind.DEDICATED:
            return execute(op)
        try:
            return execute(op)
        except VerificationFailed:
            for key in left:
                with suppress(VerificationFailed, KeyUnavailable):
                    result = execute(op._replace(ek=key))
                    fault.has_acted("the dedicated key of an association that is over is good")
                    return result
            raise

    fault.detour(detour)


def same_series(fault: Fault) -> None:
    """The random source has the same seed at each start (R-HLS-4)."""
    drawn = 0

    def begin_anew() -> None:
        nonlocal drawn
        drawn = 0

    def detour(op: CryptoOp, execute: Execute) -> Any:
        nonlocal drawn
        if not isinstance(op, Random):
            return execute(op)
        drawn += 1
        fault.has_acted("what is drawn comes in the same order after each start")
        return hashlib.shake_128(b"series %d" % drawn).digest(op.length)

    fault.detour(detour)
    forgotten_with_power(fault, begin_anew)


HOW = {
    "short-tag": short_tag,
    "tag-of-set": tag_of_set,
    "short-answer": short_answer,
    "former-key": former_key,
    "former-dedicated-key": former_dedicated_key,
    "same-series": same_series,
}
