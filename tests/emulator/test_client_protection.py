"""General-ciphering and general-signing as a caller has them: over sockets, with laboratory meters
of each security suite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.outbox import Changed
from devices.profile import load
from dlms.axdr.data import octet_string
from dlms.cosem import obis
from dlms.cosem.security_setup import Policy
from dlms.security.control import Protection
from dlms.security.general_ciphering import decode_general_ciphering
from dlms.security.keys import KeyKind, KeyLifetime
from dlms.security.message_keys import choice_of
from dlms.security.spent_keys import Marks, SpentKeys
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client import MeterFault, Refused
from emulator.key_suites import suites_of
from emulator.memory.kept_memories import KeptMemories
from emulator.modules.keyring import KeyRing
from emulator.provisioning import CLIENT_TITLE, client_keys
from emulator.sandbox import RunningMeter, Sandbox
from emulator.serving import peer
from tls.contexts import client_context
from tls.identity import exactly

pytestmark = pytest.mark.usefixtures("own_process")
PROFILE = load("laboratory")
PATIENCE = 120.0
DRIVERS = ["asyncio", "blocking"]
BOTH, SIGNED = Protection.BOTH, Protection.BOTH | Protection.SIGNED
PAD, SEALED = "0-0:96.1.9.255", "0-0:96.1.6.255"
READING = AttributeDescriptor(3, obis.parse("1-0:1.8.0"), 2)
CHOICES = {
    "dco": ["unicast", "wrapped"],
    "suite1": ["unicast", "wrapped", "one-pass", "static"],
    "suite2": ["unicast", "wrapped", "one-pass", "static"],
}
WAYS = [(scope, choice) for scope, choices in CHOICES.items() for choice in choices]
SIGNING = [(scope, choice) for scope, choice in WAYS if scope != "dco"]


class Wire:
    """What comes to the meter, by association; ``put`` goes to it in the place of the next."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.put: bytes | None = None


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    exchange = peer.exchange

    def watched(
        association: Any, device: Any, row: Any, apdu: bytes, now: Any, *others: Any
    ) -> Any:
        if row.name != "public":
            wire.seen.append(apdu)
            if wire.put is not None:
                apdu, wire.put = wire.put, None
        return (yield from exchange(association, device, row, apdu, now, *others))

    monkeypatch.setattr(peer, "exchange", watched)
    return wire


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[KeyRing]:
    """Every key ring that is made, at either end."""
    made: list[KeyRing] = []
    begin = KeyRing.__init__

    def remembered(ring: KeyRing, *args: Any, **more: Any) -> None:
        begin(ring, *args, **more)
        made.append(ring)

    monkeypatch.setattr(KeyRing, "__init__", remembered)
    return made


def keys_of_messages(rings: list[KeyRing]) -> list[Any]:
    return [
        ref
        for ring in rings
        for ref in ring.refs
        if ref.lifetime is KeyLifetime.SINGLE_ASSOCIATION and ref.kind is not KeyKind.DEDICATED
    ]


class Lab:
    """A laboratory meter, and clients of it that are awaited whatever their driver."""

    def __init__(self, meter: RunningMeter, secret: bytes, pki: Any, associated: Any) -> None:
        self.meter, self.device, self.title = meter, meter.device, meter.address.title
        self._ring = KeyRing(secret, suites_of(PROFILE))
        self._pki = pki
        self._associated = associated

    def how(self, scope: str, **how: Any) -> dict[str, Any]:
        row = PROFILE.associations[scope]
        return {
            "client_sap": row.config.client_sap,
            "mechanism": row.config.mechanism,
            "suite": row.config.suite,
            "keys": client_keys(row, self.title, CLIENT_TITLE, self._ring),
            "own_title": CLIENT_TITLE,
            "server_title": self.title,
            "counter_from": f"0-0:43.1.{row.security_setup}.255",
        } | how

    @asynccontextmanager
    async def associate(
        self, scope: str, driver: str = "asyncio", way: str = "tcp", **how: Any
    ) -> AsyncIterator[Any]:
        address, more = self.meter.address, {}
        port = address.plain_port
        if way == "tls":
            context = client_context(
                self._pki.issue_client(CLIENT_TITLE, "client"), self._pki.trust()
            )
            port, more = address.tls_port, {"tls": context, "accept": exactly(self.title)}
        route = address.host, port, more
        async with self._associated(driver, route, **self.how(scope, **how)) as association:
            yield association


