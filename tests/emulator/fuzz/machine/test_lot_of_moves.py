"""Octets that stand for moves: simple ones for zeros, all of them for some, the same every time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import pytest

from emulator.fuzz.judge.course import Course
from emulator.fuzz.machine.families import moves
from emulator.fuzz.machine.lot import STRETCH, WIDTH, Lot
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.machine.settings import settings
from emulator.fuzz.machine.watcher import Unwatched

NOBODY = cast(Plot, None)


def never(plot: Plot) -> bool:
    return False


def noting(said: list[Any], name: str) -> Callable[..., None]:
    return lambda plot, **values: said.append((name, values))


def three(said: list[Any]) -> tuple[Move, ...]:
    return (
        Move("a", noting(said, "a"), {"x": (1, 2), "y": ("p", "q", "r")}),
        Move("b", noting(said, "b"), {}, weight=2),
        Move("c", noting(said, "c"), {}, when=never),
    )


def test_zero_is_the_first_move_with_its_first_values() -> None:
    drawn = Lot(three([]), 0).draw(0, NOBODY)
    assert (drawn.move.name, drawn.values) == ("a", {"x": 1, "y": "p"})


def test_numbers_reach_every_move_as_often_as_it_weighs_and_all_its_values() -> None:
    lot = Lot(three([]), 0)
    drawn = [lot.draw(number, NOBODY) for number in range(4 * 6)]
    names = [one.move.name for one in drawn]
    # Where "c" may not be, the next that may is in its place.
    assert (names.count("a"), names.count("b"), names.count("c")) == (12, 12, 0)
    values = {(one.values["x"], one.values["y"]) for one in drawn if one.move.name == "a"}
    assert values == {(x, y) for x in (1, 2) for y in "pqr"}


def test_what_may_not_always_be_is_not_all_that_there_is() -> None:
    for selection in range(1, 200):
        Lot(three([]), selection).draw(7, NOBODY)


def test_a_selection_leaves_some_out_and_is_the_same_again() -> None:
    def names(selection: int) -> set[str]:
        lot = Lot(three([]), selection)
        return {lot.draw(number, NOBODY).move.name for number in range(16)}

    found = [names(selection) for selection in range(1, 60)]
    assert found == [names(selection) for selection in range(1, 60)]
    assert all(one in found for one in ({"a"}, {"b"}, {"a", "b"}))


@pytest.mark.parametrize("name", settings())
def test_octets_are_more_than_any_move_can_be_drawn_with(name: str) -> None:
    there = moves(Palette(settings()[name]))
    tickets = sum(move.weight for move in there)
    most = max(math.prod(map(len, move.draws.values())) for move in there)
    assert tickets * most * 100 < 1 << (8 * WIDTH)
    assert all(values for move in there for values in move.draws.values())


def play(selection: int, octets: bytes) -> list[str]:
    setting = settings()["two hands"]
    plot = Plot(Course(setting), Palette(setting), Unwatched())
    lot = Lot(moves(plot.palette), selection)
    lot.play(octets, plot)
    return [type(done.action).__name__ for done in plot.course.steps]


def test_zeros_of_a_selection_are_no_proper_run_over_and_over() -> None:
    """Hypothesis ends one run in five with nothing else."""
    zeros = bytes(WIDTH * STRETCH * 4)
    assert play(0, zeros) == ["Open", *["Get"] * STRETCH * 4]
    assert len(set(play(5, zeros))) > 3
    assert play(5, zeros) == play(5, zeros) != play(6, zeros)
