"""Head ends that look at all survive what is drawn; each that does not look at one thing is caught
at it.
"""

from __future__ import annotations

import random
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyRef
from emulator.conformance.hostile import own as own_head_end
from emulator.fuzz.head_ends.drawing import encounters, smaller
from emulator.fuzz.head_ends.judging import breaches
from emulator.fuzz.head_ends.mischief import KINDS, OWN, Encounter, Errand, Mischief
from emulator.fuzz.head_ends.scene import HeadEndUnderTest
from emulator.fuzz.head_ends.searching import search, shrunk

ADAPTERS = Path(__file__).parents[2] / "conformance" / "hostile" / "clients"


def met(*mischiefs: tuple[int, str], task: str = "read", **said: Any) -> Encounter:
    done = tuple(Mischief(at=at, kind=kind) for at, kind in mischiefs)
    return Encounter(errands=(Errand(task=task, mischiefs=done),), **said)


async def caught(head_end: HeadEndUnderTest, encounter: Encounter) -> set[str]:
    return {one.invariant for one in breaches(encounter, await head_end.play(encounter))}


async def test_ours_survives(own: HeadEndUnderTest) -> None:
    searched = await search(own, most=45, seed=1)
    assert not searched.caught
    assert searched.encounters == 45
    assert searched.errands >= 90


async def test_one_that_looks_at_all_survives(naive: Any) -> None:
    searched = await search(naive(), most=40, seed=2, tasks=("read",))
    assert not searched.caught


CARELESS = {
    "tags": (met((3, "flipped-ciphertext")), "H-VALUE"),
    "counters": (met((3, "lower-counter")), "H-TAKEN"),
    "own-challenge": (met((1, "equal-challenge")), "H-GOES-ON"),
    "pass-4": (met((2, "wrong-pass-4")), "H-GOES-ON"),
    "no-title": (met((1, "no-title")), "H-GOES-ON"),
    "other-title": (Encounter(errands=(Errand(task="read"),), meter="other-title"), "H-TAKEN"),
    "mechanism": (met((1, "weaker-name")), "H-GOES-ON"),
    "context": (met((1, "plain-context-name")), "H-GOES-ON"),
    "conformance": (met((1, "superset")), "H-GOES-ON"),
    "invoke-ids": (met((3, "other-invoke-id")), "H-TAKEN"),
    "plain-responses": (met((3, "plain-response")), "H-TAKEN"),
    "believes-counters": (met((4, "exception-absurd")), "H-JUMP"),
}


@pytest.mark.parametrize("careless", CARELESS)
async def test_each_carelessness_is_caught(careless: str, naive: Any) -> None:
    encounter, invariant = CARELESS[careless]
    assert invariant in await caught(naive(careless), encounter)
    assert not await caught(naive(), encounter)


async def test_ours_is_right_where_each_carelessness_is_caught(own: HeadEndUnderTest) -> None:
    for encounter, _ in CARELESS.values():
        assert not await caught(own, encounter)


async def test_a_search_finds_it_and_makes_it_small(naive: Any) -> None:
    searched = await search(
        naive("plain-responses"), most=75, seed=0, tasks=("read",), stop_at_first=True
    )
    (found,) = searched.caught
    assert found.breach.invariant == "H-TAKEN"
    assert [one.kind for one in found.encounter.errands[0].mischiefs] == ["plain-response"]


async def test_what_has_nothing_to_do_with_it_goes(naive: Any) -> None:
    head_end = naive("own-challenge")
    large = met((1, "equal-challenge"), (4, "lost-answer"), (6, "power"))
    ran = await head_end.play(large)
    (breach, *_) = breaches(large, ran)
    least = await shrunk(head_end, large, breach, ran)
    assert least.encounter == met((1, "equal-challenge"))
    assert least.breach.invariant == breach.invariant
    assert (least.was, least.encounter.size) == (4, 2)


