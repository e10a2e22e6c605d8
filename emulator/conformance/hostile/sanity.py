"""Whether the head end is as it was: it reads from a meter that behaves."""

from __future__ import annotations

from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.hostile.facing import attempt
from emulator.conformance.hostile.site import site_of
from emulator.conformance.trying.trial import Trial

TASK = "read"


async def before(trial: Trial) -> str:
    """What is wrong before a case, empty if nothing is. What was seen behind the case before holds
    still, if it was good: nobody has called since.
    """
    try:
        if site_of(trial.target).able.get(TASK) == "":
            return ""
    except Unjudged as error:
        return str(error)
    return await after(trial)


async def after(trial: Trial) -> str:
    """What is wrong behind it."""
    try:
        problem = await attempt(trial, TASK)
        site_of(trial.target).able[TASK] = problem
    except Unjudged as error:
        return str(error)
    return problem
