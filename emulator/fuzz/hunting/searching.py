"""The search of one process: rounds of runs that Hypothesis draws, and what becomes of findings.

Hypothesis does not shrink them. It makes smaller what it has drawn, not what was done, and most of
what it draws is what leads from one step to the next: measured on four planted defects it took two
to fifteen times as long as :mod:`emulator.fuzz.findings.minimising` alone, never to fewer steps.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.findings.minimising import NothingBroken, minimise
from emulator.fuzz.hunting.looking_on import Enough, LookingOn, Post
from emulator.fuzz.hunting.plan import Plan
from emulator.fuzz.machine.lot import STRETCH
from emulator.fuzz.machine.machine import machine
from emulator.fuzz.machine.watcher import Broken

RUNS = 25
"""Of a round, which is of one setting and takes some seconds. Hypothesis keeps a tree of all that
it has drawn: that of a whole search would outgrow the memory.
"""

DEPTHS = (40, 20, 80)
"""Moves of a run, by round in turn: what is shallow is found in short runs sooner, and some defects
need a long life.
"""


_OBJECTS = 50_000
"""Made between two collections of garbage: a run of the meter makes many that live for one step,
and nearly none of them is part of a cycle.
"""


class TargetFailed(Exception):
    """The target, or the fuzzer itself, has failed in a way that is no breach."""


def search(plan: Plan, post: Post) -> LookingOn:
    """Look until the time, the steps or the wish to go on are over. Nothing is printed, and nothing
    is written anywhere. :class:`TargetFailed` if the target fails.
    """
    looking_on = LookingOn(plan, post)
    drawn: dict[int, type[RuleBasedStateMachine]] = {}
    round = 0
    try:
        with _seldom_collected():
            while not looking_on.is_over:
                which = plan.setting_of(round)
                if which not in drawn:
                    drawn[which] = machine(plan.settings[which], looking_on, plan.make)
                _round(plan, looking_on, drawn[which], round)
                round += 1
                if looking_on.finding is not None:
                    looking_on.is_shrunk(shrunk(looking_on.finding, plan, looking_on))
    finally:
        looking_on.tell()
    return looking_on


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Garbage is looked for less often than Python does it."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _OBJECTS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _round(
    plan: Plan, looking_on: LookingOn, drawn: type[RuleBasedStateMachine], round: int
) -> None:
    looking_on.begin_round()
    settings = hypothesis.settings(
        max_examples=RUNS,
        # Its first step draws which moves there are.
        stateful_step_count=1 + DEPTHS[round % len(DEPTHS)] // STRETCH,
        phases=(Phase.generate,),
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        # They tell whoever writes a test that it wastes its time; here the time is given.
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(hypothesis.seed(plan.seed_of(round))(drawn), settings=settings)
    except Enough:
        pass
    except (Broken, Flaky) as error:
        # Hypothesis complains if what it knows goes another way: octets of OpenSSL do that, and
        # so does a run that is ended.
        if _came_of(error, KeyboardInterrupt):
            raise KeyboardInterrupt from None
    except Exception as error:
        raise TargetFailed(f"{type(error).__name__}: {error}") from error


def _came_of(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__context__
    return False


def shrunk(finding: Finding, plan: Plan, looking_on: LookingOn) -> Finding:
    """``finding``, as small as it gets in the time there is."""
    try:
        found = minimise(
            finding.trail.setting,
            finding.actions,
            finding.key,
            plan.make,
            is_over=looking_on.time_is_over,
        )
    except NothingBroken:
        return finding
    return finding.shrunk(found.trail, found.breach)
