"""Alerts on their way from the meters' stores to the head end's listener."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest

from devices.history import Alert
from devices.life.hands import Tamper
from devices.profile import load
from dlms.axdr.data import array, enum, long_unsigned, octet_string, structure, unsigned
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.security.keys import KeyKind
from dlms.security.ops import Seal
from emulator.head_end.party import LISTENER, TITLES
from emulator.modules.software import SoftwareModule
from emulator.policy import ModuleClass, Purpose
from emulator.serving.pushing import PAUSE

NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
SETUP = obis.parse("0-0:25.9.1.255")
SECOND = dt.timedelta(seconds=1)


def store(fleet: Any, name: str, attribute: int, value: Any) -> None:
    device = fleet.device(name)
    device.store(device.profile.objects[SETUP], attribute, value)


def destination(address: str, transport: int = 0) -> Any:
    return structure(enum(transport), octet_string(address.encode()), enum(0))


def unconfirmed(fleet: Any, name: str) -> None:
    store(fleet, name, 11, enum(0))


async def test_fifty_alerts_of_five_meters_come_once_each(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, profiles: Any, events: Any
) -> None:
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        for profile in profiles:
            fleet.happen(profile.name, *covers(10))
        await fleet.told(50)
        await heard.wait(50)
    assert len(heard.alerts) == 50
    for profile in profiles:
        came = [alert for alert in heard.alerts if alert.meter == profile.name]
        assert [alert.number for alert in came] == list(range(1, 11))
        assert [alert.argument for alert in came] == list(range(10))
        assert {alert.device for alert in came} == {fleet.device(profile.name).title}
        expected = [alert.moment for alert in covers(10)]
        assert [alert.time.to_datetime() for alert in came] == expected
        assert fleet.device(profile.name).state.alerts == {}
    assert heard.said == []
    assert events.of("alerts-not-told") == []


async def test_what_is_handed_on(fleet: Any, start_listener: Any, heard: Any, covers: Any) -> None:
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.happen("secure", Alert(0x8F74, NOON, -7), Alert(0x1234, NOON, 0))
        await fleet.told(2)
    first, second = heard.alerts
    title = fleet.device("secure").title.hex().upper()
    assert first.to_json() == {
        "device": title,
        "meter": "secure",
        "code": "8F74",
        "name": "tamper-cover",
        "time": "2019-03-26 12:00:00+00:00",
        "argument": -7,
        "number": 1,
    }
    assert str(first) == f"2019-03-26 12:00:00+00:00  secure  {title}  8F74 tamper-cover  -7"
    assert (second.name, second.number) == ("", 2)
    assert str(second) == f"2019-03-26 12:00:00+00:00  secure  {title}  1234  0"


async def test_alerts_of_before_the_listener_come_when_it_is_there(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, where: Any, events: Any
) -> None:
    fleet.happen("secure", *covers(3))
    fleet.happen("itron", *covers(2))
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        await fleet.told(5)
    assert Counter(alert.meter for alert in heard.alerts) == {"secure": 3, "itron": 2}
    assert events.of("alerts-not-told") == []  # nobody was called in vain


async def test_what_comes_meanwhile_goes_on_the_same_connection(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, ledger: Any
) -> None:
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.happen("secure", *covers(5))
        await fleet.told(5)
        fleet.happen("secure", *covers(1))
        await fleet.told(6)
    assert [alert.number for alert in heard.alerts] == [1, 2, 3, 4, 5, 6]
    handshakes = [entry for entry in ledger if entry.operation == "TLS handshake"]
    assert 1 <= len(handshakes) <= 2


async def test_every_operation_of_the_head_end_is_tagged(
    fleet: Any, start_listener: Any, covers: Any, ledger: Any
) -> None:
    """To open an alert and to confirm it, the S1SP uses a long-lived key: G2.44(c)."""
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.happen("secure", *covers(1))
        fleet.happen("itron", *covers(1))
        await fleet.told(2)
    for name, category in (("secure", 1), ("itron", 2)):
        title = fleet.device(name).title
        mine = [entry for entry in ledger if entry.device == title.hex().upper()]
        assert [entry.operation for entry in mine] == ["TLS handshake", "Open", "Seal"]
        assert {entry.category.value for entry in mine} == {f"Category {category}"}
        assert {entry.actor for entry in mine} == {LISTENER}
        assert {entry.decision.module_class for entry in mine} == {ModuleClass.LEVEL_3}
        assert [entry.decision.clause for entry in mine] == ["G2.44(b)", "G2.44(c)", "G2.44(c)"]
        assert [entry.purpose for entry in mine] == [
            Purpose.ESTABLISH_TLS,
            Purpose.PROCESS_RESPONSE,
            Purpose.PROCESS_RESPONSE,
        ]
        keys = {(key.scope, key.kind) for entry in mine[1:] for key in entry.keys}
        assert keys == {("alerts", KeyKind.GUEK), ("alerts", KeyKind.GAK)}


async def test_no_key_is_used_twice_with_one_initialization_vector(
    start_fleet: Any,
    start_listener: Any,
    make_party: Any,
    spy_module: Any,
    ring: Any,
    covers: Any,
    profiles: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Meters and listener, with retries and restarts of both in between."""
    sealed: list[tuple[bytes, Any, int]] = []
    execute = SoftwareModule.execute

    def noting(self: Any, op: Any) -> Any:
        if isinstance(op, Seal):
            sealed.append((op.title, op.ek, op.counter))
        return execute(self, op)

    monkeypatch.setattr(SoftwareModule, "execute", noting)
    for _ in range(2):
        async with start_fleet(profiles) as fleet:
            for _ in range(2):
                async with start_listener() as listener:
                    before = len(fleet.events.of("alert-told"))
                    fleet.listening_at(listener.port)
                    for profile in profiles:
                        fleet.happen(profile.name, *covers(2))
                    await fleet.told(before + 2 * len(profiles))
                fleet.listening_at(None)
    mine = [one for one in sealed if one[1].scope == "alerts"]
    assert len(mine) == 2 * 2 * 2 * 2 * len(profiles)
    assert {title for title, _, _ in mine} >= {TITLES[LISTENER]}
    assert len(set(mine)) == len(mine)