@pytest.fixture
def start(
    pki: Any, events: Any, clock: Any, fleet_secret: bytes, associated: Any
) -> Callable[..., Any]:
    @asynccontextmanager
    async def start(memories: Any = None) -> AsyncIterator[Lab]:
        async with Sandbox(
            [PROFILE],
            pki=pki,
            fleet_secret=fleet_secret,
            client_titles={},
            on_event=events,
            clock=clock,
            trace=True,
            memories=memories,
        ) as sandbox:
            yield Lab(sandbox.meters["laboratory"], fleet_secret, pki, associated)

    return start


@pytest.fixture
async def lab(start: Any) -> AsyncIterator[Lab]:
    async with start() as lab:
        yield lab


# Each key choice ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tcp", "tls"])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("scope", "choice"), WAYS)
async def test_an_association_by_general_ciphering(
    lab: Lab, wire: Wire, rings: list[KeyRing], scope: str, choice: str, driver: str, way: str
) -> None:
    """X_SUITE1_GENCIPH: from the AARQ to the release, with blocks both ways; no key stays."""
    long = bytes(range(256)) * 12
    async with lab.associate(scope, driver, way, key_choice=choice, max_pdu_size=1024) as a:
        await a.set(PAD, 2, octet_string(long))
        assert await a.get(PAD) == long
        assert len(await a.objects()) > 50
        assert keys_of_messages(rings) == []
    assert wire.seen[0][0] == 0x60
    assert wire.seen[-1][0] == 0x62
    messages = [apdu for apdu in wire.seen if apdu[0] not in (0x60, 0x62, 0xE0)]
    assert len(messages) > 2
    found = {
        choice_of(decode_general_ciphering(apdu).key_info).name.lower().replace("_", "-")
        for apdu in messages
    }
    assert found == {choice}
    assert keys_of_messages(rings) == []


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("form", ["service", "general", "general-ciphering"])
@pytest.mark.parametrize(("scope", "choice"), SIGNING)
async def test_an_association_that_signs(
    lab: Lab, events: Any, scope: str, choice: str, form: str, driver: str
) -> None:
    """X_SUITE1_GENSIGN: signed first, then ciphered, in blocks as well."""
    if form != "general-ciphering" and choice != "unicast":
        how = {"form": form}  # the choice is no matter of theirs
    else:
        how = {"form": "general-ciphering", "key_choice": choice}
    long = bytes(range(256)) * 12
    async with lab.associate(scope, driver, protection=SIGNED, **how) as a:
        await a.set(PAD, 2, octet_string(long))
        assert await a.get(PAD) == long
        await a.set(SEALED, 2, octet_string(b"signed"))
        assert await a.get(SEALED) == b"signed"
    assert not events.of("unable")


async def test_signed_alone(lab: Lab, wire: Wire) -> None:
    """Nothing but a signature, where no policy asks for more: a policy does here, so it is refused
    there, and a meter without one takes it.
    """
    with pytest.raises(Refused):
        async with lab.associate("suite1", protection=Protection.SIGNED):
            pass
    lab.device.state.policies["suite1"] = Policy()
    lab.device.state.security_revision += 1
    async with lab.associate("suite1", protection=Protection.SIGNED) as a:
        await a.set(SEALED, 2, octet_string(b"alone"))
        assert await a.get(SEALED) == b"alone"
    assert wire.seen[-2][0] == 0xDF


