"""The head end rotates keys of a meter: both sides agree, also if an answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.client.refusals import AssociationRejected
from dlms.security.keys import KeyKind
from emulator.head_end import handing_over
from emulator.head_end.handing_over import NotRotated
from emulator.head_end.known_keys import KnownKeys
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.services import HeadEnd
from emulator.policy import Actor

GUEK, GAK, KEK = KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK


def version(meter: Any, scope: str, kind: KeyKind) -> int:
    return int(meter.device.key(scope, kind).version)


@pytest.mark.parametrize("name", ["aclara", "landis_gyr", "secure"])
async def test_a_new_key_opens_the_next_association(
    name: str, head_end: HeadEnd, place: Any
) -> None:
    meter = place(name)
    for number in (1, 2):
        await head_end.rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))
        assert version(meter, "s1sp", GUEK) == number
        await head_end.status(meter.address, meter.profile)


async def test_several_at_once_and_then_under_the_new_master_key(
    head_end: HeadEnd, place: Any
) -> None:
    meter = place("secure")
    await head_end.rotate(meter.address, meter.profile, Actor.DCO, (GUEK, GAK, KEK))
    assert [version(meter, "dco", kind) for kind in (GUEK, GAK, KEK)] == [1, 1, 1]
    assert version(meter, "s1sp", GUEK) == 0
    await head_end.rotate(meter.address, meter.profile, Actor.DCO, (GUEK,))
    await head_end.instruct(meter.address, meter.profile, "arm_supply")


async def test_keys_of_one_association_are_not_rotated(head_end: HeadEnd, place: Any) -> None:
    meter = place("landis_gyr")
    with pytest.raises(NotRotated, match="live for one association"):
        await head_end.rotate(meter.address, meter.profile, Actor.S1SP, (GAK,))
    await head_end.status(meter.address, meter.profile)


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_is_found_out(
    arrives: bool, head_end: HeadEnd, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the meter has taken the key or not, the next association stands."""
    meter = place("aclara")
    action = PartyAssociation.action

    async def lost(self: PartyAssociation, *arguments: Any) -> Any:
        if arrives:
            await action(self, *arguments)
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(PartyAssociation, "action", lost)
        with pytest.raises(TimeoutError):
            await head_end.rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))
    known = head_end._parties[Actor.S1SP].known
    assert known.in_doubt(meter.address.title, "s1sp")
    await head_end.status(meter.address, meter.profile)
    assert not known.in_doubt(meter.address.title, "s1sp")
    assert known.key(meter.address.title, "s1sp", GUEK).version == int(arrives)
    assert version(meter, "s1sp", GUEK) == int(arrives)
    await head_end.status(meter.address, meter.profile)


async def test_a_meter_that_refuses_keeps_its_keys(
    head_end: HeadEnd, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = place("aclara")

    keys_data = handing_over.keys_data
    monkeypatch.setattr(
        handing_over,
        "keys_data",
        lambda wrapped: keys_data({n: bytes(len(key)) for n, key in wrapped.items()}),
    )
    with pytest.raises(NotRotated, match="not taken"):
        await head_end.rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))
    assert version(meter, "s1sp", GUEK) == 0
    await head_end.status(meter.address, meter.profile)


async def test_another_head_end_does_not_know(
    head_end: HeadEnd, make_head_end: Callable[..., HeadEnd], place: Any
) -> None:
    meter = place("aclara")
    await head_end.rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))
    with pytest.raises(AssociationRejected):
        await make_head_end().status(meter.address, meter.profile)


def test_nothing_known_is_what_a_meter_was_made_with() -> None:
    known = KnownKeys()
    assert known.key(b"A", "s1sp", GUEK).version == 0
    assert known.successor(b"A", "s1sp", GUEK).version == 1
    assert known.shown(b"A", "s1sp", (known.key(b"A", "s1sp", GUEK),)) == ()
    assert known.candidates(b"A", "s1sp", KEK) == (known.key(b"A", "s1sp", KEK),)


async def test_transfers_without_an_answer_are_apart() -> None:
    """What is shown of one says nothing about another."""
    known = KnownKeys()
    place = (b"A", "s1sp")

    async def run(step: Any) -> Any:
        raise AssertionError("all is in memory")

    kek, guek, gak = (known.successor(*place, kind) for kind in (KEK, GUEK, GAK))
    await known.propose(*place, {KEK: kek}, run)
    await known.propose(*place, {GUEK: guek, GAK: gak}, run)
    later = known.successor(*place, KEK)
    await known.propose(*place, {KEK: later}, run)
    first = kek._replace(version=0)
    assert known.candidates(*place, KEK) == (later, kek, first)
    assert known.settle(*place, taken=False) == (later,)
    assert known.candidates(*place, KEK) == (kek, first)
    # Half of it shows: that is none of it.
    assert known.shown(*place, (guek, gak._replace(version=0))) == (guek, gak)
    assert known.key(*place, GUEK).version == 0
    assert known.candidates(*place, KEK) == (kek, first)
    assert known.establish([first]) == (kek,)
    assert known.in_doubt(*place) == {}
    assert known.successor(*place, KEK).version == 3
