"""Meters that lost their smart service: the supplier's system is gone, its archive is there."""

from __future__ import annotations

import datetime as dt
import json
import stat
from typing import Any

import pytest

from devices.profile import load
from emulator.enrolment.agreed import keys_of_meter, transport_key
from emulator.enrolment.authorisation import device_id
from emulator.enrolment.sources import KeysNotHad, Refusing
from emulator.enrolment.steps import Kind, State, Step
from emulator.head_end.listener import AlertListener, Device
from emulator.policy import Actor
from emulator.serving.pushing import Address

METER = "aclara"
ACTORS = (Actor.S1SP, Actor.DCO)


class Seen:
    def __init__(self) -> None:
        self.alerts: list[Any] = []

    def has(self, alert: Any) -> bool:
        return alert in self.alerts

    def add(self, alert: Any) -> None:
        self.alerts.append(alert)


async def test_silent_for_a_year(world: Any, events: Any, pki: Any) -> None:
    """Nobody knows its counters, its clock is wrong, alerts wait for a client that is gone."""
    where: list[Address] = []
    options = {"on_event": events, "listener": lambda: where[0] if where else None}
    async with world.up([METER], **options) as sandbox:
        meter, profile = world.meters[METER], world.profiles[METER]
        title = meter.address.title
        for actor in ACTORS:
            for _ in range(3):
                await world.client.read_name(meter.address, profile, actor)
        world.archive.put(world.system, profile, title)
        await sandbox.living.advance(world.clock.now() + dt.timedelta(days=365))
        meter.mains.slip(dt.timedelta(hours=3))
        waiting = len(meter.device.state.alerts)
        assert waiting > 0

        # The DCC listens already; the meter does not take it for the client that alerts are for.
        dcc, heard, said = world.dcc(), Seen(), []
        s1sp = dcc.head_end.party(Actor.S1SP)
        listener = AlertListener(
            s1sp,
            pki.issue_listener(s1sp.title, "S1SP alerts"),
            lambda who: Device(METER, profile) if who == title else None,
            heard,
            lambda alert: None,
            said.append,
        )
        await listener.start("127.0.0.1", 0)
        try:
            where.append(Address("127.0.0.1", listener.port))
            sandbox.pusher.listener_changed()
            await events.wait("alerts-not-told")
            assert (len(meter.device.state.alerts), heard.alerts) == (waiting, [])

            world.plan(dcc, METER, Kind.DORMANT)
            record = await world.enrol(dcc, METER, source=world.archive)
            assert (record.state, record.error) == (State.ENROLLED, "")
            assert record.detail["clock_off"] == pytest.approx(3 * 3600, abs=1)
            assert meter.device.state.clock_offset == dt.timedelta(0)
            assert dcc.inventory.get(device_id(title)).status == "Commissioned"

            # Now it tells what has waited, under the keys that the S1SP has made.
            sandbox.pusher.listener_changed()
            await events.wait("alert-told", waiting)
            assert len(heard.alerts) >= waiting
            assert {alert.device for alert in heard.alerts} == {title}
        finally:
            await listener.close()


async def test_no_archive(world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER, Kind.DORMANT)
        record = await world.enrol(dcc, METER, source=world.archive)
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.AUTHORISED)
        assert "the archive has no keys for the S1SP" in record.error


async def test_a_system_that_has_ceased_exports_nothing(world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        record = await world.enrol(dcc, METER, source=Refusing("it has ceased"))
        assert (record.state, record.error) == (State.ROLLED_BACK, "it has ceased")


@pytest.mark.parametrize("name", ["aclara", "secure"])
async def test_what_is_in_the_archive(name: str, world: Any) -> None:
    """A file for each party, with its keys alone, wrapped, and for nobody else to read."""
    profile = load(name)
    title = profile.system_title(1)
    world.archive.put(world.system, profile, title)
    ring = world.system.ring()
    every = {ref: ring.get(ref) for actor in ACTORS for ref in keys_of_meter(profile, title, actor)}
    for actor in ACTORS:
        text = await world.archive.keys(profile, title, actor)
        document = json.loads(text)
        assert document["kek"] == transport_key(world.system.name, actor).scope
        expected = {(ref.scope, ref.kind.name) for ref in keys_of_meter(profile, title, actor)}
        assert {(row["scope"], row["kind"]) for row in document["keys"]} == expected
        assert not any(key.hex() in text.lower() for key in every.values())
    modes = {stat.S_IMODE(path.stat().st_mode) for path in world.archive.folder.iterdir()}
    assert modes == {0o600}
    with pytest.raises(KeysNotHad):
        await world.archive.keys(profile, profile.system_title(2), Actor.DCO)
