"""Security setup over a real socket, with both drivers: new keys, and the life of a key pair."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from devices.profile import load
from dlms.association.config import AssociationKeys
from dlms.cosem.security_setup import CertificateEntry, Entity, Policy
from dlms.errors import LocalProtocolError
from dlms.security import drive
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificatePurpose, PublicKey, Use
from emulator.client import (
    AnswerTimeout,
    Keys,
    NotAssociated,
    Refused,
    by_entity,
    by_serial,
)
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.provisioning import CLIENT_TITLE, Fleet, client_keys
from emulator.sandbox import RunningMeter
from emulator.serving import peer

PROFILE = load("laboratory")
pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
DRIVERS = ["asyncio", "blocking"]
SUITES = {"suite1": 1, "suite2": 2, "ecdsa1": 1, "ecdsa2": 2}
PAD = "0-0:96.1.9.255"
BOTH = Protection.BOTH


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter(PROFILE, client_titles={}) as meter:
        yield meter


class Lab:
    """The meter, its fleet, and what clients of its associations were given."""

    def __init__(self, meter: RunningMeter, secret: bytes, route: Any, associated: Any) -> None:
        self.device, self.address = meter.device, meter.address
        self.fleet = Fleet(secret)
        self.ring = KeyRing(secret, suites_of(PROFILE))
        self.title = meter.address.title
        self._route = route
        self._associated = associated

    def keys(self, scope: str) -> Keys:
        return client_keys(PROFILE.associations[scope], self.title, CLIENT_TITLE, self.ring)

    def setup(self, scope: str) -> str:
        return f"0-0:43.0.{PROFILE.associations[scope].security_setup}.255"

    def certify(self, scope: str, request: bytes, purpose: str = "signature") -> bytes:
        authority = self.fleet.authority(SUITES[scope])
        der = authority.answer(request, self.title, CertificatePurpose[purpose.upper()])
        assert isinstance(der, bytes)
        return der

    def version(self, scope: str, kind: KeyKind) -> int:
        number = self.device.key(scope, kind).version
        assert isinstance(number, int)
        return number

    @asynccontextmanager
    async def associate(
        self, driver: str, scope: str, keys: Keys | None = None, **how: Any
    ) -> AsyncIterator[Any]:
        config = PROFILE.associations[scope].config
        given: dict[str, Any] = {
            "client_sap": config.client_sap,
            "mechanism": config.mechanism,
            "suite": config.suite,
            "keys": self.keys(scope) if keys is None else keys,
            "own_title": CLIENT_TITLE,
            "server_title": self.title,
            "counter_from": f"0-0:43.1.{PROFILE.associations[scope].security_setup}.255",
        }
        async with self._associated(driver, self._route, **given | how) as association:
            yield association


@pytest.fixture
def lab(
    meter: RunningMeter, fleet_secret: bytes, route_to: Callable[..., Any], associated: Any
) -> Lab:
    return Lab(meter, fleet_secret, route_to(meter, "tcp"), associated)


def octets(keys: Keys) -> dict[str, bytes | None]:
    return {name: getattr(keys, name) for name in Keys.__slots__}


# Global keys --------------------------------------------------------------------------------------

WORDS: dict[str, Callable[[Any], Any]] = {
    "transferred": lambda setup: setup.transfer_keys,
    "agreed": lambda setup: setup.agree_keys,
}


@pytest.mark.parametrize("way", WORDS)
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("scope", ["suite1", "suite2"])
async def test_new_global_keys(lab: Lab, driver: str, scope: str, way: str) -> None:
    """The association goes on under them, another can be made with them, and with no others."""
    old = lab.keys(scope)
    async with lab.associate(driver, scope) as a:
        assert octets(a.keys) == octets(old)
        setup = a.security_setup(lab.setup(scope))
        await WORDS[way](setup)("guek", "gak", "kek")
        assert await a.get(PAD) == b"\0"
        new = a.keys
        # Now under the new master key, and one by one.
        await WORDS[way](setup)("guek")
        await WORDS[way](setup)("gak")
        assert await a.get(PAD) == b"\0"
        newest = a.keys
    for name, kind in (("guek", KeyKind.GUEK), ("gak", KeyKind.GAK), ("kek", KeyKind.KEK)):
        values = {getattr(keys, name) for keys in (old, new, newest)}
        assert len(values) == (2 if name == "kek" else 3)
        assert lab.version(scope, kind) == (1 if name == "kek" else 2)
    unchanged = ("gbek", "signing_key", "peer_public", "agreement_key")
    assert [getattr(newest, name) for name in unchanged] == [
        getattr(old, name) for name in unchanged
    ]
    for stale in (old, new, replace(newest, guek=old.guek), replace(newest, gak=old.gak)):
        with pytest.raises(NotAssociated):
            async with lab.associate(driver, scope, stale):
                pass
    async with lab.associate(driver, scope, newest) as a:
        assert await a.get(PAD) == b"\0"


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_association_is_opened_again_with_its_new_keys(lab: Lab, driver: str) -> None:
    async with lab.associate(driver, "suite1") as a:
        await a.security_setup(lab.setup("suite1")).agree_keys("guek", "gak")
        keys = a.keys
        await a.close()
        assert octets(a.keys) == octets(keys)
        await a.open()
        assert await a.get(PAD) == b"\0"


async def test_counters_begin_with_a_key_and_go_on_with_it(lab: Lab) -> None:
    """A key has one counter, by whatever way it came: agreed here, given as octets there."""
    store = InvocationCounters()
    async with lab.associate("asyncio", "suite1", counters=store) as a:
        await a.security_setup(lab.setup("suite1")).agree_keys("guek")
        floor = lab.device.state.counters.floor(lab.device.key("suite1", KeyKind.GUEK))
        assert floor == 0
        await a.get((1, PAD, 2))
        keys = a.keys
    key = lab.device.key("suite1", KeyKind.GUEK)
    spent = lab.device.state.counters.floor(key)
    assert spent == 2  # the reading, and the release
    # Without asking the meter: what the store knows of this key is right.
    how: dict[str, Any] = {"counters": store, "counter_from": None}
    async with lab.associate("asyncio", "suite1", keys, **how) as a:
        await a.get(PAD)
    assert lab.device.state.counters.floor(key) > spent


async def test_a_transfer_needs_the_master_key(lab: Lab) -> None:
    keys = replace(lab.keys("suite1"), kek=None)
    async with lab.associate("asyncio", "suite1", keys) as a:
        setup = a.security_setup(lab.setup("suite1"))
        with pytest.raises(LocalProtocolError, match="master key"):
            await setup.transfer_keys("guek")
        assert await a.get(PAD) == b"\0"
        wrong = bytes(16)
    async with lab.associate("asyncio", "suite1", replace(keys, kek=wrong)) as a:
        setup = a.security_setup(lab.setup("suite1"))
        digest = lab.device.state.digest()
        with pytest.raises(Refused, match="transfer keys"):
            await setup.transfer_keys("guek", "gak")
        assert setup.in_doubt is None
        assert lab.device.state.digest() == digest
        assert octets(a.keys) == octets(replace(keys, kek=wrong))
        assert await a.get(PAD) == b"\0"


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_answer_that_never_comes(
    lab: Lab, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KL-KT-11: the meter may have the new keys or the old, so the client keeps both."""
    exchange = peer.exchange

    def losing(association: Any, device: Any, *more: Any) -> Any:
        before = device.state.security_revision
        exchanged = yield from exchange(association, device, *more)
        lost = device.state.security_revision != before
        return exchanged._replace(replies=()) if lost else exchanged

    monkeypatch.setattr(peer, "exchange", losing)
    old = lab.keys("suite1")
    async with lab.associate(driver, "suite1", timeout=0.5) as a:
        setup = a.security_setup(lab.setup("suite1"))
        assert setup.in_doubt is None
        with pytest.raises(AnswerTimeout, match="transfer keys"):
            await setup.transfer_keys("guek", "gak")
        assert a.keys == old
        new = setup.in_doubt
    assert new.kek == old.kek
    with pytest.raises(NotAssociated):
        async with lab.associate(driver, "suite1", old):
            pass
    async with lab.associate(driver, "suite1", new) as a:
        assert await a.get(PAD) == b"\0"


