"""The head end rotates keys of a meter: both sides agree, also if an answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlms.client.refusals import AssociationRejected
from dlms.security.keys import KeyKind
from emulator.head_end import handing_over
from emulator.head_end.handing_over import NotRotated
from emulator.head_end.known_keys import KnownKeys
from emulator.head_end.party import storage_key
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.services import HeadEnd
from emulator.journal import StoreError
from emulator.known_key_file import FiledKnownKeys
from emulator.policy import Actor
from emulator.shared_file import SharedFile

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


# In a file ----------------------------------------------------------------------------------------


async def test_the_next_process_knows(
    head_end: HeadEnd, make_head_end: Callable[..., HeadEnd], place: Any, tmp_path: Path, ring: Any
) -> None:
    meter, file = place("secure"), SharedFile(tmp_path / "known.json")

    def filed() -> HeadEnd:
        made = make_head_end()
        party = made._parties[Actor.S1SP]
        party.known = FiledKnownKeys(file, storage_key(party.actor))
        return made

    await filed().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK, GAK))
    await filed().status(meter.address, meter.profile)
    await filed().rotate(meter.address, meter.profile, Actor.S1SP, (GUEK,))
    await filed().status(meter.address, meter.profile)
    text = file.path.read_text().lower()
    for kind in (GUEK, GAK):
        key = ring.get(meter.device.key("s1sp", kind))
        assert key.hex() not in text


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"41/s1sp": 5}', '{"41/s1sp": {"settled": {"GUEK": [1]}, "in doubt": {}}}']
)
async def test_a_damaged_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(text)
    known = FiledKnownKeys(SharedFile(path), storage_key(Actor.S1SP))

    async def run(step: Any) -> Any:
        raise AssertionError("nothing to unwrap")

    with pytest.raises(StoreError, match="damaged"):
        await known.recall(b"A", "s1sp", run)


def test_nothing_known_is_what_a_meter_was_made_with() -> None:
    known = KnownKeys()
    assert known.key(b"A", "s1sp", GUEK).version == 0
    assert known.successor(b"A", "s1sp", GUEK).version == 1
    known.settle(b"A", "s1sp", taken=True)
    assert known.key(b"A", "s1sp", GUEK).version == 0
