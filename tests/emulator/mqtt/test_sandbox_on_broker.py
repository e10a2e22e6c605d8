"""A sandbox on a real broker: everything that is published, and what is asked of it."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from devices.alert_codes import Happening
from devices.happenings import happened
from devices.profile import available
from dlms.security.keys import KeyKind, KeyRef
from emulator.client import Keys, connect
from emulator.events import FanOut, MeterEvent
from emulator.journal import StoreError
from emulator.key_suites import suites_of
from emulator.ledger import Ledger
from emulator.modules.keyring import KeyRing
from emulator.mqtt import sandbox_on_broker as module
from emulator.mqtt.link import Backoff
from emulator.mqtt.outgoing import Outgoing
from emulator.mqtt.sandbox_on_broker import on_broker
from emulator.policy import Actor
from emulator.sandbox import Sandbox

QUICK = Backoff(0.01, 0.05)


@pytest.fixture
def trace() -> bool:
    """Whatever can be told is told."""
    return True


@pytest.fixture
def events() -> FanOut:
    """Who else watches does not matter here."""
    return FanOut()


Start = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def published(sandbox: Sandbox, events: FanOut) -> Start:
    """``async with published(broker) as notes``: the sandbox is on the broker."""

    @asynccontextmanager
    async def start(broker: Any, outgoing: Outgoing | None = None) -> AsyncIterator[list[str]]:
        notes: list[str] = []
        async with on_broker(
            broker.options(password="a-password", user="a-user"),
            sandbox,
            events,
            FanOut(),
            note=notes.append,
            outgoing=outgoing,
            backoff=QUICK,
        ):
            yield notes
        assert events._watchers == []

    return start


# What is published --------------------------------------------------------------------------------


async def test_what_is_retained(
    mosquitto: Any, listening: Any, published: Start, sandbox: Sandbox
) -> None:
    async with published(mosquitto), listening(mosquitto) as listener:
        # Who comes later finds it.
        (status,) = await listener.wait_for("lab/status")
        (actions,) = await listener.wait_for("lab/actions")
        meters = [await listener.wait_for(f"{name}/status") for name in available()]
    assert status.json == {
        "state": "online",
        "reason": "started",
        "meters": list(available()),
        "dropped": {},
    }
    assert [row["name"] for row in actions.json["actions"]] == [
        row.name for row in sandbox.control.actions()
    ]
    assert all(one.retained for one in (status, actions))
    assert [(one.json["meter"], one.json["power"]) for (one,) in meters] == [
        (name, "on") for name in available()
    ]
    async with listening(mosquitto) as listener:
        (status,) = await listener.wait_for("lab/status")
    assert (status.json["state"], status.json["reason"]) == ("offline", "stopped")


async def test_telemetry_once_a_period_of_virtual_time(
    mosquitto: Any,
    listening: Any,
    published: Start,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SHORTEST_PERIOD", 0)
    async with listening(mosquitto) as listener, published(mosquitto):
        (first,) = await listener.wait_for("secure/telemetry")
        begin = clock.now()
        # Less than a period is nothing; a step of many periods is one message.
        for seconds in (59, 1, 600, 60):
            clock.advance(dt.timedelta(seconds=seconds))
            if seconds != 59:
                count = len(listener.of("secure/telemetry")) + 1
                *_, last = await listener.wait_for("secure/telemetry", count)
                assert last.json["time"] == clock.now().isoformat(timespec="milliseconds").replace(
                    "+00:00", "Z"
                )
    assert first.json["time"] == begin.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert len(listener.of("secure/telemetry")) == 4
    assert first.expiry is not None
    assert 0 < first.expiry <= 3600
    names = {row["name"] for row in first.json["registers"]}
    assert {"active_energy_import", "active_power_import", "voltage_l1"} <= names


async def test_telemetry_says_what_the_head_end_reads(
    mosquitto: Any, listening: Any, published: Start, head_end: Any, place: Any
) -> None:
    meter = place("aclara")
    await head_end.top_up(meter.address, meter.profile, Decimal("7.25"))
    await head_end.instruct(meter.address, meter.profile, "arm_supply")
    status = await head_end.status(meter.address, meter.profile)
    async with listening(mosquitto) as listener, published(mosquitto):
        (said,) = await listener.wait_for("aclara/telemetry")
    assert said.json["balance"] == float(status.balance)
    assert said.json["supply"] == status.supply == "armed"
    units = {row["name"]: row["unit"] for row in said.json["registers"]}
    assert units["active_energy_import"] == "Wh"
    values = {row["name"]: row["value"] for row in said.json["registers"]}
    assert said.json["power"] == values["active_power_import"]
    assert said.json["voltage"] == values["voltage_l1"]
    assert 200 < said.json["voltage"] < 260


async def test_a_meter_without_power_says_nothing_and_that_it_has_none(
    mosquitto: Any, listening: Any, published: Start, sandbox: Sandbox, clock: Any
) -> None:
    async with listening(mosquitto) as listener, published(mosquitto):
        await listener.wait_for("aclara/telemetry")
        await sandbox.control.call("power", "aclara", {"what": "off"})
        *_, off = await listener.wait_for("aclara/status", 2)
        clock.advance(dt.timedelta(seconds=60))
        await listener.wait_for("secure/telemetry", 2)
        assert len(listener.of("aclara/telemetry")) == 1
        await sandbox.control.call("power", "aclara", {"what": "on"})
        *_, on = await listener.wait_for("aclara/status", 3)
        clock.advance(dt.timedelta(seconds=60))
        await listener.wait_for("aclara/telemetry", 2)
    assert (off.json["power"], on.json["power"]) == ("off", "on")
    kinds = [one.json["kind"] for one in listener.of("aclara/events")]
    assert kinds.index("power-lost") < kinds.index("power-restored")


async def test_a_meter_that_cannot_keep_what_it_says_says_nothing(
    mosquitto: Any, listening: Any, published: Start, sandbox: Sandbox, clock: Any
) -> None:
    class Full:
        def commit(self) -> None:
            raise StoreError("no room")

    object.__setattr__(sandbox.meters["aclara"].mains.host, "memory", Full())
    async with listening(mosquitto) as listener, published(mosquitto) as notes:
        await listener.wait_for("secure/telemetry")
        clock.advance(dt.timedelta(seconds=60))
        await listener.wait_for("secure/telemetry", 2)
    assert listener.of("aclara/telemetry") == []
    assert notes == []


async def test_each_alert_is_published_once(
    mosquitto: Any, listening: Any, published: Start, sandbox: Sandbox, clock: Any
) -> None:
    meter = sandbox.meters["itron"]
    # Some wait already, of which a head end has taken some.
    meter.device.state.alerts.clear()
    happened(meter.device, Happening.LOW_CREDIT, clock.now(), 17)
    meter.mains.host.settle()
    (first,) = meter.device.state.alerts
    async with listening(mosquitto) as listener, published(mosquitto):
        await listener.wait_for("itron/alerts")
        clock.advance(dt.timedelta(seconds=1))
        happened(meter.device, Happening.TAMPER, clock.now())
        meter.mains.host.settle()
        *_, second = await listener.wait_for("itron/alerts", 2)
        happened(meter.device, Happening.TAMPER, clock.now())
        meter.mains.host.settle()
        await listener.wait_for("itron/alerts", 3)
    alerts = [one.json for one in listener.of("itron/alerts")]
    assert [alert["number"] for alert in alerts] == [first, first + 1, first + 2]
    assert alerts[0] == {
        "meter": "itron",
        "number": first,
        "time": "2019-03-26T12:00:00.000Z",
        "code": "810D",
        "name": "low-credit",
        "argument": 17,
    }
    assert (second.json["name"], second.json["time"]) == ("tamper", "2019-03-26T12:00:01.000Z")


async def test_associations_and_failed_handshakes(
    mosquitto: Any, listening: Any, published: Start, head_end: Any, place: Any
) -> None:
    meter = place("landis_gyr")
    async with listening(mosquitto) as listener, published(mosquitto):
        await head_end.status(meter.address, meter.profile)
        await listener.wait_for("landis_gyr/associations", 4)
        _, writer = await asyncio.open_connection(meter.address.host, meter.address.tls_port)
        writer.write(b"no TLS")
        await listener.wait_for("landis_gyr/associations", 5)
        writer.close()
    said = [one.json for one in listener.of("landis_gyr/associations")]
    assert [(one["association"], one["kind"]) for one in said] == [
        ("public", "associated"),
        ("public", "released"),
        ("s1sp", "associated"),
        ("s1sp", "released"),
        ("", "handshake-failed"),
    ]
    assert said[0]["peer"].startswith("127.0.0.1:")


# No secrets ---------------------------------------------------------------------------------------


def shapes(secret: bytes) -> set[bytes]:
    """How octets may be written, wherever in base64 they begin."""
    found = {secret.hex().encode(), secret.hex().upper().encode()}
    found |= {secret.hex(" ").encode(), secret.hex(" ").upper().encode(), secret}
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + secret)
        found |= {whole[4:-4], whole[4:-4].translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def leaks(payloads: list[bytes], secrets: list[bytes]) -> list[bytes]:
    text = b"\n".join(payloads)
    return [secret for secret in secrets if any(shape in text for shape in shapes(secret))]


def test_a_leak_is_found() -> None:
    secret = bytes(range(16))
    for text in (secret.hex(), secret.hex(" ").upper(), base64.b64encode(b"ab" + secret).decode()):
        assert leaks([b"x", text.encode()], [secret]) == [secret]
    assert leaks([bytes(16).hex().encode()], [secret]) == []


async def test_no_secret_is_ever_published(
    mosquitto: Any,
    listening: Any,
    asking: Any,
    published: Start,
    sandbox: Sandbox,
    head_end: Any,
    place: Any,
    fleet_secret: bytes,
    events: FanOut,
) -> None:
    """With tracing on: top-ups, tokens, instructions, a password in clear, and new keys."""
    secrets = [fleet_secret, b"a-password"]
    for running in sandbox.meters.values():
        ring = KeyRing(fleet_secret, suites_of(running.device.profile))
        lls = KeyRef(running.device.title, "reader", KeyKind.LLS_SECRET)
        for scope in running.device.profile.associations:
            for kind in (KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK, KeyKind.LLS_SECRET):
                secrets.append(ring.get(KeyRef(running.device.title, scope, kind)))
    async with (
        listening(mosquitto, "#") as listener,
        asking(mosquitto, listener) as client,
        published(mosquitto),
    ):
        for name in available():
            meter = place(name)
            await head_end.top_up(meter.address, meter.profile, Decimal(1))
            await head_end.instruct(meter.address, meter.profile, "arm_supply")
        for row in sandbox.control.actions():
            await client.ask(row.name, {"meter": "secure", "arguments": {}})
            await listener.wait_for("answers/here")
        address, password = sandbox.meters["secure"].address, ring.get(lls)
        config = sandbox.meters["secure"].device.profile.associations["reader"].config
        traced: list[MeterEvent] = []
        events.add(traced.append)
        async with (
            connect(address.host, address.plain_port) as reader,
            reader.associate(
                client_sap=config.client_sap,
                server_sap=config.server_sap,
                mechanism="lls",
                keys=Keys(password=password),
            ),
        ):
            pass
        events.remove(traced.append)
        assert {"<-", "->"} <= {event.kind for event in traced}
        await listener.wait(lambda: "reader" in str(listener.of("secure/associations")))
    payloads = [one.payload for one in listener.heard]
    assert len(payloads) > 50
    assert leaks(payloads, secrets) == []
    kinds = {one.json["kind"] for one in listener.of("/events")}
    assert kinds & {"<-", "->", "request", "response"} == set()


async def test_the_ledger_names_keys_and_shows_none(
    mosquitto: Any, listening: Any, head_end: Any, place: Any, ledger: Ledger, ring: Any
) -> None:
    from emulator.mqtt.ledger_on_broker import ledger_on_broker

    async with listening(mosquitto) as listener:
        notes: list[str] = []
        async with ledger_on_broker(mosquitto.options(), note=notes.append) as on_entry:
            ledger._on_entry = on_entry
            meter = place("aclara")
            await head_end.top_up(meter.address, meter.profile, Decimal(1))
        # All of it is with the broker when the command ends.
        said = await listener.wait_for("lab/crypto", len(ledger))
    assert [{**one.json, "time": None} for one in said] == [
        {**entry.to_json(), "time": None} for entry in ledger
    ]
    assert leaks([one.payload for one in said], list(ring.canaries())) == []
    assert len(ring.canaries()) >= 2
    assert {one.json["actor"] for one in said} == {Actor.DCC.value, Actor.S1SP.value}
    assert notes == []


# What is asked ------------------------------------------------------------------------------------


async def test_time_and_power_by_control_topics(
    mosquitto: Any,
    listening: Any,
    asking: Any,
    published: Start,
    sandbox: Sandbox,
    clock: Any,
) -> None:
    before = clock.now()
    async with (
        listening(mosquitto, "#") as listener,
        asking(mosquitto, listener) as client,
        published(mosquitto),
    ):
        reply = await client.ask("clock", {"arguments": {"advance": "1h"}}, correlation=b"1")
        assert reply["result"]["mode"] == "frozen"
        assert clock.now() == before + dt.timedelta(hours=1)
        # The same request once more is not another step.
        assert (
            await client.ask("clock", {"arguments": {"advance": "1h"}}, correlation=b"1") == reply
        )
        assert clock.now() == before + dt.timedelta(hours=1)
        cut = {"meter": "itron", "arguments": {"what": "cut", "seconds": 60}}
        assert (await client.ask("power", cut))["result"]["power"] == "off"
        await listener.wait_for("itron/status", 2)
        await client.ask("clock", {"arguments": {"advance": 60}})
        *_, status = await listener.wait_for("itron/status", 3)
        assert status.json["power"] == "on"
        tampered = await client.ask("tamper", {"meter": "secure", "arguments": {"kind": "cover"}})
        assert tampered == {"action": "tamper", "result": {"tampered": "cover"}}
        await listener.wait_for("secure/alerts")
    answers = listener.of("answers/here")
    assert answers[0].user["schema"] == "reply/1"
    assert answers[0].correlation == b"1"


async def test_bad_requests_do_not_disturb(
    mosquitto: Any,
    listening: Any,
    asking: Any,
    published: Start,
    head_end: Any,
    place: Any,
) -> None:
    async with (
        listening(mosquitto, "#") as listener,
        asking(mosquitto, listener) as client,
        published(mosquitto) as notes,
    ):
        codes = [
            (await client.ask(action, payload))["error"]["code"]
            for action, payload in (
                ("clock", b"\xff"),
                ("clock", b"x" * 100_000),
                ("explode", b"{}"),
                ("power", b'{"meter":"nobody","arguments":{"what":"off"}}'),
                ("power", b'{"meter":"itron","arguments":{"what":"sideways"}}'),
            )
        ]
        await client.send("power", b"{}", response_topic=None)
        (refusal,) = await listener.wait_for("lab/refusals")
        # What is longer than we let the broker send never comes.
        await client.send("clock", b"x" * 200_000)
        assert "result" in await client.ask("clock")
        status = await head_end.status(place("itron").address, place("itron").profile)
    assert codes == ["malformed", "too-long", "unknown-action", "unknown-meter", "bad-argument"]
    assert refusal.json["error"]["code"] == "no-response-topic"
    assert status.supply == "disconnected"
    assert notes == []


# The broker is away -------------------------------------------------------------------------------


async def test_the_sandbox_goes_on_without_its_broker(
    mosquitto: Any,
    listening: Any,
    published: Start,
    sandbox: Sandbox,
    events: FanOut,
    head_end: Any,
    place: Any,
) -> None:
    outgoing = Outgoing(max_messages=40)
    meter = place("aclara")
    async with listening(mosquitto, identifier="listener") as listener:
        async with published(mosquitto, outgoing) as notes:
            await listener.wait_for("secure/telemetry")
            mosquitto.stop()
            for n in range(60):
                events(MeterEvent(meter="aclara", kind="unknown-sap", text=f"number {n}"))
            await head_end.status(meter.address, meter.profile)
            assert len(outgoing) <= 40
            mosquitto.start()
            await listener.wait(
                lambda: any(one.json["reason"] == "back" for one in listener.of("lab/status"))
            )
            await listener.wait(lambda: "number 59" in str(listener.of("aclara/events")))
        await listener.wait(
            lambda: any(one.json["state"] == "offline" for one in listener.of("lab/status"))
        )
    back = next(one for one in listener.of("lab/status") if one.json["reason"] == "back")
    assert back.json["dropped"]["event"] >= 20
    assert [note.split(" is ")[1] for note in notes] == ["lost", "back"]
