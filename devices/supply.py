"""Mains and relay: whether energy can flow (Blue Book 4.5.8, Disconnect control).

One table of transitions for each control mode. Every change of what flows begins a new segment of
the meter's history, from which readings of the past are computed.
"""

from __future__ import annotations

import datetime as dt
from enum import Enum, IntEnum

from devices.happenings import Happening, happened
from devices.history import Segment
from devices.meter import Meter
from devices.metrology import INSTALLED, Quantity
from devices.outbox import Changed
from devices.profile.model import ObjectRow
from devices.registers import ACTIVITY_CALENDAR, MAX_SEGMENTS, registers
from dlms.axdr.data import enum
from dlms.cosem import classes
from dlms.xdlms.descriptors import AttributeDescriptor

POWERLESS = "power lost"
"""Figure: since when there is no mains, as a stamp; not there while there is mains."""

WITHHELD = "supply withheld"
"""Figure: 1 while the relay is open for want of credit."""


class ControlState(IntEnum):
    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2


_DISCONNECTED, _CONNECTED, _READY = ControlState


class Transition(Enum):
    """The transitions by their letters in the Blue Book; those with two begin in either state."""

    REMOTE_RECONNECT = "a"
    REMOTE_DISCONNECT = "b c"
    REMOTE_READY = "d"
    MANUAL_RECONNECT = "e"
    MANUAL_DISCONNECT = "f"
    LOCAL_DISCONNECT = "g"
    LOCAL_RECONNECT = "h"
    REMOTE_RECONNECT_FROM_READY = "i"


_MOVES: dict[str, tuple[ControlState, ControlState]] = {
    "a": (_DISCONNECTED, _CONNECTED),
    "b": (_CONNECTED, _DISCONNECTED),
    "c": (_READY, _DISCONNECTED),
    "d": (_DISCONNECTED, _READY),
    "e": (_READY, _CONNECTED),
    "f": (_CONNECTED, _READY),
    "g": (_CONNECTED, _READY),
    "h": (_READY, _CONNECTED),
    "i": (_READY, _CONNECTED),
}

_ALLOWED = {
    0: "",
    1: "bcfgde",
    2: "bcfgae",
    3: "bcgde",
    4: "bcgae",
    5: "bcfgdeh",
    6: "bcgdeh",
    7: "bcgaieh",
}
"""By control mode. Mode 0 has none: the output is always connected."""

HIGHEST_MODE = max(_ALLOWED)


def destination(mode: int, state: ControlState, letters: str) -> ControlState | None:
    """Where the first possible of some transitions leads; ``None`` if none is possible."""
    for letter in letters:
        begin, end = _MOVES[letter]
        if letter in _ALLOWED.get(mode, "") and begin is state:
            return end
    return None


def ends(mode: int, letters: str) -> frozenset[ControlState]:
    """Where some transitions lead in a mode, wherever they begin."""
    return frozenset(_MOVES[letter][1] for letter in letters if letter in _ALLOWED.get(mode, ""))


def relay(meter: Meter) -> ObjectRow | None:
    """The Disconnect control of the meter's supply: the first it has."""
    return next(iter(meter.profile.of_class(classes.DISCONNECT_CONTROL)), None)


def state_of(meter: Meter, row: ObjectRow) -> ControlState:
    return ControlState(meter.number(row, 3))


def is_connected(meter: Meter) -> bool:
    """Whether the relay is closed, or there is none."""
    row = relay(meter)
    return row is None or not mode_of(meter, row) or state_of(meter, row) is _CONNECTED


def mode_of(meter: Meter, row: ObjectRow) -> int:
    return meter.number(row, 4)


def put(meter: Meter, row: ObjectRow, after: ControlState, now: dt.datetime) -> None:
    """Move the relay and tell who is to know."""
    before = state_of(meter, row)
    meter.store(row, 3, enum(after))
    what = AttributeDescriptor(row.interface_class.class_id, row.instance, 3)
    meter.outbox.announce(Changed(what))
    if after is _READY and before is _DISCONNECTED:
        happened(meter, Happening.SUPPLY_ARMED, now)
    if before is _CONNECTED:
        happened(meter, Happening.SUPPLY_INTERRUPTED, now)
    note_conditions(meter, now)


