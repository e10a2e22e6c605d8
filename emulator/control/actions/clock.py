"""``clock``: what time it is, how it goes, and steps."""

from __future__ import annotations

import datetime as dt
from typing import Any

from emulator.control.arguments import Argument, Kind
from emulator.control.control import Control
from emulator.control.errors import bad_argument, refused
from emulator.living import Living
from emulator.virtual_clock import MAX_FACTOR, MAX_STEP, ClockError, Mode, VirtualClock

ARGUMENTS = (
    Argument(
        name="mode",
        kind=Kind.TEXT,
        choices=tuple(mode.value for mode in Mode),
        help="how time goes from now on: as in reality, not at all, or 'factor' times as fast",
    ),
    Argument(
        name="factor",
        kind=Kind.NUMBER,
        least=1 / MAX_FACTOR,
        most=MAX_FACTOR,
        help="seconds that go by in one real second",
    ),
    Argument(
        name="advance",
        kind=Kind.DURATION,
        least=0,
        most=int(MAX_STEP.total_seconds()),
        help="step forward by so much, and wait until the meters have lived through it",
    ),
    Argument(
        name="to",
        kind=Kind.MOMENT,
        help="step forward to this moment, 400 days away at most, and wait in the same way",
    ),
)


def register(control: Control, clock: VirtualClock, living: Living) -> None:
    async def change(_: None, given: dict[str, Any]) -> dict[str, object]:
        factor = _factor(given)
        by, to = given.get("advance"), given.get("to")
        if by is not None and to is not None:
            raise bad_argument("a step is either by a duration (advance) or to a moment (to)")
        try:
            if by is not None:
                to = clock.reach(by=by)
            if to is not None:
                clock.reach(to)
            if factor == 0:  # before the step, which is exact then
                clock.freeze()
            if to is not None:
                await living.advance(to)
            if factor:
                clock.run(factor)
        except ClockError as error:
            raise refused(str(error)) from None
        return time_of(clock)

    control.register(
        "clock",
        change,
        arguments=ARGUMENTS,
        help="virtual time: without arguments what it is; with them how it goes, and steps forward",
    )


def time_of(clock: VirtualClock) -> dict[str, object]:
    """``now`` in ISO 8601, the mode, and the factor (0 if frozen)."""
    return {"now": iso(clock.now()), "mode": clock.mode.value, "factor": clock.factor}


def iso(moment: dt.datetime) -> str:
    return moment.isoformat()


def _factor(given: dict[str, Any]) -> float | None:
    """What the mode and the factor come to; 0 for frozen, ``None`` for no change."""
    mode: str | None = given.get("mode")
    factor: float | None = given.get("factor")
    if mode in (Mode.REAL.value, Mode.FROZEN.value):
        if factor is not None:
            raise bad_argument(f"mode {mode} has no factor")
        return 1.0 if mode == Mode.REAL.value else 0.0
    if mode == Mode.FACTOR.value and factor is None:
        raise bad_argument("mode factor needs a factor")
    return factor
