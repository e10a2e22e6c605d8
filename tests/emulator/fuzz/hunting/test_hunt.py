"""Searches: what they find, that they end, and that they do the same again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.fuzz.actions import Plant
from emulator.fuzz.findings.finding import Finding, Key, broken
from emulator.fuzz.hunting.hunt import HuntFailed, hunt
from emulator.fuzz.hunting.hunted import Hunted, Progress
from emulator.fuzz.hunting.plan import Plan
from emulator.fuzz.in_process.target import InProcess, in_process
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.setting import Setting

CHALLENGED = Key("R-HLS-4", "a challenge comes twice")


class Lame(Exception):
    """No error of a meter's: the target itself is not what it should be."""


def lame(setting: Setting) -> InProcess:
    raise Lame("no target today")


def deadly(setting: Setting) -> InProcess:
    """Takes its process with it."""
    os._exit(7)


def same(hunted: Hunted) -> list[tuple[object, ...]]:
    """All of it but what the clock says."""
    return [
        (one.breach, one.trail, one.seed, one.process, one.steps, one.was)
        for one in hunted.findings
    ]


def test_a_defect_is_found_and_shrunk(stale: Setting) -> None:
    told: list[Finding] = []
    hunted = hunt(
        stale, steps=1500, seed=3, processes=1, on_finding=told.append, stop_at_first=True
    )
    (finding,) = hunted.findings
    assert told == [finding]
    assert finding.key == CHALLENGED
    assert len(finding.trail.steps) == 2 < finding.was
    assert finding.steps == hunted.steps < 1500
    assert finding.seconds == hunted.seconds_to_first
    again = judged(finding.trail.setting, finding.actions)
    assert broken(again, CHALLENGED) == finding.breach


def test_a_meter_without_any_survives(clean: Setting) -> None:
    hunted = hunt(clean, steps=250, seed=1, processes=1)
    assert hunted.findings == ()
    assert hunted.seconds_to_first is None
    assert hunted.steps == 250
    assert 0 < hunted.states < hunted.transitions <= 250
    assert hunted.runs >= 3


def test_a_search_may_end_by_the_clock(clean: Setting) -> None:
    progress: list[Progress] = []
    hunted = hunt(clean, seconds=0.05, processes=1, on_progress=progress.append)
    assert hunted.seconds >= 0.05
    assert not hunted.was_interrupted
    assert progress[-1].left == 0


def test_the_same_seed_finds_the_same(stale: Setting) -> None:
    first, second, other = (hunt(stale, steps=120, seed=seed, processes=1) for seed in (3, 3, 4))
    assert same(first) == same(second) != same(other)
    assert (first.steps, first.runs, first.covered) == (second.steps, second.runs, second.covered)
    assert first.covered != other.covered


def test_what_is_known_does_not_hide_what_is_not(stale: Setting) -> None:
    """A meter with two defects: the search goes on behind the first."""
    forgets = Plant(fault="careless", parameters=(("how", "any-tag"),))
    both = replace(stale, plants=(*stale.plants, forgets))
    hunted = hunt(both, steps=1800, seed=3, processes=1)
    keys = [one.key for one in hunted.findings]
    assert CHALLENGED in keys
    assert any(one.invariant == "R-PROT-2" for one in keys)
    assert len(set(keys)) == len(keys)
    times = [one.seconds for one in hunted.findings]
    assert times == sorted(times)


def test_several_settings_take_turns(stale: Setting, clean: Setting) -> None:
    plan = Plan(settings=(clean, stale), make=in_process, seed=0, process=1, began=0.0)
    assert [plan.setting_of(round) for round in range(3)] == [1, 0, 1]
    assert plan.seed_of(0) != plan.seed_of(1)
    assert plan.seed_of(0) != replace(plan, process=0).seed_of(0)
    hunted = hunt((clean, stale), steps=2500, seed=2, processes=1, stop_at_first=True)
    assert [one.trail.setting.plants for one in hunted.findings] == [stale.plants]


def test_two_processes_search_together(stale: Setting) -> None:
    progress: list[Progress] = []
    hunted = hunt(stale, steps=301, seed=3, processes=2, on_progress=progress.append)
    assert hunted.steps == 301
    assert [one.key for one in hunted.findings] == [CHALLENGED]
    assert len(hunted.findings[0].trail.steps) <= 2  # of a crowd one step is enough
    assert hunted.processes == 2
    assert [one.steps for one in progress] == sorted(one.steps for one in progress)
    assert progress[-1].steps_left == 0
    assert progress[-1].findings == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_a_target_that_fails_is_no_finding(clean: Setting, processes: int) -> None:
    with pytest.raises(HuntFailed, match="Lame: no target today"):
        hunt(clean, steps=100, processes=processes, make=lame)


def test_a_process_that_dies_is_missed(clean: Setting) -> None:
    with pytest.raises(HuntFailed, match="a process of the search has ended with 7"):
        hunt(clean, steps=100, processes=2, make=deadly)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupt_ends_it_with_what_was_found(stale: Setting, processes: int) -> None:
    found: list[Finding] = []

    def interrupt(finding: Finding) -> None:
        found.append(finding)
        if len(found) == 1:  # twice would be somebody who has no patience
            os.kill(os.getpid(), signal.SIGINT)

    hunted = hunt(stale, steps=10**6, seed=3, processes=processes, on_finding=interrupt)
    assert hunted.was_interrupted
    assert CHALLENGED in [one.key for one in hunted.findings]
    assert hunted.steps < 10**6


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda one: hunt(one, processes=0), "0 processes find nothing"),
        (lambda one: hunt(one, steps=0), "more than 0"),
        (lambda one: hunt(one, seconds=-1.0), "more than 0"),
        (lambda one: hunt((), steps=1), "no setting"),
    ],
)
def test_what_cannot_be_is_said(
    wrong: Callable[[Setting], Hunted], says: str, clean: Setting
) -> None:
    with pytest.raises(ValueError, match=says):
        wrong(clean)
