"""Push setup: what a push is made of, who may have it, and what else a meter says unasked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from devices.objects.push_setup import MAX_OBJECTS
from devices.outbox import MAX_KEPT, Changed, Outbox, Pushed
from dlms.axdr.data import (
    NULL,
    Data,
    DataType,
    array,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.cosem.security_setup import Policy
from dlms.security.control import Protection
from dlms.xdlms.action import ActionRequestWithList
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.long_invoke import LONG_INVOKE_ID
from dlms.xdlms.variable_access import VariableName
from dlms.xdlms.write import WriteRequest

SETUP, OLD = "0-0:25.9.0.255", "0-1:25.9.0.255"
"""Of version 3, and of version 0 with a short name."""
OLD_BASE, PUSH_OFFSET = 0x0300, 0x38
CLOCK, ENERGY, DAYS, PAD = (
    obis.parse(code) for code in ("0-0:1.0.0", "1-0:1.8.0", "1-0:99.2.0", "0-0:96.1.9")
)
SUPPLY = AttributeDescriptor(70, obis.parse("0-0:96.3.10"), 3)
READING = AttributeDescriptor(3, ENERGY, 2)
NOON = bytes.fromhex("07E3031A020C000000000000")
"""2019-03-26 12:00:00.00, a Tuesday, UTC."""
ZERO = integer(0)
NO_RESTRICTION = structure(enum(0), NULL)


@pytest.fixture
def lab(make_bench: Callable[..., Any]) -> Any:
    return make_bench("laboratory")


def capture(class_id: int, instance: bytes, attribute: int = 2, index: int = 0) -> Data:
    return structure(
        long_unsigned(class_id), octet_string(instance), integer(attribute), long_unsigned(index)
    )


def element(
    class_id: int,
    instance: bytes,
    attribute: int = 2,
    index: int = 0,
    restriction: Data = NO_RESTRICTION,
    *columns: Data,
) -> Data:
    """As in versions 2 and 3."""
    head = capture(class_id, instance, attribute, index).value
    assert isinstance(head, tuple)
    return structure(*head, restriction, array(*columns))


def by_entry(first: int, last: int) -> Data:
    return structure(enum(2), structure(double_long_unsigned(first), double_long_unsigned(last)))


def by_date(first: dt.datetime, last: dt.datetime) -> Data:
    limits = (octet_string(CosemDateTime.from_datetime(one).to_octets()) for one in (first, last))
    return structure(enum(1), structure(*limits))


def pushed(lab: Any, code: str = SETUP, who: str = "dco") -> Any:
    """The one notification that method push leaves for whoever invokes it."""
    assert lab.act(code, 1, ZERO, who) is ActionResult.SUCCESS
    (notification,) = lab.device.outbox.take_replies()
    return notification


def body(lab: Any, *elements: Data) -> tuple[Data, ...]:
    """What is pushed once push_object_list is ``elements``."""
    assert lab.set(SETUP, 2, array(*elements)) is DataAccessResult.SUCCESS
    told = pushed(lab).body
    assert told.type is DataType.STRUCTURE
    parts: tuple[Data, ...] = told.value
    return parts


# What a push is made of ---------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["dco", "reader"])
def test_a_push_is_the_list_as_a_structure(lab: Any, who: str) -> None:
    told = pushed(lab, who=who)
    assert type(told) is DataNotification
    assert told.date_time == NOON
    assert not told.confirmed
    name, time, energy, unit, days = told.body.value
    assert name == octet_string(obis.parse(SETUP))
    assert time == octet_string(NOON)
    assert energy == lab.get("1-0:1.8.0.255", 2)
    assert unit == lab.get("1-0:1.8.0.255", 3).value[1]
    rows = lab.get("1-0:99.2.0.255", 2).value
    # Of four columns the list names two, of the rows the first two.
    assert days == array(*(structure(*row.value[:2]) for row in rows[:2]))


def test_the_older_version_has_elements_of_four_parts(lab: Any) -> None:
    told = pushed(lab, OLD)
    assert told.body == structure(octet_string(NOON), lab.get("1-0:1.8.0.255", 2))


def test_the_time_is_the_meters_own(lab: Any) -> None:
    lab.device.state.clock_offset = dt.timedelta(hours=1)
    assert pushed(lab).date_time == bytes.fromhex("07E3031A020D000000000000")


def test_each_push_has_a_number(lab: Any) -> None:
    first = pushed(lab).long_invoke
    assert pushed(lab, OLD).long_invoke == first + 1
    lab.device.outbox._invoke = LONG_INVOKE_ID
    assert pushed(lab).long_invoke == 0


def test_part_of_an_attribute(lab: Any) -> None:
    scaler_unit = lab.get("1-0:1.8.0.255", 3).value
    parts = body(
        lab,
        *(element(3, ENERGY, 3, index) for index in (1, 2, 3)),
        element(3, ENERGY, 2, 1),
        element(7, DAYS, 2, 0x1001),
    )
    # Beyond its end there is nothing, nor within a number; ages of rows are not known here.
    assert parts == (*scaler_unit, NULL, NULL, NULL)


def test_rows_by_entry_and_by_date(lab: Any) -> None:
    rows = lab.get("1-0:99.2.0.255", 2).value
    midnight = lab.now.replace(hour=0)
    day = dt.timedelta(days=1)
    parts = body(
        lab,
        element(7, DAYS, 2, 0, by_entry(2, 3)),
        element(7, DAYS, 2, 0, by_date(midnight - day, midnight)),
        element(7, DAYS, 2, 0, by_entry(1, 1), capture(3, ENERGY)),
        element(7, DAYS, 2, 0, NO_RESTRICTION, capture(3, ENERGY), capture(8, CLOCK)),
        element(7, DAYS, 2, 2, by_entry(2, 3)),
    )
    assert parts[0] == array(*rows[1:3])
    assert parts[1] == array(*rows[:2])
    assert parts[2] == array(structure(rows[0].value[1]))
    # Columns keep the order of the buffer, whatever that of the list.
    assert parts[3] == array(*(structure(*row.value[:2]) for row in rows))
    assert parts[4] == rows[2]


def test_restrictions_that_select_nothing(lab: Any) -> None:
    wrong = structure(enum(1), structure(octet_string(bytes(5)), octet_string(bytes(5))))
    parts = body(
        lab,
        element(3, ENERGY, 2, 0, by_entry(1, 2)),
        element(7, DAYS, 2, 0, structure(enum(2), NULL)),
        element(7, DAYS, 2, 0, structure(enum(7), NULL)),
        element(7, DAYS, 2, 0, wrong),
        element(7, DAYS, 2, 0, by_entry(1, 1), capture(1, PAD)),
    )
    assert parts[:4] == (NULL, NULL, NULL, NULL)
    assert parts[4] == array(structure())


def test_what_may_not_be_read_is_not_pushed(lab: Any) -> None:
    """Null-data in its place, so that the others keep theirs."""
    lab.set(
        SETUP,
        2,
        array(
            element(1, PAD),
            element(64, obis.parse("0-0:43.0.2")),
            element(1, obis.parse("0-0:43.1.1")),
            element(3, ENERGY),
        ),
    )
    theirs = pushed(lab, who="reader").body.value
    ours = pushed(lab).body.value
    codes = ("0-0:96.1.9.255", "0-0:43.0.2.255", "0-0:43.1.1.255", "1-0:1.8.0.255")
    readable = [isinstance(lab.get(code, 2, "reader"), Data) for code in codes]
    assert readable == [True, False, True, True]
    assert [part != NULL for part in theirs] == readable
    assert ours[1] != NULL


def test_what_is_not_there_is_not_pushed(lab: Any) -> None:
    parts = body(
        lab,
        element(3, CLOCK),
        element(8, bytes(6)),
        element(8, CLOCK, 99),
        element(8, CLOCK, 0),
        element(8, CLOCK, -1),
    )
    assert parts == (NULL,) * 5


def test_a_right_that_asks_for_protection(make_bench: Callable[..., Any]) -> None:
    """The association's policy protects what is said unasked: NONE is too little for the pad."""
    graded = make_bench(
        "laboratory",
        '[associations.graded]\nclient_sap = 27\ncontext = "LN_CIPHERED"\nmechanism = "HLS_GMAC"\n'
        'conformance = ["GET", "ACTION", "EVENT_NOTIFICATION", "DATA_NOTIFICATION"]\n'
        "max_pdu_size = 1024\nsecurity_setup = 16\n"
        'assumed = "tells"\n',
    )
    device, row = graded.device, graded.association("graded")
    pad, number = AttributeDescriptor(1, PAD, 2), AttributeDescriptor(3, ENERGY[:3] + b"x", 2)
    assert device.announced(Changed(pad), row, graded.now) is None
    assert device.announced(Changed(number), row, graded.now) is None
    device.state.policies["graded"] = Policy(Protection.AUTHENTICATED, Protection.AUTHENTICATED)
    assert device.announced(Changed(pad), row, graded.now) is None
    device.state.policies["graded"] = Policy(Protection.BOTH, Protection.BOTH)
    assert device.announced(Changed(pad), row, graded.now) is not None
    # Its answers are promised to be authenticated, and the right to ask has no condition.
    reset = AttributeDescriptor(3, obis.parse("0-0:96.1.7"), 2)
    device.state.policies["graded"] = Policy(Protection.ENCRYPTED, Protection.ENCRYPTED)
    assert device.announced(Changed(reset), row, graded.now) is None
    device.state.policies["graded"] = Policy(Protection.AUTHENTICATED, Protection.AUTHENTICATED)
    assert device.announced(Changed(reset), row, graded.now) is not None
    # Here it is the answer alone that is promised to be authenticated.
    itself = AttributeDescriptor(15, obis.parse("0-0:40.0.0"), 3)
    assert device.announced(Changed(itself), row, graded.now) is not None
    device.state.policies["graded"] = Policy(Protection.NONE, Protection.NONE)
    assert device.announced(Changed(itself), row, graded.now) is None