def manual_reconnect(meter: Meter, now: dt.datetime) -> bool:
    """The customer closes the relay (e). Not while credit is what keeps it open."""
    row = relay(meter)
    if row is None or meter.state.figures.get(WITHHELD):
        return False
    return _try(meter, row, "e", now)


def manual_disconnect(meter: Meter, now: dt.datetime) -> bool:
    """The customer opens the relay (f)."""
    row = relay(meter)
    return row is not None and _try(meter, row, "f", now)


def _try(meter: Meter, row: ObjectRow, letters: str, now: dt.datetime) -> bool:
    after = destination(mode_of(meter, row), state_of(meter, row), letters)
    if after is None:
        return False
    put(meter, row, after, now)
    return True


# Want of credit -----------------------------------------------------------------------------------


def withhold(meter: Meter, now: dt.datetime) -> None:
    """Open the relay for want of credit. Where it leads to is the profile's: ready, as the Blue
    Book has local disconnection (g), or disconnected, so that it has to be armed again.
    """
    row = relay(meter)
    if row is None or state_of(meter, row) is not _CONNECTED:
        return
    after = destination(mode_of(meter, row), _CONNECTED, "g")
    if after is None:
        return
    meter.state.figures[WITHHELD] = 1
    put(meter, row, _DISCONNECTED if meter.profile.habits.disarms else after, now)


def release(meter: Meter, now: dt.datetime) -> None:
    """There is credit again: arm the relay, or close it where that needs no hand (h)."""
    if not meter.state.figures.pop(WITHHELD, 0):
        return
    row = relay(meter)
    if row is None:
        return
    if state_of(meter, row) is _DISCONNECTED:
        put(meter, row, _READY, now)
    else:
        happened(meter, Happening.SUPPLY_ARMED, now)
    if meter.profile.habits.reconnects:
        _try(meter, row, "h", now)


# Mains --------------------------------------------------------------------------------------------


def flowing(meter: Meter) -> bool:
    """Whether energy can flow."""
    return is_connected(meter) and POWERLESS not in meter.state.figures


def note_conditions(meter: Meter, now: dt.datetime) -> None:
    """Begin a segment if something is not as it was: flow, calendar in force, clock."""
    history = meter.state.history
    last = history[max(history)] if history else None
    if last is None:
        # Of the time before nothing is known but that the meter was there.
        last = Segment(INSTALLED, True, 0, meter.state.clock_offset)
        history[0] = last
    number = calendar_number(meter)
    new = Segment(max(now, last.since), flowing(meter), number, meter.state.clock_offset)
    if new[1:] == last[1:]:
        return
    if len(history) >= MAX_SEGMENTS:
        _forget_before(meter, sorted(history)[len(history) // 2])
    history[max(history) + 1] = new


def calendar_number(meter: Meter) -> int:
    """The running number of the activity calendar in force."""
    return max((n for name, n in meter.state.rows if name == ACTIVITY_CALENDAR), default=0)


def forget_calendar(meter: Meter, number: int) -> None:
    """Make one sum of the time of a calendar, and what was before: it will not be there any more,
    and what was counted stays.
    """
    kept = min(n for n, segment in meter.state.history.items() if segment.calendar > number)
    _forget_before(meter, kept)


def _forget_before(meter: Meter, kept: int) -> None:
    """Make one sum of the history before a segment."""
    history = meter.state.history
    since = history[kept].since
    counted = {quantity: registers(meter).rates(quantity, since) for quantity in Quantity}
    for quantity, rates in counted.items():
        for rate, total in rates.items():
            meter.state.figures[f"base {quantity.name} {rate}"] = total
    for number in [number for number in history if number < kept]:
        del history[number]
