"""The virtual clock, over a source of real time that goes when it is told to."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.virtual_clock import (
    EARLIEST,
    LATEST,
    MAX_FACTOR,
    MAX_STEP,
    ClockError,
    Mode,
    VirtualClock,
)

NOON = dt.datetime(2026, 3, 29, 12, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Real:
    """Real time: it goes when somebody sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.seconds += seconds


@pytest.fixture
def real() -> Real:
    return Real()


@pytest.fixture
def make(real: Real) -> Callable[..., VirtualClock]:
    def clock(at: dt.datetime = NOON, factor: float = 1.0) -> VirtualClock:
        return VirtualClock(at, factor=factor, monotonic=real.monotonic, sleep=real.sleep)

    return clock


async def settled(task: asyncio.Task[None]) -> bool:
    """Whether ``task`` ends without anything else happening."""
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


# What time it is --------------------------------------------------------------------------------


def test_real_time_goes_on_from_where_it_begins(
    make: Callable[..., VirtualClock], real: Real
) -> None:
    clock = make()
    assert clock.mode is Mode.REAL
    assert clock.now() == NOON
    real.seconds += 90
    assert clock.now() == NOON + 90 * SECOND


def test_by_default_it_begins_now_and_is_real() -> None:
    before = dt.datetime.now(dt.UTC)
    clock = VirtualClock()
    assert before <= clock.now() < before + HOUR
    assert clock.now().tzinfo is dt.UTC
    assert clock.mode is Mode.REAL


def test_any_zone_is_understood_and_utc_shown(make: Callable[..., VirtualClock]) -> None:
    east = NOON.astimezone(dt.timezone(2 * HOUR))
    clock = make(east)
    assert clock.now() == NOON
    assert clock.now().tzinfo is dt.UTC
    clock.advance_to(east + HOUR)
    assert clock.now().tzinfo is dt.UTC


def test_frozen_time_stands_still(make: Callable[..., VirtualClock], real: Real) -> None:
    clock = make(factor=0)
    real.seconds += 90
    assert clock.mode is Mode.FROZEN
    assert clock.factor == 0
    assert clock.now() == NOON


@pytest.mark.parametrize("factor", [0.5, 3, 60, MAX_FACTOR])
def test_factor(factor: float, make: Callable[..., VirtualClock], real: Real) -> None:
    clock = make(factor=factor)
    assert clock.mode is Mode.FACTOR
    assert clock.factor == factor
    real.seconds += 8
    assert clock.now() == NOON + 8 * factor * SECOND


# Changing it ------------------------------------------------------------------------------------


def test_a_change_of_mode_keeps_the_moment(make: Callable[..., VirtualClock], real: Real) -> None:
    clock = make(factor=60)
    real.seconds += 60
    clock.freeze()
    assert clock.now() == NOON + HOUR
    real.seconds += 60
    clock.run(10)
    assert clock.now() == NOON + HOUR
    real.seconds += 6
    clock.run()
    assert clock.mode is Mode.REAL
    assert clock.now() == NOON + HOUR + 60 * SECOND
    real.seconds += 1
    assert clock.now() == NOON + HOUR + 61 * SECOND


@pytest.mark.parametrize("factor", [0, 1, 60])
def test_a_step_is_at_once_and_time_goes_on_as_before(
    factor: float, make: Callable[..., VirtualClock], real: Real
) -> None:
    clock = make(factor=factor)
    real.seconds += 2
    clock.advance(HOUR)
    assert clock.now() == NOON + HOUR + 2 * factor * SECOND
    real.seconds += 3
    assert clock.now() == NOON + HOUR + 5 * factor * SECOND
    assert clock.factor == factor
    clock.advance_to(NOON + DAY)
    assert clock.now() == NOON + DAY


