"""Keys in doubt after a lost answer: found out, never guessed; both sides agree in the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from dlms.client.refusals import AccessRefused
from dlms.security.keys import KeyKind, KeyRef
from dlms.xdlms.codes import ActionResult
from emulator.head_end.handing_over import BeingRotated, NotRotated
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.services import HeadEnd
from emulator.keystore.states import KeyState
from emulator.keystore.store import KeyStore
from emulator.policy import Actor
from emulator.sandbox import Sandbox

GUEK, GBEK, GAK, KEK = KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK
OWN = {Actor.S1SP: "s1sp", Actor.DCO: "dco"}


class Answers:
    """What becomes of the transfers to come: ``arrives`` and ``lost`` in turn, then all is well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fates: list[str] = []
        action = PartyAssociation.action

        async def fated(association: PartyAssociation, *arguments: Any) -> Any:
            fate = self.fates.pop(0) if self.fates else "well"
            if fate == "refused":
                raise AccessRefused("key_transfer", ActionResult.TEMPORARY_FAILURE)
            if fate == "lost":
                raise TimeoutError
            result = await action(association, *arguments)
            if fate == "arrives":
                raise TimeoutError
            return result

        monkeypatch.setattr(PartyAssociation, "action", fated)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(monkeypatch)


@pytest.fixture
def agree(sandbox: Sandbox, store: KeyStore, hands: Any) -> Callable[..., Any]:
    """The meter has octet for octet what the store has in force, and nothing is in doubt."""

    async def check(name: str, actor: Actor, *kinds: KeyKind) -> None:
        meter = sandbox.meters[name]
        title, hand = meter.device.title, hands(actor)
        await hand.known.recall(title, OWN[actor], hand.run)
        assert not hand.known.in_doubt(title, OWN[actor])
        for kind in kinds or (GUEK, GBEK, GAK, KEK):
            ours = hand.ring.get(hand.known.key(title, OWN[actor], kind))
            theirs = meter.faults._reach.ring.get(meter.device.key(OWN[actor], kind))
            assert ours == theirs, kind

    return check


async def lose(head_end: HeadEnd, meter: Any, actor: Actor, kind: KeyKind) -> None:
    with pytest.raises(TimeoutError):
        await head_end.rotate(meter.address, meter.profile, actor, (kind,))


@pytest.mark.parametrize("fate", ["arrives", "lost"])
@pytest.mark.parametrize("kind", [KEK, GBEK])
@pytest.mark.parametrize(
    ("name", "actor"), [("aclara", Actor.S1SP), ("secure", Actor.DCO), ("itron", Actor.DCO)]
)
async def test_what_no_association_shows_is_found_out_by_the_next_try(
    name: str,
    actor: Actor,
    kind: KeyKind,
    fate: str,
    process: Callable[[], HeadEnd],
    place: Any,
    answers: Answers,
    agree: Any,
    store: KeyStore,
) -> None:
    meter, title = place(name), place(name).device.title
    answers.fates = [fate]
    await lose(process(), meter, actor, kind)
    [row] = store.rows(holder=title, states=(KeyState.IN_DOUBT,))
    assert (row.ref.kind, row.ref.version) == (kind, 1)
    await process().rotate(meter.address, meter.profile, actor, (kind,))
    await agree(name, actor)
    # What was lost on the way is sent again; what had arrived cannot come twice.
    version = 2 if fate == "arrives" else 1
    assert [row.ref.version for row in store.rows(holder=title, states=(KeyState.IN_FORCE,))] == [
        version
    ]
    assert meter.device.key(OWN[actor], kind).version == version


@pytest.mark.parametrize("fate", ["arrives", "lost"])
async def test_a_master_key_is_found_out_by_the_transfer_of_another_key(
    fate: str,
    process: Callable[[], HeadEnd],
    place: Any,
    answers: Answers,
    agree: Any,
    store: KeyStore,
) -> None:
    meter = place("secure")
    answers.fates = [fate]
    await lose(process(), meter, Actor.DCO, KEK)
    await process().rotate(meter.address, meter.profile, Actor.DCO, (GUEK,))
    await agree("secure", Actor.DCO)
    states = {row.ref: row.state for row in store.rows(holder=meter.device.title)}
    kek = KeyRef(meter.device.title, "dco", KEK, version=1)
    assert states[kek] is (KeyState.IN_FORCE if fate == "arrives" else KeyState.DESTROYED)


