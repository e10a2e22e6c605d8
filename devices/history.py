"""What a meter remembers of its past, because readings of the past and alerts depend on it."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple


class Segment(NamedTuple):
    """A stretch of true time, up to the next segment, in which the conditions were the same.

    ``flowing`` is whether energy could flow: mains there, relay closed. ``calendar`` is the running
    number of the activity calendar in force. ``offset`` is device time minus true time.
    """

    since: dt.datetime
    flowing: bool
    calendar: int
    offset: dt.timedelta


class Alert(NamedTuple):
    """Something that happened at the true time ``moment``, by its alert code; ``argument`` is a
    number that goes with it.
    """

    code: int
    moment: dt.datetime
    argument: int = 0
