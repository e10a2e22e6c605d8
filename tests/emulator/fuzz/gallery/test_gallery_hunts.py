"""Hunts of the gallery, bounded by steps: what is planted is found, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from emulator.cli.main import main
from emulator.fuzz.actions import Get, Open, PutCounter
from emulator.fuzz.breach import Breach
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.gallery.bug import Bug, bugs, settings
from emulator.fuzz.gallery.measuring import Bounds, Measured, clean, doubt, measure, medians
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.machine.palette import NAME
from emulator.fuzz.setting import Setting
from emulator.fuzz.trail import Trail

FEW = ("counter-equal", "floor-by-connection")
BOUNDS = Bounds(steps=3000, seed=1, processes=1)


@pytest.mark.parametrize("name", FEW)
def test_a_bug_is_found(name: str) -> None:
    bug = bugs()[name]
    one = measure(bug, BOUNDS)
    assert one.why == ""
    assert one.invariant in bug.invariants
    assert 1 <= one.length <= 5
    assert 0 < one.steps <= 3000


def test_nothing_is_found_where_nothing_is() -> None:
    steps = 60 * len(settings())
    found = list(clean(settings(), replace(BOUNDS, steps=steps)))
    assert [one.place for one in found] == list(settings())
    assert [one.found for one in found] == [()] * len(found)
    assert all(one.steps >= 60 for one in found)


def test_a_bug_that_is_not_there_is_not_found() -> None:
    bug = bugs()["counter-equal"]
    absent = replace(bug, setting=settings()[bug.place])
    one = measure(absent, replace(BOUNDS, steps=200))
    assert (one.found, one.why, one.invariant) == (False, "not found", "")


def test_what_should_not_notice_it_does_not_count() -> None:
    bug: Bug = replace(bugs()["counter-equal"], invariants=("R-HLS-4",))
    found = Finding(
        breach=Breach(invariant="R-IC-5", words="seen", shape="seen"),
        trail=Trail(setting=bug.setting),
    )
    assert doubt(bug, found) == "noticed by what should not: R-IC-5: seen"
    assert doubt(bugs()["counter-equal"], found) == ""


def test_what_is_there_without_the_bug_does_not_count() -> None:
    """As KL-IC-18: two clients that do not know of each other repeat a vector."""
    clients = {"a": ClientKind(association="dco"), "b": ClientKind(association="dco")}
    bug = replace(bugs()["counter-equal"], setting=Setting(clients=clients))
    steps = (Open(client="a"), Open(client="b"), Get(client="a", attribute=NAME))
    trail = judged(bug.setting, (*steps, PutCounter(client="b", send=3), *steps))
    breach = next((one for one in trail.all_breaches), None)
    assert breach is not None
    known = replace(bug, invariants=(breach.invariant,))
    said = doubt(known, Finding(breach=breach, trail=trail))
    assert said.startswith("what was found is there without it: ")


def test_medians_are_of_those_that_were_found() -> None:
    rows = (
        Measured(name="a", steps=10, seconds=1.0, length=2),
        Measured(name="b", steps=30, seconds=3.0, length=4),
        Measured(name="c", steps=9999, seconds=60.0, why="not found"),
    )
    middle = medians(rows)
    assert middle is not None
    assert (middle.steps, middle.seconds, middle.length) == (20, 2.0, 3)
    assert medians(rows[2:]) is None


def test_the_command_says_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["fuzz", "gallery", "stale-challenge", "--steps", "1000", "--processes", "1"]
    assert main(few) == 0
    out = capsys.readouterr().out
    assert "stale-challenge            R-HLS-4 after" in out
    assert "1 of 1 bugs found; median" in out
    assert "without bugs" not in out


def test_the_command_fails_if_one_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["fuzz", "gallery", "floor-by-connection", "--steps", "5", "--processes", "1", "--json"]
    assert main(few) == 1
    run = json.loads(capsys.readouterr().out)
    assert (run["found"], run["medians"], run["clean"]) == (0, None, [])
    assert run["bugs"][0]["why"] == "not found"
