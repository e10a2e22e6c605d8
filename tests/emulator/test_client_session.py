"""What both drivers hold: dialogues over objects that are given by hand, without any meter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from dlms.axdr.data import (
    NULL,
    Data,
    DataType,
    array,
    bit_string,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.client.refusals import AccessRefused, ServiceException
from dlms.cosem import obis
from dlms.cosem.quantity import Quantity
from dlms.cosem.units import Unit
from dlms.xdlms.codes import ActionResult, DataAccessResult, ServiceErrorCode, StateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ExceptionResponse
from emulator.client import MeterFault, Refused, UnknownObject
from emulator.client.reading import read_many, read_one
from emulator.client.session import MAX_LIST, Session
from emulator.client.targets import Span, Wanted

ENERGY, VOLTAGE, PROFILE, CLOCK = (
    obis.parse(code) for code in ("1-0:1.8.0", "1-0:32.7.0", "1-0:99.1.0", "0-0:1.0.0")
)
CURRENT = obis.parse("0-0:40.0.0")
OBJECT_LIST = 15, CURRENT, 2
DENIED = DataAccessResult.READ_WRITE_DENIED
KILO_WATT_HOUR_TENTHS = structure(integer(2), enum(30))
"""10² Wh: tenths of a kWh."""


def element(class_id: int, version: int, instance: bytes, *rights: tuple[int, int]) -> Data:
    access = array(*(structure(integer(n), enum(mode), NULL) for n, mode in rights))
    return structure(
        long_unsigned(class_id),
        unsigned(version),
        octet_string(instance),
        structure(access, array()),
    )


def capture(class_id: int, instance: bytes, attribute: int = 2, index: int = 0) -> Data:
    return structure(
        long_unsigned(class_id), octet_string(instance), integer(attribute), long_unsigned(index)
    )


def moment(*parts: int) -> bytes:
    """Date-time, UTC, as its twelve octets; the day of the week is left open."""
    year, month, day, hour, minute = parts
    return year.to_bytes(2, "big") + bytes((month, day, 0xFF, hour, minute, 0, 0, 0, 0, 0))


class Meter:
    """Stands where the dialogues stand: answers from ``values``, remembers what it was asked."""

    def __init__(self, values: dict[Any, Any], conformance: Conformance = Conformance.GET) -> None:
        self.values = values
        self.asked: list[Any] = []
        self.association: Any = SimpleNamespace(
            conformance=conformance, answered=True, config=SimpleNamespace(short_names=False)
        )

    def get(self, attribute: Any, selection: Any = None) -> Any:
        self.asked.append((tuple(attribute), selection))
        value = self._value(attribute)
        if isinstance(value, DataAccessResult):
            raise AccessRefused("read", value)
        return value
        yield

    def get_list(self, items: Sequence[Any]) -> Any:
        self.asked.append([(tuple(attribute), selection) for attribute, selection in items])
        return tuple(self._value(attribute) for attribute, _ in items)
        yield

    def set(self, attribute: Any, value: Data) -> Any:
        self.asked.append((tuple(attribute), value))
        return
        yield

    def action(self, method: Any, parameter: Any) -> Any:
        self.asked.append((tuple(method), parameter))
        value = self._value(method)
        if isinstance(value, ActionResult):
            raise AccessRefused("action", value)
        return value
        yield

    def _value(self, key: Any) -> Any:
        value = self.values.get(tuple(key), DataAccessResult.OBJECT_UNDEFINED)
        if isinstance(value, Exception):
            raise value
        return value

    def session(self) -> Session:
        dialogues: Any = self
        return Session(dialogues, self.association)


def hold(dialogue: Any) -> Any:
    """The result of a dialogue that has nothing to send: our meter is at hand."""
    with pytest.raises(StopIteration) as stop:
        next(dialogue)
    return stop.value.value


def meter(multiple: bool = False, **more: Any) -> Meter:
    """A register, a voltage, a clock and a profile of two columns."""
    listed = array(
        element(15, 1, CURRENT, (1, 1), (2, 1)),
        element(3, 0, ENERGY, (1, 1), (2, 1), (3, 3)),
        element(3, 0, VOLTAGE),
        element(8, 0, CLOCK, (2, 3)),
        element(7, 1, PROFILE, (2, 1)),
    )
    values: dict[Any, Any] = {
        OBJECT_LIST: listed,
        (3, ENERGY, 2): double_long_unsigned(12345),
        (3, ENERGY, 3): KILO_WATT_HOUR_TENTHS,
        (3, VOLTAGE, 2): long_unsigned(2301),
        (3, VOLTAGE, 3): structure(integer(-1), enum(35)),
        (8, CLOCK, 2): octet_string(moment(2019, 3, 26, 12, 0)),
        (7, PROFILE, 2): array(
            structure(octet_string(moment(2019, 3, 26, 11, 30)), double_long_unsigned(12340)),
            structure(NULL, double_long_unsigned(12345)),
            structure(NULL, NULL),
        ),
        (7, PROFILE, 3): array(capture(8, CLOCK), capture(3, ENERGY)),
        (7, PROFILE, 4): double_long_unsigned(1800),
        (7, PROFILE, 5): enum(1),
    }
    services = Conformance.GET | (Conformance.MULTIPLE_REFERENCES if multiple else 0)
    return Meter(values | more.get("values", {}), Conformance(services))


def get(session: Session, what: Any, *args: Any, **more: Any) -> Any:
    return hold(read_one(session, Wanted(what, *args, **more)))


# Registers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what",
    ["1-0:1.8.0", "1-0:1.8.0.255", "active_energy_import", ENERGY, (3, "1-0:1.8.0", 2)],
)
def test_a_register_has_its_unit(what: Any) -> None:
    """12345 · 10² Wh."""
    value = get(meter().session(), what)
    assert value == Quantity(Decimal(1234500), Unit.WATT_HOUR)
    assert str(value) == "1234500 Wh"


def test_digits_are_those_of_the_scaler() -> None:
    assert str(get(meter().session(), "voltage_l1")) == "230.1 V"


def test_the_unit_is_read_once() -> None:
    here = meter()
    session = here.session()
    get(session, "voltage_l1")
    get(session, "voltage_l1")
    asked = [descriptor for descriptor, _ in here.asked]
    assert asked == [OBJECT_LIST, (3, VOLTAGE, 2), (3, VOLTAGE, 3), (3, VOLTAGE, 2)]


@pytest.mark.parametrize("touch", ["set", "invoke"])
def test_the_unit_is_read_again_after_the_object_was_touched(touch: str) -> None:
    here = meter(values={(3, VOLTAGE, 1): None})
    session = here.session()
    get(session, "voltage_l1")
    if touch == "set":
        hold(session.set("voltage_l1", 3, {"scaler": -2, "unit": 35}))
    else:
        hold(session.invoke("voltage_l1", "reset", None))
    here.values[3, VOLTAGE, 3] = structure(integer(-2), enum(35))
    assert str(get(session, "voltage_l1")) == "23.01 V"


def test_a_register_without_its_unit_is_no_reading() -> None:
    """Out by a power of ten is worse than nothing; raw is what it is."""
    session = meter(values={(3, ENERGY, 3): DENIED}).session()
    with pytest.raises(Refused, match=r"attribute 3 scaler_unit: read-write-denied: this assoc"):
        get(session, "active_energy_import")
    assert get(session, "active_energy_import", raw=True) == double_long_unsigned(12345)


def test_a_unit_that_is_none() -> None:
    session = meter(values={(3, ENERGY, 3): enum(30)}).session()
    with pytest.raises(MeterFault, match="attribute 3 scaler_unit: no structure of scaler"):
        get(session, "active_energy_import")


def test_a_register_may_hold_something_else() -> None:
    session = meter(values={(3, ENERGY, 2): octet_string(b"text")}).session()
    assert get(session, "active_energy_import") == b"text"


# Names, classes, versions -------------------------------------------------------------------------


def test_other_attributes_by_number_and_name() -> None:
    session = meter().session()
    by_number = get(session, "active_energy_import", 3)
    assert by_number == get(session, "active_energy_import", "scaler_unit")
    assert by_number == {"scaler": 2, "unit": 30}
    assert str(by_number["unit"]) == "Wh"
    with pytest.raises(UnknownObject, match="has no attribute 'scale': it has value, scaler_unit"):
        get(session, "active_energy_import", "scale")


def test_a_moment_is_a_moment() -> None:
    value = get(meter().session(), "clock")
    assert value.to_datetime() == dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)


def test_a_given_class_needs_no_list() -> None:
    here = meter()
    assert get(here.session(), "clock", class_id=8).hour == 12
    assert [descriptor for descriptor, _ in here.asked] == [(8, CLOCK, 2)]


def test_the_list_decides_the_class() -> None:
    """A clock that is a Data object here."""
    here = meter(values={OBJECT_LIST: array(element(1, 0, CLOCK)), (1, CLOCK, 2): unsigned(7)})
    assert get(here.session(), "clock") == 7


def test_what_the_list_has_not() -> None:
    with pytest.raises(UnknownObject, match=r"this association has no object current_l1 \(1-0:31"):
        get(meter().session(), "current_l1")


def test_one_name_of_two_classes() -> None:
    listed = array(element(3, 0, ENERGY), element(4, 0, ENERGY))
    session = meter(values={OBJECT_LIST: listed}).session()
    with pytest.raises(UnknownObject, match=r"is of several classes \(3, 4\): say which class_id"):
        get(session, "active_energy_import")
    assert get(session, "active_energy_import", class_id=3).unit is Unit.WATT_HOUR


@pytest.mark.parametrize(
    "refusal",
    [
        DENIED,
        ServiceException(
            ExceptionResponse(
                state_error=StateError.SERVICE_NOT_ALLOWED,
                service_error=ServiceErrorCode.PDU_TOO_LONG,
            )
        ),
    ],
    ids=["denied", "exception"],
)
def test_without_a_list_the_usual_class_is_asked(refusal: Any) -> None:
    here = meter(values={OBJECT_LIST: refusal})
    session = here.session()
    assert str(get(session, "voltage_l1")) == "230.1 V"
    assert get(session, "clock").hour == 12
    assert [row[0] for row in here.asked].count(OBJECT_LIST) == 1
    with pytest.raises(UnknownObject, match=r"say which class_id 1-0:128\.8\.0\.255 has: .*list"):
        get(session, "1-0:128.8.0")


@pytest.mark.parametrize("what", ["voltge_l1", "", "1-0:300.8.0", b"\1\0\1"])
def test_names_that_are_none(what: Any) -> None:
    here = meter()
    with pytest.raises(UnknownObject):
        get(here.session(), what)
    assert here.asked == []


@pytest.mark.parametrize("what", [None, 3.0, (3, "1-0:1.8.0"), ["1-0:1.8.0"]])
def test_what_is_no_name_at_all(what: Any) -> None:
    with pytest.raises(TypeError, match="a name, an OBIS code or"):
        get(meter().session(), what)


# The object list ----------------------------------------------------------------------------------


def test_objects_with_their_rights() -> None:
    objects = hold(meter().session().objects())
    assert [entry.class_id for entry in objects] == [15, 3, 3, 8, 7]
    assert len(objects) == 5
    assert objects["active_energy_import"].rights == "r1-3 w3"
    assert objects["clock"].rights == "r2 w2"
    assert objects[VOLTAGE].rights == ""
    assert objects["1-0:99.1.0"].name == "load_profile"
    assert str(objects[ENERGY]) == (
        "1-0:1.8.0.255 active_energy_import, class 3 version 0, r1-3 w3"
    )
    assert "clock" in objects
    assert "current_l1" not in objects
    assert "nonsense" not in objects


@pytest.mark.parametrize(
    ("version", "mode", "rights"),
    [
        (1, 0, ""),
        (1, 4, "r2"),
        (1, 5, "w2"),
        (1, 6, "r2 w2"),
        (2, 6, "r2 w2"),
        # Version 3: bits. Authenticated request and nothing else is no right to anything.
        (3, 0b0000_0100, ""),
        (3, 0b1100_1101, "r2"),
        (3, 0b0000_0011, "r2 w2"),
    ],
)
def test_modes_mean_what_the_version_says(version: int, mode: int, rights: str) -> None:
    listed = array(element(15, version, CURRENT), element(3, 0, ENERGY, (2, mode)))
    objects = hold(meter(values={OBJECT_LIST: listed}).session().objects())
    assert objects[ENERGY].rights == rights


def test_methods() -> None:
    methods = array(
        structure(integer(1), enum(1)), structure(integer(2), Data(DataType.BOOLEAN, 0))
    )
    entry = structure(
        long_unsigned(70), unsigned(0), octet_string(ENERGY), structure(array(), methods)
    )
    objects = hold(meter(values={OBJECT_LIST: array(entry)}).session().objects())
    assert objects[ENERGY].rights == "m1"


@pytest.mark.parametrize(
    "listed",
    [
        octet_string(b"no list"),
        array(octet_string(b"no object")),
        array(structure(long_unsigned(3), unsigned(0))),
        array(structure(long_unsigned(3), unsigned(0), octet_string(b"short"))),
        array(structure(octet_string(b"?"), unsigned(0), octet_string(ENERGY))),
    ],
)
def test_lists_that_are_none(listed: Data) -> None:
    with pytest.raises(MeterFault, match="object_list"):
        hold(meter(values={OBJECT_LIST: listed}).session().objects())


@pytest.mark.parametrize("rights", [(), (NULL,), (structure(NULL, NULL),), (array(NULL),)])
def test_rights_that_say_nothing(rights: tuple[Data, ...]) -> None:
    entry = structure(long_unsigned(3), unsigned(0), octet_string(ENERGY), *rights)
    objects = hold(meter(values={OBJECT_LIST: array(entry)}).session().objects())
    assert objects[ENERGY].rights == ""


# Many at once -------------------------------------------------------------------------------------


def test_many_go_in_one_list_with_what_they_need() -> None:
    here = meter(multiple=True)
    session = here.session()
    wants: list[Any] = ["voltage_l1", "1-0:1.8.0", (8, "0-0:1.0.0", 2)]
    voltage, energy, clock = hold(read_many(session, wants, False, False))
    assert (str(voltage), str(energy), clock.hour) == ("230.1 V", "1234500 Wh", 12)
    _, listed = here.asked
    assert [row[0] for row in listed] == [
        (3, VOLTAGE, 2),
        (3, ENERGY, 2),
        (8, CLOCK, 2),
        (3, VOLTAGE, 3),
        (3, ENERGY, 3),
    ]


def test_lists_are_bounded() -> None:
    here = meter(multiple=True)
    wants: list[Any] = [(8, "0-0:1.0.0", 2)] * (2 * MAX_LIST + 1)
    values = hold(read_many(here.session(), wants, False, False))
    assert len(values) == len(wants)
    assert [len(asked) for asked in here.asked[:2]] == [MAX_LIST, MAX_LIST]
    assert here.asked[2] == ((8, CLOCK, 2), None)  # one is no list


@pytest.mark.parametrize("multiple", [False, True])
def test_a_refusal_among_many(multiple: bool) -> None:
    here = meter(multiple, values={(3, VOLTAGE, 2): DENIED})
    wants: list[Any] = ["clock", "voltage_l1", "1-0:1.8.0"]
    clock, refusal, energy = hold(read_many(here.session(), wants, False, True))
    assert (clock.hour, str(energy)) == (12, "1234500 Wh")
    assert isinstance(refusal, Refused)
    assert refusal.result is DENIED
    assert str(refusal) == (
        "read voltage_l1 (1-0:32.7.0.255) attribute 2 value: read-write-denied:"
        " this association has no right to do that"
    )
    with pytest.raises(Refused, match="voltage_l1"):
        hold(read_many(here.session(), wants, False, False))


def test_nothing_is_nothing() -> None:
    here = meter()
    assert hold(read_many(here.session(), [], False, False)) == []
    assert here.asked == []


# Profiles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("multiple", [False, True])
def test_rows_have_names_units_and_no_gaps(multiple: bool) -> None:
    """Null-data: half an hour after the row before, and the value of the row before."""
    here = meter(multiple)
    rows = get(here.session(), "load_profile")
    assert [row["clock"].to_datetime().time() for row in rows] == [
        dt.time(11, 30),
        dt.time(12, 0),
        dt.time(12, 30),
    ]
    assert [str(row["active_energy_import"]) for row in rows] == [
        "1234000 Wh",
        "1234500 Wh",
        "1234500 Wh",
    ]


def test_newest_first() -> None:
    here = meter(values={(7, PROFILE, 5): enum(2)})
    rows = get(here.session(), "load_profile")
    assert [row["clock"].hour for row in rows] == [11, 11, 10]


def test_columns_are_read_once() -> None:
    here = meter()
    session = here.session()
    get(session, "load_profile")
    before = len(here.asked)
    get(session, "load_profile")
    assert [row[0] for row in here.asked[before:]] == [(7, PROFILE, 2)]


def test_a_column_whose_unit_is_kept_secret_is_a_number() -> None:
    here = meter(values={(3, ENERGY, 3): DENIED})
    assert [row["active_energy_import"] for row in get(here.session(), "load_profile")] == [
        12340,
        12345,
        12345,
    ]


def test_period_and_order_may_be_unknown() -> None:
    here = meter(values={(7, PROFILE, 4): DENIED, (7, PROFILE, 5): DENIED})
    assert [row["clock"] for row in get(here.session(), "load_profile")][1:] == [None, None]


def test_without_columns_there_are_no_rows() -> None:
    here = meter(values={(7, PROFILE, 3): DENIED})
    with pytest.raises(Refused, match="attribute 3 capture_objects: read-write-denied"):
        get(here.session(), "load_profile")
    assert get(here.session(), "load_profile", raw=True).type is DataType.ARRAY


@pytest.mark.parametrize(
    ("attribute", "value"),
    [(3, octet_string(b"")), (2, octet_string(b"")), (2, array(structure(NULL)))],
)
def test_profiles_that_are_none(attribute: int, value: Data) -> None:
    here = meter(values={(7, PROFILE, attribute): value})
    with pytest.raises(MeterFault, match=r"load_profile \(1-0:99.1.0.255\) attribute 2 buffer: "):
        get(here.session(), "load_profile")


def selected(span: Span, raw: bool = False) -> Any:
    here = meter()
    get(here.session(), "load_profile", span=span, raw=raw)
    ((_, selection),) = (row for row in here.asked if row[0] == (7, PROFILE, 2))
    return selection


@pytest.mark.parametrize("raw", [False, True])
def test_selection_by_time(raw: bool) -> None:
    """range_descriptor: restricting object, from, to, all columns (Blue Book 4.3.6.2.3)."""
    noon = dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)
    selector, parameters = selected(Span(since=noon, until=noon + dt.timedelta(hours=1)), raw)
    assert selector == 1
    # 26 March 2019 is a Tuesday.
    assert parameters == structure(
        capture(8, CLOCK),
        octet_string(bytes.fromhex("07E3031A020C000000000000")),
        octet_string(bytes.fromhex("07E3031A020D000000000000")),
        array(),
    )


def test_selection_that_is_open_at_one_end() -> None:
    noon = dt.datetime(2019, 3, 26, 12)
    _, since = selected(Span(since=noon))
    # Local time: the deviation is not specified.
    assert since.value[1].value == bytes.fromhex("07E3031A020C000000800000")
    assert since.value[2].value[:4] == bytes.fromhex("08330C1F")  # 31 December 2099
    _, until = selected(Span(until=CosemDateTime(year=2019, month=3, day=26)))
    assert until.value[1].value[:4] == bytes.fromhex("07D00101")  # 1 January 2000
    assert until.value[2].value == bytes.fromhex("07E3031AFFFFFFFFFF8000FF")


def test_selection_by_entries() -> None:
    selector, parameters = selected(Span(entries=(3, 0)))
    assert selector == 2
    assert parameters == structure(
        double_long_unsigned(3), double_long_unsigned(0), long_unsigned(1), long_unsigned(0)
    )


@pytest.mark.parametrize(
    ("span", "problem"),
    [
        (Span(entries=(0, 3)), "counted from 1"),
        (Span(entries=(4, 3)), "counted from 1"),
        (Span(entries=(1, 3), since=dt.datetime.now(dt.UTC)), "not both"),
        (Span(since=CosemDateTime(month=99)), "month"),
    ],
)
def test_selections_that_cannot_be(span: Span, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        selected(span)


def test_no_clock_to_select_by() -> None:
    here = meter(values={(7, PROFILE, 3): array(capture(3, ENERGY))})
    with pytest.raises(ValueError, match="shows no clock"):
        get(here.session(), "load_profile", span=Span(since=dt.datetime.now(dt.UTC)))


def test_rows_of_what_is_no_profile() -> None:
    here = meter()
    with pytest.raises(ValueError, match=r"voltage_l1 .* of the buffer of a profile only"):
        get(here.session(), "voltage_l1", span=Span(entries=(1, 2)))


# Writing and acting -------------------------------------------------------------------------------


def test_set_takes_python_values() -> None:
    here = meter()
    session = here.session()
    hold(session.set("clock", "time", dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)))
    hold(session.set("clock", 3, -60))
    assert here.asked[1:] == [
        ((8, CLOCK, 2), octet_string(bytes.fromhex("07E3031A020C000000000000"))),
        ((8, CLOCK, 3), Data(DataType.LONG, -60)),
    ]


@pytest.mark.parametrize(
    ("what", "attribute", "value", "problem"),
    [
        ("clock", 2, "noon", r"clock \(0-0:1.0.0.255\) attribute 2 time: "),
        ("clock", 3, 1.5, "attribute 3 time_zone: "),
        ("1-0:1.8.0", 2, 5, "attribute 2 value: the class leaves the type open: give a Data"),
    ],
)
def test_values_that_do_not_fit_are_not_sent(
    what: str, attribute: int, value: Any, problem: str
) -> None:
    here = meter()
    with pytest.raises(ValueError, match=problem):
        hold(here.session().set(what, attribute, value))
    assert [row[0] for row in here.asked] == [OBJECT_LIST]


def test_invoke_fills_in_what_says_nothing() -> None:
    here = meter(values={(3, VOLTAGE, 1): None, (8, CLOCK, 6): None})
    session = here.session()
    hold(session.invoke("voltage_l1", 1, None))
    hold(session.invoke("clock", "shift_time", 30))
    assert here.asked[1:] == [
        ((3, VOLTAGE, 1), integer(0)),
        ((8, CLOCK, 6), Data(DataType.LONG, 30)),
    ]


def test_what_a_method_returns() -> None:
    """Association LN, reply_to_HLS_authentication returns octets."""
    here = meter(values={(15, CURRENT, 1): octet_string(b"reply")})
    assert hold(here.session().invoke(CURRENT, 1, b"request")) == b"reply"


def test_a_method_of_a_class_nobody_knows() -> None:
    """No shape: parameter and result are what they are."""
    here = meter(values={(8192, ENERGY, 1): bit_string("101")})
    returned = hold(here.session().invoke(ENERGY, 1, unsigned(1), class_id=8192))
    assert returned == "101"
    hold(here.session().invoke(ENERGY, 1, None, class_id=8192))
    assert here.asked == [((8192, ENERGY, 1), unsigned(1)), ((8192, ENERGY, 1), None)]


def test_methods_that_are_refused_or_are_none() -> None:
    here = meter(values={(3, VOLTAGE, 1): ActionResult.OTHER_REASON})
    session = here.session()
    with pytest.raises(
        Refused, match=r"invoke voltage_l1 \(1-0:32.7.0.255\) method 1 reset: other"
    ):
        hold(session.invoke("voltage_l1", "reset", None))
    with pytest.raises(UnknownObject, match="has no method 'set': it has reset"):
        hold(session.invoke("voltage_l1", "set", None))
