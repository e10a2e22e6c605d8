"""What a request becomes, done on an association."""

from __future__ import annotations

from typing import Any

from devices.profile.model import ActionStep, SetStep
from emulator.client.targets import Span, Wanted
from emulator.head_end.party_association import PartyAssociation
from emulator.policy import Purpose
from emulator.requests.arguments import moment_of
from emulator.requests.fitting import Work


async def send_steps(session: PartyAssociation, steps: tuple[SetStep | ActionStep, ...]) -> None:
    """In their order. :class:`~dlms.client.refusals.MeterRefusal` by the first that the meter does
    not carry out; those after it are not sent.
    """
    for step in steps:
        if isinstance(step, SetStep):
            assert step.value is not None  # fit() has filled it in
            await session.set(step.attribute, step.value)
        else:
            await session.action(step.method, step.parameter, Purpose.GENERATE_INSTRUCTION)


async def read_values(session: PartyAssociation, work: Work) -> dict[str, Any]:
    """The values by name, with their units."""
    since, until = (None if part is None else moment_of(part) for part in work.span)
    values = {}
    for name, class_id, version, instance, attribute in work.readings:
        wanted = Wanted(instance, attribute, class_id, version, Span(since, until))
        values[name] = await session.read(wanted)
    return values