class Slipping(InvocationCounters):
    """The fourth message has the counter of the third."""

    def burn(self, ek: KeyRef) -> int:
        value = super().burn(ek)
        self.count = getattr(self, "count", 0) + 1
        return value - 1 if self.count == 4 else value


async def test_one_that_repeats_a_vector() -> None:
    for counters, expected in ((Slipping(), True), (InvocationCounters(), False)):
        head_end = HeadEndUnderTest(own_head_end.keeping(counters), answer=0.15)
        assert ("I1" in await caught(head_end, met())) is expected


class Stubborn(own_head_end.OwnHeadEnd):
    """A lost answer to a change of keys is a change that was not made."""

    async def _which(self, candidates: Any) -> str:
        return "as before"


async def test_one_that_takes_a_lost_answer_for_no_change() -> None:
    async def do(task: str, host: str, port: int, material: Any) -> own_head_end.Outcome:
        try:
            head_end = Stubborn(material.to_json())
            return own_head_end.Outcome(ok=True, value=await head_end.do(task))
        except (own_head_end.DlmsError, OSError, ValueError) as error:
            return own_head_end.Outcome(ok=False, why=str(error))

    lost = met((3, "lost-answer"), task="rotate-keys")
    assert "H-KEYS" in await caught(HeadEndUnderTest(do, answer=0.15), lost)


async def test_ours_finds_its_way_back_from_a_lost_answer(own: HeadEndUnderTest) -> None:
    for kind in ("lost-answer", "lost-request", "power"):
        lost = met((3, kind), task="rotate-keys")
        ran = await own.play(lost)
        assert not breaches(lost, ran)
        assert [one.outcome.ok for one in ran] == [True, True], kind


async def test_one_that_never_ends_is_told_of(naive: Any) -> None:
    head_end = naive("no-time-out", limit=0.5)
    assert "H-ENDS" in await caught(head_end, met((3, "lost-answer")))


async def test_ours_as_a_command(tmp_path: Path) -> None:
    counters = str(tmp_path / "counters")
    command = (sys.executable, "-m", own_head_end.__name__, "{task}", "{material}", counters)
    head_end = HeadEndUnderTest(command=command, answer=1.0, limit=60.0)
    errands = (
        Errand(task="rotate-keys", mischiefs=(Mischief(at=3, kind="flipped-tag"),)),
        Errand(task="read", power=True),
    )
    encounter = Encounter(errands=errands)
    ran = await head_end.play(encounter)
    assert not breaches(encounter, ran)
    assert [one.outcome.ok for one in ran[1:]] == [True, True]


async def test_a_client_that_others_wrote() -> None:
    """It can be met and judged; what it does wrong is not our business here."""
    command = (sys.executable, str(ADAPTERS / "gurux_adapter.py"), "{task}", "{material}")
    head_end = HeadEndUnderTest(command=command, answer=1.0, limit=60.0, keeps=False)
    ran = await head_end.play(met())
    assert [one.outcome.ok for one in ran] == [True]
    assert not breaches(met(), ran)
    wrong = met((2, "wrong-pass-4"))
    assert not breaches(wrong, await head_end.play(wrong))


def test_what_is_drawn() -> None:
    """Each mischief by itself comes first; a seed draws the same."""
    first = list(islice(encounters(random.Random(3)), 90))
    assert first == list(islice(encounters(random.Random(3)), 90))
    alone = {
        one.errands[0].mischiefs[0].kind
        for one in first
        if len(one.errands) == 1 and len(one.errands[0].mischiefs) == 1
    }
    assert alone == set(KINDS)
    assert OWN.keys() < KINDS.keys()
    several = met((1, "power"), (3, "garbled"), task="rotate-keys")
    assert met((3, "garbled"), task="rotate-keys") in list(smaller(several))
    with pytest.raises(ValueError, match="no such mischief"):
        Mischief(at=0, kind="garbled")
