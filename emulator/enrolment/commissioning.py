"""The supplier's access has ended, as is proven, and the meter is commissioned (steps 7, 8)."""

from __future__ import annotations

from typing import Any

from devices.profile.model import SetStep
from dlms.client.new_keys import discard
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Use
from emulator.enrolment.agreed import SCOPES
from emulator.enrolment.case import ACTORS, Case
from emulator.enrolment.inventory import Status
from emulator.enrolment.steps import EnrolmentError
from emulator.enrolment.verifying import clock_off
from emulator.head_end.carrying_out import send_steps
from emulator.head_end.party import ASSOCIATIONS
from emulator.head_end.services import clock_time
from emulator.policy import Actor

MAX_CLOCK_OFF = 10.0
"""Seconds that a clock may be wrong: what SMETS has meters keep to (from general knowledge)."""

SET_CLOCK = "set_clock"


class AccessRemains(EnrolmentError):
    """Something that the supplier has still opens the meter."""


async def end_access(case: Case) -> dict[str, Any]:
    """Everything that the supplier has is tried; what was handed over is destroyed."""
    tried = await case.prove(case.meter, case.profile)
    if not tried:
        raise EnrolmentError("nothing was tried, so nothing is proven")
    opened = [f"{one.association} by {one.way}" for one in tried if one.succeeded]
    if opened:
        raise AccessRemains(f"the supplier still opens {', '.join(opened)}")
    if any(one.let_in for one in tried):
        raise AccessRemains("a certificate of the supplier's is still accepted")
    handed = case.record.detail.get("handed", ())
    for actor in ACTORS:
        refs = [
            KeyRef(case.meter.title, scope, KeyKind[kind], version=version)
            for scope, kind, version in handed
            if scope in SCOPES[actor]
        ]
        case.own(actor).known.outlived(refs)
        await case.run(actor)(discard(Use.TRANSFER_KEY, refs))
    case.store.drop_key_files(case.meter.title)
    return {"tried": len(tried)}


async def commission(case: Case) -> dict[str, Any]:
    """A clock that is wrong is set, the inventory says Commissioned."""
    async with case.session(Actor.S1SP) as session:
        off = await clock_off(case, session)
    if off is None or abs(off) > MAX_CLOCK_OFF:
        await _set_clock(case)
    status = await case.head_end.status(case.meter, case.profile)
    firmware = case.record.detail.get("firmware") or None
    case.inventory.become(case.device, Status.COMMISSIONED, "enrolled", firmware)
    return {"balance": str(status.balance), "supply": status.supply}


async def _set_clock(case: Case) -> None:
    """As the profile has it done, by the party whose Instruction it is. No User asks for it: the
    device is not commissioned yet, so nobody may.
    """
    row = case.profile.instructions.get(SET_CLOCK)
    if row is None:
        raise EnrolmentError(f"{case.profile.name} has no {SET_CLOCK}, and its clock is wrong")
    async with case.session(ASSOCIATIONS[row.association]) as session:
        now = clock_time(await case.true_time())
        steps = (
            step._replace(value=now) if isinstance(step, SetStep) and step.value is None else step
            for step in row.steps
        )
        await send_steps(session, tuple(steps))
