"""``power``, ``reboot`` and ``tamper``: what is done to a meter by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from devices.life.hands import Tamper
from emulator.control.arguments import Argument, Kind
from emulator.control.control import Control, Scope
from emulator.control.errors import bad_argument, refused
from emulator.mains import Mains
from emulator.virtual_clock import LATEST, MAX_STEP, VirtualClock

KINDS = {kind.name.lower(): kind for kind in Tamper}

POWER = (
    Argument(
        name="what",
        kind=Kind.TEXT,
        required=True,
        choices=("on", "off", "cut"),
        help="give it mains, take them away, or take them away for some seconds",
    ),
    Argument(
        name="seconds",
        kind=Kind.DURATION,
        least=0,
        most=int(MAX_STEP.total_seconds()),
        help="of virtual time, for a cut",
    ),
)

TAMPER = (
    Argument(
        name="kind",
        kind=Kind.TEXT,
        required=True,
        choices=tuple(KINDS),
        help="what is tampered with",
    ),
)


def register(
    control: Control, clock: VirtualClock, meters: Callable[[], Mapping[str, Mains]]
) -> None:
    async def power(meter: str, given: dict[str, Any]) -> dict[str, object]:
        mains, what, seconds = meters()[meter], given["what"], given.get("seconds")
        if (what == "cut") is (seconds is None):
            raise bad_argument(f"{what} {'needs' if what == 'cut' else 'has no'} seconds")
        if what == "on":
            mains.restore()
        elif seconds is None:
            mains.cut()
        else:
            back = clock.now() + seconds
            if back > LATEST:
                raise refused(f"time ends before, at {LATEST.isoformat()}")
            mains.cut(back)
        return power_of(mains)

    async def reboot(meter: str, given: dict[str, Any]) -> dict[str, object]:
        mains = meters()[meter]
        if not mains.are_on:
            raise refused(f"{meter} has no mains")
        mains.reboot()
        return power_of(mains)

    async def tamper(meter: str, given: dict[str, Any]) -> dict[str, object]:
        meters()[meter].tamper(KINDS[given["kind"]])
        return {"tampered": given["kind"]}

    for action, handler, arguments, text in (
        ("power", power, POWER, "the mains of a meter: without them nobody reaches it"),
        ("reboot", reboot, (), "a meter begins anew with what it keeps; nobody stays connected"),
        ("tamper", tamper, TAMPER, "somebody tampers with a meter"),
    ):
        control.register(action, handler, arguments=arguments, help=text, meter=Scope.METER)


def power_of(mains: Mains) -> dict[str, object]:
    """``power`` is on or off, ``back`` when mains return by themselves, in ISO 8601."""
    back = mains.back
    return {
        "power": "on" if mains.are_on else "off",
        "back": None if back is None else back.isoformat(),
    }
