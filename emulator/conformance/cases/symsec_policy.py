"""SYMSEC_0_SecPol_1 to 3: security policies are activated, and kept.

A policy is never taken back. So each is tried on an association whose present one it strengthens,
or is, and what has been activated is declared from then on.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlms.axdr.data import Data, enum
from dlms.cosem.security_setup import Policy
from dlms.cosem.tables.security import SECURITY_SETUP
from dlms.errors import CodecError
from dlms.security.control import POLICY_V0, POLICY_V0_NUMBERS, Protection
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.errors import ClientError
from emulator.conformance.cases.key_changing import act
from emulator.conformance.cases.opening import OPENED, opened
from emulator.conformance.cases.securing import (
    MANAGEMENT,
    Attempt,
    each_refused,
    read,
    rows,
    shaped,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import (
    action_error,
    data_of,
    done,
    is_success,
    protected,
    refused,
)
from emulator.conformance.conversing.tree import Node, Pointless, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_CHANGED = Note[tuple[str, int]]("the policy that was changed")
"""The name of its association, and the version of its Security setup."""

_ACTIVATE, _POLICY = 1, 2
"""security_activate, the method, and security_policy, the attribute."""


async def _version(trial: Trial, row: DeclaredAssociation) -> int:
    """That of the Security setup object: what a policy is written as."""
    try:
        async with trial.session(row) as (client, session):
            return await client.hold(session.version(row.security_setup, SECURITY_SETUP.class_id))
    except ClientError as error:
        raise Unjudged(f"the version of the Security setup cannot be told: {error}") from error


async def _present(probe: Probe, row: DeclaredAssociation, version: int) -> Protection:
    """The policy that is in force, of requests and responses together."""
    attribute = AttributeDescriptor(SECURITY_SETUP.class_id, row.security_setup, _POLICY)
    seen = await probe.get(attribute)
    data = data_of(seen)
    number = -1 if data is None else data.value
    try:
        if version == 0 and isinstance(number, int):
            return POLICY_V0[number]
        policy = Policy.of_bits(number if isinstance(number, int) else -1)
    except (KeyError, CodecError):
        raise Unjudged(f"the policy of {row.name} cannot be read: {seen}") from None
    return policy.request | policy.response


def _written(policy: Protection, version: int) -> Data:
    if version == 0:
        return enum(POLICY_V0_NUMBERS[policy])
    return enum(Policy(policy, policy).bits)


async def _activate(trial: Trial, policy: Protection) -> Seen:
    """On the first association whose policy it strengthens, or else has already, by its own client
    or, where that has not the right to, by another.
    """
    managed = rows(trial, lambda row: bool(row.security_setup), "and a Security setup")
    by_right = sorted(managed, key=lambda row: row.client_sap != MANAGEMENT)
    stronger = []
    for row in sorted(by_right, key=lambda row: row.policy == policy):
        if int(row.policy) & ~int(policy):
            stronger.append(row.name)
            continue
        version = await _version(trial, row)
        present = await _present(await trial.associated(row), row, version)
        if int(present) & ~int(policy):
            stronger.append(row.name)
            continue
        trial.notes.keep(_CHANGED, (row.name, version))
        for client in (row, *(one for one in by_right if one is not row)):
            probe = await trial.associated(client)
            seen = await act(probe, row, _ACTIVATE, _written(policy, version))
            if _may_not.judge(trial, seen) is None:
                continue
            if is_success(seen):
                trial.target.redeclare(row.name, policy=policy)
                trial.notes.keep(OPENED, probe if client is row else await trial.associated(row))
            return seen
        raise Unjudged(f"no client whose keys are at hand may activate a policy of {row.name}")
    raise Pointless(f"the policy of {', '.join(stronger)} is stronger, and is not taken back")


_may_not = action_error(ActionResult.READ_WRITE_DENIED)


def _activating(policy: Protection) -> Sender:
    async def send(trial: Trial) -> Seen:
        return await _activate(trial, policy)

    return send


def _row(trial: Trial) -> DeclaredAssociation:
    name, _ = trial.notes.kept(_CHANGED)
    return trial.declaration.association(name)


def _reading(protection: Protection) -> Sender:
    async def send(trial: Trial) -> Seen:
        return await read(opened(trial), _row(trial), shaped(protection))

    return send


def _attempt(protection: Protection) -> Attempt:
    async def attempt(probe: Probe) -> Seen:
        return await probe.get(shape=shaped(protection) if protection else None)

    return attempt


def _weak(*protections: Protection) -> Sender:
    """Requests with too little protection, or none, in the association in which the policy was
    activated: it holds there at once (KL-KT-31).
    """

    async def send(trial: Trial) -> Seen:
        attempts = {repr(one): _attempt(one) for one in protections}
        return await each_refused(trial, _row(trial), attempts, opened(trial))

    return send


async def _weaken(trial: Trial) -> Seen:
    """Each of the policies that ask for less."""
    row, (_, version) = _row(trial), trial.notes.kept(_CHANGED)

    def activating(policy: Protection) -> Attempt:
        async def attempt(probe: Probe) -> Seen:
            return await act(probe, row, _ACTIVATE, _written(policy, version))

        return attempt

    attempts = {repr(one): activating(one) for one in (_NONE, _A, _E)}
    return await each_refused(trial, row, attempts, opened(trial))


_NONE, _A, _E, _BOTH = (
    Protection.NONE,
    Protection.AUTHENTICATED,
    Protection.ENCRYPTED,
    Protection.BOTH,
)


@conversation("SYMSEC_0_SecPol_1")
def all_authenticated() -> Sequence[Node]:
    return (
        step("activate", _activating(_A), done()),
        step("plain", _weak(_NONE), refused()),
        step("encrypted", _weak(_E), refused()),
        step("authenticated", _reading(_A), protected()),
        step("both", _reading(_BOTH), protected()),
    )


@conversation("SYMSEC_0_SecPol_2")
def all_encrypted() -> Sequence[Node]:
    return (
        step("activate", _activating(_E), done()),
        step("authenticated", _weak(_A), refused()),
        step("encrypted", _reading(_E), protected()),
        step("both", _reading(_BOTH), protected()),
    )


@conversation("SYMSEC_0_SecPol_3")
def all_protected() -> Sequence[Node]:
    return (
        step("activate", _activating(_BOTH), done()),
        step("less", _weak(_A, _E), refused()),
        step("both", _reading(_BOTH), protected()),
        step("weaker", _weaken, refused()),
    )
