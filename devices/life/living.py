"""The course of a meter's life, from one moment at which something happens to the next.

Between them nothing changes but what is computed from the time. So a month passes in as many steps
as it has collections of charges and appointments, in their order, whatever the pace of the clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from devices.life.captures import captures
from devices.life.images import images
from devices.life.schedules import Appointment, appointments, make_up
from devices.meter import Meter
from devices.prepayment.account import account_of
from devices.prepayment.charges import begin, charges_of, collect_turn, next_collection
from devices.prepayment.friendly import next_change
from devices.prepayment.review import review
from devices.profile.model import ObjectRow
from devices.supply import POWERLESS, note_conditions
from devices.timekeeping import Turn, moment_of, stamp

LIVED = "lived until"
"""Figure: the last moment that was lived through, as a stamp."""


def advance(meter: Meter, now: dt.datetime) -> None:
    """Live on until the true time ``now``. A meter without mains does not; what has waited is done
    when it is back.
    """
    figures = meter.state.figures
    if POWERLESS in figures:
        return
    if LIVED not in figures:
        _be_born(meter, now)
        return
    lived = moment_of(figures[LIVED])
    while (coming := _coming(meter, lived)) and coming[0].moment <= now:
        lived = max(coming[0].moment, lived)
        for appointment in coming:
            appointment.keep(meter, lived)
        figures[LIVED] = stamp(lived)


def due(meter: Meter) -> dt.datetime | None:
    """When something happens next by itself."""
    figures = meter.state.figures
    if POWERLESS in figures or LIVED not in figures:
        return None
    coming = _coming(meter, moment_of(figures[LIVED]))
    return coming[0].moment if coming else None


def is_born(meter: Meter) -> bool:
    return LIVED in meter.state.figures


def changed(meter: Meter, now: dt.datetime, clock_before: dt.timedelta) -> None:
    """A request has changed something at ``now``, to which the meter has lived: what was set for
    times before is not done there and then, for it would change what has been read since.
    """
    figures = meter.state.figures
    if POWERLESS in figures or LIVED not in figures:
        return
    figures[LIVED] = max(figures[LIVED], stamp(now))
    make_up(meter, meter.state.clock_offset - clock_before, now)


def _be_born(meter: Meter, now: dt.datetime) -> None:
    """The first moment: what was before has been paid for elsewhere."""
    note_conditions(meter, now)
    for row in charges_of(meter):
        begin(meter, row, now)
    if account_of(meter) is not None:
        review(meter, now)
    meter.state.figures[LIVED] = stamp(now)


def _coming(meter: Meter, after: dt.datetime) -> list[Appointment]:
    """All that happens at the next moment at which anything does, in the order in which it does:
    what was used is charged before prices change, and captured when both have happened.
    """
    found: list[Appointment] = []
    for row in charges_of(meter):
        turn = next_collection(meter, row, after)
        if turn is not None:
            found.append(Appointment(turn.moment, _collecting(row, turn)))
    changes = next_change(meter, after)
    if account_of(meter) is not None and (found or changes):
        moments = [one.moment for one in found] + ([changes] if changes else [])
        found.append(Appointment(min(moments), review))
    found += appointments(meter, after)
    found += captures(meter, after)
    found += images(meter, after)
    if not found:
        return []
    first = min(one.moment for one in found)
    return [one for one in found if one.moment == first]


def _collecting(row: ObjectRow, turn: Turn) -> Callable[[Meter, dt.datetime], None]:
    return lambda meter, now: collect_turn(meter, row, turn, now)
