"""What a notification means, by what the meter shows of itself; the meter is given by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from dlms.axdr.data import (
    NULL,
    Data,
    array,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
)
from dlms.client.refusals import AccessRefused, ServiceException
from dlms.cosem import obis
from dlms.cosem.quantity import Quantity
from dlms.cosem.units import Unit
from dlms.errors import LocalProtocolError
from dlms.xdlms.codes import DataAccessResult, ServiceErrorCode, StateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.variable_access import VariableName
from emulator.client import MeterFault, Refused
from emulator.client.noticing import understand
from emulator.client.session import Session

SETUP, ENERGY, DEMAND = (obis.parse(code) for code in ("0-3:25.9.0", "1-0:1.8.0", "1-0:1.4.0"))
LIST, SCALER = (40, SETUP, 2), (3, ENERGY, 3)
DENIED = DataAccessResult.READ_WRITE_DENIED
PAIR = 3, 1
WATT_HOURS = structure(integer(2), enum(30))
WHEN = bytes.fromhex("07E3031A020C000000000000")


class Meter:
    """Stands where the dialogues stand."""

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {LIST: DENIED, SCALER: WATT_HOURS}
        self.asked: list[Any] = []

    def get(self, attribute: Any, selection: Any = None) -> Any:
        self.asked.append(tuple(attribute))
        value = self.values.get(tuple(attribute), DataAccessResult.OBJECT_UNDEFINED)
        if isinstance(value, Exception):
            raise value
        if isinstance(value, DataAccessResult):
            raise AccessRefused("read", value)
        return value
        yield

    def session(self) -> Session:
        association: Any = SimpleNamespace(
            conformance=Conformance.GET, config=SimpleNamespace(short_names=False)
        )
        dialogues: Any = self
        return Session(dialogues, association)

    def understand(self, told: Any, setup: Any = None) -> Any:
        with pytest.raises(StopIteration) as stop:
            next(understand(self.session(), told, PAIR, setup))
        return stop.value.value


@pytest.fixture
def meter() -> Meter:
    return Meter()


def listed(class_id: int, instance: bytes, attribute: int = 2, index: int = 0) -> Data:
    """An element of version 1."""
    return structure(
        long_unsigned(class_id),
        octet_string(instance),
        integer(attribute),
        long_unsigned(index),
        structure(enum(0), NULL),
    )


def push(*values: Data) -> DataNotification:
    return DataNotification(0x60000005, structure(*values), WHEN)


def test_by_the_list_of_the_setup_that_says_its_name(meter: Meter) -> None:
    meter.values[LIST] = array(
        listed(40, SETUP, 1), listed(3, ENERGY), listed(3, ENERGY, 3, 1), listed(5, DEMAND, 2, 1)
    )
    meter.values[5, DEMAND, 4] = WATT_HOURS
    seven = double_long_unsigned(7)
    notice = meter.understand(push(octet_string(SETUP), seven, integer(2), seven))
    name = obis.text(SETUP)
    values = list(notice.values.values())
    # A scaler is for whole values of the attribute that it belongs to.
    assert values == [name, Quantity(Decimal(700), Unit.WATT_HOUR), 2, 7]
    first = "active_energy_import"
    assert list(notice.values)[1:3] == [first, f"{first}.scaler_unit[1]"]
    assert (notice.client_sap, notice.server_sap) == PAIR
    assert notice.invoke_id == 5
    assert notice.time.to_datetime() == dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)
    assert meter.asked == [LIST, SCALER]


def test_what_is_needed_is_read_once(meter: Meter) -> None:
    meter.values[LIST] = array(listed(40, SETUP, 1), listed(3, ENERGY))
    session = meter.session()
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(understand(session, push(octet_string(SETUP), integer(1)), PAIR))
    assert meter.asked == [LIST, SCALER]


@pytest.mark.parametrize(
    "shown",
    [
        DENIED,
        array(listed(3, ENERGY)),
        array(integer(1), integer(2)),
        array(structure(), structure()),
        integer(0),
        LocalProtocolError("GET was not negotiated"),
    ],
    ids=["refused", "other length", "no structures", "empty", "no array", "not to be read"],
)
def test_a_list_that_does_not_help(meter: Meter, shown: Any) -> None:
    """Nobody said what the values are, so they are shown as they are; or it is an error."""
    meter.values[LIST] = shown
    told = push(octet_string(SETUP), double_long_unsigned(7))
    assert meter.understand(told).values == [SETUP, 7]
    with pytest.raises((Refused, MeterFault, LocalProtocolError)):
        next(understand(meter.session(), told, PAIR, (40, SETUP, 2)))


def test_a_meter_that_refuses_to_be_asked(meter: Meter) -> None:
    """Not the list alone but the request as a whole: that is said, and not passed over."""
    meter.values[LIST] = ServiceException(
        ExceptionResponse(
            state_error=StateError.SERVICE_NOT_ALLOWED, service_error=ServiceErrorCode.OTHER_REASON
        )
    )
    with pytest.raises(Refused, match="exception"):
        next(understand(meter.session(), push(octet_string(SETUP)), PAIR))


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (structure(integer(1), octet_string(SETUP)), [1, SETUP]),
        (structure(octet_string(ENERGY)), [ENERGY]),
        (structure(octet_string(SETUP[:5])), [SETUP[:5]]),
        (structure(), [[]]),
        (integer(4), [4]),
        (array(integer(4)), [[4]]),
    ],
)
def test_a_push_that_says_no_name(meter: Meter, body: Data, values: list[Any]) -> None:
    notice = meter.understand(DataNotification(1, body))
    assert (notice.values, notice.time) == (values, None)
    assert meter.asked == []


def test_a_value_that_is_no_structure(meter: Meter) -> None:
    """Of a list of one element some meters leave the structure out."""
    meter.values[LIST] = array(listed(3, ENERGY))
    notice = meter.understand(DataNotification(1, double_long_unsigned(7)), (40, SETUP, 2))
    assert notice.values == {"active_energy_import": Quantity(Decimal(700), Unit.WATT_HOUR)}


@pytest.mark.parametrize("scaler", [DENIED, LocalProtocolError("GET was not negotiated")])
def test_an_event_without_its_unit(meter: Meter, scaler: Any) -> None:
    event = EventNotification(AttributeDescriptor(3, ENERGY, 2), double_long_unsigned(7), WHEN)
    notice = meter.understand(event)
    assert notice.values == {"active_energy_import": Quantity(Decimal(700), Unit.WATT_HOUR)}
    assert notice.time.to_datetime().hour == 12
    meter.values[SCALER] = scaler
    assert meter.understand(event._replace(time=None)).values == {"active_energy_import": 7}
    assert meter.understand(event._replace(time=None)).time is None


def test_a_time_that_is_none(meter: Meter) -> None:
    event = EventNotification(AttributeDescriptor(3, ENERGY, 2), integer(7), b"\x07\xe3\x63" * 4)
    with pytest.raises(MeterFault, match="understand a notification"):
        next(understand(meter.session(), event, PAIR))


@pytest.mark.parametrize(
    ("characters", "moment"),
    [
        (b"20240131235959Z", dt.datetime(2024, 1, 31, 23, 59, 59, tzinfo=dt.UTC)),
        (b"20240131235959", None),
        (b"20241331235959Z", None),
        (b"\xff", None),
        (None, None),
    ],
)
def test_a_report(meter: Meter, characters: bytes | None, moment: dt.datetime | None) -> None:
    names = VariableName(name=0xFA08), VariableName(name=0x10)
    notice = meter.understand(InformationReport(names, (integer(1), integer(2)), characters))
    assert notice.kind == "information-report"
    assert notice.values == {"0xFA08": 1, "0x0010": 2}
    assert notice.time == moment
    assert notice.invoke_id is None
    assert meter.asked == []