@pytest.mark.parametrize("name", ["signing_key", "peer_public"])
async def test_an_agreement_needs_signature_keys(lab: Lab, name: str) -> None:
    missing: dict[str, Any] = {name: None}
    keys = replace(lab.keys("suite1"), **missing)
    async with lab.associate("asyncio", "suite1", keys) as a:
        setup = a.security_setup(lab.setup("suite1"))
        with pytest.raises(LocalProtocolError, match="signature keys"):
            await setup.agree_keys("guek")


async def test_an_agreement_with_another_signature_key_is_refused(lab: Lab) -> None:
    keys = replace(lab.keys("suite1"), signing_key=lab.keys("ecdsa1").signing_key)
    async with lab.associate("asyncio", "suite1", keys) as a:
        setup = a.security_setup(lab.setup("suite1"))
        digest = lab.device.state.digest()
        with pytest.raises(Refused, match="agree keys"):
            await setup.agree_keys("guek", "gak")
        assert lab.device.state.digest() == digest
        assert await a.get(PAD) == b"\0"


@pytest.mark.parametrize("names", [(), ("guek", "guek")])
async def test_which_keys(lab: Lab, names: tuple[str, ...]) -> None:
    async with lab.associate("asyncio", "suite1") as a:
        setup = a.security_setup(lab.setup("suite1"))
        for word in (setup.transfer_keys, setup.agree_keys):
            with pytest.raises(LocalProtocolError, match="each once"):
                await word(*names)
            with pytest.raises(ValueError, match="none of guek"):
                await word("signing_key")


