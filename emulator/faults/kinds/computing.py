"""The meter's own cryptography is careless: it takes for right or new what is neither."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from dlms.security.control import Protection
from dlms.security.ops import (
    TAG_LENGTH,
    CheckCertificate,
    CryptoOp,
    Digest,
    Discard,
    GenerateKeyPair,
    Mac,
    Match,
    Open,
    Random,
    Seal,
    Unwrap,
    Use,
    VerificationFailed,
    Verify,
)
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind
from emulator.faults.kinds.parameters import ASSOCIATION, choice
from emulator.serving.taps import Parcel, Place
from emulator.serving.workings import Execute

_ENCRYPTED = int(Protection.ENCRYPTED)
_BOTH = int(Protection.BOTH)


def _any_tag(fault: Fault) -> Callable[[CryptoOp, Execute], Any]:
    """What does not verify is deciphered all the same."""

    def detour(op: CryptoOp, execute: Execute) -> Any:
        if not isinstance(op, Open) or not _concerns(fault, op.ek.scope):
            return execute(op)
        try:
            return execute(op)
        except VerificationFailed:
            fault.has_acted("a tag that is wrong is taken for right")
            body = op.body[:-TAG_LENGTH]
            if not op.control & _ENCRYPTED:
                return body
            # In counter mode to encipher is to decipher (GB Ed. 8, 9.2.3.3.7).
            control = op.control & ~_BOTH | _ENCRYPTED
            return execute(Seal(op.use, op.ek, None, control, op.title, op.counter, body))

    return detour


def _any_secret(fault: Fault) -> Callable[[CryptoOp, Execute], Any]:
    """Whatever is presented to authenticate with is right."""
    presented = b""

    def look(parcel: Parcel) -> tuple[Parcel]:
        nonlocal presented
        presented = parcel.octets
        return (parcel,)

    fault.tap(Place.APDU_IN, look)
    title = fault.reach.mains.host.device.title

    def detour(op: CryptoOp, execute: Execute) -> Any:
        nonlocal presented
        if isinstance(op, Verify):  # which says nothing if it is right
            fault.has_acted("a signature is taken for right")
            return None
        result = execute(op)
        if isinstance(op, Open):
            presented = result
        if isinstance(op, Match):
            fault.has_acted("what is presented is taken for right")
            return True
        if isinstance(op, Mac) and op.title != title:
            fault.has_acted("f(challenge) is taken for right")
            return presented[-len(result) :]
        if isinstance(op, Digest) and presented[-len(result) :] and _is_pass_3(presented):
            fault.has_acted("f(challenge) is taken for right")
            claimed, presented = presented[-len(result) :], b""
            return claimed
        return result

    return detour


def _is_pass_3(apdu: bytes) -> bool:
    return apdu[:1] == b"\xc3" and apdu[5:11] == b"\x00\x00\x28\x00\x00\xff"


def _stale_random(fault: Fault) -> Callable[[CryptoOp, Execute], Any]:
    """What is drawn is always the same."""

    def detour(op: CryptoOp, execute: Execute) -> Any:
        if isinstance(op, Random):
            fault.has_acted(f"{op.length} octets are drawn that were drawn before")
            return bytes(index * 37 + 11 & 0xFF for index in range(op.length))
        return execute(op)

    return detour


def _any_wrapping(fault: Fault) -> Callable[[CryptoOp, Execute], Any]:
    """A wrapped key that does not verify is taken, though nobody knows what it is."""
    ring = fault.reach.ring

    def detour(op: CryptoOp, execute: Execute) -> Any:
        if not isinstance(op, Unwrap):
            return execute(op)
        try:
            return execute(op)
        except VerificationFailed:
            fault.has_acted("a wrapping that is wrong is taken for right")
            ring.keep(op.into, op.wrapped[:-8])
            return None

    return detour


def _pair_at_once(fault: Fault) -> Callable[[CryptoOp, Execute], Any]:
    """A key pair that was made is in force before it has a certificate: the one of before is
    gone.
    """
    ring = fault.reach.ring

    def detour(op: CryptoOp, execute: Execute) -> Any:
        public = execute(op)
        if isinstance(op, GenerateKeyPair) and op.use is Use.CERTIFICATE and op.into.version:
            former = op.into._replace(version=op.into.version - 1)
            execute(Discard(op.use, former))
            ring.keep(former, ring.get(op.into))
            fault.has_acted("a key pair is in force without certificate")
        return public

    return detour


def _any_date(fault: Fault) -> Callable[[CryptoOp, Execute], Any]:
    """A certificate that was valid a year ago is valid."""

    def detour(op: CryptoOp, execute: Execute) -> Any:
        try:
            return execute(op)
        except VerificationFailed:
            if not isinstance(op, CheckCertificate):
                raise
            facts = execute(op._replace(now=op.now - _YEAR))
            fault.has_acted("a certificate that has expired is taken for valid")
            return facts

    return detour


_YEAR = dt.timedelta(days=365)


def _concerns(fault: Fault, scope: str) -> bool:
    only = fault["association"]
    return not fault.is_over and (not only or scope == only)


_CARELESS: Mapping[str, Callable[[Fault], Callable[[CryptoOp, Execute], Any]]] = {
    "any-tag": _any_tag,
    "any-secret": _any_secret,
    "stale-random": _stale_random,
    "any-wrapping": _any_wrapping,
    "pair-at-once": _pair_at_once,
    "any-date": _any_date,
}


def compute(fault: Fault) -> None:
    fault.detour(_CARELESS[fault["how"]](fault))


KINDS = (
    Kind(
        name="careless",
        place="the meter's own cryptography",
        help="what does not verify is taken for right, or what is to be new is not",
        seen="the meter does what it should refuse; or its challenges are always the same",
        begin=compute,
        parameters=(
            choice(
                "how",
                tuple(_CARELESS),
                "any-tag",
                "tags; passwords and f(challenge); randomness; wrapped keys; key pairs without"
                " certificate; certificates that have expired",
            ),
            ASSOCIATION,
        ),
    ),
)
