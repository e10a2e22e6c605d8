"""Campaigns: bounded, one key at a time for each meter, told, cancelled; with faults of meters."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from dlms.security.keys import KeyKind
from emulator.cli import parties
from emulator.client.meter_client import MeterClient
from emulator.head_end import handing_over
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.services import HeadEnd
from emulator.journal import StoreError
from emulator.keystore.store import utc_now
from emulator.ledger import Ledger
from emulator.policy import LETTER, Actor
from emulator.rotation.campaigns import Campaign, Campaigns, Step, StepState
from emulator.rotation.planning import ROTATED, plan
from emulator.rotation.runner import Bounds, Runner

GUEK, GAK, KEK = KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK
BOUNDS = Bounds()
BOTH = (Actor.S1SP, Actor.DCO)


class Office:
    """A campaign's runners, each like a process of its own."""

    def __init__(self, up: Any) -> None:
        self.meters = {n: (m.address, m.device.profile) for n, m in up.sandbox.meters.items()}
        self.store = up.workspace.key_store()
        self.campaigns = Campaigns(up.workspace.database(), utc_now)
        self.told: list[Step] = []
        self.pauses: list[int] = []
        self._workspace = up.workspace

    def plan(self, kinds: Any, *names: str, parties: Any = BOTH) -> int:
        chosen = {name: self.meters[name] for name in names or self.meters}
        return self.campaigns.begin(plan(chosen, parties, kinds, self.store))

    async def run(self, number: int, bounds: Bounds = BOUNDS, mode: str = "observe") -> Campaign:
        args = argparse.Namespace(
            mode=mode, edition=LETTER.name, keylog=None, database=None, modules="software"
        )
        profiles = {address.title: profile for address, profile in self.meters.values()}

        async def between(tries: int) -> None:
            self.pauses.append(tries)

        with parties.head_end_of(self._workspace, args, Ledger(), profiles) as head_end:
            return await Runner(
                head_end, self.store, self.campaigns, self.meters, bounds, self.told.append, between
            ).run(number)


@pytest.fixture
def office(up: Any) -> Office:
    return Office(up)


async def test_every_key_of_every_meter(office: Office, up: Any) -> None:
    campaign = await office.run(office.plan(ROTATED))
    assert campaign.is_done
    assert campaign.text == "38 done, 2 needless"
    assert await up.differing(*ROTATED) == []
    for meter in up.sandbox.meters.values():
        assert meter.device.key("dco", KEK).version == 1
    again = await office.run(campaign.number)
    assert again == campaign
    later = await office.run(office.plan((GUEK,), "secure"))
    assert later.text == "2 done"
    assert up.sandbox.meters["secure"].device.key("s1sp", GUEK).version == 2


