"""The declaration of a laboratory meter is complete: by it every association is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from devices.profile import Profile, every, load
from dlms.security.counters import InvocationCounters
from dlms.xdlms.conformance import Conformance
from emulator.client import Client, Keys
from emulator.conformance.declaration import Declaration, key_file, parse, render
from emulator.conformance.declaration.model import DeclaredAssociation, WayKind
from emulator.conformance.declaration.of_profile import (
    Circumstances,
    declare,
    keys_of,
    left_out,
    openable,
)
from emulator.conformance.declaration.opening import options
from emulator.conformance.declaration.routes import route
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.meter_address import LOOPBACK, MeterAddress
from emulator.modules.keyring import KeyRing
from emulator.sandbox import Sandbox

Declared = Callable[..., Declaration]
PATIENCE = 120.0


def client(declaration: Declaration) -> Client:
    return Client(route(declaration.way, declaration.hdlc, declaration.timing), PATIENCE)


async def open_each(declaration: Declaration) -> list[str]:
    """Open all associations one after the other, and see that the services are those declared."""
    keys, counters = key_file.of(declaration), InvocationCounters()
    opened = []
    async with client(declaration) as connection:
        for one in declaration.associations:
            how = options(declaration, one, keys[one.name], counters)
            async with connection.associate(**how) as association:
                assert association.negotiated.conformance == one.conformance, one.name
                assert association.negotiated.server_max_pdu == one.max_pdu_size
                opened.append(one.name)
    return opened


@pytest.mark.parametrize("kind", list(WayKind))
@pytest.mark.parametrize("name", ["laboratory", "secure"])
async def test_associations_open(
    everywhere: Sandbox, declared: Declared, name: str, kind: WayKind
) -> None:
    declaration = declared(everywhere, name, kind)
    if kind is WayKind.TLS:
        # The channel's title is that of the S1SP, and no other client's.
        rows = [one for one in declaration.associations if not one.own_title]
        rows += [declaration.association("s1sp")]
        declaration = replace(declaration, associations=tuple(rows))
    assert await open_each(declaration) == [one.name for one in declaration.associations]


async def test_manufacturers(sandbox: Sandbox, declared: Declared) -> None:
    for name in sandbox.meters:
        declaration = declared(sandbox, name)
        assert await open_each(declaration) == ["public", "reader", "s1sp", "dco"]


async def test_what_may_be_written_can_be(everywhere: Sandbox, declared: Declared) -> None:
    declaration = declared(everywhere, "laboratory")
    keys, counters = key_file.of(declaration), InvocationCounters()
    assert {one.association for one in declaration.sta} == {"dco"}
    assert declaration.association("dco").context.ciphered
    assert len(declaration.writes) == 6  # one of seven is signed
    async with client(declaration) as connection:
        for one in declaration.writes:
            row = declaration.association(one.association)
            how = options(declaration, row, keys[row.name], counters)
            async with connection.associate(**how) as association:
                before = await association.get(one.attribute, raw=True)
                class_id, instance, number = one.attribute
                await association.set(instance, number, one.value, class_id=class_id)
                after = await association.get(one.attribute, raw=True)
                assert after == one.value != before


def address(profile: Profile) -> MeterAddress:
    title = profile.system_title(1)
    ports = 4059, 4060, 4059, 4061
    return MeterAddress(profile.name, 1, title, LOOPBACK, *ports, "/dev/a", "/dev/b")


@pytest.mark.parametrize("name", every())
def test_reads_back(name: str) -> None:
    profile = load(name)
    for kind in WayKind:
        if kind is WayKind.TLS:
            continue
        how = Circumstances(titles=client_titles(), kind=kind, key_file="keys.toml", image="fw.bin")
        declaration = declare(profile, address(profile), how)
        assert parse(render(declaration)) == declaration


def test_pre_established_and_broadcast_are_left_out() -> None:
    profile = load("laboratory")
    assert {row.name for row in left_out(profile)} == {"alerts", "pre_established", "broadcast"}
    declaration = declare(profile, address(profile), Circumstances(titles=client_titles()))
    names = {one.name for one in declaration.associations}
    assert names == set(profile.associations) - {row.name for row in left_out(profile)}


def features(name: str, **how: object) -> set[str]:
    profile = load(name)
    circumstances = Circumstances(titles=client_titles(), **how)  # type: ignore[arg-type]
    return set(declare(profile, address(profile), circumstances).features)


def test_features_of_the_laboratory_meter() -> None:
    found = features("laboratory")
    assert found >= {
        "server", "tcp", "ln", "sn", "public", "users", "hls.ecdsa", "hls.sha256", "access", "gbt",
        "general.signing", "push", "secret.change", "clock", "profiles", "register-monitor",
        "scripts", "data-protection", "test-data", "sta", "lists", "selective", "action.blocks",
    }  # fmt: skip
    lasting = {"policy", "certificates", "key.agreement", "key.pairs", "key.transfer"}
    assert not found & {"image", "hdlc", "client", "tls.server", *lasting}
    assert {"image", *lasting} <= features("laboratory", spend=True, image="fw.bin")


def test_features_of_a_manufacturers_meter() -> None:
    found = features("secure", kind=WayKind.HDLC)
    assert found >= {"hdlc", "hdlc.segmented", "hdlc.inactivity", "clock", "sta"}
    assert not found & {
        "sn", "gbt", "general.signing", "push", "tcp", "wrapper", "secret.change",
        "data-protection", "users", "key.transfer",
    }  # fmt: skip
    spent = features("secure", spend=True)
    assert "key.transfer" in spent
    assert not spent & {"certificates", "key.agreement", "key.pairs"}


def test_a_way_that_is_closed() -> None:
    profile = load("secure")
    there = address(profile)._replace(udp_port=None, line=None)
    for kind, option in ((WayKind.UDP, "--udp"), (WayKind.SERIAL, "--line")):
        with pytest.raises(ValueError, match=rf"secure has no way '{kind.value}'.*{option}"):
            declare(profile, there, Circumstances(titles={}, kind=kind))
    with pytest.raises(ValueError, match="TLS takes certificates"):
        declare(profile, there, Circumstances(titles={}, kind=WayKind.TLS))


def test_keys_are_those_of_the_associations(fleet_secret: bytes) -> None:
    profile = load("laboratory")
    ring = KeyRing(fleet_secret, suites_of(profile))
    found = keys_of(profile, profile.system_title(1), ring, client_titles())
    unkeyed = {"public", "unconfirmed"}
    assert set(found) == {row.name for row in openable(profile)} - unkeyed
    suite2 = found["suite2"].guek
    assert suite2 is not None
    assert len(suite2) == 32
    for row in declare(
        profile, address(profile), Circumstances(titles=client_titles())
    ).associations:
        for name in key_file.needed(row):
            assert getattr(found[row.keys], name), (row.name, name)


def test_offers_what_is_declared() -> None:
    """``options`` says what the declaration does, so that a check is of what the vendor says."""
    one = DeclaredAssociation(
        name="x",
        client_sap=16,
        server_sap=1,
        context=load("laboratory").associations["public"].config.context,
        mechanism=load("laboratory").associations["public"].config.mechanism,
        conformance=Conformance.GET,
        users=(7, 8),
    )
    profile = load("secure")
    declaration = declare(profile, address(profile), Circumstances(titles={}))
    how = options(declaration, one, Keys())
    assert how["conformance"] is Conformance.GET
    assert how["user"] == 7
    assert "own_title" not in how
    assert "counter_from" not in how
