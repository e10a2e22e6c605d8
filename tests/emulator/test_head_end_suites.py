"""The head end at a laboratory meter: suite, mechanism and knobs are those of the profile's row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from devices.profile import Profile, load
from dlms.association.knobs import LEGACY, STRICT
from dlms.cosem import obis
from dlms.errors import DlmsError, LocalProtocolError
from dlms.security.control import SUITE_MASK
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Mac, Open, Seal
from emulator.client.targets import Wanted
from emulator.custody import Custody, Mode
from emulator.head_end.assembly import assemble
from emulator.head_end.enrolling import enrol
from emulator.head_end.party import client_titles
from emulator.head_end.planning import global_keys, plan
from emulator.head_end.requesting import Means
from emulator.head_end.services import HeadEnd
from emulator.key_suites import suites_of, suites_of_meters
from emulator.modules.keyring import KeyRing
from emulator.policy import LETTER, Actor
from emulator.requests.user import User
from emulator.sandbox import Sandbox

SECRET = bytes(32)
LABORATORY = load("laboratory")
NAME = Wanted("logical_device_name")
SUITES = {"dco": 0, "suite1": 1, "suite2": 2}


@pytest.fixture
async def laboratory(pki: Any) -> AsyncIterator[Any]:
    """A laboratory meter whose clients are not registered: any title may come."""
    async with Sandbox([LABORATORY], pki=pki, fleet_secret=SECRET, client_titles={}) as sandbox:
        meter = sandbox.meters["laboratory"]
        meter.device.state.certificates.clear()  # which register the titles in them
        yield meter


@pytest.fixture
def made(
    laboratory: Any,
    pki: Any,
    credentials: Any,
    ledger: Any,
    spy_module: Any,
    enrolment: Any,
    supplier: Any,
) -> Callable[..., tuple[HeadEnd, Any]]:
    """A head end whose parties use the association ``name``, and its module."""

    def make(name: str, suites: Any = None) -> tuple[HeadEnd, Any]:
        of_meters = suites_of_meters({laboratory.address.title: LABORATORY})
        module = spy_module(KeyRing(SECRET, suites or of_meters))
        head_end = assemble(
            lambda actor: Custody([module], LETTER, Mode.OBSERVE, ledger),
            credentials[Actor.S1SP],
            pki.trust(),
            Means(
                Custody([module], LETTER, Mode.OBSERVE, ledger),
                lambda: enrol(SECRET, enrolment.users.values()),
                User.of(supplier),
            ),
            associations=dict.fromkeys(Actor, name),
        )
        return head_end, module

    return make


@pytest.mark.parametrize("name", SUITES)
async def test_each_service_in_each_suite(laboratory: Any, made: Any, name: str) -> None:
    """Read, list, add credit, instruct: every one goes under keys and controls of the suite."""
    meter, profile = laboratory.address, LABORATORY
    head_end, module = made(name)
    before = await head_end.status(meter, profile)
    assert await head_end.top_up(meter, profile, Decimal(5)) == "credit"
    after = await head_end.status(meter, profile)
    assert after.balance - before.balance == 5
    value = await head_end.read(meter, profile, NAME)
    assert value == profile.logical_device_name(meter.serial)
    objects = await head_end.objects(meter, profile)
    assert obis.parse("0-0:96.3.10.255") in {entry.instance for entry in objects}
    assert await head_end.instruct(meter, profile, "arm_supply") is Actor.DCO
    # Here both parties share a key, so the first of them has fallen behind: another looks.
    assert (await made(name)[0].status(meter, profile)).supply == "armed"
    used = [op for op in module.ops if isinstance(op, Seal | Open | Mac)]
    assert {op.control & SUITE_MASK for op in used} == {SUITES[name]}
    assert {op.ek.scope for op in used} == {name}


@pytest.mark.parametrize("name", ["suite1", "suite2"])
async def test_keys_of_another_suite_open_nothing(laboratory: Any, made: Any, name: str) -> None:
    """Suite 2 has longer keys, and suite 1 shorter ones, than these."""
    head_end, _ = made(name, lambda ref: {"suite1": 2, "suite2": 0}[name])
    with pytest.raises((DlmsError, ValueError)):
        await head_end.status(laboratory.address, LABORATORY)


def changed(profile: Profile, name: str, **changes: Any) -> Profile:
    row = profile.associations[name]
    there = row._replace(config=replace(row.config, **changes))
    return replace(profile, associations={**profile.associations, name: there})


@pytest.mark.parametrize("knobs", [STRICT, LEGACY], ids=["strict", "legacy"])
def test_knobs_and_suite_are_the_rows(make_party: Any, knobs: Any) -> None:
    party = make_party(Actor.S1SP)
    profile = changed(load("secure"), "s1sp", knobs=knobs, suite=1)
    meter: Any = type("Meter", (), {"title": profile.system_title(1)})
    config = plan(party, meter, party.row(profile))
    keys = global_keys(party, meter, party.row(profile))
    row = profile.associations["s1sp"].config
    assert (config.suite, config.knobs, config.mechanism) == (1, knobs, row.mechanism)
    assert keys.guek == KeyRef(meter.title, "s1sp", KeyKind.GUEK)


async def test_a_secret_of_mechanism_6(laboratory: Any, made: Any) -> None:
    """No policy there, but the head end protects anyway: the row's protection."""
    head_end, _ = made("sha256")
    value = await head_end.read(laboratory.address, LABORATORY, NAME)
    assert value == LABORATORY.logical_device_name(1)


async def test_the_head_end_has_no_key_pair(laboratory: Any, made: Any) -> None:
    """Mechanism 7 needs certificates of both sides, which the parties have for TLS only."""
    head_end, _ = made("ecdsa1")
    with pytest.raises(LocalProtocolError, match="signing key"):
        await head_end.status(laboratory.address, LABORATORY)


async def test_an_association_that_is_not_there(laboratory: Any, made: Any) -> None:
    head_end, _ = made("nobody")
    with pytest.raises(LocalProtocolError, match="laboratory has no association 'nobody'"):
        await head_end.status(laboratory.address, LABORATORY)


def test_suites_of_several_meters() -> None:
    titles = {b"LAB00001": LABORATORY, b"EHL00001": load("secure")}
    suite = suites_of_meters(titles)
    for title, profile in titles.items():
        for scope in ("suite2", "s1sp", "-"):
            key = KeyRef(title, scope, KeyKind.GUEK)
            assert suite(key) == suites_of(profile)(key)
    assert suite(KeyRef(b"LAB00001", "suite2", KeyKind.GUEK)) == 2
    assert suite(KeyRef(b"EHL00001", "suite2", KeyKind.GUEK)) == 0
    assert suite(KeyRef(client_titles()["s1sp"], "s1sp", KeyKind.TLS_PRIVATE_KEY)) == 0
