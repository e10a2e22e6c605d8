"""Keys replaced through the Security setup, on associations that are open (Blue Book 4.4.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.device import Device
from devices.profile import load
from dlms.association.config import AssociationKeys
from dlms.association.events import AssociationRefused
from dlms.axdr.data import array, enum, octet_string, structure
from dlms.cosem import classes, obis
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import GenerateKey, Step, Use, Wrap
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest
from emulator.custody import Errand
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor, ModuleClass, Purpose

WAYS = ["plain", "tls"]
IDS = {KeyKind.GUEK: 0, KeyKind.GBEK: 1, KeyKind.GAK: 2, KeyKind.KEK: 3}
CLOCK_TIME = AttributeDescriptor(8, obis.parse("0-0:1.0.0.255"), 2)
DECIPHERING_ERROR = bytes.fromhex("D80105")


def transfer_method(number: int) -> MethodDescriptor:
    """global_key_transfer of Security setup 0-0:43.0.number.255."""
    return MethodDescriptor(
        classes.SECURITY_SETUP.class_id, obis.parse(f"0-0:43.0.{number}.255"), 2
    )


def wraps(*keys: tuple[KeyRef, KeyRef]) -> Step[list[bytes]]:
    """Make new keys and wrap them, by (wrapping key, new key)."""
    wrapped = []
    for kek, key in keys:
        yield GenerateKey(Use.TRANSFER_KEY, key, 16)
        wrapped.append((yield Wrap(Use.TRANSFER_KEY, kek, key)))
    return wrapped


def transfer(*rows: tuple[int, bytes], number: int = 1, invoke: int = 0x41) -> ActionRequest:
    parameter = array(*(structure(enum(key_id), octet_string(key)) for key_id, key in rows))
    return ActionRequest(invoke, transfer_method(number), parameter)


def refs(meter: Any, scope: str = "s1sp", version: int = 0) -> dict[KeyKind, KeyRef]:
    return {kind: KeyRef(meter.device.title, scope, kind, version=version) for kind in IDS}


def adopt(speaker: Any, keys: dict[KeyKind, KeyRef]) -> None:
    """The client goes on under the new keys. Its association has no method for that."""
    security = speaker.association._security
    security.guek, security.gak = keys[KeyKind.GUEK], keys[KeyKind.GAK]


def keys_of(keys: dict[KeyKind, KeyRef]) -> AssociationKeys:
    return AssociationKeys(guek=keys[KeyKind.GUEK], gak=keys[KeyKind.GAK])


@pytest.fixture
def meter(place: Callable[[str], Any]) -> Any:
    """Aclara: long-lived keys only, so that every APDU shows which are in force."""
    return place("aclara")


@pytest.mark.parametrize("way", WAYS)
async def test_both_keys_of_a_live_association(way: str, meter: Any, speak: Any) -> None:
    old, new = refs(meter), refs(meter, version=1)
    speaker = await (await speak(way, "aclara", "s1sp")).open()
    kek = old[KeyKind.KEK]
    guek, gak = speaker.make(wraps((kek, new[KeyKind.GUEK]), (kek, new[KeyKind.GAK])))
    # The response to the change still goes under the old keys: the client could open it.
    response = await speaker.request(transfer((0, guek), (2, gak)))
    assert response.result is ActionResult.SUCCESS
    assert meter.device.key("s1sp", KeyKind.GUEK) == new[KeyKind.GUEK]
    assert meter.device.key("s1sp", KeyKind.GAK) == new[KeyKind.GAK]
    assert meter.device.key("s1sp", KeyKind.KEK) == old[KeyKind.KEK]

    digest = meter.digest
    stale = speaker.sealed(GetRequest(0x42, CLOCK_TIME))
    assert await speaker.peer.exchange(stale) == DECIPHERING_ERROR
    speaker.association._waiting_for = None  # the exception was the answer
    adopt(speaker, new)
    assert (await speaker.get()).value[:2] == bytes((0x07, 0xE3))
    assert meter.digest == digest

    # On new connections: the old keys are refused, the new ones are good.
    former = await speak(way, "aclara", "s1sp", keys=keys_of(old))
    assert isinstance(await former.begin(), AssociationRefused)
    fresh = await speak(way, "aclara", "s1sp", keys=keys_of(new))
    await (await fresh.open()).get()


async def test_a_new_encryption_key_starts_its_counters(meter: Any, speak: Any) -> None:
    old, new = refs(meter), refs(meter, version=1)
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    (wrapped,) = speaker.make(wraps((old[KeyKind.KEK], new[KeyKind.GUEK])))
    await speaker.request(transfer((0, wrapped)))
    counters = meter.device.state.counters
    assert counters.floor(new[KeyKind.GUEK]) == counters.next_to_send(new[KeyKind.GUEK]) == 0
    assert counters.floor(old[KeyKind.GUEK]) > 0
    adopt(speaker, {**old, KeyKind.GUEK: new[KeyKind.GUEK]})
    await speaker.get()
    assert counters.floor(new[KeyKind.GUEK]) == 1


async def test_a_new_authentication_key_alone_does_not(meter: Any, speak: Any) -> None:
    """The initialization vectors belong to the encryption key: they must not come again."""
    old, new = refs(meter), refs(meter, version=1)
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    (wrapped,) = speaker.make(wraps((old[KeyKind.KEK], new[KeyKind.GAK])))
    await speaker.request(transfer((2, wrapped)))
    counters = meter.device.state.counters
    guek = old[KeyKind.GUEK]
    before = counters.floor(guek), counters.next_to_send(guek)
    assert min(before) > 0
    stale = speaker.sealed(GetRequest(0x42, CLOCK_TIME))
    assert await speaker.peer.exchange(stale) == DECIPHERING_ERROR
    speaker.association._waiting_for = None
    adopt(speaker, {**old, KeyKind.GAK: new[KeyKind.GAK]})
    await speaker.get()
    assert counters.floor(guek) > before[0]
    assert counters.next_to_send(guek) == before[1] + 1


def bend(octets: bytes) -> bytes:
    return octets[:-1] + bytes((octets[-1] ^ 1,))


BAD: dict[str, Callable[[bytes, bytes], list[tuple[int, bytes]]]] = {
    "second key bent": lambda guek, gak: [(0, guek), (2, bend(gak))],
    "first key bent": lambda guek, gak: [(0, bend(guek)), (2, gak)],
    "one key for two purposes": lambda guek, gak: [(0, guek), (2, guek)],
    "one purpose twice": lambda guek, gak: [(0, guek), (0, gak)],
    "unknown purpose": lambda guek, gak: [(0, guek), (4, gak)],
    "too short": lambda guek, gak: [(0, guek), (2, gak[:-8])],
    "too long": lambda guek, gak: [(0, guek), (2, gak + bytes(8))],
    "not wrapped": lambda guek, gak: [(0, bytes(24))],
    "nothing": lambda guek, gak: [],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
async def test_a_bad_transfer_changes_nothing(bad: Any, meter: Any, speak: Any) -> None:
    """All or nothing: also the good key that came first is forgotten."""
    old, new = refs(meter), refs(meter, version=1)
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    kek = old[KeyKind.KEK]
    guek, gak = speaker.make(wraps((kek, new[KeyKind.GUEK]), (kek, new[KeyKind.GAK])))
    digest = meter.digest
    response = await speaker.request(transfer(*bad(guek, gak)))
    assert response.result is ActionResult.OTHER_REASON
    assert meter.digest == digest
    await speaker.get()  # under the old keys
    # And the same keys, rightly wrapped, are still new to the meter.
    response = await speaker.request(transfer((0, guek), (2, gak)))
    assert response.result is ActionResult.SUCCESS
    adopt(speaker, new)
    await speaker.get()


def test_a_good_key_of_a_bad_transfer_is_destroyed(
    fleet_secret: bytes, remembering_ring: Any, clock: Any
) -> None:
    """Inside the meter, too: nothing of it stays in its module."""
    ring = remembering_ring(fleet_secret)
    execute = SoftwareModule(ring).execute
    device = Device(load("aclara"), 1)
    new = KeyRef(device.title, "s1sp", KeyKind.GUEK, version=1)
    kek = KeyRef(device.title, "s1sp", KeyKind.KEK)
    head_end = SoftwareModule(remembering_ring(fleet_secret))
    guek, gak = run(wraps((kek, new), (kek, new._replace(kind=KeyKind.GAK))), head_end.execute)
    row = device.profile.associations["s1sp"]
    bad = run(device.handle(transfer((0, guek), (2, bend(gak))), row, clock.now()), execute)
    assert isinstance(bad, ActionResponse)
    assert bad.result is ActionResult.OTHER_REASON
    assert new in ring.ever
    assert not ring.keeps(new)
    good = run(device.handle(transfer((0, guek), (2, gak)), row, clock.now()), execute)
    assert isinstance(good, ActionResponse)
    assert good.result is ActionResult.SUCCESS
    assert ring.keeps(new)


async def test_the_wrong_master_key(meter: Any, speak: Any) -> None:
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    new = refs(meter, version=1)[KeyKind.GUEK]
    (wrapped,) = speaker.make(wraps((refs(meter, "dco")[KeyKind.KEK], new)))
    digest = meter.digest
    response = await speaker.request(transfer((0, wrapped)))
    assert response.result is ActionResult.OTHER_REASON
    assert meter.digest == digest
    await speaker.get()


@pytest.mark.parametrize("kind", [KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK])
async def test_a_key_that_is_in_use_does_not_come_again(
    kind: KeyKind, meter: Any, speak: Any
) -> None:
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    old = refs(meter)

    def again() -> Step[bytes]:
        return (yield Wrap(Use.TRANSFER_KEY, old[KeyKind.KEK], old[kind]))

    digest = meter.digest
    response = await speaker.request(transfer((0, speaker.make(again()))))
    assert response.result is ActionResult.OTHER_REASON
    assert meter.digest == digest
    await speaker.get()


async def test_a_former_key_does_not_come_again(meter: Any, speak: Any) -> None:
    """Its counters would start again, and with them its initialization vectors."""
    old, new = refs(meter), refs(meter, version=1)
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    (wrapped,) = speaker.make(wraps((old[KeyKind.KEK], new[KeyKind.GUEK])))
    await speaker.request(transfer((0, wrapped)))
    adopt(speaker, {**old, KeyKind.GUEK: new[KeyKind.GUEK]})

    def back() -> Step[bytes]:
        return (yield Wrap(Use.TRANSFER_KEY, old[KeyKind.KEK], old[KeyKind.GUEK]))

    response = await speaker.request(transfer((0, speaker.make(back()))))
    assert response.result is ActionResult.OTHER_REASON
    assert meter.device.key("s1sp", KeyKind.GUEK) == new[KeyKind.GUEK]


async def test_a_new_master_key(meter: Any, speak: Any) -> None:
    """From then on it wraps; its predecessor does not."""
    old, new = refs(meter), refs(meter, version=1)
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    (wrapped,) = speaker.make(wraps((old[KeyKind.KEK], new[KeyKind.KEK])))
    assert (await speaker.request(transfer((3, wrapped)))).result is ActionResult.SUCCESS
    (stale,) = speaker.make(wraps((old[KeyKind.KEK], new[KeyKind.GAK])))
    response = await speaker.request(transfer((2, stale)))
    assert response.result is ActionResult.OTHER_REASON
    (good,) = speaker.make(wraps((new[KeyKind.KEK], new[KeyKind.GAK])))
    assert (await speaker.request(transfer((2, good)))).result is ActionResult.SUCCESS


@pytest.mark.parametrize("way", WAYS)
async def test_an_association_on_another_connection_follows(
    way: str, meter: Any, speak: Any
) -> None:
    """The DCO replaces the keys of the S1SP while the S1SP is there."""
    old, new = refs(meter), refs(meter, version=1)
    s1sp = await (await speak(way, "aclara", "s1sp")).open()
    dco = await (await speak(way, "aclara", "dco")).open()
    await s1sp.get()
    kek = old[KeyKind.KEK]
    guek, gak = dco.make(wraps((kek, new[KeyKind.GUEK]), (kek, new[KeyKind.GAK])))
    assert (await dco.request(transfer((0, guek), (2, gak)))).result is ActionResult.SUCCESS
    await dco.get()  # its own keys are what they were
    stale = s1sp.sealed(GetRequest(0x42, CLOCK_TIME))
    assert await s1sp.peer.exchange(stale) == DECIPHERING_ERROR
    s1sp.association._waiting_for = None
    adopt(s1sp, new)
    await s1sp.get()


async def test_the_s1sp_does_not_reach_the_keys_of_the_dco(meter: Any, speak: Any) -> None:
    old, new = refs(meter, "dco"), refs(meter, "dco", version=1)
    speaker = await (await speak("plain", "aclara", "s1sp")).open()
    (wrapped,) = speaker.make(wraps((old[KeyKind.KEK], new[KeyKind.GUEK])))
    digest = meter.digest
    response = await speaker.request(transfer((0, wrapped), number=2))
    assert response.result is ActionResult.OBJECT_UNDEFINED
    assert meter.digest == digest


async def test_a_dedicated_key_stays_and_the_new_authentication_key_counts(
    place: Callable[[str], Any], speak: Any
) -> None:
    meter = place("landis_gyr")
    old, new = refs(meter, "dco"), refs(meter, "dco", version=1)
    speaker = await (await speak("plain", "landis_gyr", "dco")).open()
    (wrapped,) = speaker.make(wraps((old[KeyKind.KEK], new[KeyKind.GAK])))
    answer = await speaker.request(transfer((2, wrapped), number=2))
    assert answer.result is ActionResult.SUCCESS
    stale = speaker.sealed(GetRequest(0x42, CLOCK_TIME))
    assert await speaker.peer.exchange(stale) == DECIPHERING_ERROR
    speaker.association._waiting_for = None
    adopt(speaker, {**old, KeyKind.GAK: new[KeyKind.GAK]})
    await speaker.get()


async def test_a_rotation_by_the_dco_is_in_the_ledger(
    meter: Any, make_party: Callable[..., Any], relayed: Any, ledger: Any, ring: Any
) -> None:
    """Through the custody: a key transfer needs Level 3, and no key is in what is written down."""
    old, new = refs(meter, "dco"), refs(meter, "dco", version=1)
    party = make_party(Actor.DCO)
    async with relayed(party, meter.address, meter.profile) as session:
        session.errand = session.errand._replace(purpose=Purpose.TRANSFER_KEY)
        assert isinstance(session.errand, Errand)
        (wrapped,) = await session.run(wraps((old[KeyKind.KEK], new[KeyKind.KEK])))
        parameter = array(structure(enum(IDS[KeyKind.KEK]), octet_string(wrapped)))
        await session.action(transfer_method(2), parameter, Purpose.GENERATE_INSTRUCTION)
    assert meter.device.key("dco", KeyKind.KEK) == new[KeyKind.KEK]
    entries = [entry for entry in ledger if entry.purpose is Purpose.TRANSFER_KEY]
    assert [entry.operation for entry in entries] == ["GenerateKey", "Wrap"]
    assert {entry.decision.module_class for entry in entries} == {ModuleClass.LEVEL_3}
    text = "".join(str(entry.to_json()) for entry in ledger)
    (key,) = ring.ever[new[KeyKind.KEK]]
    assert key.hex() not in text.lower()
