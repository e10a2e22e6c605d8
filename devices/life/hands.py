"""What is done to a meter by hand or befalls it: mains, covers, buttons, the keypad."""

from __future__ import annotations

import datetime as dt
from enum import Enum

from devices import supply
from devices.happenings import Happening, happened
from devices.life.living import advance
from devices.meter import Meter
from devices.objects.token_gateway import Delivery, TokenStatus, enter
from devices.prepayment.account import CreditType, credits_of
from devices.prepayment.review import invoke
from devices.supply import POWERLESS
from devices.timekeeping import INVALID, moment_of, stamp
from dlms.cosem import classes
from dlms.security.ops import Step

_FIRST_DAY = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""Where a clock that has lost everything begins again."""


class Tamper(Enum):
    """What can be tampered with."""

    GENERAL = Happening.TAMPER
    COVER = Happening.TAMPER_COVER
    MAGNET = Happening.TAMPER_MAGNET
    TERMINAL = Happening.TAMPER_TERMINAL_COVER


class Press(Enum):
    """What a customer can do at the meter without a token."""

    RECONNECT = "reconnect"
    DISCONNECT = "disconnect"
    EMERGENCY_CREDIT = "emergency-credit"


def lose_power(meter: Meter, now: dt.datetime) -> None:
    """The mains are gone. The relay stays where it is."""
    advance(meter, now)
    if POWERLESS not in meter.state.figures:
        meter.state.figures[POWERLESS] = stamp(now)
        supply.note_conditions(meter, now)


def restore_power(meter: Meter, now: dt.datetime) -> None:
    """The mains are back: the clock has gone on or has not, and what waited is done."""
    lost = meter.state.figures.pop(POWERLESS, None)
    if lost is None:
        return
    outage = now - moment_of(lost)
    _keep_clock(meter, outage, now)
    supply.note_conditions(meter, now)
    habits = meter.profile.habits
    long = outage >= dt.timedelta(seconds=habits.long_outage)
    told = Happening.LONG_SUPPLY_OUTAGE_RESTORED if long else Happening.SUPPLY_OUTAGE_RESTORED
    happened(meter, told, now, min(int(outage.total_seconds()), 2**31 - 1))
    advance(meter, now)


def _keep_clock(meter: Meter, outage: dt.timedelta, now: dt.datetime) -> None:
    habits, state = meter.profile.habits, meter.state
    reserve = dt.timedelta(seconds=habits.clock_reserve)
    if outage <= reserve or habits.clock_after_outage == "kept":
        return
    if habits.clock_after_outage == "stopped":
        state.clock_offset -= outage - reserve
    else:
        state.clock_offset = _FIRST_DAY - now
    state.figures[INVALID] = 1


def tamper(meter: Meter, kind: Tamper, now: dt.datetime) -> None:
    """A cover is opened, or a magnet held to it."""
    advance(meter, now)
    happened(meter, kind.value, now)
    row = supply.relay(meter)
    if meter.profile.habits.tamper_disconnects and row is not None and supply.is_connected(meter):
        supply.put(meter, row, supply.ControlState.DISCONNECTED, now)


def slip(meter: Meter, by: dt.timedelta, now: dt.datetime) -> None:
    """The clock goes wrong: no event, for the meter does not notice."""
    meter.state.clock_offset += by
    supply.note_conditions(meter, now)


def press(meter: Meter, what: Press, now: dt.datetime) -> bool:
    """A button; false if it does nothing now, as without mains."""
    if POWERLESS in meter.state.figures:
        return False
    advance(meter, now)
    if what is Press.RECONNECT:
        done = supply.manual_reconnect(meter, now)
    elif what is Press.DISCONNECT:
        done = supply.manual_disconnect(meter, now)
    else:
        done = any(
            invoke(meter, row, now)
            for row in credits_of(meter)
            if meter.number(row, 3) == CreditType.EMERGENCY
        )
    told = Happening.LOCAL_COMMAND_DONE if done else Happening.LOCAL_COMMAND_REFUSED
    happened(meter, told, now)
    return done


def key_in(meter: Meter, digits: bytes, now: dt.datetime) -> Step[TokenStatus]:
    """A token at the keypad. ``LookupError`` if the meter takes none."""
    advance(meter, now)
    row = next(iter(meter.profile.of_class(classes.TOKEN_GATEWAY)), None)
    if row is None:
        raise LookupError(f"{meter.profile.name} takes no tokens")
    return (yield from enter(meter, row, digits, now, Delivery.MANUAL))
