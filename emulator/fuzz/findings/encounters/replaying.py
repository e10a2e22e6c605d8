"""An encounter played again with a head end, and made smaller."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emulator.fuzz.findings.encounters.evidence import witnessed
from emulator.fuzz.findings.minimising import NothingBroken
from emulator.fuzz.head_ends.driven import Driven
from emulator.fuzz.head_ends.judging import breaches, judged
from emulator.fuzz.head_ends.mischief import Encounter
from emulator.fuzz.head_ends.scene import HeadEndUnderTest
from emulator.fuzz.head_ends.searching import Caught, shrunk
from emulator.fuzz.scenario.found import Found, Witnessed
from emulator.fuzz.scenario.model import Scenario

IN_THE_END = "read, at a meter that behaves"
"""The last errand, if the head end keeps its counters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetAgain:
    """``errands`` are what was seen, in their order; ``problems`` name the errand, and empty is
    well.
    """

    scenario: Scenario
    driven: Driven
    errands: tuple[Witnessed, ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def encounter_of(scenario: Scenario) -> Encounter:
    """``ValueError`` if it has none."""
    if scenario.encounter is None:
        raise ValueError(f"{scenario.id} is no encounter with a head end")
    return scenario.encounter


def names_of(encounter: Encounter) -> list[str]:
    """Each errand in words, and the one in the end."""
    return [*map(str, encounter.errands), IN_THE_END]


async def meet_again(scenario: Scenario, driven: Driven) -> MetAgain:
    """Whatever breaks an invariant is a problem. ``OSError`` if it cannot be started."""
    encounter = encounter_of(scenario)
    ran = await HeadEndUnderTest.of(driven).play(encounter)
    last = len(encounter.errands)
    problems = [
        f"{f'errand {number}' if number <= last else 'in the end'}: {breach}"
        for number, several in enumerate(judged(encounter, ran), 1)
        for breach in several
    ]
    return MetAgain(
        scenario=scenario,
        driven=driven,
        errands=witnessed(encounter, ran),
        problems=tuple(problems),
    )


async def minimised(scenario: Scenario, driven: Driven) -> Caught:
    """The same with as little misbehaviour as it takes. :class:`NothingBroken` if the head end does
    not break what was found, or nothing where nothing was found before.
    """
    encounter, found = encounter_of(scenario), scenario.found
    head_end = HeadEndUnderTest.of(driven)
    ran = await head_end.play(encounter)
    breach = next(
        (
            one
            for one in breaches(encounter, ran)
            if found is None or one.invariant == found.invariant
        ),
        None,
    )
    if breach is None:
        what = "any invariant" if found is None else f"{found.invariant}: {found.shape}"
        raise NothingBroken(f"the head end does not break {what}")
    least = await shrunk(head_end, encounter, breach, ran)
    return least if found is None else _as_it_was(least, found)


def _as_it_was(caught: Caught, found: Found) -> Caught:
    """How it was found is not how it was made smaller."""
    return replace(
        caught,
        number=found.steps,
        seconds=found.seconds,
        seed=found.seed,
        was=found.was or caught.was,
    )
