"""SYMSEC_REL_N1: a release that is protected too little."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.acse.codes import ReleaseRequestReason
from dlms.acse.release import Rlrq
from dlms.association.proposal import initiate_request
from dlms.security.control import Protection
from dlms.security.layers import protect_layers
from dlms.security.ops import Use
from emulator.conformance.cases.opening import OPENED, opened
from emulator.conformance.cases.securing import ciphered_row, shaped
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import alive, refused
from emulator.conformance.conversing.tree import Node, step
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial


def _rlrqs(probe: Probe, policy: Protection) -> list[tuple[str, bytes | None]]:
    """RLRQs without InitiateRequest, with a plain one, and with one that is protected less than the
    policy asks, by what they are.
    """
    plain = initiate_request(probe.config).encode()
    informations: list[tuple[str, bytes | None]] = [
        ("without InitiateRequest", None),
        ("with a plain InitiateRequest", plain),
    ]
    assert probe.general is not None
    for less in (Protection.AUTHENTICATED, Protection.ENCRYPTED):
        if int(policy) & ~int(less):
            step = protect_layers(probe.general, plain, shaped(less), Use.ASSOCIATION)
            informations.append((f"with an InitiateRequest, {less!r}", probe.run(step)))
    return informations


async def _release(trial: Trial) -> Seen:
    """The first that was granted, or else what came of the last."""
    row = ciphered_row(trial, lambda row: row.protected_release, "whose release is protected")
    probe = await trial.associated(row)
    trial.notes.keep(OPENED, probe)
    seen = Seen.found()
    for name, information in _rlrqs(probe, row.policy):
        reason = ReleaseRequestReason.NORMAL
        octets = Rlrq(reason=reason, user_information=information).encode()
        seen = await probe.exchange(octets)
        if refused().judge(trial, seen) is not None:
            return seen.having(notes=(*seen.notes, name))
    return seen


async def _survives(trial: Trial) -> Seen:
    return await opened(trial).get()


@conversation("SYMSEC_REL_N1")
def weak_release() -> Sequence[Node]:
    return (step("release", _release, refused()), step("survives", _survives, alive()))
