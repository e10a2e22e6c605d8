"""Rows of Profile generic objects (COSEM_PG_*, X_PG_*)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from dlms.axdr.data import (
    Data,
    DataType,
    array,
    structure,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.client.refusals import AccessRefused
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, SelectiveAccess
from emulator.client.objects import ObjectEntry
from emulator.conformance.cases.object_walk import BUFFER, Seat, by_entry, seats
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found
from emulator.conformance.conversing.tree import Expect, Mismatch, Node, Pointless, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_TIMES = Note[list[CosemDateTime]]("the times of the rows")

_CAPTURED, _SORT_OBJECT, _IN_USE = 3, 6, 7
FEWEST, MOST = 5, 1000
HIGHEST = 0xFFFFFFFF
_CLOCK, _TIME = classes.CLOCK.class_id, 2


class Profile(NamedTuple):
    """A profile as an association sees it. ``clock`` is the number of the column with the time,
    from 0.
    """

    seat: Seat
    entry: ObjectEntry
    columns: tuple[Data, ...]
    clock: int
    rows: int

    @property
    def buffer(self) -> AttributeDescriptor:
        return AttributeDescriptor(self.entry.class_id, self.entry.instance, BUFFER)

    async def read(self, selection: SelectiveAccess | None) -> Seen:
        """Rows as ``facts["rows"]``, or the result that refuses them as ``facts["error"]``."""
        try:
            data = await self.seat.client.get(self.buffer, selection)
        except AccessRefused as refusal:
            return Seen.found(error=refusal.result)
        rows = elements_of(data)
        if rows is None:
            return Seen.found([f"the buffer is {data.type.label}"])
        return Seen.found(rows=tuple(rows))

    def by_range(self, first: CosemDateTime, last: CosemDateTime, *columns: int) -> SelectiveAccess:
        """range_descriptor on the time (Blue Book, Profile generic); no columns are all."""
        return SelectiveAccess(
            1,
            structure(
                self.columns[self.clock],
                Data(DataType.OCTET_STRING, first.to_octets()),
                Data(DataType.OCTET_STRING, last.to_octets()),
                array(*(self.columns[number] for number in columns)),
            ),
        )

    def time_of(self, row: Data) -> CosemDateTime:
        cells = elements_of(row) or ()
        octets = cells[self.clock].value
        assert isinstance(octets, bytes), "the time of a row is an octet-string"
        return CosemDateTime.from_octets(octets)


@asynccontextmanager
async def _first(trial: Trial) -> AsyncIterator[Profile]:
    """The first with two columns or more, one the time of a Clock, and 5 to 1000 rows, of which
    some can be selected. :class:`Pointless` if there is none.
    """
    async with seats(trial) as each:
        async for seat in each:
            for entry in seat.objects_of(classes.PROFILE_GENERIC) if seat.selects else ():
                profile = await _profile(seat, entry)
                if profile is not None:
                    yield profile
                    return
    raise Pointless(
        f"no profile with the time of a Clock, another column and {FEWEST} to {MOST} rows"
    )


async def _profile(seat: Seat, entry: ObjectEntry) -> Profile | None:
    wanted = [
        AttributeDescriptor(entry.class_id, entry.instance, number)
        for number in (_CAPTURED, _IN_USE)
    ]
    captured, in_use = await seat.read(wanted)
    if not isinstance(captured, Data) or not isinstance(in_use, Data):
        return None
    columns = elements_of(captured) or ()
    clock = next((number for number, one in enumerate(columns) if _is_time(one)), None)
    rows = in_use.value
    if clock is None or len(columns) < 2 or not isinstance(rows, int):
        return None
    if not FEWEST <= rows <= MOST:
        return None
    if not entry.attributes.get(BUFFER, 1) & 1:
        return None
    return Profile(seat, entry, columns, clock, rows)


def _is_time(column: Data) -> bool:
    parts = elements_of(column) or ()
    return [part.value for part in parts[::2]] == [_CLOCK, _TIME]


def rows_are(count: int | None = None, width: int | None = None) -> Expect:
    """So many rows with so many columns; ``None`` is any number, or what ``facts`` say."""
    wanted = "rows" if count is None else f"{count} rows"
    wanted += "" if width is None else f" of {width} columns"

    def judge(trial: Trial, seen: Seen) -> Mismatch | None:
        rows = seen.facts.get("rows")
        if rows is None:
            error = seen.facts.get("error")
            return Mismatch(wanted, str(seen) if error is None else f"{error!r}")
        expected = seen.facts.get("count", count)
        if expected is not None and len(rows) != expected:
            return Mismatch(f"{expected} rows", f"{len(rows)} rows")
        wide = seen.facts.get("width", width)
        widths = {len(elements_of(row) or ()) for row in rows}
        if wide is not None and widths - {wide}:
            return Mismatch(f"{wide} columns", f"rows of {sorted(widths)} columns")
        return Mismatch(wanted, "; ".join(seen.problems)) if seen.problems else None

    return Expect("rows", judge)


def error() -> Expect:
    """Any data-access-result but success."""

    def judge(trial: Trial, seen: Seen) -> Mismatch | None:
        result = seen.facts.get("error")
        if result is None or result is DataAccessResult.SUCCESS:
            return Mismatch("a data-access-result other than success", str(seen)[:200])
        return None

    return Expect("data-error", judge)


def _times(profile: Profile, rows: Sequence[Data]) -> list[CosemDateTime]:
    return [profile.time_of(row) for row in rows]


@conversation("COSEM_PG_RANGE")
def by_range() -> Sequence[Node]:
    async def whole(trial: Trial) -> Seen:
        async with _first(trial) as profile:
            every = await profile.read(by_entry(1, 0))
            rows = every.facts.get("rows", ())
            if len(rows) < FEWEST:
                raise Pointless("the rows are not given by entry")
            times = _times(profile, rows)
            seen = await profile.read(profile.by_range(min_of(times), max_of(times)))
            trial.notes.keep(_TIMES, times)
            return seen.having(facts={**seen.facts, "count": len(rows)})

    async def outside(trial: Trial) -> Seen:
        async with _first(trial) as profile:
            first = CosemDateTime.from_octets(bytes.fromhex("07C60101FF00000000800000"))
            last = CosemDateTime.from_octets(bytes.fromhex("07C60102FF00000000800000"))
            return await profile.read(profile.by_range(first, last))

    async def part(trial: Trial) -> Seen:
        return await _part(trial, ())

    async def columns(trial: Trial) -> Seen:
        return await _part(trial, (0, 1))

    return (
        step("whole", whole, rows_are()),
        step("outside", outside, rows_are(0), error()),
        step("part", part, rows_are()),
        step("columns", columns, rows_are(width=2)),
    )


async def _part(trial: Trial, columns: tuple[int, ...]) -> Seen:
    """The rows from the second to the fourth, by their times."""
    times = trial.notes.kept(_TIMES)
    ordered = sorted(times, key=_place)
    first, last = ordered[1], ordered[3]
    async with _first(trial) as profile:
        seen = await profile.read(profile.by_range(first, last, *columns))
        within = sum(_place(first) <= _place(time) <= _place(last) for time in times)
        return seen.having(facts={**seen.facts, "count": within})


def min_of(times: Sequence[CosemDateTime]) -> CosemDateTime:
    return min(times, key=_place)


def max_of(times: Sequence[CosemDateTime]) -> CosemDateTime:
    return max(times, key=_place)


def _place(time: CosemDateTime) -> bytes:
    """Where it is among others of the same deviation: its octets up to the hundredths."""
    return time.to_octets()[:9]


async def _entries(trial: Trial, first: int, last: int, columns: tuple[int, int]) -> Seen:
    async with _first(trial) as profile:
        selection = by_entry(first, last, *columns)
        seen = await profile.read(selection)
        return seen.having(facts={**seen.facts, "in_use": profile.rows})


@conversation("COSEM_PG_ENTRY")
def by_entries() -> Sequence[Node]:
    async def one(trial: Trial) -> Seen:
        return await _entries(trial, 1, 1, (1, 1))

    async def all_rows(trial: Trial) -> Seen:
        seen = await _entries(trial, 1, 0, (1, 0))
        return seen.having(facts={**seen.facts, "count": seen.facts["in_use"]})

    async def part(trial: Trial) -> Seen:
        return await _entries(trial, 2, 4, (1, 0))

    return (
        step("one", one, rows_are(1, 1)),
        step("all", all_rows, rows_are()),
        step("part", part, rows_are(3)),
    )


@conversation("X_PG_ENTRY_ZERO")
def from_zero() -> Sequence[Node]:
    async def zero(trial: Trial) -> Seen:
        return await _entries(trial, 0, 2, (1, 0))

    return (step("zero", zero, error(), rows_are()),)


@conversation("X_PG_ENTRY_AFTER")
def behind_the_last() -> Sequence[Node]:
    async def after(trial: Trial) -> Seen:
        return await _entries(trial, 2 * MOST, 3 * MOST, (1, 0))

    return (step("after", after, rows_are(0), error()),)


@conversation("X_PG_ENTRY_HIGHEST")
def the_highest() -> Sequence[Node]:
    async def highest(trial: Trial) -> Seen:
        seen = await _entries(trial, 1, HIGHEST, (1, 0))
        return seen.having(facts={**seen.facts, "count": seen.facts["in_use"]})

    return (step("highest", highest, rows_are(), error()),)


@conversation("X_PG_FIRST_COLUMN")
def the_first_column() -> Sequence[Node]:
    async def first(trial: Trial) -> Seen:
        return await _entries(trial, 1, 3, (1, 1))

    return (step("first", first, rows_are(width=1)),)


@conversation("COSEM_PG_SORT")
def sort_object() -> Sequence[Node]:
    async def agrees(trial: Trial) -> Seen:
        problems: list[str] = []
        judged = 0
        async with seats(trial) as each:
            async for seat in each:
                for entry in seat.objects_of(classes.PROFILE_GENERIC):
                    wanted = [
                        AttributeDescriptor(entry.class_id, entry.instance, number)
                        for number in (_SORT_OBJECT, _CAPTURED)
                    ]
                    sort, captured = await seat.read(wanted)
                    if not isinstance(sort, Data) or not isinstance(captured, Data):
                        continue
                    parts = elements_of(sort) or ()
                    if not parts or not parts[0].value:
                        continue  # unsorted: there is no sort object
                    judged += 1
                    named = {_object(column) for column in elements_of(captured) or ()}
                    if _object(sort) not in named:
                        problems.append(f"{entry}: the sort object {sort} is none of the columns")
        if not judged:
            raise Pointless("no profile has a sort object")
        return Seen.found(problems)

    return (step("sort-object", agrees, found("agrees")),)


def _object(column: Data) -> tuple[object, ...]:
    """Class, logical name and attribute of a column."""
    return tuple(part.value for part in (elements_of(column) or ())[:3])