# What cannot be pushed ----------------------------------------------------------------------------


def test_an_association_that_is_told_nothing(make_bench: Callable[..., Any]) -> None:
    """``suite1`` may invoke what the DCO may, and offers no notification."""
    lab = make_bench("laboratory")
    assert lab.act(SETUP, 1, ZERO, "suite1") is ActionResult.OTHER_REASON
    assert lab.device.outbox.take_replies() == ()


@pytest.mark.parametrize("count", [0, MAX_OBJECTS + 1])
def test_nothing_to_push_or_too_much(lab: Any, count: int) -> None:
    lab.set(SETUP, 2, array(*[element(8, CLOCK)] * count))
    assert lab.act(SETUP, 1, ZERO) is ActionResult.OTHER_REASON
    lab.set(SETUP, 2, array(*[element(8, CLOCK)] * MAX_OBJECTS))
    assert lab.act(SETUP, 1, ZERO) is ActionResult.SUCCESS


def test_more_pushes_than_wait(lab: Any) -> None:
    """A list of methods that all push: the last is refused, and the client learns of it."""
    push = MethodDescriptor(40, obis.parse(SETUP), 1)
    request = ActionRequestWithList(0x41, (push,) * (MAX_KEPT + 1), (ZERO,) * (MAX_KEPT + 1))
    results = [one.result for one in lab.handle(request).results]
    assert results == [ActionResult.SUCCESS] * MAX_KEPT + [ActionResult.TEMPORARY_FAILURE]
    told = lab.device.outbox.take_replies()
    assert len(told) == MAX_KEPT
    assert len({one.long_invoke for one in told}) == MAX_KEPT
    assert lab.act(SETUP, 1, ZERO) is ActionResult.SUCCESS


