"""The meter's clock goes wrong. What it is off stays when the fault ends, until it is set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from emulator.faults.fault import Fault
from emulator.faults.kind import Kind
from emulator.faults.kinds.parameters import number
from emulator.serving.taps import Parcel, Place

_LOOK = dt.timedelta(hours=6)
"""Virtual time: what lives by the meter's clock, tariffs and captures, follows a drift so often.
What a client reads is right to a second, for a drift is made of such steps."""

_YEAR = 365 * 86_400


def step(fault: Fault) -> None:
    fault.reach.mains.slip(dt.timedelta(seconds=fault["seconds"]))


def drift(fault: Fault) -> None:
    clock, mains = fault.reach.clock, fault.reach.mains
    begun, slipped = clock.now(), 0

    def follow() -> None:
        nonlocal slipped
        total = int((clock.now() - begun).total_seconds() * fault["ppm"] / 1_000_000)
        by, slipped = total - slipped, total
        if by:
            fault.has_acted(f"the clock is off by {by} s more")
            mains.slip(dt.timedelta(seconds=by))

    def before(parcel: Parcel) -> Iterable[Parcel]:
        follow()
        return (parcel,)

    async def look() -> None:
        due = begun
        while True:
            due += _LOOK
            await clock.wait_until(due)
            follow()

    fault.at_end(follow)
    fault.tap(Place.APDU_IN, before)
    fault.task(look())


KINDS = (
    Kind(
        name="clock-drift",
        place="device",
        help="the clock goes too fast or too slow",
        seen="a time that is off by more and more, and captures and tariffs with it; set, it goes"
        " wrong from there",
        begin=drift,
        parameters=(
            number("ppm", -100_000, 100_000, 500, "ppm", "how much too fast; below 0, too slow"),
        ),
        counts=False,
    ),
    Kind(
        name="clock-step",
        place="device",
        help="the clock jumps",
        seen="a time that is off, and captures and tariffs with it, until the clock is set",
        begin=step,
        parameters=(number("seconds", -_YEAR, _YEAR, 3600, "s", "by how much; below 0, back"),),
        lasts=False,
    ),
)
