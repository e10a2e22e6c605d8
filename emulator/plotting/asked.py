"""The same from a meter on the network, by what it holds: half-hours, midnights, events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from devices.alert_codes import Happening
from devices.profile import Profile
from devices.timekeeping import CLOCK
from dlms.axdr.datetimes import CosemDateTime
from dlms.client.refusals import MeterRefusal
from dlms.cosem import classes, obis
from dlms.cosem.quantity import Quantity
from dlms.words import word
from emulator.client import Refused
from emulator.client.targets import Span, Wanted
from emulator.head_end.services import ACCOUNT, HeadEnd
from emulator.meter_address import MeterAddress
from emulator.plotting.series import Series, between

LOAD_PROFILES = {"electricity": "1-0:99.1.0.255", "gas": "7-0:99.1.0.255"}
SNAPSHOTS, EVENTS = "0-0:98.2.0.255", "0-0:99.98.0.255"
_UNITS = {"Wh": ("kWh", 3), "m³": ("m³", 0), "l": ("m³", 3)}


class NothingToDraw(MeterRefusal):
    """The meter has no half-hourly profile that the S1SP may read."""


async def ask(head_end: HeadEnd, meter: MeterAddress, profile: Profile, days: int) -> Series:
    """What the meter holds of so many days. :class:`NothingToDraw` if it has no load profile."""
    now = _time(await head_end.read(meter, profile, Wanted(CLOCK, 2, classes.CLOCK.class_id)))
    since = now - dt.timedelta(days=days)
    rows = await _rows(head_end, meter, profile, LOAD_PROFILES[profile.kind], Span(since=since))
    if not rows:
        raise NothingToDraw(f"{meter.name} shows no half-hours since {since:%Y-%m-%d}")
    unit, readings = _readings(rows)
    credit = []
    if ACCOUNT in profile.objects:
        snapshots = await _rows(head_end, meter, profile, SNAPSHOTS, Span(since=since))
        credit = [(_moment(row), _pounds(row, profile)) for row in snapshots]
        status = await head_end.status(meter, profile)
        credit.append((now, status.balance))
    events = [
        (_moment(row), _word(row))
        for row in await _rows(head_end, meter, profile, EVENTS, Span(since=since))
    ]
    return Series(meter.name, unit, between(readings), credit, events)


async def _rows(
    head_end: HeadEnd, meter: MeterAddress, profile: Profile, code: str, span: Span
) -> list[dict[str, Any]]:
    """Rows of a buffer; none if there is no such buffer for us."""
    instance = obis.parse(code)
    row = profile.objects.get(instance)
    if row is None:
        return []
    table = classes.PROFILE_GENERIC
    wanted = Wanted(instance, 2, table.class_id, row.interface_class.version, span)
    try:
        found: list[dict[str, Any]] = await head_end.read(meter, profile, wanted)
    except Refused:
        return []
    return found


def _readings(rows: Iterable[dict[str, Any]]) -> tuple[str, list[tuple[dt.datetime, Decimal]]]:
    unit, found = "", []
    for row in rows:
        value = next((one for one in row.values() if isinstance(one, Quantity)), None)
        if value is not None:
            unit, places = _UNITS.get(str(value.unit), (str(value.unit), 0))
            found.append((_moment(row), Decimal(value.value).scaleb(-places)))
    return unit, found


def _moment(row: dict[str, Any]) -> dt.datetime:
    return _time(next(iter(row.values())))


def _time(shown: object) -> dt.datetime:
    """The client gives a date-time as the meter has it, where it says more than a moment."""
    moment = shown.to_datetime() if isinstance(shown, CosemDateTime) else shown
    if not isinstance(moment, dt.datetime):
        raise NothingToDraw(f"no time: {shown}")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _pounds(row: dict[str, Any], profile: Profile) -> Decimal:
    """The second column of the snapshots: the balance."""
    return Decimal(list(row.values())[1]).scaleb(profile.currency_scale)


def _word(row: dict[str, Any]) -> str:
    code = list(row.values())[1]
    try:
        return word(Happening(code))
    except ValueError:
        return f"event {code}"