async def test_so_many_at_once_and_one_key_at_a_time_for_each(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy: list[str] = []
    most: list[int] = []
    rotate = HeadEnd.rotate

    async def watched(self: HeadEnd, meter: Any, *arguments: Any, **options: Any) -> None:
        assert meter.name not in busy
        busy.append(meter.name)
        most.append(len(busy))
        try:
            await rotate(self, meter, *arguments, **options)
        finally:
            busy.remove(meter.name)

    monkeypatch.setattr(HeadEnd, "rotate", watched)
    await office.run(office.plan((GUEK, KEK)), Bounds(at_once=2))
    assert max(most) == 2


async def test_what_is_told(office: Office) -> None:
    await office.run(office.plan((GUEK,), "secure", parties=(Actor.DCO,)))
    assert [(step.state, step.tries) for step in office.told] == [
        (StepState.SENT, 1),
        (StepState.DONE, 1),
    ]
    assert office.told[-1].to_json() == {
        "meter": "secure",
        "party": "dco",
        "kind": "guek",
        "state": "done",
        "tries": 1,
        "reason": "",
    }


async def test_only_one_is_open(office: Office) -> None:
    number = office.plan((GUEK,), "secure")
    with pytest.raises(StoreError, match="campaign 1 is not done"):
        office.plan((GUEK,), "secure")
    office.campaigns.cancel(number)
    campaign = await office.run(number)
    assert campaign.cancelled
    assert campaign.count(StepState.PLANNED) == 2
    assert office.plan((GUEK,), "secure") == 2


async def test_a_meter_without_mains_is_left_after_some_tries(office: Office, up: Any) -> None:
    up.sandbox.meters["secure"].mains.cut()
    campaign = await office.run(office.plan((GUEK, KEK), "secure", "itron"), Bounds(tries=3))
    assert (campaign.count(StepState.DONE), campaign.is_done) == (4, False)
    first, *others = [step for step in campaign.steps if step.meter == "secure"]
    assert (first.state, first.tries) == (StepState.PLANNED, 3)
    assert first.reason
    assert {step.tries for step in others} == {0}
    assert office.pauses == [1, 2]
    up.sandbox.meters["secure"].mains.restore()
    assert (await office.run(campaign.number)).is_done
    assert await up.differing(*ROTATED) == []


async def test_a_meter_that_refuses_is_asked_again_and_then_for_the_next_key(
    office: Office, up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = office.plan((GUEK, KEK), "secure", parties=(Actor.S1SP,))
    keys_data = handing_over.keys_data
    with monkeypatch.context() as patch:
        patch.setattr(
            handing_over,
            "keys_data",
            lambda wrapped: keys_data({n: bytes(len(key)) for n, key in wrapped.items()}),
        )
        campaign = await office.run(number, Bounds(tries=2))
    assert [(s.state, s.tries) for s in campaign.steps] == [(StepState.REFUSED, 2)] * 2
    assert "not taken" in campaign.steps[0].reason
    assert (await office.run(number)).is_done
    assert await up.differing(*ROTATED) == []


@pytest.mark.parametrize("kind", [GUEK, KEK])
async def test_a_lost_answer_is_in_doubt_until_the_next_try(
    kind: KeyKind, office: Office, up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = office.plan((kind,), "secure", parties=(Actor.DCO,))
    action = PartyAssociation.action

    async def lost(self: PartyAssociation, *arguments: Any) -> Any:
        await action(self, *arguments)
        monkeypatch.setattr(PartyAssociation, "action", action)
        raise TimeoutError

    monkeypatch.setattr(PartyAssociation, "action", lost)
    campaign = await office.run(number)
    states = [step.state for step in office.told]
    assert states == [StepState.SENT, StepState.IN_DOUBT, StepState.SENT, StepState.DONE]
    assert campaign.is_done
    assert await up.differing(*ROTATED) == []
    # A GUEK shows itself; that a master key was taken, another one has to show.
    expected = 1 if kind is GUEK else 2
    assert up.sandbox.meters["secure"].device.key("dco", kind).version == expected


async def test_enforce_mode_refuses_at_once(office: Office, up: Any) -> None:
    number = office.plan((GUEK,), "secure", parties=(Actor.DCO,))
    campaign = await office.run(number, mode="enforce")
    [step] = campaign.steps
    assert (step.state, step.tries) == (StepState.REFUSED, 1)
    assert "G2.44" in step.reason
    assert await up.differing(GUEK) == []


@pytest.mark.parametrize("seed", range(3))
async def test_lost_answers_hang_ups_and_restarts(
    seed: int, office: Office, up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes of a try, in the end all meters agree with the store."""
    faults: list[tuple[str, dict[str, object], int | None]] = [
        ("lost-replies", {"every": 7 + seed}, None),
        ("lost-replies", {"every": 9 - seed}, None),
        ("lost-requests", {"every": 8 + seed}, None),
        ("gone-midway", {}, 4 + seed),
        ("overloaded", {}, 5 + seed),
    ]
    init = MeterClient.__init__

    def impatient(self: MeterClient, *arguments: Any, **given: Any) -> None:
        init(self, *arguments, **given)
        self.timeout = 1.0

    monkeypatch.setattr(MeterClient, "__init__", impatient)
    number = office.plan((GUEK, KeyKind.GBEK, KEK))
    for meter, (name, parameters, count) in zip(up.sandbox.meters.values(), faults, strict=True):
        meter.faults.set(name, parameters, count=count)
    for _ in range(3):
        await office.run(number, Bounds(at_once=5, tries=2))
        for meter in up.sandbox.meters.values():
            meter.mains.cut()
            meter.mains.restore()
    for meter in up.sandbox.meters.values():
        meter.faults.clear_all()
    campaign = await office.run(number)
    assert campaign.is_done, campaign.text
    assert max(step.tries for step in campaign.steps) > 1
    assert await up.differing(*ROTATED) == []


def test_nothing_is_forgotten(up: Any) -> None:
    with pytest.raises(StoreError, match="no campaign 7"):
        Office(up).campaigns.campaign(7)
