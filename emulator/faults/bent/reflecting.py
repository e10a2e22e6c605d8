"""What a meter takes or gives back that was said, and what it draws as it did before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from dlms.acse.aare import Aare
from dlms.acse.fields import AuthenticationValue, ValueChoice
from dlms.association.events import Event
from dlms.association.incoming import Incoming
from dlms.association.offer import Admitted
from dlms.association.server import ServerAssociation
from dlms.association.services import Services
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Agree,
    CryptoOp,
    Discard,
    GenerateKeyPair,
    Mac,
    Open,
    Random,
    Step,
    VerificationFailed,
)
from emulator.faults.bent.proving import take_proofs
from emulator.faults.bent.reaching import concerns
from emulator.faults.fault import Fault
from emulator.serving.workings import Execute

_COUNTED = 4
"""Octets of a challenge that are a counter; the others are a serial number, say."""


def own_message(fault: Fault) -> None:
    """What does not verify with the client's title is tried with the meter's own, so what the meter
    has said comes back as if it was the client's (R-IC-1).
    """
    title = fault.reach.mains.host.device.title

    def detour(op: CryptoOp, execute: Execute) -> Any:
        try:
            return execute(op)
        except VerificationFailed:
            if not isinstance(op, Open) or not concerns(fault, op.ek.scope):
                raise
            result = execute(op._replace(title=title))
            fault.has_acted("a message of the meter's own is taken")
            return result

    fault.detour(detour)


def _other_proofs(fault: Fault, others: Callable[[Mac], Mac | None], acted: str) -> None:
    """f(StoC) may also be that of another computation."""

    def is_of_another(op: Mac, right: bytes, claimed: bytes, execute: Execute) -> bool:
        other = others(op)
        return other is not None and _verifies(other, claimed, execute)

    take_proofs(fault, is_of_another, acted)


def _verifies(op: Mac, tag: bytes, execute: Execute) -> bool:
    """As the tag of a message, which nobody sends: the meter has used no vector of its own."""
    message = Open(op.use, op.ek, op.ak, op.control, op.title, op.counter, op.message + tag)
    try:
        execute(message)
    except VerificationFailed:
        return False
    return True


def own_proof(fault: Fault) -> None:
    """f(StoC) is also right if it is what the meter itself would compute (R-HLS-6)."""
    title = fault.reach.mains.host.device.title
    _other_proofs(
        fault, lambda op: op._replace(title=title), "f(StoC) with the meter's own title is taken"
    )


def own_challenge_proof(fault: Fault) -> None:
    """The client may answer its own challenge in the place of the meter's (R-HLS-6)."""
    challenge = b""

    class Bent(ServerAssociation):
        def _receive_pass_3(self, taken: Incoming, services: Services) -> Step[Event]:
            nonlocal challenge
            challenge = services.aa.client_challenge
            return (yield from super()._receive_pass_3(taken, services))

    fault.at_end(fault.reach.mains.host.makes.put_over_associations(Bent))
    _other_proofs(
        fault,
        lambda op: op._replace(message=challenge) if challenge else None,
        "f(CtoS) is taken for f(StoC)",
    )


def echoed_challenge(fault: Fault) -> None:
    """The meter challenges with what it was challenged with (R-HLS-3)."""

    class Bent(ServerAssociation):
        def _commit(self, admitted: Admitted) -> Event:
            guek = self._offer.keys.guek
            asked = admitted.client_challenge
            if asked and guek is not None and concerns(fault, guek.scope):
                fault.has_acted("the client's challenge comes back to it")
                reply = None if admitted.reply is None else _challenging(admitted.reply, asked)
                admitted = admitted._replace(server_challenge=asked, reply=reply)
            return super()._commit(admitted)

    fault.at_end(fault.reach.mains.host.makes.put_over_associations(Bent))


def _challenging(aare: bytes, challenge: bytes) -> bytes:
    value = AuthenticationValue(challenge, ValueChoice.CHARSTRING)
    return Aare.decode(aare)._replace(responding_authentication_value=value).encode()


def counted_challenge(fault: Fault) -> None:
    """A challenge never comes twice, and everybody knows the next: it is a counter (R-HLS-4)."""
    drawn = 0

    def detour(op: CryptoOp, execute: Execute) -> Any:
        nonlocal drawn
        if not isinstance(op, Random) or op.length <= _COUNTED:
            return execute(op)
        drawn += 1
        fault.has_acted("what is drawn is a counter")
        fixed = hashlib.shake_128(b"serial number").digest(op.length - _COUNTED)
        return fixed + drawn.to_bytes(_COUNTED, "big")

    fault.detour(detour)


def same_ephemeral(fault: Fault) -> None:
    """The ephemeral key pair of the first key agreement is that of all that come after it
    (KL-PK-03).
    """
    first: tuple[KeyRef, bytes] | None = None
    stands_for: dict[KeyRef, KeyRef] = {}

    def detour(op: CryptoOp, execute: Execute) -> Any:
        nonlocal first
        match op:
            case GenerateKeyPair(into=into) if _is_ephemeral(into) and concerns(fault, into.scope):
                if first is None or first[0].scope != into.scope:
                    first = into, execute(op)
                else:
                    fault.has_acted("an ephemeral key pair is used again")
                stands_for[into] = first[0]
                return first[1]
            case Agree(private=private) if private in stands_for:
                return execute(op._replace(private=stands_for[private]))
            case Discard(key=key) if key in stands_for:
                return None
        return execute(op)

    fault.detour(detour)


def _is_ephemeral(ref: KeyRef) -> bool:
    """Whether it is of one agreement: other keys of that kind last."""
    return (ref.kind, ref.lifetime) == (KeyKind.AGREEMENT_KEY, KeyLifetime.SINGLE_ASSOCIATION)


HOW = {
    "own-message": own_message,
    "own-proof": own_proof,
    "own-challenge-proof": own_challenge_proof,
    "echoed-challenge": echoed_challenge,
    "counted-challenge": counted_challenge,
    "same-ephemeral": same_ephemeral,
}
