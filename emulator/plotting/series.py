"""What is drawn: consumption by half-hour, credit at moments, and what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple


class Used(NamedTuple):
    """What flowed from one moment to another, in the unit of the series."""

    begin: dt.datetime
    end: dt.datetime
    amount: Decimal


class Series(NamedTuple):
    """``used`` in ``unit``; ``credit`` in pounds at moments; ``events`` with the words for them."""

    meter: str
    unit: str
    used: Sequence[Used]
    credit: Sequence[tuple[dt.datetime, Decimal]]
    events: Sequence[tuple[dt.datetime, str]] = ()


def between(readings: Iterable[tuple[dt.datetime, Decimal]]) -> list[Used]:
    """Consumption from the readings of a register, oldest first. A register that went round, or a
    row that is missing, makes a gap and no column.
    """
    return [
        Used(begin, end, after - before)
        for (begin, before), (end, after) in pairwise(readings)
        if after >= before and end > begin
    ]
