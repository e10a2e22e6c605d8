"""Times and rows that are easily misunderstood."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from devices.answering.asking import Answerable
from dlms.axdr.data import (
    NULL,
    Data,
    array,
    double_long_unsigned,
    integer,
    long_unsigned,
    octet_string,
    structure,
)
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.registry import AnyResponse
from emulator.conformance.hostile.vice import Vice
from emulator.conformance.hostile.vices.asked import CLOCK, PROFILE, VALUE, reads


def date_time(moment: dt.datetime, status: int, *, deviation: int | None = None) -> Data:
    """A COSEM date-time of local time; ``deviation`` in minutes from UTC, as the books count it:
    negative east of Greenwich.
    """
    away = 0x8000 if deviation is None else deviation & 0xFFFF
    return octet_string(
        moment.year.to_bytes(2, "big")
        + bytes((moment.month, moment.day, moment.isoweekday()))
        + bytes((moment.hour, moment.minute, moment.second, 0))
        + away.to_bytes(2, "big")
        + bytes((status,))
    )


class BadClock(Vice):
    """The time says of itself what is wrong with it: ``status``, as clock_status has it."""

    kind: ClassVar[str] = "bad-clock"

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not reads(request, CLOCK):
            return None
        self.stage.acts(f"clock_status {self.parameters['status']:02X}")
        moment = dt.datetime(2019, 3, 26, 12, 34, 56)
        time = date_time(moment, self.parameters["status"], deviation=0)
        return GetResponse(request.invoke, time)


PERIOD = 1800
"""Seconds from row to row."""
_CLOCK_NAME, _ENERGY = bytes((0, 0, 1, 0, 0, 255)), bytes((1, 0, 1, 8, 0, 255))
_REGISTER = 3
_DST = 0x80
_SUMMER_ENDS = dt.datetime(2019, 10, 27, 1, 0, tzinfo=dt.UTC)
"""In Great Britain: from 02:00 back to 01:00 on the wall."""


class Rows(Vice):
    """A profile with rows of its own, which are right, by ``how``: usual; repeated, the hour that
    summer time has twice; or compressed, null-data where a value follows from the row before.
    """

    kind: ClassVar[str] = "rows"

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not isinstance(request, GetRequest) or request.attribute.class_id != PROFILE:
            return None
        match request.attribute.attribute:
            case 2:
                if self.parameters["how"] != "usual":
                    self.stage.acts(f"rows: {self.parameters['how']}")
                return GetResponse(request.invoke, array(*self._rows()))
            case 3:
                columns = array(_column(CLOCK, _CLOCK_NAME), _column(_REGISTER, _ENERGY))
                return GetResponse(request.invoke, columns)
            case 4:
                return GetResponse(request.invoke, double_long_unsigned(PERIOD))
            case 7 | 8:
                count = len(expected_rows(self.parameters["how"]))
                return GetResponse(request.invoke, double_long_unsigned(count))
        return None

    def _rows(self) -> list[Data]:
        how = self.parameters["how"]
        rows, before = [], None
        for moment, energy in expected_rows(how):
            time = _local(moment)
            value = double_long_unsigned(energy)
            if how == "compressed" and before is not None:
                time = NULL
                value = NULL if energy == before else value
            rows.append(structure(time, value))
            before = energy
        return rows


def expected_rows(how: str) -> list[tuple[dt.datetime, int]]:
    """The rows by their moments (aware, UTC) and values: what a head end is to believe."""
    usual = dt.datetime(2019, 11, 5, 0, 0, tzinfo=dt.UTC)
    first = usual if how == "usual" else _SUMMER_ENDS - dt.timedelta(hours=1)
    energies = [100, 100, 150, 150, 150] if how == "compressed" else [100, 120, 150, 190, 240]
    return [
        (first + dt.timedelta(seconds=PERIOD * number), energy)
        for number, energy in enumerate(energies)
    ]


def _local(moment: dt.datetime) -> Data:
    """British time, with its deviation and whether it is summer time."""
    summer = moment < _SUMMER_ENDS
    local = moment + dt.timedelta(hours=1) if summer else moment
    return date_time(local, _DST if summer else 0, deviation=-60 if summer else 0)


def _column(class_id: int, instance: bytes) -> Data:
    return structure(
        long_unsigned(class_id), octet_string(instance), integer(VALUE), long_unsigned(0)
    )
