"""The task that wakes meters, with meters that only write down when they were woken."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from emulator.journal import StoreError
from emulator.living import MAX_AHEAD, Living
from emulator.virtual_clock import MAX_STEP, ClockError, VirtualClock

NOON = dt.datetime(2026, 3, 29, 12, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

Diary = list[tuple[str, dt.datetime]]


class Fake:
    """Something happens at it at each of ``moments``. It writes down where it was woken, and what
    time it was outside.
    """

    def __init__(
        self, name: str, moments: Iterable[dt.datetime], diary: Diary, clock: VirtualClock
    ) -> None:
        self.name = name
        self.moments = sorted(moments)
        self.diary = diary
        self.clock = clock
        self.outside: list[dt.datetime] = []
        self.fails: Exception | None = None
        self.sticks = False

    def due(self) -> dt.datetime | None:
        return self.moments[0] if self.moments else None

    def live(self, moment: dt.datetime) -> None:
        self.outside.append(self.clock.now())
        if self.fails is not None:
            raise self.fails
        while not self.sticks and self.moments and self.moments[0] <= moment:
            self.diary.append((self.name, self.moments.pop(0)))


class Real:
    """Real time, which goes when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.seconds += seconds


class World:
    def __init__(self, clock: VirtualClock, events: Any) -> None:
        self.clock = clock
        self.events = events
        self.living = Living(clock, events)
        self.diary: Diary = []

    def add(self, name: str, *moments: dt.datetime) -> Fake:
        fake = Fake(name, moments, self.diary, self.clock)
        self.living.look_again(fake)
        return fake

    @asynccontextmanager
    async def lives(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.living.run())
        await turns()
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def turns(count: int = 50) -> None:
    """Let everything happen that can, without any time."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
def world(events: Any) -> World:
    return World(VirtualClock(NOON, factor=0), events)


@pytest.fixture
def real() -> Real:
    return Real()


@pytest.fixture
def running(real: Real, events: Any) -> Callable[[float], World]:
    """A world whose clock goes."""

    def make(factor: float) -> World:
        clock = VirtualClock(NOON, factor=factor, monotonic=real.monotonic, sleep=real.sleep)
        return World(clock, events)

    return make


async def test_nothing_happens_before_its_time(world: World) -> None:
    world.add("a", NOON + HOUR)
    async with world.lives():
        world.clock.advance(HOUR - SECOND)
        await turns()
        assert world.diary == []
        world.clock.advance(SECOND)
        await turns()
        assert world.diary == [("a", NOON + HOUR)]


async def test_what_is_due_at_the_beginning_happens(world: World) -> None:
    world.add("a", NOON)
    async with world.lives():
        assert world.diary == [("a", NOON)]


async def test_all_meters_live_in_the_order_of_the_moments(world: World) -> None:
    world.add("a", NOON + 3 * HOUR, NOON + HOUR, NOON + 5 * HOUR)
    world.add("b", NOON + 2 * HOUR, NOON + 5 * HOUR)
    world.add("c", NOON + 4 * HOUR)
    async with world.lives():
        world.clock.advance(DAY)
        await turns()
    hours = [(name, (moment - NOON) // HOUR) for name, moment in world.diary]
    assert hours[:4] == [("a", 1), ("b", 2), ("a", 3), ("c", 4)]
    assert sorted(hours[4:]) == [("a", 5), ("b", 5)]


async def test_a_moment_of_one_meter_and_then_the_loop_has_its_turn(world: World) -> None:
    world.add("a", *(NOON + n * MINUTE for n in range(1, 1001)))
    async with world.lives():
        world.clock.advance(DAY)
        for lived in range(1, 20):
            before = len(world.diary)
            await asyncio.sleep(0)
            assert len(world.diary) - before <= 1, lived


async def test_a_meter_may_be_due_earlier_than_it_was(world: World) -> None:
    fake = world.add("a", NOON + DAY)
    async with world.lives():
        fake.moments.insert(0, NOON + HOUR)
        world.living.look_again(fake)
        world.clock.advance(HOUR)
        await turns()
        assert world.diary == [("a", NOON + HOUR)]
        world.clock.advance(DAY)
        await turns()
        assert world.diary == [("a", NOON + HOUR), ("a", NOON + DAY)]


async def test_a_meter_may_be_due_later_or_never(world: World) -> None:
    later, never = world.add("later", NOON + HOUR), world.add("never", NOON + HOUR)
    later.moments = [NOON + 2 * HOUR]
    never.moments = []
    async with world.lives():
        world.clock.advance(HOUR)
        await turns()
        assert world.diary == []
        world.clock.advance(HOUR)
        await turns()
        assert world.diary == [("later", NOON + 2 * HOUR)]


async def test_one_of_which_something_is_due_now_is_woken_while_time_stands(world: World) -> None:
    fake = world.add("a")
    async with world.lives():
        fake.moments = [NOON]
        world.living.look_again(fake)
        await turns()
        assert world.diary == [("a", NOON)]


async def test_who_has_left_is_not_woken(world: World) -> None:
    fake, other = world.add("a", NOON + HOUR), world.add("b", NOON + 2 * HOUR)
    async with world.lives():
        world.living.leave(fake)
        world.living.leave(fake)
        assert world.living.next() == NOON + 2 * HOUR
        world.clock.advance(DAY)
        await turns()
    assert world.diary == [("b", NOON + 2 * HOUR)]
    assert other.due() is None
    assert world.living.next() is None


# Time that goes by itself -----------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1, 3600, 1_000_000])
async def test_at_any_pace_nothing_is_missed_and_time_does_not_run_away(
    factor: float, running: Callable[[float], World]
) -> None:
    world = running(factor)
    fakes = [
        world.add(str(n), *(NOON + n * SECOND + k * HOUR for k in range(48))) for n in range(5)
    ]
    last = world.add("last", NOON + 3 * DAY)
    async with world.lives():
        await asyncio.wait_for(world.clock.wait_until(NOON + 3 * DAY), 30)
        await turns()
    assert last.due() is None
    assert [moment for _, moment in world.diary] == sorted(moment for _, moment in world.diary)
    assert len(world.diary) == 5 * 48 + 1
    for fake in fakes:
        moments = [moment for name, moment in world.diary if name == fake.name]
        late = [now - moment for now, moment in zip(fake.outside, moments, strict=True)]
        assert max(late) <= MAX_AHEAD


async def test_a_machine_that_is_slow_has_a_slower_clock(
    real: Real, running: Callable[[float], World]
) -> None:
    """Each moment costs a second of real time, in which a hundred would have gone by."""
    world = running(360_000)
    fake = world.add("a", *(NOON + k * HOUR for k in range(24)))
    live = fake.live

    def slowly(moment: dt.datetime) -> None:
        real.seconds += 1
        live(moment)

    fake.live = slowly  # type: ignore[method-assign]
    async with world.lives():
        await asyncio.wait_for(world.clock.wait_until(NOON + 24 * HOUR), 30)
    assert len(world.diary) == 24
    assert all(
        now - moment <= MAX_AHEAD
        for now, (_, moment) in zip(fake.outside, world.diary, strict=True)
    )


# Steps ------------------------------------------------------------------------------------------


async def test_a_step_goes_by_way_of_all_that_is_due(world: World) -> None:
    fake = world.add("a", *(NOON + n * 7 * HOUR for n in range(1, 60)))
    other = world.add("b", NOON + 11 * HOUR)
    async with world.lives():
        await world.living.advance(NOON + 20 * DAY)
    assert world.clock.now() == NOON + 20 * DAY
    assert fake.due() is None
    # Seen from outside it was never later than what they were living through.
    assert fake.outside == [moment for name, moment in world.diary if name == "a"]
    assert other.outside == [NOON + 11 * HOUR]


async def test_a_step_needs_no_task_beside_it(world: World) -> None:
    world.add("a", NOON + HOUR)
    await world.living.advance(NOON + DAY)
    assert world.diary == [("a", NOON + HOUR)]


async def test_who_waits_for_a_moment_has_it_in_a_step(world: World) -> None:
    world.add("a", NOON + HOUR, NOON + 3 * HOUR)
    seen: list[dt.datetime] = []

    async def wait() -> None:
        for hours in (2, 2.5, 26):
            await world.clock.wait_until(NOON + hours * HOUR)
            seen.append(world.clock.now())

    async with world.lives():
        waiting = asyncio.create_task(wait())
        await turns()
        await world.living.advance(NOON + 2 * DAY)
        await waiting
    assert seen == [NOON + hours * HOUR for hours in (2, 2.5, 26)]


async def test_those_who_listen_to_the_clock_are_told_of_a_step_once(world: World) -> None:
    world.add("a", *(NOON + n * HOUR for n in range(1, 20)))
    told: list[dt.datetime] = []
    world.clock.on_change(lambda: told.append(world.clock.now()))
    await world.living.advance(NOON + DAY)
    assert told == [NOON + DAY]


async def test_a_step_while_time_goes(running: Callable[[float], World]) -> None:
    world = running(60)
    world.add("a", *(NOON + n * HOUR for n in range(1, 24)))
    async with world.lives():
        await world.living.advance(NOON + DAY)
        assert world.clock.now() >= NOON + DAY
        assert len(world.diary) == 23
        await asyncio.wait_for(world.clock.wait_until(NOON + DAY + HOUR), 30)


async def test_one_step_at_a_time(world: World) -> None:
    world.add("a", *(NOON + n * HOUR for n in range(1, 20)))
    async with world.lives():
        first = asyncio.create_task(world.living.advance(NOON + DAY))
        await asyncio.sleep(0)
        with pytest.raises(ClockError) as caught:
            await world.living.advance(NOON + 2 * DAY)
        assert str(caught.value) == "time is on its way to 2026-03-30T12:00:00+00:00 already"
        await first
        await world.living.advance(NOON + 2 * DAY)
    assert world.clock.now() == NOON + 2 * DAY


async def test_a_step_that_is_broken_off_stays_where_it_is(world: World) -> None:
    world.add("a", *(NOON + n * HOUR for n in range(1, 20)))
    async with world.lives():
        task = asyncio.create_task(world.living.advance(NOON + DAY))
        for _ in range(1000):
            if len(world.diary) >= 3:
                break
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        there = world.clock.now()
        assert NOON + 3 * HOUR <= there < NOON + 5 * HOUR
        await world.living.advance(NOON + DAY)
    assert len(world.diary) == 19


@pytest.mark.parametrize("moment", [NOON - SECOND, NOON + MAX_STEP + SECOND])
async def test_what_is_no_step(moment: dt.datetime, world: World) -> None:
    with pytest.raises(ClockError):
        await world.living.advance(moment)
    assert world.clock.now() == NOON


# What goes wrong --------------------------------------------------------------------------------


async def test_a_meter_that_fails_does_not_stop_the_others(world: World, events: Any) -> None:
    bad, good = world.add("bad", NOON + HOUR), world.add("good", NOON + HOUR, NOON + 2 * HOUR)
    bad.fails = StoreError("the disk is full")
    async with world.lives():
        await world.living.advance(NOON + DAY)
    assert good.due() is None
    assert [(event.meter, event.kind, event.text) for event in events.seen] == [
        ("bad", "life-failed", "the disk is full")
    ]
    assert bad.outside == [NOON + HOUR]


async def test_one_that_has_failed_is_woken_when_it_is_looked_at_again(
    world: World, events: Any
) -> None:
    bad = world.add("bad", NOON + HOUR)
    bad.fails = StoreError("the disk is full")
    async with world.lives():
        await world.living.advance(NOON + 2 * HOUR)
        bad.fails = None
        world.living.look_again(bad)
        await turns()
    assert world.diary == [("bad", NOON + HOUR)]


async def test_a_defect_is_told_without_its_words(world: World, events: Any) -> None:
    seen: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
    bad = world.add("bad", NOON + HOUR)
    bad.fails = KeyError("an inner secret")
    await world.living.advance(NOON + DAY)
    assert [event.text for event in events.of("life-failed")] == ["KeyError"]
    assert isinstance(seen[0]["exception"], KeyError)


async def test_one_that_does_not_get_on_is_told_of_and_left(world: World, events: Any) -> None:
    stuck = world.add("stuck", NOON + HOUR)
    stuck.sticks = True
    await world.living.advance(NOON + DAY)
    assert [event.text for event in events.of("life-failed")] == [
        "does not get beyond 2026-03-29T13:00:00+00:00"
    ]
    assert len(stuck.outside) == 1