# What asks for signatures -------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["suite1", "suite2"])
async def test_rights_that_ask_for_signatures(lab: Lab, events: Any, scope: str) -> None:
    """R-PROT-1: a request that is not signed is refused, and a promised signature is there."""
    async with lab.associate(scope) as a:
        if scope == "suite2":
            assert await a.get(SEALED) == b"\6"  # by a request as it comes, signed in answer
            assert len(events.of("->")[-1].text.split()[0]) > 2 * 96  # twice 48 octets
        else:
            for call in (a.get(SEALED), a.set(SEALED, 2, octet_string(b"unsigned"))):
                with pytest.raises(Refused, match="scope"):
                    await call
        assert await a.get(PAD) == b"\0"


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("scope", "setup"), [("suite1", 11), ("ecdsa1", 14), ("suite2", 12)])
async def test_a_policy_of_signatures(
    lab: Lab, events: Any, scope: str, setup: int, driver: str
) -> None:
    """R-PROT-1, KL-KT-31: from the next request on all is signed, at both ends; and so are
    notifications.
    """
    async with lab.associate(scope, driver) as a:
        there = a.security_setup(f"0-0:43.0.{setup}.255")
        await there.activate_policy(SIGNED)
        assert await a.get(PAD) == b"\0"
        if scope != "suite1":
            assert lab.meter.audience.tell(Changed(READING)) == 1
            event = await a.notification(PATIENCE)
            assert "active_energy_import" in event.values
            (last,) = [event for event in events.of("->") if " DB" in f" {event.text}"][-1:]
            assert "general-glo" in last.text or "glo- general" in last.text
    assert lab.device.policy(PROFILE.associations[scope]) == Policy(SIGNED, SIGNED)
    assert not events.of("not-told")
    if scope != "ecdsa1":
        with pytest.raises(Refused):
            async with lab.associate(scope, driver):
                pass
    async with lab.associate(scope, driver, protection=SIGNED) as a:
        assert await a.get(PAD) == b"\0"
    async with lab.associate(scope, driver, key_choice="one-pass", protection=SIGNED) as a:
        assert await a.get(PAD) == b"\0"


async def test_a_request_that_is_not_signed_is_refused(lab: Lab, wire: Wire, events: Any) -> None:
    """R-PROT-1: and the association stays."""
    lab.device.state.policies["suite1"] = Policy(SIGNED, SIGNED)
    async with lab.associate("suite1", protection=SIGNED) as a:
        assert await a.get(PAD) == b"\0"
        wire.put = bytes.fromhex("C001C1") + bytes.fromhex("00010000600109FF0200")
        with pytest.raises(Refused):
            await a.get(PAD)
        assert events.of("insufficient-protection")
        assert await a.get(PAD) == b"\0"


# Messages that are played again -------------------------------------------------------------------


@pytest.mark.parametrize(("scope", "choice"), WAYS)
async def test_a_message_is_not_taken_again(
    start: Any,
    wire: Wire,
    events: Any,
    tmp_path: Path,
    fleet_secret: bytes,
    scope: str,
    choice: str,
) -> None:
    """KL-IC-22, KL-PK-05, R-IC-7: not at once, not after the meter has begun anew."""
    KeptMemories.create(tmp_path, fleet_secret)
    recorded = b""
    for turn in range(2):
        with KeptMemories(tmp_path, fleet_secret) as memories:
            async with start(memories) as lab:
                async with lab.associate(scope, key_choice=choice) as a:
                    await a.get((1, PAD, 2))
                    recorded = recorded or wire.seen[-1]
                    assert recorded[0] == 0xDD
                    wire.put = recorded
                    with pytest.raises(Refused):
                        await a.get((1, PAD, 2))
                    assert await a.get((1, PAD, 2)) == b"\0"
                why = events.of("deciphering", "invocation-counter")
                assert len(why) == turn + 1
                expected = "invocation counter" if choice == "unicast" else "key of another message"
                assert expected in why[-1].text
                # In a new association with the same meter, too.
                async with lab.associate(scope, key_choice=choice) as a:
                    wire.put = recorded
                    with pytest.raises(Refused):
                        await a.get((1, PAD, 2))
                events.seen.clear()
                events.seen.extend(why)