# The life of a key pair ---------------------------------------------------------------------------


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("scope", ["ecdsa1", "ecdsa2"])
async def test_the_life_of_a_signature_key_pair(lab: Lab, driver: str, scope: str) -> None:
    """Generated, certified, imported, used in mechanism 7, exported, removed with its key."""
    old = lab.keys(scope)
    first = lab.device.key(scope, KeyKind.SIGNING_KEY)
    async with lab.associate(driver, scope) as a:
        setup = a.security_setup(lab.setup(scope))
        await setup.generate_key_pair("signature")
    # The old pair goes on until the certificate is there.
    async with lab.associate(driver, scope) as a:
        setup = a.security_setup(lab.setup(scope))
        certificate = lab.certify(scope, await setup.certificate_request("signature"))
        await setup.import_certificate(certificate)
        new = a.keys
        assert new.peer_public != old.peer_public
        assert replace(new, peer_public=old.peer_public) == old
        # What is signed by the meter from now on is signed with the new key.
        await setup.agree_keys("guek", "gak")
        new = a.keys
    with pytest.raises(NotAssociated):
        async with lab.associate(driver, scope, replace(new, peer_public=old.peer_public)):
            pass
    own = by_entity("server", "signature", lab.title)
    async with lab.associate(driver, scope, new) as a:
        setup = a.security_setup(lab.setup(scope))
        assert await setup.export_certificate(own) == certificate
        (entry,) = [
            one
            for one in await setup.certificates()
            if (one.entity, one.purpose) == (Entity.SERVER, CertificatePurpose.SIGNATURE)
        ]
        assert isinstance(entry, CertificateEntry)
        assert await setup.export_certificate(by_serial(entry)) == certificate
        second = lab.device.key(scope, KeyKind.SIGNING_KEY)
        assert second == first._replace(version=1)
        await setup.remove_certificate(own)
        with pytest.raises(Refused, match="export a certificate"):
            await setup.export_certificate(own)
        with pytest.raises(Refused, match="agree keys"):
            await setup.agree_keys("guek")
        assert await a.get(PAD) == b"\0"
    assert lab.device.state.doomed == set()
    with pytest.raises(NotAssociated):
        async with lab.associate(driver, scope, new):
            pass


