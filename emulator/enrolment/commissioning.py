"""The supplier's access has ended, as is proven, and the meter is commissioned (steps 7, 8)."""

from __future__ import annotations

from typing import Any

from dlms.client.new_keys import discard
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Use
from emulator.enrolment.agreed import SCOPES
from emulator.enrolment.case import ACTORS, Case
from emulator.enrolment.inventory import Status
from emulator.enrolment.steps import EnrolmentError
from emulator.enrolment.verifying import clock_off
from emulator.head_end.association import associate
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
        await case.run(actor)(discard(Use.TRANSFER_KEY, refs))
    case.store.drop_key_files(case.meter.title)
    return {"tried": len(tried)}


async def commission(case: Case) -> dict[str, Any]:
    """A clock that is wrong is set, the inventory says Commissioned."""
    async with associate(case.own(Actor.S1SP), case.meter, case.profile) as session:
        off = await clock_off(case, session)
    if off is None or abs(off) > MAX_CLOCK_OFF:
        if SET_CLOCK not in case.profile.instructions:
            raise EnrolmentError(f"{case.profile.name} has no {SET_CLOCK}, and its clock is wrong")
        now = clock_time(await case.true_time())
        await case.head_end.instruct(case.meter, case.profile, SET_CLOCK, now)
    status = await case.head_end.status(case.meter, case.profile)
    firmware = case.record.detail.get("firmware") or None
    case.inventory.become(case.device, Status.COMMISSIONED, "enrolled", firmware)
    return {"balance": str(status.balance), "supply": status.supply}
