"""What a Service Request becomes at a meter of a profile: everything, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from devices.profile import Profile
from devices.profile.model import ActionStep, InstructionRow, SetStep
from dlms.axdr.data import Data
from dlms.cosem import obis
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.policy import Actor
from emulator.requests.arguments import moment_of
from emulator.requests.documents import Value
from emulator.requests.encoding import DECODERS, ENCODERS
from emulator.requests.refusal import Unfit
from emulator.requests.variant import ReadRow, StepRow, Variant

ACTORS = {"s1sp": Actor.S1SP, "dco": Actor.DCO}


class Reading(NamedTuple):
    """An attribute to read, called ``name`` in the response."""

    name: str
    class_id: int
    version: int
    instance: bytes
    attribute: int


class Work(NamedTuple):
    """``actor`` is who does it at the meter. ``title`` is what people call it."""

    actor: Actor
    title: str
    steps: tuple[SetStep | ActionStep, ...] = ()
    readings: tuple[Reading, ...] = ()
    span: tuple[Value | None, Value | None] = (None, None)


def fit(variant: Variant, profile: Profile, arguments: Mapping[str, Value]) -> Work:
    """:class:`~emulator.requests.refusal.Unfit` if the profile has not what it takes, another
    ``ValueError`` if an argument cannot be expressed there. The arguments are checked already.
    """
    work = _fit(variant, profile, arguments)
    if variant.critical and work.actor is not Actor.DCO:
        raise Unfit(f"{variant.number} is critical and would not go through the DCO")
    return work


def _fit(variant: Variant, profile: Profile, arguments: Mapping[str, Value]) -> Work:
    check_kind(variant, profile)
    if variant.instruction:
        row = instruction_of(variant, profile)
        argument = ENCODERS[variant.encoder](arguments, profile) if variant.encoder else None
        return Work(_actor_of(row), row.name, tuple(_filled(step, argument) for step in row.steps))
    if variant.steps:
        steps = tuple(
            _step(step, variant, profile, _data(step, arguments, profile))
            for step in variant.steps
            if _applies(step.when, arguments)
        )
        return Work(ACTORS[variant.through], "steps", steps)
    if variant.reads:
        readings = tuple(
            _reading(read, profile)
            for read in variant.reads
            if read.is_for(profile.kind, profile.objects) and _applies(read.when, arguments)
        )
        span = arguments.get("since"), arguments.get("until")
        for moment in span:
            if moment is not None:
                moment_of(moment)
        return Work(Actor.S1SP, "reads", readings=readings, span=span)
    if variant.order:
        return Work(Actor.DCO, variant.order)
    return Work(Actor.S1SP, variant.firmware or profile.top_up)


def check_kind(variant: Variant, profile: Profile) -> None:
    if profile.kind not in variant.kinds:
        raise Unfit(f"{variant.number} is not for {profile.kind} meters such as {profile.name}")


def instruction_of(variant: Variant, profile: Profile) -> InstructionRow:
    """The row of the profile. A critical one that is not the DCO's to send is as good as none."""
    row = profile.instructions.get(variant.instruction)
    if row is None:
        raise Unfit(f"{profile.name} has no Instruction {variant.instruction}")
    if (row.critical or variant.critical) and _actor_of(row) is not Actor.DCO:
        raise Unfit(f"{row.name} is critical and belongs to the DCO")
    return row


def arguments_of(variant: Variant, argument: Data | None) -> dict[str, object]:
    """The arguments of a request that becomes an Instruction with this one."""
    if argument is None or not variant.encoder:
        return {}
    return DECODERS[variant.encoder](argument)


def why_not(variant: Variant, profile: Profile) -> str:
    """Why a profile cannot do it at all, whatever the arguments; empty if it can."""
    try:
        check_kind(variant, profile)
        if variant.instruction:
            instruction_of(variant, profile)
        for step in variant.steps:
            _step(step, variant, profile, step.value)
        for read in variant.reads:
            if read.is_for(profile.kind, profile.objects):
                _reading(read, profile)
    except Unfit as error:
        return str(error)
    return ""


def _actor_of(row: InstructionRow) -> Actor:
    return Actor.DCO if row.association == "dco" else Actor.S1SP


def _applies(when: Mapping[str, str], arguments: Mapping[str, Value]) -> bool:
    return all(arguments.get(name) == value for name, value in when.items())


def _filled(step: SetStep | ActionStep, argument: Data | None) -> SetStep | ActionStep:
    if isinstance(step, SetStep) and step.value is None:
        if argument is None:
            raise Unfit("the Instruction needs an argument that the variant does not have")
        return step._replace(value=argument)
    return step


def _data(step: StepRow, arguments: Mapping[str, Value], profile: Profile) -> Data | None:
    return step.value if step.value is not None else ENCODERS[step.encoder](arguments, profile)


def _step(
    step: StepRow, variant: Variant, profile: Profile, data: Data | None
) -> SetStep | ActionStep:
    row = profile.objects.get(step.instance)
    if row is None:
        raise Unfit(f"{profile.name} has no object {obis.text(step.instance)}")
    rights = row.rights.get(variant.through)
    class_id = row.interface_class.class_id
    if step.is_action:
        if rights is None or step.number not in rights.methods:
            raise Unfit(
                f"{variant.through} may not invoke {obis.text(step.instance)} "
                f"method {step.number} of {profile.name}"
            )
        return ActionStep(MethodDescriptor(class_id, step.instance, step.number), data)
    if rights is None or not rights.attribute(step.number).writable:
        raise Unfit(
            f"{variant.through} may not write {obis.text(step.instance)} "
            f"attribute {step.number} of {profile.name}"
        )
    return SetStep(AttributeDescriptor(class_id, step.instance, step.number), data)


def _reading(read: ReadRow, profile: Profile) -> Reading:
    if read.instance is not None:
        row = profile.objects.get(read.instance)
        wanted = obis.text(read.instance)
    else:
        rows = profile.of_role(read.role)
        row = rows[0] if rows else None
        wanted = f"of role {read.role}"
    if row is None:
        raise Unfit(f"{profile.name} has no object {wanted}")
    rights = row.rights.get("s1sp")
    if rights is None or not rights.attribute(read.attribute).readable:
        raise Unfit(f"s1sp may not read {wanted} attribute {read.attribute} of {profile.name}")
    table = row.interface_class
    return Reading(read.name, table.class_id, table.version, row.instance, read.attribute)
