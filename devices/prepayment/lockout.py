"""The entry of tokens is suspended after too many that were refused, as guesses are.

Five refused ones in ten minutes and then an hour without are public for one such meter; the numbers
are habits of the model.
"""

from __future__ import annotations

import datetime as dt

from devices.meter import Meter
from devices.timekeeping import stamp

_FAILURES, _SINCE, _UNTIL = "token failures", "token failures since", "tokens locked until"
_MICROSECONDS = 1_000_000


def is_locked(meter: Meter, now: dt.datetime) -> bool:
    """Whether no token is looked at now."""
    return stamp(now) < meter.state.figures.get(_UNTIL, 0)


def succeeded(meter: Meter) -> None:
    """A good token: those refused before are forgotten."""
    for figure in (_FAILURES, _SINCE, _UNTIL):
        meter.state.figures.pop(figure, None)


def failed(meter: Meter, now: dt.datetime) -> bool:
    """A refused token; true if it was one too many."""
    habits, figures = meter.profile.habits, meter.state.figures
    if not habits.token_failures:
        return False
    present = stamp(now)
    if present - figures.get(_SINCE, present) > habits.token_window * _MICROSECONDS:
        figures.pop(_FAILURES, None)
    count = figures.get(_FAILURES, 0) + 1
    if count == 1:
        figures[_SINCE] = present
    figures[_FAILURES] = count
    if count < habits.token_failures:
        return False
    del figures[_FAILURES], figures[_SINCE]
    figures[_UNTIL] = present + habits.token_lock * _MICROSECONDS
    return True