def test_who_may_not_push(lab: Any) -> None:
    assert lab.act(SETUP, 1, ZERO, "public") is ActionResult.OBJECT_UNDEFINED
    assert lab.act(SETUP, 2, ZERO, "reader") is ActionResult.READ_WRITE_DENIED
    assert lab.act(SETUP, 2, ZERO) is ActionResult.OBJECT_UNAVAILABLE  # reset
    assert lab.act(SETUP, 1, unsigned(0)) is ActionResult.TYPE_UNMATCHED
    assert lab.device.outbox.take_replies() == ()


# Short names --------------------------------------------------------------------------------------


def test_a_report_where_short_names_are_used(lab: Any) -> None:
    request = WriteRequest((VariableName(name=OLD_BASE + PUSH_OFFSET),), (ZERO,))
    (result,) = lab.handle(request, "sn").results
    assert result is DataAccessResult.SUCCESS
    bases = lab.profile.short_names.bases
    (told,) = lab.device.outbox.take_replies()
    assert told == InformationReport(
        (VariableName(name=bases[CLOCK] + 8), VariableName(name=bases[ENERGY] + 8)),
        (octet_string(NOON), lab.get("1-0:1.8.0.255", 2)),
    )


def test_a_report_has_whole_attributes_only(lab: Any) -> None:
    row = lab.association("sn")
    what = Pushed(obis.parse(SETUP))
    told = lab.device.announced(what, row, lab.now)
    # Its own name, the time and the energy; no part of the unit, no selected rows.
    bases = lab.profile.short_names.bases
    places = zip(told.specifications, (obis.parse(SETUP), CLOCK, ENERGY), strict=True)
    assert [one.name - bases[instance] for one, instance in places] == [0, 8, 8]
    lab.set(SETUP, 2, array(element(3, ENERGY, 3, 2), element(8, CLOCK, 0)))
    assert lab.device.announced(what, row, lab.now) is None


