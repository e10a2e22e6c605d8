"""Devices that are made to push (COSEM_PUSH_*)."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.axdr.data import enum, integer
from dlms.cosem import classes
from dlms.security.control import Protection
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.conformance.cases.object_walk import seats
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

PUSH, ACTIVATE_POLICY = 1, 1
_BOTH = int(Protection.BOTH)
_POLICY_V0, _POLICY_V1 = 3, 0x6C
"""All is authenticated and encrypted: version 0 of Security setup counts, version 1 has bits for
requests and responses (Blue Book 4.4.7).
"""


async def _setup(trial: Trial, *, ciphered: bool) -> tuple[DeclaredAssociation, bytes, int | None]:
    """Who may make the device push, which Push setup, and the version of the Security setup."""
    async with seats(trial, lambda row: row.context.ciphered is ciphered) as each:
        async for seat in each:
            if Conformance.DATA_NOTIFICATION not in seat.conformance:
                continue
            security = next((one.version for one in seat.objects if one.class_id == 64), None)
            for entry in seat.objects_of(classes.PUSH_SETUP):
                if entry.methods.get(PUSH):
                    return seat.row, entry.instance, security
    which = "a ciphered" if ciphered else "no ciphered"
    raise Unjudged(f"nobody may make the device push in {which} association")


async def _pushed(probe: Probe, instance: bytes) -> Seen:
    """What the device pushes when it is told to: the notification, or what came in its place."""
    push = MethodDescriptor(classes.PUSH_SETUP.class_id, instance, PUSH)
    seen = await probe.act(push, integer(0))
    for _ in range(2):
        if isinstance(seen.message, DataNotification) or seen.what is not What.APDU:
            return seen
        response = seen.message
        if not isinstance(response, ActionResponse) or response.result is not ActionResult.SUCCESS:
            return seen
        seen = await probe.hear()
    return seen


def _judged(seen: Seen, protection: Protection) -> Seen:
    if not isinstance(seen.message, DataNotification):
        return Seen.found([f"no DataNotification came: {seen}"])
    given = Protection.NONE if seen.protection is None else seen.protection
    if int(protection) & ~int(given):
        return Seen.found([f"the notification is protected by {given!r} only"])
    return Seen.found(notification=repr(seen.message))


@conversation("COSEM_PUSH_1")
def unprotected() -> Sequence[Node]:
    async def push(trial: Trial) -> Seen:
        row, instance, _ = await _setup(trial, ciphered=False)
        probe = await trial.associated(row)
        return _judged(await _pushed(probe, instance), Protection.NONE)

    return (step("push", push, found("notification")),)


@conversation("COSEM_PUSH_2")
def protected() -> Sequence[Node]:
    async def push(trial: Trial) -> Seen:
        row, instance, version = await _setup(trial, ciphered=True)
        probe = await trial.associated(row)
        if int(row.policy) & _BOTH != _BOTH:
            method = MethodDescriptor(64, row.security_setup, ACTIVATE_POLICY)
            seen = await probe.act(method, enum(_POLICY_V1 if version else _POLICY_V0))
            if not isinstance(seen.message, ActionResponse):
                raise Unjudged(f"the policy cannot be activated: {seen}")
            probe = await trial.associated(row)
        return _judged(await _pushed(probe, instance), Protection.BOTH)

    return (step("push", push, found("notification")),)