async def test_a_signature_of_another_transaction(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was signed long ago answers nothing today, not even with the same invoke-id."""
    lab.device.state.policies["suite1"] = Policy()
    answers: list[tuple[bytes, ...]] = []
    exchange = peer.exchange

    def replaying(
        association: Any, device: Any, row: Any, apdu: bytes, now: Any, *others: Any
    ) -> Any:
        exchanged = yield from exchange(association, device, row, apdu, now, *others)
        if apdu[0] == 0xDF and exchanged.replies and row.name == "suite1":
            answers.append(exchanged.replies)
            return exchanged._replace(replies=answers[0 if len(answers) > 2 else -1])
        return exchanged

    monkeypatch.setattr(peer, "exchange", replaying)
    async with lab.associate("suite1", protection=Protection.SIGNED) as a:
        await a.get((1, PAD, 2))
        with pytest.raises(MeterFault, match="another transaction"):
            await a.get((1, PAD, 2))
    assert len(answers) == 3


async def test_when_no_more_can_be_remembered(lab: Lab, events: Any) -> None:
    """The meter says that it is not possible; another master key, and there is room."""
    lab.device.state.spent["suite1"] = SpentKeys(Marks(limit=3))
    async with lab.associate("suite1") as a:
        setup = a.security_setup("0-0:43.0.11.255")
        async with lab.associate("suite1", key_choice="wrapped") as b:  # AARQ and HLS
            await b.get((1, PAD, 2))
            with pytest.raises(Refused, match="operation-not-possible"):
                await b.get((1, PAD, 2))
        assert "no more keys" in events.of("spent-keys-full")[0].text
        for choice in ("unicast", "static", "one-pass"):
            async with lab.associate("suite1", key_choice=choice) as b:
                assert await b.get(PAD) == b"\0"
        before = lab.device.state.spent["suite1"].snapshot()
        await setup.transfer_keys("kek")
        after = lab.device.state.spent["suite1"].snapshot()
        assert after == tuple(mark for mark in before if mark[:1] != b"\1")
        assert {mark[:1] for mark in after} == {b"\2", b"\3", b"\4"}
        keys = a.keys
    async with lab.associate("suite1", key_choice="wrapped", keys=keys) as b:
        await b.get((1, PAD, 2))


async def test_an_open_association_goes_on_with_the_new_marks(lab: Lab) -> None:
    """With the new master key, from the next APDU on."""
    async with lab.associate("suite1", key_choice="wrapped") as a:
        former = lab.device.state.spent["suite1"]
        await a.security_setup("0-0:43.0.11.255").transfer_keys("kek")
        full = len(former)
        assert full
        assert len(lab.device.state.spent["suite1"]) == 0
        await a.get((1, PAD, 2))
        assert len(lab.device.state.spent["suite1"]) == 1
        assert len(former) == full


# What a meter shows -------------------------------------------------------------------------------


@pytest.mark.parametrize(("scope", "choice"), WAYS)
async def test_no_key_in_what_a_meter_traces(
    lab: Lab,
    rings: list[KeyRing],
    events: Any,
    monkeypatch: pytest.MonkeyPatch,
    scope: str,
    choice: str,
) -> None:
    """And of general-ciphering it says who, to whom, by which key; what is inside stays inside."""
    ever: set[bytes] = set()
    keep = KeyRing.keep
    monkeypatch.setattr(
        KeyRing, "keep", lambda ring, ref, key: (ever.add(key), keep(ring, ref, key))[1]
    )
    signed = Protection.BOTH if scope == "dco" else SIGNED
    async with lab.associate(scope, key_choice=choice, protection=signed, dedicated=True) as a:
        await a.get(PAD)
    own, title = CLIENT_TITLE.hex().upper(), lab.title.hex().upper()
    text = events.texts()
    assert f"general-ciphering from={own} to={title} transaction=" in text
    assert f"general-ciphering from={title} to={own} transaction=" in text
    assert f"key={choice} SC={0x30 + PROFILE.associations[scope].config.suite:02X}" in text
    assert len(ever) > 2
    for key in ever - {lab.how(scope)["keys"].peer_public}:
        assert key.hex() not in text.lower()
