"""The actions of a sandbox, on five meters whose time stands still."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from devices.happenings import Happening
from devices.objects.token_gateway import TOKEN_SCOPE
from devices.prepayment.account import balance
from devices.profile import load
from devices.supply import ControlState, put, relay, state_of
from devices.token import make_token
from dlms.cosem import classes
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from emulator.client import connect
from emulator.control import ControlError, ControlRefused, Scope
from emulator.head_end.party import client_titles
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.sandbox import Sandbox
from emulator.virtual_clock import LATEST, Mode, VirtualClock

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


async def call(sandbox: Sandbox, action: str, meter: str | None = None, **given: Any) -> Any:
    """What comes back, by way of JSON."""
    return json.loads(json.dumps(await sandbox.control.call(action, meter, given)))


async def refused(sandbox: Sandbox, action: str, meter: str | None = None, **given: Any) -> str:
    with pytest.raises(ControlError) as caught:
        await sandbox.control.call(action, meter, given)
    assert isinstance(caught.value, ControlRefused) is (caught.value.code == "refused")
    return f"{caught.value.code}: {caught.value.text}"


def test_what_there_is(sandbox: Sandbox) -> None:
    assert {row.name: row.meter for row in sandbox.control.actions()} == {
        "status": Scope.EITHER,
        "clock": Scope.SANDBOX,
        "power": Scope.METER,
        "reboot": Scope.METER,
        "customer": Scope.METER,
        "tamper": Scope.METER,
        "fault.list": Scope.EITHER,
        "fault.set": Scope.METER,
        "fault.clear": Scope.METER,
    }
    assert all(row.help for row in sandbox.control.actions())
    assert all(one.help for row in sandbox.control.actions() for one in row.arguments)


# clock ------------------------------------------------------------------------------------------


async def test_clock_is_shown(sandbox: Sandbox, clock: VirtualClock) -> None:
    assert await call(sandbox, "clock") == {
        "now": clock.now().isoformat(),
        "mode": "frozen",
        "factor": 0,
    }


@pytest.mark.parametrize(
    ("given", "mode", "factor"),
    [
        ({"mode": "real"}, Mode.REAL, 1),
        ({"mode": "factor", "factor": 60}, Mode.FACTOR, 60),
        ({"factor": 0.5}, Mode.FACTOR, 0.5),
        ({"factor": 1}, Mode.REAL, 1),
        ({"mode": "frozen"}, Mode.FROZEN, 0),
    ],
)
async def test_the_pace_is_changed(
    given: dict[str, Any], mode: Mode, factor: float, sandbox: Sandbox, clock: VirtualClock
) -> None:
    if mode is Mode.FROZEN:
        clock.run()
    before = clock.now()
    shown = await call(sandbox, "clock", **given)
    assert (shown["mode"], shown["factor"]) == (mode.value, factor)
    assert (clock.mode, clock.factor) == (mode, factor)
    assert clock.now() >= before


@pytest.mark.parametrize("given", [{"advance": "1d12h"}, {"advance": 129_600}])
async def test_a_step(given: dict[str, Any], sandbox: Sandbox, clock: VirtualClock) -> None:
    before = clock.now()
    await call(sandbox, "clock", **given)
    assert clock.now() == before + 36 * HOUR
    for meter in sandbox.meters.values():
        due = meter.device.due()
        assert due is None or due > clock.now()


async def test_a_step_to_a_moment_and_on_from_there(sandbox: Sandbox, clock: VirtualClock) -> None:
    target = clock.now() + 7 * DAY
    await call(sandbox, "clock", to=target.isoformat())
    assert clock.now() == target
    await call(sandbox, "clock", to=(target + DAY).isoformat(), mode="factor", factor=2)
    assert target + DAY <= clock.now() < target + 2 * DAY
    await call(sandbox, "clock", mode="frozen", advance="1d")
    assert clock.mode is Mode.FROZEN


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"mode": "fast"}, "bad-argument: mode is one of real, frozen, factor, not 'fast'"),
        ({"mode": "factor"}, "bad-argument: mode factor needs a factor"),
        ({"mode": "real", "factor": 2}, "bad-argument: mode real has no factor"),
        ({"mode": "frozen", "factor": 2}, "bad-argument: mode frozen has no factor"),
        (
            {"factor": 0},
            "bad-argument: factor is a number (at least 1e-06, at most 1000000), not 0",
        ),
        (
            {"advance": "1d", "to": "2026-01-01"},
            "bad-argument: a step is either by a duration (advance) or to a moment (to)",
        ),
        (
            {"to": "2019-01-01", "mode": "real"},
            "refused: time does not go back: it is 2019-03-26T12:00:00+00:00, later than"
            " 2019-01-01T00:00:00+00:00",
        ),
        ({"to": "2026-01-01"}, "refused: a step is 400 days at most: take several"),
    ],
)
async def test_what_time_does_not_do(
    given: dict[str, Any], text: str, sandbox: Sandbox, clock: VirtualClock
) -> None:
    before = clock.now()
    assert await refused(sandbox, "clock", **given) == text
    assert (clock.now(), clock.mode) == (before, Mode.FROZEN)


async def test_a_step_that_is_refused_changes_no_pace_either(
    sandbox: Sandbox, clock: VirtualClock
) -> None:
    clock.run(2)
    await refused(sandbox, "clock", to="2019-01-01", mode="frozen")
    assert clock.factor == 2


# power, reboot, tamper --------------------------------------------------------------------------


async def test_power(sandbox: Sandbox, clock: VirtualClock) -> None:
    mains = sandbox.meters["itron"].mains
    assert await call(sandbox, "power", "itron", what="off") == {"power": "off", "back": None}
    assert not mains.are_on
    assert sandbox.meters["aclara"].mains.are_on
    assert await call(sandbox, "power", "itron", what="on") == {"power": "on", "back": None}
    assert mains.are_on


@pytest.mark.parametrize("seconds", [60, "1m"])
async def test_a_cut(seconds: object, sandbox: Sandbox, clock: VirtualClock) -> None:
    mains = sandbox.meters["itron"].mains
    back = clock.now() + 60 * SECOND
    shown = await call(sandbox, "power", "itron", what="cut", seconds=seconds)
    assert shown == {"power": "off", "back": back.isoformat()}
    await call(sandbox, "clock", advance=59)
    assert not mains.are_on
    await call(sandbox, "clock", advance=1)
    assert mains.are_on


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "bad-argument: what is missing: one of on, off, cut"),
        ({"what": "cut"}, "bad-argument: cut needs seconds"),
        ({"what": "on", "seconds": 0}, "bad-argument: on has no seconds"),
        ({"what": "off", "seconds": 5}, "bad-argument: off has no seconds"),
    ],
)
async def test_what_power_does_not_do(given: dict[str, Any], text: str, sandbox: Sandbox) -> None:
    assert await refused(sandbox, "power", "itron", **given) == text
    assert sandbox.meters["itron"].mains.are_on


async def test_no_cut_beyond_the_end_of_time(sandbox: Sandbox, clock: VirtualClock) -> None:
    clock.lift(LATEST - DAY)
    assert await refused(sandbox, "power", "itron", what="cut", seconds="2d") == (
        "refused: time ends before, at 2100-01-01T00:00:00+00:00"
    )


async def test_reboot(sandbox: Sandbox, events: Any) -> None:
    assert await call(sandbox, "reboot", "itron") == {"power": "on", "back": None}
    assert [event.meter for event in events.of("rebooted")] == ["itron"]
    await call(sandbox, "power", "itron", what="off")
    assert await refused(sandbox, "reboot", "itron") == "refused: itron has no mains"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("general", Happening.TAMPER),
        ("cover", Happening.TAMPER_COVER),
        ("terminal", Happening.TAMPER_TERMINAL_COVER),
        ("magnet", Happening.TAMPER_MAGNET),
    ],
)
async def test_tamper(kind: str, code: Happening, sandbox: Sandbox, events: Any) -> None:
    events.seen.clear()
    assert await call(sandbox, "tamper", "aclara", kind=kind) == {"tampered": kind}
    told = [(event.meter, event.text.split()[0]) for event in events.of("happening")]
    assert ("aclara", f"{code:04X}") in told
    assert {meter for meter, _ in told} == {"aclara"}


async def test_no_such_tampering(sandbox: Sandbox) -> None:
    assert await refused(sandbox, "tamper", "aclara", kind="hammer") == (
        "bad-argument: kind is one of general, cover, magnet, terminal, not 'hammer'"
    )


# status -----------------------------------------------------------------------------------------


async def test_status(sandbox: Sandbox, clock: VirtualClock) -> None:
    await call(sandbox, "power", "itron", what="cut", seconds=60)
    shown = await call(sandbox, "status")
    assert shown["clock"]["now"] == clock.now().isoformat()
    assert list(shown["meters"]) == list(sandbox.meters)
    assert {name: row["power"] for name, row in shown["meters"].items()} == {
        name: "off" if name == "itron" else "on" for name in sandbox.meters
    }
    row = shown["meters"]["secure"]
    device = sandbox.meters["secure"].device
    scale = device.profile.currency_scale
    assert row["balance"] == str(Decimal(balance(device)).scaleb(scale))
    assert row["relay"] in ("connected", "disconnected", "ready-for-reconnection")
    assert row["connections"] == 0
    assert (row["power"], row["back"]) == ("on", None)


async def test_status_of_one_with_its_connections(sandbox: Sandbox) -> None:
    address = sandbox.meters["secure"].address
    async with connect(address.host, address.plain_port) as client, client.associate() as one:
        await one.get("clock")
        shown = await call(sandbox, "status", "secure")
    assert list(shown["meters"]) == ["secure"]
    assert shown["meters"]["secure"]["connections"] == 1


async def test_status_of_a_meter_without_account_and_relay(
    pki: Any, clock: VirtualClock, fleet_secret: bytes
) -> None:
    laboratory = load("laboratory")
    objects = {
        instance: row
        for instance, row in laboratory.objects.items()
        if row.interface_class not in (classes.ACCOUNT, classes.DISCONNECT_CONTROL)
    }
    profile = replace(laboratory, objects=objects)
    async with Sandbox(
        [profile], pki=pki, fleet_secret=fleet_secret, client_titles=client_titles(), clock=clock
    ) as sandbox:
        shown = await call(sandbox, "status", profile.name)
    row = shown["meters"][profile.name]
    assert (row["relay"], row["balance"], row["prepayment"]) == (None, None, False)


# customer ---------------------------------------------------------------------------------------


async def test_a_customer_closes_what_has_been_armed(sandbox: Sandbox) -> None:
    meter = sandbox.meters["secure"]
    supply = relay(meter.device)
    assert supply is not None
    nothing = {"pressed": "reconnect", "done": False}
    assert await call(sandbox, "customer", "secure", what="reconnect") == nothing
    put(meter.device, supply, ControlState.READY_FOR_RECONNECTION, sandbox.clock.now())
    done = await call(sandbox, "customer", "secure", what="reconnect")
    assert done == {"pressed": "reconnect", "done": True}
    assert state_of(meter.device, supply) is ControlState.CONNECTED


async def test_tokens_at_the_keypad(sandbox: Sandbox, fleet_secret: bytes) -> None:
    meter = sandbox.meters["secure"].device
    before = balance(meter)
    key = meter.key(TOKEN_SCOPE, KeyKind.TOKEN)
    module = SoftwareModule(KeyRing(fleet_secret))
    digits = run(make_token(500, 7, key, meter.title), module.execute)
    for status in ("execution-ok", "validation-failure"):
        shown = await call(sandbox, "customer", "secure", what="token", digits=digits)
        assert shown == {"token": status}
    wrong = await call(sandbox, "customer", "secure", what="token", digits="12 \u00e9")
    assert wrong == {"token": "format-failure"}
    assert balance(meter) == before + 500


async def test_what_a_customer_cannot_do(sandbox: Sandbox) -> None:
    said = await refused(sandbox, "customer", "secure", what="token")
    assert said == "bad-argument: token needs digits"
    said = await refused(sandbox, "customer", "secure", what="reconnect", digits="1")
    assert said == "bad-argument: reconnect has no digits"
    await call(sandbox, "power", "secure", what="off")
    said = await refused(sandbox, "customer", "secure", what="reconnect")
    assert said == "refused: secure has no mains"