# What nobody has asked for ------------------------------------------------------------------------


def test_an_event_in_the_words_of_each_association(lab: Any) -> None:
    value = lab.get("1-0:1.8.0.255", 2)

    def told(who: str) -> Any:
        return lab.device.announced(Changed(READING), lab.association(who), lab.now)

    assert told("dco") == told("reader") == EventNotification(READING, value, NOON)
    name = VariableName(name=lab.profile.short_names.bases[ENERGY] + 8)
    assert told("sn") == told("sn_ciphered") == InformationReport((name,), (value,))
    for who in ("public", "suite1", "broadcast", "pre_established"):
        assert told(who) is None, who


def test_an_event_of_what_is_not_there(lab: Any) -> None:
    for attribute in (
        READING._replace(attribute=99),
        READING._replace(class_id=4),
        READING._replace(instance=bytes(6)),
        AttributeDescriptor(64, obis.parse("0-0:43.0.2"), 2),
    ):
        assert lab.device.announced(Changed(attribute), lab.association("reader"), lab.now) is None


def test_an_announced_push_is_for_whoever_may_push(lab: Any) -> None:
    def told(who: str, code: str = SETUP) -> Any:
        return lab.device.announced(Pushed(obis.parse(code)), lab.association(who), lab.now)

    assert type(told("reader")) is type(told("dco")) is DataNotification
    assert type(told("sn")) is InformationReport
    for who in ("public", "suite1", "broadcast"):
        assert told(who) is None, who
    assert told("dco", "0-0:1.0.0.255") is None  # has a method 1, and is no Push setup
    assert told("dco", "0-9:25.9.0.255") is None


def test_an_announced_push_needs_the_right(make_bench: Callable[..., Any]) -> None:
    """To see the Push setup is not enough."""
    other = make_bench(
        "laboratory", f'[objects."{SETUP}"]\nrights.reader = "r"\nassumed = "looks on"\n'
    )
    what = Pushed(obis.parse(SETUP))
    assert other.device.announced(what, other.association("reader"), other.now) is None
    assert other.device.announced(what, other.association("dco"), other.now) is not None


def test_nothing_is_said_where_nobody_is_answered(lab: Any) -> None:
    """All meters have the broadcast key, and are all spoken to at once."""
    row = lab.association("dco")
    silent = row._replace(config=replace(row.config, broadcast=True))
    for what in (Changed(READING), Pushed(obis.parse(SETUP))):
        assert lab.device.announced(what, row, lab.now) is not None
        assert lab.device.announced(what, silent, lab.now) is None


def test_supply_that_changes_is_announced(lab: Any) -> None:
    outbox = lab.device.outbox
    assert lab.act("0-0:96.3.10.255", 1, ZERO) is ActionResult.SUCCESS
    assert outbox.take_announcements() == ()  # it was disconnected already
    assert lab.act("0-0:96.3.10.255", 2, ZERO) is ActionResult.SUCCESS
    assert lab.act("0-0:96.3.10.255", 1, ZERO) is ActionResult.SUCCESS
    assert outbox.take_announcements() == (Changed(SUPPLY),)
    assert outbox.take_announcements() == ()
    told = lab.device.announced(Changed(SUPPLY), lab.association("dco"), lab.now)
    assert told == EventNotification(SUPPLY, enum(0), NOON)


def test_what_is_announced_twice_is_told_once() -> None:
    outbox = Outbox()
    for what in (Changed(SUPPLY), Pushed(CLOCK), Changed(SUPPLY), Changed(READING)):
        outbox.announce(what)
    assert outbox.take_announcements() == (Changed(SUPPLY), Pushed(CLOCK), Changed(READING))