def test_the_longest_step(make: Callable[..., VirtualClock]) -> None:
    clock = make(factor=0)
    clock.advance(MAX_STEP)
    clock.advance_to(NOON + 2 * MAX_STEP)
    assert clock.now() == NOON + 2 * MAX_STEP


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda clock: clock.advance(-SECOND), "time does not go back: a step is forward"),
        (
            lambda clock: clock.advance_to(NOON - SECOND),
            "time does not go back: it is 2026-03-29T12:00:00+00:00, later than"
            " 2026-03-29T11:59:59+00:00",
        ),
        (
            lambda clock: clock.advance(MAX_STEP + SECOND),
            "a step is 400 days at most: take several",
        ),
        (lambda clock: clock.advance(dt.timedelta.max), "a step is 400 days at most: take several"),
        (
            lambda clock: clock.advance_to(NOON + MAX_STEP + SECOND),
            "a step is 400 days at most: take several",
        ),
        (
            lambda clock: clock.advance_to(LATEST + SECOND),
            "2100-01-01T00:00:01+00:00 is out of range: time is between 2000 and the"
            " beginning of 2100",
        ),
        (
            lambda clock: clock.advance_to(dt.datetime(2026, 3, 30)),
            "2026-03-30T00:00:00 has no time zone",
        ),
        (lambda clock: clock.run(0), "0 is no factor: it is above 0 and at most 1000000"),
        (lambda clock: clock.run(-1), "-1 is no factor: it is above 0 and at most 1000000"),
        (
            lambda clock: clock.run(MAX_FACTOR + 1),
            "1000001 is no factor: it is above 0 and at most 1000000",
        ),
        (
            lambda clock: clock.run(float("nan")),
            "nan is no factor: it is above 0 and at most 1000000",
        ),
        (
            lambda clock: clock.run(float("inf")),
            "inf is no factor: it is above 0 and at most 1000000",
        ),
    ],
)
def test_what_it_does_not_do(
    act: Callable[[VirtualClock], None],
    text: str,
    make: Callable[..., VirtualClock],
    real: Real,
) -> None:
    clock = make(factor=0)
    told: list[None] = []
    clock.on_change(lambda: told.append(None))
    with pytest.raises(ClockError) as caught:
        act(clock)
    assert str(caught.value) == text
    real.seconds += 1
    assert (clock.now(), clock.mode, told) == (NOON, Mode.FROZEN, [])


@pytest.mark.parametrize("at", [EARLIEST - SECOND, LATEST + SECOND, dt.datetime(2026, 1, 1)])
def test_where_it_does_not_begin(at: dt.datetime, make: Callable[..., VirtualClock]) -> None:
    with pytest.raises(ClockError):
        make(at)


@pytest.mark.parametrize("factor", [-1, MAX_FACTOR * 2, float("nan")])
def test_how_it_does_not_begin(factor: float, make: Callable[..., VirtualClock]) -> None:
    with pytest.raises(ClockError):
        make(factor=factor)


def test_time_ends(make: Callable[..., VirtualClock], real: Real) -> None:
    clock = make(LATEST - HOUR, factor=MAX_FACTOR)
    real.seconds += 1e9
    assert clock.now() == LATEST
    with pytest.raises(ClockError, match="out of range"):
        clock.advance(SECOND)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("real"), st.floats(0, 1e5)),
            st.tuples(st.just("run"), st.floats(1e-6, MAX_FACTOR)),
            st.tuples(st.just("freeze"), st.just(0)),
            st.tuples(st.just("advance"), st.timedeltas(dt.timedelta(), MAX_STEP)),
            st.tuples(st.just("hold"), st.timedeltas(-DAY, MAX_STEP)),
            st.tuples(st.just("free"), st.just(0)),
        ),
        max_size=30,
    )
)
def test_it_never_goes_back(script: list[tuple[str, object]]) -> None:
    real = Real()
    clock = VirtualClock(NOON, monotonic=real.monotonic)
    seen = [clock.now()]
    for word, what in script:
        try:
            match word, what:
                case "real", float(seconds):
                    real.seconds += seconds
                case "run", float(factor):
                    clock.run(factor)
                case "freeze", _:
                    clock.freeze()
                case "advance", dt.timedelta() as by:
                    clock.advance(by)
                case "hold", dt.timedelta() as by:
                    clock.hold(clock.now() + by if clock.now() + by < LATEST else LATEST)
                case "free", _:
                    clock.hold(None)
        except ClockError:
            assert clock.now() + MAX_STEP > LATEST
        seen.append(clock.now())
    assert all(earlier <= later for earlier, later in pairwise(seen))


def test_a_part_of_a_step_does_not_go_back_nor_beyond_the_end(
    make: Callable[..., VirtualClock],
) -> None:
    clock = make(factor=0)
    clock.lift(NOON - SECOND)
    assert clock.now() == NOON
    clock.lift(NOON + SECOND)
    assert clock.now() == NOON + SECOND
    clock.lift(LATEST + SECOND)
    assert clock.now() == LATEST


# Holding it -------------------------------------------------------------------------------------


def test_held_time_waits_and_goes_on_from_there(
    make: Callable[..., VirtualClock], real: Real
) -> None:
    clock = make(factor=60)
    clock.hold(NOON + HOUR)
    real.seconds += 59
    assert clock.now() == NOON + 59 * 60 * SECOND
    real.seconds += 1000
    assert clock.now() == NOON + HOUR
    clock.hold(NOON + 2 * HOUR)
    assert clock.now() == NOON + HOUR
    real.seconds += 1
    assert clock.now() == NOON + HOUR + 60 * SECOND
    clock.hold(None)
    real.seconds += 1000
    assert clock.now() == NOON + HOUR + 1001 * 60 * SECOND