async def test_the_private_key_is_destroyed_after_the_response(
    lab: Lab, meter: RunningMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    destroyed: list[Any] = []
    discard = KeyRing.discard
    monkeypatch.setattr(
        KeyRing, "discard", lambda ring, ref: (destroyed.append(ref), discard(ring, ref))[1]
    )
    async with lab.associate("asyncio", "suite1") as a:
        setup = a.security_setup(lab.setup("suite1"))
        for purpose in ("signature", "key_agreement"):
            await setup.remove_certificate(by_entity("server", purpose, lab.title))
    gone = [ref for ref in destroyed if ref.holder == lab.title]
    assert gone == [
        lab.device.key("suite1", KeyKind.SIGNING_KEY),
        lab.device.key("suite1", KeyKind.AGREEMENT_KEY),
    ]


async def test_a_new_client_certificate(lab: Lab) -> None:
    """Imported in mechanism 7 with the old key, it is the new key's from the next APDU on."""
    scope = "ecdsa1"
    client = lab.keys("suite1").signing_key  # another of the same client's
    assert client is not None
    public = _public(client)
    authority = lab.fleet.authority(1)
    der = authority.issue(CLIENT_TITLE, CertificatePurpose.SIGNATURE, public)
    async with lab.associate("asyncio", scope) as a:
        await a.security_setup(lab.setup(scope)).import_certificate(der)
        assert a.keys == lab.keys(scope)
    with pytest.raises(NotAssociated):
        async with lab.associate("asyncio", scope):
            pass
    async with lab.associate("asyncio", scope, replace(lab.keys(scope), signing_key=client)) as a:
        assert await a.get(PAD) == b"\0"


def _public(scalar: bytes) -> bytes:
    ring, ref = KeyRing(), KeyRef(b"", "client", KeyKind.SIGNING_KEY)
    ring.keep(ref, scalar)
    public = SoftwareModule(ring).execute(PublicKey(Use.CERTIFICATE, ref))
    assert isinstance(public, bytes)
    return public


@pytest.mark.parametrize("title", [b"OTH\0\0\0\0\1", b"CLI\0\0\0\0\2"])
async def test_the_association_is_for_the_title_in_the_certificate(lab: Lab, title: bytes) -> None:
    """KL-PK-11."""
    with pytest.raises(NotAssociated):
        async with lab.associate("asyncio", "ecdsa1", own_title=title):
            pass


async def test_import_refuses_what_the_meter_cannot_use(lab: Lab) -> None:
    async with lab.associate("asyncio", "suite1") as a:
        setup = a.security_setup(lab.setup("suite1"))
        with pytest.raises(ValueError, match="cannot be read"):
            await setup.import_certificate(b"nothing")
        digest = lab.device.state.digest()
        with pytest.raises(Refused, match="import a certificate"):
            await setup.import_certificate(lab.fleet.authority(1).certificate)
        keys = a.keys
        # For the meter's title, with another key: nor does the client go by it.
        public = lab.keys("ecdsa1").peer_public
        assert public is not None
        authority = lab.fleet.authority(1)
        der = authority.issue(lab.title, CertificatePurpose.SIGNATURE, public)
        with pytest.raises(Refused):
            await setup.import_certificate(der)
        assert a.keys == keys
        assert lab.device.state.digest() == digest
        with pytest.raises(ValueError, match="none of signature"):
            await setup.generate_key_pair("encryption")


# Policy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_client_protects_as_was_activated(lab: Lab, driver: str) -> None:
    """From a policy that asks for nothing, as in graded (version 0), to all of it."""
    async with lab.associate(driver, "graded", protection=Protection.AUTHENTICATED) as a:
        setup = a.security_setup(lab.setup("graded"))
        await setup.activate_policy(BOTH)
        assert await a.get("0-0:96.1.7.255", 3) is not None
    policy = lab.device.policy(PROFILE.associations["graded"])
    assert policy == Policy(BOTH, BOTH)
    async with lab.associate(driver, "graded") as a:
        setup = a.security_setup(lab.setup("graded"))
        with pytest.raises(Refused, match="security policy"):
            await setup.activate_policy(Protection.AUTHENTICATED)
        with pytest.raises(LocalProtocolError, match="version 0"):
            await setup.activate_policy(BOTH, Protection.AUTHENTICATED)


async def test_a_policy_of_version_1_goes_in_bits(lab: Lab) -> None:
    async with lab.associate("asyncio", "suite1") as a:
        setup = a.security_setup(lab.setup("suite1"))
        await setup.activate_policy(BOTH)
        with pytest.raises(Refused):
            await setup.activate_policy(BOTH, Protection.AUTHENTICATED)
        assert await a.get(lab.setup("suite1"), "security_policy") == 0b0110_1100


async def test_keys_by_reference_stay_where_they_are(lab: Lab) -> None:
    """A runner of the caller's has them; new ones are the next versions of the old."""
    refs = AssociationKeys(
        guek=lab.device.key("suite1", KeyKind.GUEK),
        gak=lab.device.key("suite1", KeyKind.GAK),
        kek=lab.device.key("suite1", KeyKind.KEK),
    )
    module = SoftwareModule(lab.ring)

    async def run(step: Any) -> Any:
        return drive.run(step, module.execute)

    counters = InvocationCounters()
    how: dict[str, Any] = {"keys": refs, "run": run, "ciphered": True, "counters": counters}
    async with lab.associate("asyncio", "suite1", **how) as a:
        with pytest.raises(ValueError, match="by reference"):
            _ = a.keys
        await a.security_setup(lab.setup("suite1")).transfer_keys("guek")
        assert await a.get(PAD) == b"\0"
    new = lab.device.key("suite1", KeyKind.GUEK)
    assert new.version == 1
    assert counters.next_to_send(new) > 0
