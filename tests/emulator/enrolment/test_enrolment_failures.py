"""What goes wrong: before the point of no return the meter stays the supplier's; after it there is
only the way on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from dlms.client.refusals import AssociationRejected
from dlms.security.keys import KeyKind
from emulator.enrolment import rotating
from emulator.enrolment.eligibility import by_register
from emulator.enrolment.steps import MAX_ATTEMPTS, EnrolmentError, Kind, State, Step
from emulator.enrolment.store import Overtaken
from emulator.head_end.party_association import PartyAssociation
from emulator.keystore.holds import Holds
from emulator.policy import Actor
from emulator.products.register import Register
from emulator.supplier.archive import Export
from emulator.supplier.exporting import export_keys
from emulator.supplier.system import SupplierSystem

METER = "aclara"


class Altered:
    """The supplier's export, changed on its way to one party."""

    def __init__(self, system: SupplierSystem, actor: Actor, change: Any) -> None:
        self._export = Export(system)
        self._actor = actor
        self._change = change

    async def keys(self, profile: Any, title: bytes, actor: Actor) -> str:
        text = await self._export.keys(profile, title, actor)
        if actor is not self._actor:
            return text
        document = json.loads(text)
        changed = self._change(document)
        return changed if isinstance(changed, str) else json.dumps(document)


def key(number: int, **changes: Any) -> Any:
    def change(document: Any) -> None:
        document["keys"][number].update(changes)

    return change


def bend(document: Any) -> None:
    wrapped = document["keys"][0]["wrapped"]
    document["keys"][0]["wrapped"] = wrapped[:-1] + ("0" if wrapped[-1] != "0" else "1")


ALTERED = {
    "bent": (bend, "does not verify"),
    "no JSON": (lambda document: "{", "no JSON"),
    "a list": (lambda document: "[]", "kek and keys are expected"),
    "another kek": (lambda document: document.update(kek="other"), "wrapped under 'other'"),
    "of another meter": (key(0, holder="00" * 8), "keys of 0000000000000000"),
    "one is missing": (lambda document: document["keys"].pop() and None, "is missing"),
    "one twice": (lambda d: d["keys"].append(d["keys"][0]), "twice"),
    "of no place": (key(0, scope="reader"), "is missing"),
    "no kind": (key(0, kind="MASTER"), "no such kind"),
    "no version": (key(0, version="1"), "no whole number"),
    "not hexadecimal": (key(0, wrapped="xy"), "wrapped is not hexadecimal"),
    "not wrapped": (key(0, wrapped="00" * 16), "16 octets"),
    "one field more": (key(0, clear="00"), "are expected"),
    "too long": (lambda document: " " * 70000, "more than"),
}


async def is_the_suppliers(world: Any, name: str = METER) -> None:
    """The supplier's client reads as ever, and its keys are in force."""
    meter, profile = world.meters[name], world.profiles[name]
    for actor in (Actor.S1SP, Actor.DCO):
        await world.client.read_name(meter.address, profile, actor)
    for scope in ("s1sp", "dco", "alerts"):
        assert {meter.device.key(scope, kind).version for kind in KeyKind} == {0}


@pytest.mark.parametrize(("change", "why"), ALTERED.values(), ids=ALTERED.keys())
async def test_an_altered_key_file(change: Any, why: str, world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        source = Altered(world.system, Actor.DCO, change)
        record = await world.enrol(dcc, METER, source=source)
        assert record.state is State.ROLLED_BACK
        assert (record.step, world.pauses) == (Step.HANDED_OVER, [])
        assert why in record.error
        assert dcc.inventory.get(world.authorise(METER).device).status == "Pending"
        with pytest.raises(EnrolmentError, match="has no key file"):
            dcc.store.key_file(record.title, Actor.S1SP)
        await is_the_suppliers(world)

        # Planned anew with the right file it goes through.
        world.plan(dcc, METER)
        assert (await world.enrol(dcc, METER)).state is State.ENROLLED


async def test_keys_of_another_supplier(world: Any, tmp_path: Any) -> None:
    """Well wrapped, for the right meter and party, and not what the meter has."""
    other = SupplierSystem.create(world.system.name, tmp_path / "other")

    class Wrong:
        async def keys(self, profile: Any, title: bytes, actor: Actor) -> str:
            return export_keys(other, profile, title, actor)

    async with world.up([METER]):
        dcc = world.dcc()
        for actor, ring in dcc.rings.items():
            ring.entrust(other.transport_secrets(actor))
        world.plan(dcc, METER)
        record = await world.enrol(dcc, METER, source=Wrong())
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.VALIDATED)
        assert "do not open s1sp" in record.error
        await is_the_suppliers(world)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"device": "00-00-00-00-00-00-00-01"}, "Device ID"),
        ({"model": "other"}, "model"),
        ({"serial": 2}, "serial number"),
        ({"manufacturer": "other"}, "manufacturer"),
        ({"firmware": "0.9.9"}, "inventory: firmware"),
    ],
)
async def test_papers_of_another_meter(changes: Any, why: str, world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER, **changes)
        record = await world.enrol(dcc, METER)
        assert record.state is State.ROLLED_BACK
        assert why in record.error
        await is_the_suppliers(world)


