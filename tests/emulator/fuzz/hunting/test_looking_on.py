"""Who looks on ends what has to end, by a clock of the test's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.fuzz.actions import Wait
from emulator.fuzz.breach import Breach
from emulator.fuzz.findings.finding import Finding, Key
from emulator.fuzz.hunting.looking_on import EVERY, Enough, LookingOn
from emulator.fuzz.hunting.plan import AFTERWARDS, Plan
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Outcome, Seen
from emulator.fuzz.trail import Done, Trail

BACK = Breach(invariant="I2", words="5 -> 3", shape="a counter goes back")
OTHER = replace(BACK, shape="another")
DONE = Done(action=Wait(seconds=1), seen=Seen(outcome=Outcome.DONE))
PLAN = Plan(settings=(Setting(),), make=in_process, seed=9, process=1, began=100.0)


class Letters:
    """A :class:`~emulator.fuzz.hunting.looking_on.Post` that keeps what is said."""

    def __init__(self) -> None:
        self.counts: list[tuple[int, int, frozenset[tuple[str, str]], int]] = []
        self.broken: list[Finding] = []
        self.shrunk: list[Finding] = []
        self.others: frozenset[Key] = frozenset()
        self.stopped = False

    def counted(
        self, steps: int, runs: int, covered: frozenset[tuple[str, str]], shrinking: int
    ) -> None:
        self.counts.append((steps, runs, covered, shrinking))

    def broke(self, finding: Finding) -> None:
        self.broken.append(finding)

    def found(self, finding: Finding) -> None:
        self.shrunk.append(finding)

    def known(self) -> frozenset[Key]:
        return self.others

    def is_stopped(self) -> bool:
        return self.stopped


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def post() -> Letters:
    return Letters()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def trail(*breaches: Breach) -> Trail:
    return Trail(setting=Setting(), steps=(DONE, replace(DONE, breaches=breaches)))


def breaks(looking_on: LookingOn, *breaches: Breach) -> list[bool]:
    """What the machine asks when a run has broken something."""
    looking_on.ended(trail(*breaches))
    return [looking_on.knows(one) for one in breaches]


def test_the_time_is_over(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(replace(PLAN, deadline=110.0), post, clock)
    looking_on.began()
    clock.time = 109.9
    looking_on.did(DONE, "open", "Get")
    clock.time = 110.0
    with pytest.raises(Enough):
        looking_on.did(DONE, "open", "Get")
    assert looking_on.is_over
    assert breaks(looking_on, BACK) == [True]  # the run that is cut off is no finding


def test_the_steps_are_over(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(replace(PLAN, steps=2), post, clock)
    looking_on.began()
    looking_on.did(DONE, "open", "Get")
    with pytest.raises(Enough):
        looking_on.did(DONE, "open", "Get")
    assert (looking_on.steps, looking_on.is_over) == (2, True)


def test_somebody_stops_it(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(PLAN, post, clock)
    looking_on.began()
    post.stopped = True
    looking_on.did(DONE, "open", "Get")  # it does not ask at every step
    clock.time += EVERY
    with pytest.raises(Enough):
        looking_on.did(DONE, "open", "Get")


def test_what_is_new_is_found_once(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(PLAN, post, clock)
    looking_on.began()
    looking_on.did(DONE, "open", "Get")
    clock.time = 103.5
    assert breaks(looking_on, BACK, OTHER) == [False, True]  # one after the other
    (finding,) = post.broken
    assert (finding.breach, finding.steps, finding.seconds, finding.was) == (BACK, 1, 3.5, 2)
    assert (finding.seed, finding.process) == (9, 1)
    with pytest.raises(Enough):
        looking_on.began()  # it is shrunk before the next run
    looking_on.is_shrunk(finding)
    looking_on.begin_round()
    looking_on.began()
    assert breaks(looking_on, BACK, OTHER) == [True, False]
    assert post.shrunk == [finding]


def test_what_others_have_found_is_known(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(PLAN, post, clock)
    post.others = frozenset({Key.of(BACK)})
    looking_on.began()
    assert breaks(looking_on, BACK) == [True]
    assert breaks(looking_on, OTHER) == [False]


def test_the_first_may_be_the_last(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(replace(PLAN, stop_at_first=True), post, clock)
    looking_on.began()
    breaks(looking_on, BACK)
    looking_on.is_shrunk(post.broken[0])
    assert looking_on.is_over


def test_shrinking_ends_soon_after_the_end(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(replace(PLAN, deadline=110.0), post, clock)
    looking_on.began()
    breaks(looking_on, BACK)
    clock.time = 110.0 + AFTERWARDS
    assert not looking_on.time_is_over()
    clock.time += EVERY
    assert looking_on.time_is_over()


def test_what_was_covered_is_told_once(post: Letters, clock: Clock) -> None:
    looking_on = LookingOn(PLAN, post, clock)
    looking_on.began()
    looking_on.did(DONE, "open", "Get")
    looking_on.did(DONE, "open", "Get")
    looking_on.tell()
    looking_on.did(DONE, "open", "Set")
    looking_on.tell()
    assert [(one[0], one[2]) for one in post.counts[-2:]] == [
        (2, frozenset({("open", "Get")})),
        (3, frozenset({("open", "Set")})),
    ]
