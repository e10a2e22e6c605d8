"""What each variant becomes at a meter of a profile, in words."""

from __future__ import annotations

from typing import Any, NamedTuple

from devices.profile import Profile
from devices.profile.model import ActionStep, SetStep
from dlms.cosem import obis
from emulator.requests.arguments import Argument
from emulator.requests.fitting import ACTORS, instruction_of, why_not
from emulator.requests.variant import Variant


class Described(NamedTuple):
    """``through`` is the party whose association it goes by; ``becomes`` is empty where ``why_not``
    is not.
    """

    through: str
    becomes: str
    why_not: str


def describe(variant: Variant, profile: Profile) -> Described:
    missing = why_not(variant, profile)
    if missing:
        return Described("", "", missing)
    if variant.instruction:
        row = instruction_of(variant, profile)
        steps = ", ".join(map(_step, row.steps))
        return Described(ACTORS[row.association].value, f"Instruction {row.name}: {steps}", "")
    if variant.top_up:
        return Described("S1SP", f"Command to add credit, by {profile.top_up}", "")
    if variant.reads:
        kind, objects = profile.kind, profile.objects
        names = dict.fromkeys(read.name for read in variant.reads if read.is_for(kind, objects))
        return Described("S1SP", f"reads {', '.join(names)}", "")
    if variant.firmware:
        return Described("S1SP", f"firmware: {variant.firmware}", "")
    if variant.order:
        return Described("DCO", f"order: {variant.order}", "")
    texts = [
        f"{'action' if step.is_action else 'set'} {obis.text(step.instance)} {step.number}"
        for step in variant.steps
    ]
    return Described(ACTORS[variant.through].value, ", ".join(texts), "")


def argument_json(argument: Argument) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": argument.type.value, "unit": argument.unit}
    if argument.choices:
        shown["choices"] = list(argument.choices)
    if argument.least is not None and argument.most is not None:
        shown |= {"least": str(argument.least), "most": str(argument.most)}
    return {**shown, "kinds": list(argument.kinds), "optional": argument.optional}


def _step(step: SetStep | ActionStep) -> str:
    if isinstance(step, SetStep):
        return f"set {obis.text(step.attribute.instance)} {step.attribute.attribute}"
    return f"action {obis.text(step.method.instance)} {step.method.method}"