async def test_other_firmware_than_everybody_says(world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER, firmware="0.9.9")
        profile, device = world.profiles[METER], world.authorise(METER).device
        dcc.inventory.notify(device, METER, profile, "0.9.9", "brightco")
        record = await world.enrol(dcc, METER)
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.VALIDATED)
        assert "the meter runs firmware 1.0.0" in record.error
        await is_the_suppliers(world)


async def test_the_meter_says_that_it_is_another(world: Any) -> None:
    """Its certificate and its keys are those of the papers, and its name is not."""
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        expected = replace(world.profiles[METER], ldn_format="{flag}X{serial:012d}")
        record = await world.enrol(dcc, METER, profile=expected)
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.VALIDATED)
        assert "another logical device name" in record.error
        await is_the_suppliers(world)


async def test_what_is_not_eligible(world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        record = await world.enrol(dcc, METER, ineligible=by_register(Register()))
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.PLANNED)
        assert record.error == (
            "not eligible: ESME Aclara, SGM1300, 1, 1.0.0: no combination with it is on the"
            " Eligible list"
        )
        assert len(dcc.ledger) == 0
        await is_the_suppliers(world)


async def test_a_meter_without_power_before_the_point_of_no_return(world: Any) -> None:
    """Tried as often as may be, then given back."""
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        world.meters[METER].mains.cut()
        record = await world.enrol(dcc, METER)
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.VALIDATED)
        assert record.attempts == MAX_ATTEMPTS
        assert world.pauses == [1, 2, 4, 8]
        world.meters[METER].mains.restore()
        await is_the_suppliers(world)


@pytest.mark.parametrize("name", [METER, "landis_gyr"])
async def test_the_meter_is_lost_just_before_the_point_of_no_return(
    name: str, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.up([name]):
        dcc = world.dcc()
        world.plan(dcc, name)

        def unreachable(*_: Any) -> Any:
            raise ConnectionRefusedError("nobody is there")

        with monkeypatch.context() as patch:
            patch.setattr(rotating, "_sole", unreachable)
            record = await world.enrol(dcc, name)
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.VERIFIED)
        assert (record.turned, record.error) == (False, "nobody is there")
        await is_the_suppliers(world, name)
        world.plan(dcc, name)
        assert (await world.enrol(dcc, name)).state is State.ENROLLED