@pytest.mark.parametrize("fate", ["arrives", "lost"])
async def test_a_master_key_is_found_out_by_the_key_that_is_handed_over(
    fate: str, process: Callable[[], HeadEnd], place: Any, answers: Answers, agree: Any
) -> None:
    """Without a rotation: each association hands one over."""
    meter = place("landis_gyr")
    answers.fates = ["well", fate]
    await lose(process(), meter, Actor.S1SP, KEK)
    await process().status(meter.address, meter.profile)
    await agree("landis_gyr", Actor.S1SP, GUEK, GBEK, KEK)
    assert meter.device.key("s1sp", KEK).version == int(fate == "arrives")


@pytest.mark.parametrize("fate", ["arrives", "lost"])
async def test_an_association_shows_all_of_a_transfer(
    fate: str, process: Callable[[], HeadEnd], place: Any, answers: Answers, agree: Any
) -> None:
    meter = place("secure")
    answers.fates = [fate]
    with pytest.raises(TimeoutError):
        await process().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK, GBEK, KEK))
    await process().status(meter.address, meter.profile)
    await agree("secure", Actor.S1SP)


async def test_that_a_meter_refuses_proves_nothing(
    process: Callable[[], HeadEnd], place: Any, answers: Answers, agree: Any, store: KeyStore
) -> None:
    """It may refuse the right master key, too: the key stays in doubt until one is taken."""
    meter = place("aclara")
    answers.fates = ["arrives"]
    await lose(process(), meter, Actor.S1SP, KEK)
    answers.fates = ["refused"] * 3  # K1 under K0, then K2 under K1 and under K0
    with pytest.raises(NotRotated, match="not taken"):
        await process().rotate(meter.address, meter.profile, Actor.S1SP, (KEK,))
    [row] = store.rows(holder=meter.device.title, states=(KeyState.IN_DOUBT,))
    assert row.ref.version == 1
    await process().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))
    await agree("aclara", Actor.S1SP)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("name", "actor"), [("aclara", Actor.S1SP), ("landis_gyr", Actor.S1SP)])
async def test_whatever_is_lost_both_agree_in_the_end(
    name: str,
    actor: Actor,
    seed: int,
    process: Callable[[], HeadEnd],
    place: Any,
    answers: Answers,
    agree: Any,
) -> None:
    """Each step in a process of its own."""
    meter, chance = place(name), random.Random(seed)
    kinds = [GUEK, GBEK, KEK] if name == "landis_gyr" else [GUEK, GBEK, GAK, KEK]
    for _ in range(12):
        answers.fates = chance.choices(["well", "arrives", "lost", "refused"], [4, 2, 2, 1], k=2)
        try:
            wanted = chance.sample(kinds, chance.choice([1, 1, 2]))
            await process().rotate(meter.address, meter.profile, actor, wanted)
        except (TimeoutError, NotRotated):
            pass
    answers.fates = []
    for kind in kinds:
        await process().rotate(meter.address, meter.profile, actor, (kind,))
    await agree(name, actor)


async def test_one_hand_at_a_time(
    process: Callable[[], HeadEnd], place: Any, hands: Any, store: KeyStore
) -> None:
    meter, other = place("secure"), hands()
    with other.known.sole(meter.device.title, "s1sp") as sole:
        assert sole
        with pytest.raises(BeingRotated, match="by another command"):
            await process().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))
        await process().rotate(meter.address, meter.profile, Actor.DCO, (GUEK,))
    await process().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))


async def test_who_is_not_sole_draws_no_conclusions(
    process: Callable[[], HeadEnd], place: Any, answers: Answers, hands: Any, store: KeyStore
) -> None:
    """The other may be about to send the very key that this one finds the meter not to have."""
    meter = place("secure")
    title = meter.device.title
    answers.fates = ["lost"]
    await lose(process(), meter, Actor.S1SP, GUEK)
    with hands().known.sole(title, "s1sp"):
        await process().status(meter.address, meter.profile)
        assert store.rows(holder=title, states=(KeyState.IN_DOUBT,))
    await process().status(meter.address, meter.profile)
    assert not store.rows(holder=title, states=(KeyState.IN_DOUBT,))


async def test_a_process_that_went_on_does_not_do_it_twice(
    process: Callable[[], HeadEnd], place: Any, answers: Answers
) -> None:
    meter = place("aclara")
    answers.fates = ["arrives"]
    await lose(process(), meter, Actor.S1SP, GUEK)
    await process().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,), beyond=0)
    assert meter.device.key("s1sp", GUEK).version == 1
    await process().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,), beyond=1)
    assert meter.device.key("s1sp", GUEK).version == 2