# Rounds ---------------------------------------------------------------------------------------


async def test_a_listener_that_is_away_is_called_again(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, clock: Any
) -> None:
    """Three retries after 10, 20 and 40 seconds, then a pause."""
    async with start_listener() as listener:
        port = listener.port
    fleet.listening_at(port)
    fleet.happen("secure", *covers(2))
    for attempt, wait in enumerate((10, 20, 40), 1):
        reasons = await fleet.not_told(attempt)
        assert "; 2 kept" in reasons[-1]
        assert clock.awaited() is None or clock.awaited() >= clock.now() + wait * SECOND
        await fleet.sandbox.living.advance(clock.now() + (wait - 1) * SECOND)
        assert len(fleet.events.of("alerts-not-told")) == attempt
        await fleet.sandbox.living.advance(clock.now() + SECOND)
    await fleet.not_told(4)
    async with start_listener(port):
        await fleet.sandbox.living.advance(clock.now() + PAUSE - SECOND)
        assert heard.alerts == []
        await fleet.sandbox.living.advance(clock.now() + SECOND)
        await fleet.told(2)
    assert [alert.number for alert in heard.alerts] == [1, 2]
    assert len(fleet.events.of("alerts-not-told")) == 4


async def test_a_new_alert_ends_the_pause(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, clock: Any
) -> None:
    store(fleet, "secure", 6, unsigned(0))
    async with start_listener() as listener:
        port = listener.port
    fleet.listening_at(port)
    fleet.happen("secure", *covers(1))
    await fleet.not_told(1)
    async with start_listener(port):
        fleet.happen("secure", *covers(1))
        await fleet.told(2)
    assert [alert.number for alert in heard.alerts] == [1, 2]


