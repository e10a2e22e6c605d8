"""Clocks that are set and switched (X_CLOCK_*)."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from dlms.axdr.data import Data, boolean, long
from dlms.client.refusals import AccessRefused
from dlms.cosem import classes
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.meter_client import MeterClient
from emulator.conformance.cases.object_walk import READ, WRITE, Seat, seats
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

TIME, ZONE, STATUS, DEVIATION, ENABLED = 2, 3, 4, 7, 8
EPOCH = bytes.fromhex("07B20101FF00000000800000")
"""1 January 1970: the beginning of time to most who keep it as a number."""
NOT_SPECIFIED = 0x8000
_DST = 0x80
"""Bit of the status: summer time is in force (Blue Book 4.1.6.1)."""
SLACK = 5
"""Seconds that may pass between two reads of a clock that runs."""


@asynccontextmanager
async def _clock(
    trial: Trial, *writable: int
) -> AsyncIterator[tuple[Seat, Callable[[int], AttributeDescriptor]]]:
    """A Clock whose attributes may be read and written. :class:`Unjudged` if there is none."""
    async with seats(trial) as each:
        async for seat in each:
            if Conformance.SET not in seat.conformance:
                continue
            for entry in seat.objects_of(classes.CLOCK):
                readable = {one.attribute for one in seat.attributes(entry, READ)}
                settable = {one.attribute for one in seat.attributes(entry, WRITE)}
                instance = entry.instance
                if {TIME, *writable} <= readable and set(writable) <= settable:
                    yield (
                        seat,
                        lambda number, instance=instance: AttributeDescriptor(  # type: ignore[misc]
                            classes.CLOCK.class_id, instance, number
                        ),
                    )
                    return
    raise Unjudged(f"no Clock lets its attributes {', '.join(map(str, writable))} be written")


async def _setting(trial: Trial, change: Callable[[bytes], bytes]) -> Seen:
    """Write a time, and then the one that it had: what was answered to the first."""
    async with _clock(trial, TIME) as (seat, attribute):
        began = trial.clocks.now()
        before = await seat.client.get(attribute(TIME))
        assert isinstance(before.value, bytes), "a time is octets"
        problems = []
        try:
            await seat.client.set(attribute(TIME), before._replace(value=change(before.value)))
            after = await seat.client.get(attribute(TIME))
            problems += _unreadable(after)
        except AccessRefused as refusal:
            return Seen.found(refused=str(refusal), answer="refused")
        finally:
            passed = dt.timedelta(seconds=trial.clocks.now() - began)
            await seat.client.set(attribute(TIME), _later(before, passed))
        return Seen.found(problems, answer="done")


def _later(data: Data, passed: dt.timedelta) -> Data:
    """The same time so much later, to the second, that the device is left as it was."""
    assert isinstance(data.value, bytes), "a time is octets"
    octets = data.value
    year = int.from_bytes(octets[:2], "big")
    moment = dt.datetime(year, octets[2], octets[3], octets[5], octets[6], octets[7]) + passed
    changed = (
        moment.year.to_bytes(2, "big")
        + bytes((moment.month, moment.day, 0xFF, moment.hour, moment.minute, moment.second))
        + octets[8:]
    )
    return data._replace(value=changed)


def _unreadable(data: Data) -> list[str]:
    octets = data.value
    if not isinstance(octets, bytes) or len(octets) != 12:
        return [f"the time is {data}"]
    return []


@conversation("X_CLOCK_EPOCH")
def epoch() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        return await _setting(trial, lambda octets: EPOCH)

    return (step("epoch", send, found("done"), found("refused")),)


@conversation("X_CLOCK_NO_ZONE")
def no_zone() -> Sequence[Node]:
    def change(octets: bytes) -> bytes:
        return octets[:9] + NOT_SPECIFIED.to_bytes(2, "big") + octets[11:]

    async def send(trial: Trial) -> Seen:
        return await _setting(trial, change)

    return (step("no-zone", send, found("done"), found("refused")),)


async def _moment(client: MeterClient, attribute: Callable[[int], AttributeDescriptor]) -> bytes:
    data = await client.get(attribute(TIME))
    assert isinstance(data.value, bytes), "a time is octets"
    return data.value


def _utc(octets: bytes) -> dt.datetime | None:
    """The moment in UTC: local time plus its deviation (Blue Book 4.1.6.1); ``None`` without."""
    deviation = int.from_bytes(octets[9:11], "big", signed=True)
    if deviation == -NOT_SPECIFIED:
        return None
    year = int.from_bytes(octets[:2], "big")
    local = dt.datetime(year, octets[2], octets[3], octets[5], octets[6], octets[7])
    return local + dt.timedelta(minutes=deviation)


def _one_moment(before: bytes, after: bytes) -> list[str]:
    first, last = _utc(before), _utc(after)
    if first is None or last is None:
        return ["the time has no deviation"]
    if abs((last - first).total_seconds()) > SLACK:
        return [f"it was {first.isoformat()} UTC, and became {last.isoformat()}"]
    return []


async def _switched(trial: Trial, number: int, other: Callable[[Data], Data]) -> Seen:
    """Change an attribute for a moment; the time must stay the same moment, and its status must be
    that of its deviation.
    """
    async with _clock(trial, number) as (seat, attribute):
        client = seat.client
        setting = await client.get(attribute(number))
        zone = await client.get(attribute(ZONE))
        before = await _moment(client, attribute)
        try:
            await client.set(attribute(number), other(setting))
            after = await _moment(client, attribute)
            expected = (await client.get(attribute(ZONE))).value
        finally:
            await client.set(attribute(number), setting)
        problems = _one_moment(before, after)
        deviation = int.from_bytes(after[9:11], "big", signed=True)
        summer = bool(after[11] & _DST)
        assert isinstance(expected, int), "a time zone is a number"
        if deviation != -NOT_SPECIFIED and not summer and deviation != expected:
            problems.append(
                f"the deviation is {deviation} min, the time zone {expected}, and it is not summer"
            )
        if summer and deviation == zone.value == expected:
            problems.append("the status says summer time, the deviation does not")
        return Seen.found(problems)


@conversation("X_CLOCK_DST")
def summer_time() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        return await _switched(trial, ENABLED, lambda data: boolean(not data.value))

    return (step("dst", send, found("agrees")),)


@conversation("X_CLOCK_ZONE")
def time_zone() -> Sequence[Node]:
    def other(data: Data) -> Data:
        return long(-60 if data.value != -60 else 0)

    async def send(trial: Trial) -> Seen:
        return await _switched(trial, ZONE, other)

    return (step("zone", send, found("agrees")),)
