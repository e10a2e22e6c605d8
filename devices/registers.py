"""What has flowed through a meter, in all and by tariff rate, at any moment of the past.

The load model says what would have flowed (:mod:`devices.metrology`); the history of the meter says
when it could, and by which calendar and clock the rates went. So registers are computed for any
moment, and nothing but the history is stored. Rates are the selectors of the activity calendar; 0
is the rate where none is in force.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from typing import TypeAlias

from devices.calendar import Calendar
from devices.history import Segment
from devices.meter import Meter
from devices.metrology import INSTALLED, Quantity, cumulative
from devices.timekeeping import Zone, zone
from dlms.axdr.data import Data
from dlms.cosem.fitting import elements_of

ACTIVITY_CALENDAR = bytes((0, 0, 13, 0, 0, 255))
SPECIAL_DAYS = bytes((0, 0, 11, 0, 0, 255))
MAX_SEGMENTS = 1024
"""Segments that are kept. Then the older half becomes one sum, and what was read within it is not
known any more: some 400 days in which the supply is switched twice a day."""

Rates: TypeAlias = dict[int, int]
"""Totals by rate, in the unit of the quantity."""

_DAY = dt.timedelta(days=1)


class Registers:
    """What one meter has counted. What it has worked out is kept as long as the history is that."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._seen: tuple[int, Segment | None] = 0, None
        self._segments: list[tuple[int, Segment]] = []
        self._starts: list[dt.datetime] = []
        self._sums: dict[Quantity, list[int]] = {}
        self._rates: dict[tuple[Quantity, int], list[tuple[dt.datetime, Rates]]] = {}
        self._calendars: dict[int, Calendar] = {}

    def total(self, quantity: Quantity, moment: dt.datetime) -> int:
        """The register of a quantity at a moment: Wh, varh or dm3 since installation."""
        self._look()
        place = max(bisect_right(self._starts, moment) - 1, 0)
        sums = self._sums.get(quantity)
        if sums is None:
            sums = self._sums[quantity] = self._summed(quantity)
        segment = self._segments[place][1]
        if not segment.flowing:
            return sums[place]
        return sums[place] + self._flow(quantity, segment.since, max(moment, segment.since))

    def rates(self, quantity: Quantity, moment: dt.datetime) -> Rates:
        """The same, by rate."""
        self._look()
        place = max(bisect_right(self._starts, moment) - 1, 0)
        return self._rates_at(quantity, place, moment)

    def calendar(self, number: int) -> Calendar:
        """A calendar that is or was in force, by its running number."""
        found = self._calendars.get(number)
        if found is None:
            found = self._calendars[number] = Calendar(*calendar_values(self._meter, number))
        return found

    def segment(self, moment: dt.datetime) -> Segment:
        """The conditions at a moment."""
        self._look()
        return self._segments[max(bisect_right(self._starts, moment) - 1, 0)][1]

    def base(self) -> dict[Quantity, Rates]:
        """What was counted up to the first segment that is kept."""
        found: dict[Quantity, Rates] = {}
        for name, value in self._meter.state.figures.items():
            if name.startswith("base "):
                _, quantity, rate = name.split(" ")
                found.setdefault(Quantity[quantity], {})[int(rate)] = value
        return found

    # Working it out -------------------------------------------------------------------------------

    def _look(self) -> None:
        """Begin anew if the history is another one."""
        history = self._meter.state.history
        last = history[max(history)] if history else None
        if self._segments and self._seen == (len(history), last):
            return
        fresh = self._fresh(history)
        self._seen = len(history), last
        if fresh:
            # What was worked out of the time before is still right.
            self._segments += fresh
            self._starts += [segment.since for _, segment in fresh]
            self._sums.clear()
            return
        self._segments = sorted(history.items()) or [(-1, self._unwritten())]
        self._starts = [segment.since for _, segment in self._segments]
        self._sums.clear()
        self._rates.clear()
        self._calendars.clear()

    def _fresh(self, history: Mapping[int, Segment]) -> list[tuple[int, Segment]]:
        """The segments behind those that are known, if these are as they were; else none."""
        if not self._segments or not history:
            return []
        number, segment = self._segments[-1]
        fresh = sorted(one for one in history.items() if one[0] > number)
        same = history.get(number) == segment and self._segments[0][0] in history
        return fresh if same and len(history) == self._seen[0] + len(fresh) else []

    def _unwritten(self) -> Segment:
        return Segment(INSTALLED, True, 0, self._meter.state.clock_offset)

    def _flow(self, quantity: Quantity, since: dt.datetime, until: dt.datetime) -> int:
        seed = self._meter.seed
        return cumulative(seed, quantity, until) - cumulative(seed, quantity, since)

    def _summed(self, quantity: Quantity) -> list[int]:
        """Totals at the beginning of each segment."""
        sums = [sum(self.base().get(quantity, {}).values())]
        for (_, one), (_, after) in zip(self._segments, self._segments[1:], strict=False):
            flowed = self._flow(quantity, one.since, after.since) if one.flowing else 0
            sums.append(sums[-1] + flowed)
        return sums

    def _rates_at(self, quantity: Quantity, place: int, moment: dt.datetime) -> Rates:
        segment = self._segments[place][1]
        days = self._rates.get((quantity, place)) or self._begun(quantity, place)
        if not segment.flowing:
            return dict(days[0][1])
        local = zone(self._meter)
        calendar = self.calendar(segment.calendar)
        while (midnight := _midnight_after(days[-1][0], segment.offset, local)) <= moment:
            since, totals = days[-1]
            days.append(
                (midnight, self._walk(quantity, segment, calendar, since, midnight, totals))
            )
        found = bisect_right(days, moment, key=lambda day: day[0]) - 1
        since, totals = days[max(found, 0)]
        return self._walk(quantity, segment, calendar, since, max(moment, since), totals)

    def _begun(self, quantity: Quantity, place: int) -> list[tuple[dt.datetime, Rates]]:
        """Totals at the beginning of a segment, of those before it that are not known as well: in
        their order, for there may be more of them than calls can be in calls.
        """
        known = place
        while known and (quantity, known - 1) not in self._rates:
            known -= 1
        for one in range(known, place + 1):
            since = self._segments[one][1].since
            if one:
                begun = self._rates_at(quantity, one - 1, since)
            else:
                begun = dict(self.base().get(quantity, {}))
            days = self._rates[quantity, one] = [(since, begun)]
        return days

    def _walk(
        self,
        quantity: Quantity,
        segment: Segment,
        calendar: Calendar,
        since: dt.datetime,
        until: dt.datetime,
        totals: Rates,
    ) -> Rates:
        """Add what flows between two moments of one local day."""
        local = zone(self._meter)
        begin = local.reached(since + segment.offset)
        totals = dict(totals)
        rate = calendar.selector(begin)
        midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        at = cumulative(self._meter.seed, quantity, since)
        for second, selector in calendar.day(begin.date()):
            moment = local.first(midnight + dt.timedelta(seconds=second)) - segment.offset
            if not since < moment < until:
                continue
            then = cumulative(self._meter.seed, quantity, moment)
            totals[rate] = totals.get(rate, 0) + then - at
            rate, at = selector, then
        then = cumulative(self._meter.seed, quantity, until)
        totals[rate] = totals.get(rate, 0) + then - at
        return totals


def _midnight_after(moment: dt.datetime, offset: dt.timedelta, local: Zone) -> dt.datetime:
    """The next moment at which the meter's clock shows a local midnight."""
    date = local.local(moment + offset).date() + _DAY
    return local.first(dt.datetime.combine(date, dt.time())) - offset


def registers(meter: Meter) -> Registers:
    """The metering of a meter, made once."""
    found = meter.derived.get(Registers)
    if not isinstance(found, Registers):
        found = meter.derived[Registers] = Registers(meter)
    return found


def calendar_values(meter: Meter, number: int) -> tuple[Data | None, ...]:
    """Seasons, weeks, days and special days of a calendar. Those that are not in force any more are
    rows of the calendar object; one that never was replaced is what the profile says.
    """
    row = meter.profile.objects.get(ACTIVITY_CALENDAR)
    if row is None:
        return None, None, None, None
    kept = meter.state.rows.get((ACTIVITY_CALENDAR, number))
    if kept is not None:
        return elements_of(kept) or (None, None, None, None)
    special = meter.profile.objects.get(SPECIAL_DAYS)
    return (
        *(row.values.get(attribute) for attribute in (3, 4, 5)),
        None if special is None else special.values.get(2),
    )
