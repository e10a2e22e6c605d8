"""A meter changes hands: before, the supplier's and nobody else's; after, the DCC's alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from devices.objects.token_gateway import TOKEN_SCOPE, TokenStatus
from devices.profile import available, gas
from devices.token import make_token
from dlms.client.refusals import AssociationRejected
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from emulator.database import Database, sqlite_url
from emulator.enrolment.agreed import keys_of_meter
from emulator.enrolment.authorisation import device_id
from emulator.enrolment.steps import State, Step
from emulator.head_end.party import TITLES
from emulator.keystore.states import KeyState
from emulator.keystore.store import KeyStore
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor, Purpose

NINE = (*available(), *gas())
ACTORS = (Actor.S1SP, Actor.DCO)


def supplier_token(world: Any, title: bytes, counter: int) -> bytes:
    """Twenty digits for five pounds, as the supplier's system makes them."""
    module = SoftwareModule(world.system.ring())
    key = KeyRef(title, TOKEN_SCOPE, KeyKind.TOKEN)
    return run(make_token(500, counter, key, title), module.execute).encode()


@pytest.mark.parametrize("name", NINE)
async def test_a_meter_changes_hands(name: str, world: Any) -> None:
    async with world.up([name]):
        meter, profile = world.meters[name], world.profiles[name]
        title = meter.address.title
        dcc = world.dcc()

        # Before: the supplier reads, by each association and port; the DCC does not get in.
        for actor in ACTORS:
            said = await world.client.read_name(meter.address, profile, actor)
            assert said == profile.logical_device_name(meter.address.serial)
        tried = await world.client.try_everything(meter.address, profile)
        own = [one for one in tried if one.title == "own"]
        assert {(one.way, one.association) for one in own if one.succeeded} == {
            (way, scope)
            for way in ("plain", "TLS", "TLS, migration certificate")
            for scope in ("s1sp", "dco")
        }
        assert not any(one.succeeded for one in tried if one.title != "own")
        with pytest.raises(AssociationRejected):
            await dcc.head_end.status(meter.address, profile)
        if profile.top_up == "token":
            assert meter.mains.key_in(supplier_token(world, title, 7)) is TokenStatus.EXECUTION_OK

        world.plan(dcc, name)
        record = await world.enrol(dcc, name)
        assert (record.state, record.step, record.error) == (State.ENROLLED, Step.COMMISSIONED, "")

        # After: nothing that the supplier has opens anything.
        tried = await world.client.try_everything(meter.address, profile)
        assert len(tried) == 12
        assert not any(one.succeeded or one.let_in for one in tried)
        # By TLS it does not come as far as the association: nobody trusts its certificates.
        by_tls = {one.why for one in tried if one.way.startswith("TLS")}
        assert len(by_tls) == 1
        assert "unknown_ca" in by_tls.pop()
        ring, supplier = meter.mains.host.memory.ring, world.system.ring()
        for actor in ACTORS:
            for ref in keys_of_meter(profile, title, actor):
                now = meter.device.key(ref.scope, ref.kind)
                assert now.version >= (1 if ref.kind is KeyKind.TOKEN else 2)
                assert ring.get(now) != supplier.get(ref)
        if profile.top_up == "token":
            status = meter.mains.key_in(supplier_token(world, title, 8))
            assert status is TokenStatus.AUTHENTICATION_FAILURE

        # And the DCC serves, in this process and in the next.
        for again in (dcc, world.dcc(transport=False)):
            before = await again.head_end.status(meter.address, profile)
            await again.head_end.top_up(meter.address, profile, Decimal("5.00"))
            after = await again.head_end.status(meter.address, profile)
            assert after.balance - before.balance == Decimal("5.00")
            assert await again.head_end.instruct(meter.address, profile, "disable_supply")
        entry = dcc.inventory.get(device_id(title))
        assert (entry.status, entry.supplier) == ("Commissioned", "brightco")
        assert [row["status"] for row in dcc.inventory.history(device_id(title))] == [
            "Pending",
            "Installed not commissioned",
            "Commissioned",
        ]


async def test_each_party_touches_its_own_keys_only(world: Any) -> None:
    async with world.up(["secure"]):
        dcc = world.dcc()
        world.plan(dcc, "secure")
        await world.enrol(dcc, "secure")
    entries = list(dcc.ledger)
    scopes = {
        actor: {
            key.scope
            for entry in entries
            if entry.actor is actor
            for key in entry.keys
            if key.kind is not KeyKind.TLS_PRIVATE_KEY
        }
        for actor in ACTORS
    }
    assert scopes[Actor.S1SP] == {
        *("s1sp", "alerts", TOKEN_SCOPE, "store of S1SP", "migration from brightco to S1SP"),
        "requests of S1SP",
    }
    assert scopes[Actor.DCO] == {"dco", "store of DCO", "migration from brightco to DCO"}
    unwrapped = [entry for entry in entries if entry.operation == "Unwrap"]
    transported = [e for e in unwrapped if e.keys[0].scope.startswith("migration")]
    assert len(transported) == 4 + 4 + 1 + 4
    assert {entry.purpose for entry in transported} == {Purpose.TRANSFER_KEY}
    # The DCO has no TLS of its own; by the supplier's title the S1SP has another key for it.
    handshakes = [entry for entry in entries if entry.purpose is Purpose.ESTABLISH_TLS]
    assert {entry.actor for entry in handshakes} == {Actor.S1SP}
    assert {key.holder for entry in handshakes for key in entry.keys} == {
        world.system.title,
        TITLES[Actor.S1SP],
    }


async def test_what_was_handed_over_is_destroyed(world: Any) -> None:
    """In the module and in the key store; the keys in force are later ones."""
    async with world.up(["secure"]):
        dcc = world.dcc()
        world.plan(dcc, "secure")
        record = await world.enrol(dcc, "secure")
    store = KeyStore(Database(sqlite_url(world.folder / "dcc.db")))
    handed = [
        KeyRef(record.title, scope, KeyKind[kind], version=version)
        for scope, kind, version in record.detail["handed"]
    ]
    assert len(handed) == 4 + 4 + 1 + 4
    for ref in handed:
        row = store.row(ref)
        assert (row.state, row.wrapped) == (KeyState.DESTROYED, None), ref
        assert not any(ring.holds(ref) for ring in dcc.rings.values())
    in_force = [row.ref for row in store.rows(holder=record.title, states=(KeyState.IN_FORCE,))]
    assert {(ref.scope, ref.kind) for ref in in_force} == {(ref.scope, ref.kind) for ref in handed}


async def test_no_key_is_written_down_in_the_clear(world: Any) -> None:
    async with world.up(["landis_gyr"]):
        dcc = world.dcc()
        world.plan(dcc, "landis_gyr")
        await world.enrol(dcc, "landis_gyr")
        title, profile = world.meters["landis_gyr"].address.title, world.profiles["landis_gyr"]
        ring = world.meters["landis_gyr"].mains.host.memory.ring
        secrets = [
            *(
                world.system.ring().get(ref)
                for a in ACTORS
                for ref in keys_of_meter(profile, title, a)
            ),
            *(octets for ref, octets in ring.lasting.items()),
        ]
    assert len(secrets) > 20
    written = b"".join(path.read_bytes() for path in world.folder.iterdir() if path.is_file())
    for secret in secrets:
        for form in (secret, secret.hex().encode(), secret.hex().upper().encode()):
            assert form not in written
    shown = repr(list(dcc.ledger)) + repr(dcc.store.all()) + repr(world.system)
    assert not any(secret.hex() in shown.lower() for secret in secrets)