async def test_power_is_cut_half_way(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While keys are rotated: it fails, is never rolled back, and is gone on with later."""
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        mains = world.meters[METER].mains
        rotate, calls = rotating.rotate, []

        async def cutting(*arguments: Any) -> None:
            await rotate(*arguments)
            calls.append(arguments)
            if len(calls) == 3:  # the DCO's keys, the first time
                mains.cut()

        monkeypatch.setattr(rotating, "rotate", cutting)
        record = await world.enrol(dcc, METER)
        assert (record.state, record.turned) == (State.FAILED, True)
        assert record.attempts == MAX_ATTEMPTS
        mains.restore()
        record = await world.enrol(world.dcc(), METER)
        assert (record.state, record.step) == (State.ENROLLED, Step.COMMISSIONED)
        tried = await world.client.try_everything(
            world.meters[METER].address, world.profiles[METER]
        )
        assert not any(one.succeeded or one.let_in for one in tried)


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("what", ["action", "set"])
@pytest.mark.parametrize("name", ["secure", "honeywell_elster_gas"])
async def test_every_answer_is_lost_once(
    name: str, what: str, arrives: bool, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change of the meter, the first time: the next attempt finds out."""
    async with world.up([name]):
        dcc = world.dcc()
        world.plan(dcc, name)
        carry, lost = getattr(PartyAssociation, what), []

        async def losing(self: PartyAssociation, *arguments: Any) -> Any:
            seen = str(arguments[0])
            if seen in lost:
                return await carry(self, *arguments)
            lost.append(seen)
            if arrives:
                await carry(self, *arguments)
            raise TimeoutError

        monkeypatch.setattr(PartyAssociation, what, losing)
        record = await world.enrol(dcc, name)
        assert (record.state, record.error) == (State.ENROLLED, "")
        assert len(lost) >= 2
        assert len(world.pauses) == len(lost)
        monkeypatch.undo()
        meter, profile = world.meters[name], world.profiles[name]
        await world.dcc().head_end.status(meter.address, profile)


async def test_access_that_remains_is_not_passed_over(world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        address, profile = world.meters[METER].address, world.profiles[METER]
        before = await world.client.try_everything(address, profile)

        async def prove(*_: Any) -> Any:
            return before

        record = await world.enrol(dcc, METER, prove=prove)
        assert (record.state, record.step) == (State.FAILED, Step.REGISTERED)
        assert "the supplier still opens s1sp by plain" in record.error

        async def let_in(*_: Any) -> Any:
            return [one._replace(succeeded=False) for one in before]

        record = await world.enrol(dcc, METER, prove=let_in)
        assert "is still accepted" in record.error

        async def nothing(*_: Any) -> Any:
            return []

        record = await world.enrol(dcc, METER, prove=nothing)
        assert "nothing is proven" in record.error
        record = await world.enrol(dcc, METER)
        assert record.state is State.ENROLLED


async def test_the_supplier_reads_on_meanwhile(world: Any) -> None:
    """With the keys that both have: the meter's counters move on, and the DCC follows."""
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER)
        meter, profile = world.meters[METER], world.profiles[METER]

        async def true_time() -> dt.datetime:
            """Asked for when the S1SP has seen the meter's clock."""
            if meter.device.client_title("s1sp") == world.system.title:
                for actor in (Actor.S1SP, Actor.DCO):
                    for _ in range(20):
                        await world.client.read_name(meter.address, profile, actor)
            return world.clock.now()

        record = await world.enrol(dcc, METER, true_time=true_time)
        assert (record.state, world.pauses) == (State.ENROLLED, [])


async def test_two_processes_at_the_same_meter(world: Any) -> None:
    """One of them notices, and both do no harm."""
    async with world.up([METER]):
        dcc, other = world.dcc(), world.dcc()
        world.plan(dcc, METER)
        case = world.case(other, METER)
        assert (await world.enrol(dcc, METER)).state is State.ENROLLED
        with pytest.raises(Overtaken):
            other.store.done(case.record, Step.AUTHORISED, {})
        assert dcc.store.find(case.record.title).state is State.ENROLLED
        with pytest.raises(EnrolmentError, match="enrolled already"):
            world.plan(dcc, METER)


@pytest.mark.parametrize("scope", ["s1sp", "dco", "alerts", "prepayment"])
async def test_somebody_else_rotates_its_keys(scope: str, world: Any) -> None:
    """Then it is left alone, and the point of no return is not passed but for the other party."""
    async with world.up(["secure"]):
        dcc = world.dcc()
        world.plan(dcc, "secure")
        title = world.meters["secure"].address.title
        with Holds(world.folder / "holds").hold(f"{title.hex().upper()}-{scope}"):
            record = await world.enrol(dcc, "secure")
        assert "being rotated" in record.error
        expected = State.FAILED if scope == "dco" else State.ROLLED_BACK
        assert (record.state, record.step) == (expected, Step.VERIFIED)
        if expected is State.ROLLED_BACK:
            await is_the_suppliers(world, "secure")
            world.plan(dcc, "secure")
        assert (await world.enrol(dcc, "secure")).state is State.ENROLLED


async def test_a_wave(world: Any) -> None:
    """Several at a time on one database; one of them does not get through, the others do."""
    names = ["aclara", "itron", "secure"]
    async with world.up(names):
        dcc = world.dcc()
        for name in names:
            world.plan(dcc, name)
        world.meters["itron"].mains.cut()
        records = await asyncio.gather(*(world.enrol(dcc, name) for name in names))
        assert [record.state for record in records] == [
            State.ENROLLED,
            State.ROLLED_BACK,
            State.ENROLLED,
        ]


async def test_no_archive(world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.plan(dcc, METER, Kind.DORMANT)
        record = await world.enrol(dcc, METER, source=world.archive)
        assert (record.state, record.step) == (State.ROLLED_BACK, Step.AUTHORISED)
        assert "the archive has no keys for the S1SP" in record.error


async def test_before_and_after_a_restart_of_the_meter(world: Any) -> None:
    async with world.up([METER]):
        dcc = world.dcc()
        world.meters[METER].mains.reboot()
        with pytest.raises(AssociationRejected):
            await dcc.head_end.status(world.meters[METER].address, world.profiles[METER])
        world.plan(dcc, METER)
        assert (await world.enrol(dcc, METER)).state is State.ENROLLED
        world.meters[METER].mains.reboot()
        meter, profile = world.meters[METER], world.profiles[METER]
        await dcc.head_end.status(meter.address, profile)
        tried = await world.client.try_everything(meter.address, profile)
        assert not any(one.succeeded or one.let_in for one in tried)