async def test_a_new_alert_does_not_shorten_a_delay(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, clock: Any
) -> None:
    async with start_listener() as listener:
        port = listener.port
    fleet.listening_at(port)
    fleet.happen("secure", *covers(1))
    await fleet.not_told(1)
    async with start_listener(port):
        fleet.happen("secure", *covers(1))
        fleet.happen("itron", *covers(1))
        await fleet.told(1)  # of the other meter
        assert [alert.meter for alert in heard.alerts] == ["itron"]
        await fleet.sandbox.living.advance(clock.now() + 10 * SECOND)
        await fleet.told(3)


async def test_a_listener_somewhere_else_is_called_at_once(
    fleet: Any, start_listener: Any, heard: Any, covers: Any
) -> None:
    async with start_listener() as listener:
        away = listener.port
    fleet.listening_at(away)
    fleet.happen("secure", *covers(1))
    await fleet.not_told(1)
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        await fleet.told(1)
    assert len(heard.alerts) == 1


async def test_restarted_between_retries(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, clock: Any, play: Any
) -> None:
    """The first listener hands the alert on and goes before it confirms; the next one, which only
    has what is on the disk, knows it."""
    store(fleet, "secure", 7, structure(*map(long_unsigned, (10, 100, 10))))
    async with start_listener() as listener:
        port = listener.port
        listener._party.custody = _LosingItsPartyAfter(listener._party.custody, 1)
        fleet.listening_at(port)
        fleet.happen("secure", *covers(2))
        await fleet.not_told(1)
    assert [alert.number for alert in heard.alerts] == [1]
    assert len(fleet.device("secure").state.alerts) == 2
    async with start_listener(port):
        await fleet.sandbox.living.advance(clock.now() + 10 * SECOND)
        await fleet.told(2)
    assert [alert.number for alert in heard.alerts] == [1, 2]


class _LosingItsPartyAfter:
    """A custody that fails behind so many operations."""

    def __init__(self, custody: Any, count: int) -> None:
        self._custody = custody
        self._left = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._custody, name)

    async def run(self, step: Any, errand: Any) -> Any:
        if not self._left:
            raise OSError("the listener goes")
        self._left -= 1
        return await self._custody.run(step, errand)


async def test_a_meter_that_is_restarted_tells_what_it_remembers(
    start_fleet: Any, start_listener: Any, heard: Any, covers: Any, profiles: Any
) -> None:
    async with start_fleet(profiles) as fleet:
        for profile in profiles:
            fleet.happen(profile.name, *covers(4))
            assert len(fleet.device(profile.name).state.alerts) == 4
    async with start_listener() as listener, start_fleet(profiles) as fleet:
        fleet.listening_at(listener.port)
        await fleet.told(20)
        assert not any(fleet.device(profile.name).state.alerts for profile in profiles)
    assert len(heard.alerts) == 20


# What the Push setup says ----------------------------------------------------------------------


async def test_a_destination_of_its_own(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, where: Any
) -> None:
    async with start_listener() as listener:
        store(fleet, "secure", 3, destination(f"127.0.0.1:{listener.port}"))
        fleet.happen("secure", *covers(1))
        await fleet.told(1)
    assert where.asked == 0


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (destination("127.0.0.1:1", transport=4), "cannot reach"),
        (destination("nowhere"), "'nowhere' is no host:port"),
        (destination("127.0.0.1:0"), "no host:port"),
        (destination("127.0.0.1:65536"), "no host:port"),
    ],
)
async def test_a_destination_that_is_none(fleet: Any, covers: Any, value: Any, why: str) -> None:
    store(fleet, "secure", 3, value)
    fleet.happen("secure", *covers(1))
    (reason,) = await fleet.not_told(1)
    assert why in reason
    assert len(fleet.device("secure").state.alerts) == 1


