"""Whether the head end is as it was: it reads from a meter that behaves."""

from __future__ import annotations

from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.hostile.facing import attempt, inability
from emulator.conformance.hostile.site import site_of
from emulator.conformance.running.trial import Trial

TASK = "read"


async def before(trial: Trial) -> str:
    """What is wrong before a case, empty if nothing is. What was seen behind the case before holds
    still: nobody has called since.
    """
    return await _unless_unjudged(trial, first=True)


async def after(trial: Trial) -> str:
    """What is wrong behind it."""
    return await _unless_unjudged(trial, first=False)


async def _unless_unjudged(trial: Trial, *, first: bool) -> str:
    try:
        if first:
            return await inability(trial, TASK)
        problem = await attempt(trial, TASK)
        site_of(trial.target).able[TASK] = problem
    except Unjudged as error:
        return str(error)
    return problem
