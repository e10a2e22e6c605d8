"""Alerts as a Push setup tells them: what is said, to whom, when and how often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from devices.history import Alert
from devices.objects.push_plan import Delay, Destination
from devices.profile import ProfileError, available, gas, load, load_text
from dlms.axdr.data import (
    NULL,
    Data,
    array,
    double_long,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.long_invoke import CONFIRMED

NOON = dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)
SETUP = "0-0:25.9.1.255"
SETUP_NAME = obis.parse(SETUP)
COVER = Alert(0x8F74, NOON, -3)
ASSUMED = 'assumed = "for the test"\n'
OLD_LIST = (
    "values.2 = { array = [{ structure = [{ long-unsigned = 1 }, "
    '{ obis = "0-0:96.11.0.255" }, { integer = 2 }, { long-unsigned = 0 }] }] }\n'
)
OLD = (
    f'[objects."0-1:25.9.0.255"]\nclass = "Push setup"\nversion = 0\n{OLD_LIST}'
    "values.6 = { unsigned = 2 }\nvalues.7 = { long-unsigned = 7 }\n"
    f'rights.dco = "rw"\n{ASSUMED}'
)


@pytest.fixture
def meter(bench: Any) -> Any:
    bench.device.state.alerts[7] = COVER
    return bench


def store(meter: Any, attribute: int, value: Data, setup: bytes = SETUP_NAME) -> None:
    meter.device.store(meter.device.profile.objects[setup], attribute, value)


def told(meter: Any, number: int = 7) -> DataNotification | None:
    plan = meter.device.alert_plan()
    assert plan is not None
    found: DataNotification | None = meter.device.alert(number, plan)
    return found


def octets(moment: dt.datetime) -> bytes:
    return CosemDateTime.from_datetime(moment).to_octets()


def test_what_an_alert_says(meter: Any) -> None:
    meter.now = NOON + dt.timedelta(hours=3)
    ldn = meter.profile.logical_device_name(meter.device.serial)
    assert told(meter) == DataNotification(
        CONFIRMED | 7,
        structure(
            octet_string(SETUP_NAME),
            octet_string(ldn),
            octet_string(octets(NOON)),
            long_unsigned(0x8F74),
            double_long(-3),
        ),
        octets(NOON),
    )
    assert meter.device.telling is None


def test_each_alert_is_told_as_itself(meter: Any) -> None:
    meter.device.state.alerts[8] = Alert(0x8F75, NOON + dt.timedelta(minutes=1), 5)
    first, second = told(meter), told(meter, 8)
    assert first is not None
    assert second is not None
    assert [part.value for part in first.body.value[3:]] == [0x8F74, -3]
    assert [part.value for part in second.body.value[3:]] == [0x8F75, 5]
    assert (first.long_invoke & 0xFF, second.long_invoke & 0xFF) == (7, 8)
    assert told(meter, 9) is None


def test_the_running_number_goes_on_beyond_the_long_invoke_id(meter: Any) -> None:
    meter.device.state.alerts[0x1000007] = COVER
    again = told(meter, 0x1000007)
    assert again is not None
    assert again.long_invoke == CONFIRMED | 7


def test_it_is_told_again_as_it_was_though_the_clock_has_been_set_since(meter: Any) -> None:
    """By its time a repeated alert is known as such."""
    meter.device.advance(NOON)
    first = told(meter)
    meter.now = NOON + dt.timedelta(hours=1)
    moved = octet_string(octets(meter.now + dt.timedelta(minutes=20)))
    assert meter.set("0-0:1.0.0.255", 2, moved, "dco") == 0
    assert told(meter) == first
    later = meter.device.state.alerts[8] = Alert(0x8F76, meter.now + dt.timedelta(hours=1))
    assert told(meter, 8).date_time == octets(later.moment + dt.timedelta(minutes=20))


def test_what_the_event_objects_show_between(meter: Any) -> None:
    shown = [meter.get(f"0-0:96.11.{n}.255", 2, "dco").value for n in (0, 1)]
    assert shown == [0x8F74, -3]
    meter.device.state.alerts[9] = Alert(0x810D, NOON, 4)
    shown = [meter.get(f"0-0:96.11.{n}.255", 2, "dco").value for n in (0, 1)]
    assert shown == [0x810D, 4]
    meter.device.state.alerts.clear()
    assert [meter.get(f"0-0:96.11.{n}.255", 2, "dco").value for n in (0, 1)] == [0, 0]


def test_rights_hold(make_bench: Callable[..., Any]) -> None:
    """What the association of alerts may not read is null-data in them."""
    meter = make_bench(
        "secure", f'[objects."0-0:96.11.1.255"]\nclass = "Data"\nrights.alerts = ""\n{ASSUMED}'
    )
    meter.device.state.alerts[7] = COVER
    found = told(meter)
    assert found is not None
    assert found.body.value[4] == NULL
    assert found.body.value[3].value == 0x8F74


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_every_manufacturers_meter_tells_its_alerts(name: str) -> None:
    profile = load(name)
    assert profile.alert_push is not None
    setup = profile.objects[profile.alert_push.setup]
    assert (setup.instance == SETUP_NAME) is (setup.interface_class.version == 3)
    config = profile.associations[profile.alert_push.association].config
    assert config.pre_established
    assert config.policy == Protection.BOTH
    assert config.conformance == Conformance.DATA_NOTIFICATION | Conformance.GENERAL_PROTECTION
    users = [row.name for row in profile.associations.values() if row.security_setup == 4]
    assert users == ["alerts"]
    assert setup.provenance.assumed


# How and when ---------------------------------------------------------------------------------


def test_the_plan_as_the_profiles_have_it(meter: Any) -> None:
    plan = meter.device.alert_plan()
    assert plan.association.name == "alerts"
    assert plan.destination == Destination("", True)
    assert plan.confirmed
    assert plan.opening(meter.device, NOON) == NOON
    assert (plan.randomisation, plan.retries) == (0, 3)
    assert plan.delay == Delay(10, 200, 300)


def test_the_plan_follows_the_push_setup(meter: Any) -> None:
    destination = structure(enum(0), octet_string(b"head-end.example:4059"), enum(0))
    assert meter.set(SETUP, 3, destination, "dco") == 0
    assert meter.set(SETUP, 5, long_unsigned(90), "dco") == 0
    assert meter.set(SETUP, 6, unsigned(5), "dco") == 0
    growing = structure(long_unsigned(1), long_unsigned(150), long_unsigned(9))
    assert meter.set(SETUP, 7, growing, "dco") == 0
    store(meter, 11, enum(1))
    plan = meter.device.alert_plan()
    assert plan.destination == Destination("head-end.example:4059", True)
    assert (plan.randomisation, plan.retries) == (90, 5)
    assert plan.delay == Delay(1, 150, 9)
    assert not plan.confirmed
    assert not told(meter).confirmed


@pytest.mark.parametrize(
    ("transport", "address", "message", "reachable"),
    [
        (0, b"127.0.0.1:1", 0, True),
        (1, b"127.0.0.1:1", 0, False),
        (4, b"", 0, False),
        (0, b"127.0.0.1:1", 1, False),
        (0, b"\xff\xfe", 0, False),
    ],
)
def test_ways_that_there_are_not(
    meter: Any, transport: int, address: bytes, message: int, reachable: bool
) -> None:
    store(meter, 3, structure(enum(transport), octet_string(address), enum(message)))
    assert meter.device.alert_plan().destination.reachable is reachable


def test_another_client(meter: Any) -> None:
    store(meter, 9, integer(1))
    plan = meter.device.alert_plan()
    assert plan.association.name == "dco"
    assert meter.device.alert(7, plan) is None  # it offers no DataNotification
    store(meter, 9, integer(77))
    assert meter.device.alert_plan() is None
    store(meter, 9, integer(16))
    assert meter.device.alert_plan() is None  # the public client has no keys


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (Delay(10, 200, 300), [10, 20, 40, 80, 160, 300, 300]),
        (Delay(5, 100, 5), [5, 5, 5]),
        (Delay(7, 150, 60), [7, 10, 15, 22]),
        (Delay(50, 200, 30), [30, 30]),
        (Delay(8, 50, 60), [8, 4, 2, 1, 0, 0]),
        (Delay(), [0, 0]),
    ],
)
def test_delays_between_attempts(delay: Delay, seconds: list[int]) -> None:
    found = [delay.after(failures) for failures in range(1, len(seconds) + 1)]
    assert found == [dt.timedelta(seconds=one) for one in seconds]
    assert delay.after(10_000) <= dt.timedelta(seconds=max(delay.most, 0))


def test_version_0(make_bench: Callable[..., Any]) -> None:
    """It does not say whose client it is for, and is never confirmed; its delay is constant."""
    meter = make_bench(
        "secure",
        OLD + f'[alerts]\nevents = ["tamper"]\npush = "0-1:25.9.0.255"\nassociation = "alerts"\n'
        f"{ASSUMED}",
    )
    meter.device.state.alerts[7] = COVER
    plan = meter.device.alert_plan()
    assert plan.association.name == "alerts"
    assert plan.delay == Delay(7, 100, 7)
    assert [plan.delay.after(n).seconds for n in (1, 2, 9)] == [7, 7, 7]
    assert plan.retries == 2
    assert not plan.confirmed
    assert meter.device.alert(7, plan) == DataNotification(
        7, structure(long_unsigned(0x8F74)), octets(NOON)
    )


def test_taken(meter: Any) -> None:
    plan = meter.device.alert_plan()
    now = NOON + dt.timedelta(minutes=5)
    meter.device.alert_taken(6, plan, now)
    assert meter.device.state.alerts == {7: COVER}
    assert meter.get(SETUP, 13, "dco").value is None
    meter.device.alert_taken(7, plan, now)
    assert meter.device.state.alerts == {}
    assert meter.get(SETUP, 13, "dco") == octet_string(octets(now))


def test_taken_without_confirmation(meter: Any) -> None:
    store(meter, 11, enum(0))
    meter.device.alert_taken(7, meter.device.alert_plan(), NOON)
    assert meter.device.state.alerts == {}
    assert meter.get(SETUP, 13, "dco").value is None


def test_windows_are_of_the_meters_local_time(meter: Any) -> None:
    window = [
        octet_string(CosemDateTime(hour=hour, minute=0, second=0).to_octets()) for hour in (14, 15)
    ]
    assert meter.set(SETUP, 4, array(structure(*window)), "dco") == 0
    meter.device.state.clock_offset = dt.timedelta(minutes=30)
    plan = meter.device.alert_plan()
    assert plan.opening(meter.device, NOON) == NOON + dt.timedelta(minutes=90)
    inside = NOON + dt.timedelta(minutes=100)
    assert plan.opening(meter.device, inside) == inside
    after = NOON + dt.timedelta(minutes=150)
    assert plan.opening(meter.device, after) == NOON + dt.timedelta(days=1, minutes=90)


def test_a_window_that_is_over_for_good(meter: Any) -> None:
    moments = (NOON - dt.timedelta(days=2), NOON - dt.timedelta(days=1))
    store(meter, 4, array(structure(*(octet_string(octets(one)) for one in moments))))
    assert meter.device.alert_plan().opening(meter.device, NOON) is None


# Pushes through associations ------------------------------------------------------------------


@pytest.mark.parametrize(("method", "confirmed"), [(0, False), (1, False), (2, True)])
def test_a_push_asks_for_confirmation_where_its_setup_does(
    make_bench: Callable[..., Any], method: int, confirmed: bool
) -> None:
    meter = make_bench("laboratory")
    store(meter, 11, enum(method), obis.parse("0-0:25.9.0"))
    meter.act("0-0:25.9.0.255", 1, integer(0), "reader")
    (pushed,) = meter.device.outbox.take_replies()
    assert (pushed.confirmed, pushed.long_invoke & 0xFFFFFF) == (confirmed, 1)


# Profiles -------------------------------------------------------------------------------------

BASE = 'extends = "secure"\nname = "mine"\n'
EVENTS = f'[alerts]\nevents = ["tamper"]\n{ASSUMED}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (EVENTS + 'push = "0-0:25.9.7.255"', "alerts.push: there is no such Push setup"),
        (EVENTS + 'push = "0-0:1.0.0.255"', "alerts.push: there is no such Push setup"),
        (EVENTS + 'push = "nonsense"', "alerts.push: "),
        (EVENTS + "push = 5", "alerts.push: "),
        (EVENTS + 'association = "nobody"', "alerts.association: there is no such association"),
        (
            EVENTS + 'association = "public"',
            "alerts.association: public has no ciphered context",
        ),
        (EVENTS + 'association = "s1sp"', "alerts.association: s1sp has no DATA_NOTIFICATION"),
        (
            OLD + EVENTS + 'push = "0-1:25.9.0.255"',
            "alerts.push: has no push_client_SAP of an association: name it",
        ),
        (
            f'[objects."{SETUP}"]\nclass = "Push setup"\nvalues.9 = {{ integer = 99 }}\n{ASSUMED}',
            "alerts.push: has no push_client_SAP of an association: name it",
        ),
        (
            f"[associations.alerts]\nconformance = []\n{ASSUMED}",
            "alerts.push: alerts has no DATA_NOTIFICATION",
        ),
        (EVENTS + "retries = 5", "alerts.retries"),
    ],
)
def test_what_a_profile_cannot_say(text: str, problem: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_text(BASE + text, "mine.toml")
    assert problem in str(caught.value)


def test_an_association_without_push(make_bench: Callable[..., Any]) -> None:
    with pytest.raises(ProfileError, match=r"alerts\.association: goes with push"):
        load_text((MINIMAL := load_minimal()) + EVENTS + 'association = "s1sp"', "mine.toml")
    assert load_text(MINIMAL + EVENTS, "mine.toml").alert_push is None
    meter = make_bench("secure")
    assert meter.device.alert_plan() is not None


def load_minimal() -> str:
    return (
        'name = "mine"\n[identity]\n'
        + "".join(
            f'{name} = {{ value = {value}, assumed = "x" }}\n'
            for name, value in {
                "manufacturer": '"x"',
                "model": '"x"',
                "flag_id": '"XXX"',
                "category": "2",
                "server_sap": "1",
                "title_prefix": '"01"',
                "ldn": '"{flag}{serial:013d}"',
                "top_up": '"credit"',
                "currency_scale": "-2",
                "max_credit": "100",
                "max_balance": "100",
            }.items()
        )
        + '[associations.s1sp]\nclient_sap = 2\ncontext = "LN"\nmechanism = "NONE"\n'
        + f'conformance = ["GET"]\nmax_pdu_size = 512\n{ASSUMED}'
        + f'[objects."0-0:40.0.0.255"]\nclass = "Association LN"\n{ASSUMED}'
        + f'[objects."0-0:42.0.0.255"]\nclass = "Data"\nrole = "logical-device-name"\n{ASSUMED}'
    )