async def test_unconfirmed_alerts(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, ledger: Any
) -> None:
    unconfirmed(fleet, "secure")
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.happen("secure", *covers(5))
        await fleet.told(5)
        await heard.wait(5)
    assert [alert.number for alert in heard.alerts] == [1, 2, 3, 4, 5]
    assert fleet.device("secure").state.alerts == {}
    assert not [entry for entry in ledger if entry.operation == "Seal"]


async def test_a_window(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, clock: Any
) -> None:
    hours = (CosemDateTime(hour=hour, minute=0, second=0).to_octets() for hour in (13, 14))
    store(fleet, "secure", 4, array(structure(*map(octet_string, hours))))
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.happen("secure", *covers(1))
        fleet.happen("itron", *covers(1))
        await fleet.told(1)
        await fleet.sandbox.living.advance(NOON + dt.timedelta(minutes=59, seconds=59))
        assert [alert.meter for alert in heard.alerts] == ["itron"]
        await fleet.sandbox.living.advance(NOON + dt.timedelta(hours=1))
        await fleet.told(2)
    assert heard.alerts[1].time.to_datetime() == NOON - dt.timedelta(minutes=1)


async def test_a_start_at_random(
    fleet: Any, start_listener: Any, heard: Any, covers: Any, clock: Any
) -> None:
    drawn: list[int] = []

    def below(limit: int) -> int:
        drawn.append(limit)
        return 42

    fleet.sandbox.pusher._below = below
    store(fleet, "secure", 5, long_unsigned(60))
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.happen("secure", *covers(1))
        fleet.happen("secure", *covers(1))  # does not put off the first
        fleet.happen("itron", *covers(1))
        await fleet.told(1)
        await fleet.sandbox.living.advance(NOON + 41 * SECOND)
        assert [alert.meter for alert in heard.alerts] == ["itron"]
        await fleet.sandbox.living.advance(NOON + 42 * SECOND)
        await fleet.told(3)
    assert drawn == [61]


# Power ----------------------------------------------------------------------------------------


async def test_without_mains_nothing_is_told(
    fleet: Any, start_listener: Any, heard: Any, covers: Any
) -> None:
    mains = fleet.sandbox.meters["secure"].mains
    mains.cut()
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        numbers = fleet.happen("secure", *covers(1))
        fleet.happen("itron", *covers(1))
        await fleet.told(1)
        assert [alert.meter for alert in heard.alerts] == ["itron"]
        kept = len(fleet.device("secure").state.alerts)
        assert kept >= 1
        assert fleet.sandbox.pusher.due() is None
        assert "secure" not in [one.name for one in fleet.sandbox.pusher._attempts.values()]
        mains.restore()
        await fleet.told(1 + kept)
    assert numbers[0] in [alert.number for alert in heard.alerts if alert.meter == "secure"]


async def test_the_mains_go_before_the_confirmation(
    fleet: Any, play: Any, covers: Any, start_listener: Any, heard: Any
) -> None:
    profile = load("secure")
    serial = fleet.device("secure").serial
    played = await play(profile, serial)
    fleet.listening_at(played.port)
    fleet.happen("secure", *covers(1))
    caller = await played.caller()
    told = await caller.notification()
    fleet.sandbox.meters["secure"].mains.cut()
    caller.send(caller.confirmation(told))
    await caller.closed()
    assert 1 in fleet.device("secure").state.alerts
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.sandbox.meters["secure"].mains.restore()
        await heard.wait(1)
    assert heard.alerts[0].number == 1


async def test_what_happens_is_told(fleet: Any, start_listener: Any, heard: Any) -> None:
    """From what happens at the meter to the user, without a hand of the test's in between."""
    async with start_listener() as listener:
        fleet.listening_at(listener.port)
        fleet.sandbox.meters["secure"].mains.tamper(Tamper.COVER)
        await heard.wait(1)
    assert heard.alerts[0].name == "tamper-cover"
    assert heard.alerts[0].time.to_datetime() == NOON