def test_time_that_is_not_held_yet_is_not_lost(
    make: Callable[..., VirtualClock], real: Real
) -> None:
    clock = make(factor=60)
    for minute in range(1, 10):
        clock.hold(NOON + minute * HOUR)
        real.seconds += 1
    assert clock.now() == NOON + 9 * 60 * SECOND


def test_a_step_is_not_held(make: Callable[..., VirtualClock], real: Real) -> None:
    clock = make()
    clock.hold(NOON + HOUR)
    clock.advance(DAY)
    assert clock.now() == NOON + DAY
    real.seconds += 10
    assert clock.now() == NOON + DAY
    clock.hold(None)
    real.seconds += 10
    assert clock.now() == NOON + DAY + 10 * SECOND


# Waiting for it ---------------------------------------------------------------------------------


async def test_what_has_come_is_not_waited_for(make: Callable[..., VirtualClock]) -> None:
    clock = make(factor=0)
    await clock.wait_until(NOON)
    await clock.wait_until(NOON - HOUR)


@pytest.mark.parametrize(("factor", "seconds"), [(1, 3600), (60, 60), (MAX_FACTOR, 0.0036)])
async def test_waiting_takes_as_long_as_the_pace_says(
    factor: float, seconds: float, make: Callable[..., VirtualClock], real: Real
) -> None:
    clock = make(factor=factor)
    await clock.wait_until(NOON + HOUR)
    assert clock.now() >= NOON + HOUR
    assert real.seconds - 1000 == pytest.approx(seconds)


async def test_a_frozen_clock_is_waited_for_until_it_is_stepped(
    make: Callable[..., VirtualClock], real: Real
) -> None:
    clock = make(factor=0)
    task = asyncio.create_task(clock.wait_until(NOON + HOUR))
    real.seconds += 1e6
    assert not await settled(task)
    clock.advance(HOUR - SECOND)
    assert not await settled(task)
    clock.advance(SECOND)
    assert await settled(task)


async def test_a_change_of_mode_wakes(make: Callable[..., VirtualClock], real: Real) -> None:
    clock = make(factor=0)
    task = asyncio.create_task(clock.wait_until(NOON + HOUR))
    assert not await settled(task)
    clock.run(3600)
    await task
    assert real.slept == [pytest.approx(1)]


async def test_freezing_stops_who_waits(real: Real) -> None:
    async def never(seconds: float) -> None:
        await asyncio.get_running_loop().create_future()

    clock = VirtualClock(NOON, monotonic=real.monotonic, sleep=never)
    task = asyncio.create_task(clock.wait_until(NOON + SECOND))
    assert not await settled(task)
    clock.freeze()
    real.seconds += 10
    assert not await settled(task)
    clock.advance(SECOND)
    assert await settled(task)


async def test_what_was_held_wakes_when_it_goes_on(real: Real) -> None:
    slept: list[float] = []

    async def never(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.get_running_loop().create_future()

    clock = VirtualClock(NOON, monotonic=real.monotonic, sleep=never)
    clock.hold(NOON)
    task = asyncio.create_task(clock.wait_until(NOON + HOUR))
    assert not await settled(task)
    real.seconds += 86400
    assert slept == []
    clock.hold(None)
    assert not await settled(task)
    assert slept == [3600]
    clock.advance(HOUR)
    assert await settled(task)


async def test_who_gives_up_leaves_nothing_behind(make: Callable[..., VirtualClock]) -> None:
    clock = make(factor=0)
    task = asyncio.create_task(clock.wait_until(NOON + HOUR))
    other = asyncio.create_task(clock.wait_until(NOON + 2 * HOUR))
    await settled(task)
    assert clock.awaited() == NOON + HOUR
    task.cancel()
    await settled(task)
    assert clock.awaited() == NOON + 2 * HOUR
    other.cancel()
    await settled(other)
    assert clock.awaited() is None


async def test_a_pause_without_a_moment_ends_when_somebody_wakes_it(
    make: Callable[..., VirtualClock],
) -> None:
    clock = make()
    task = asyncio.create_task(clock.pause(None))
    assert not await settled(task)
    assert clock.awaited() is None
    clock.wake()
    assert await settled(task)


def test_who_listens_is_told_of_changes_until_they_have_enough(
    make: Callable[..., VirtualClock],
) -> None:
    clock = make()
    told: list[Mode] = []
    enough = clock.on_change(lambda: told.append(clock.mode))
    clock.freeze()
    clock.run(2)
    clock.run()
    clock.advance(SECOND)
    clock.hold(NOON)
    assert told == [Mode.FROZEN, Mode.FACTOR, Mode.REAL, Mode.REAL]
    enough()
    enough()
    clock.freeze()
    assert len(told) == 4
