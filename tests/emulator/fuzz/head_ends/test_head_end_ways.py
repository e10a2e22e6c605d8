"""Head ends over TLS and HDLC as over TCP, and top-ups: one is one credit, whatever is lost."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from dlms.security.counters import InvocationCounters
from emulator.cli.main import main
from emulator.conformance.hostile import own as own_head_end
from emulator.conformance.hostile.material import Material
from emulator.fuzz.findings.encounters import filing
from emulator.fuzz.head_ends.drawing import encounters
from emulator.fuzz.head_ends.driven import WAYS, Driven
from emulator.fuzz.head_ends.judging import breaches
from emulator.fuzz.head_ends.mischief import Encounter, Errand, Mischief
from emulator.fuzz.head_ends.scene import HeadEndUnderTest
from emulator.fuzz.head_ends.searching import Caught, search
from emulator.fuzz.scenario.reading import read

ANSWER = 0.5


def met(*mischiefs: tuple[int, str], task: str = "top-up") -> Encounter:
    done = tuple(Mischief(at=at, kind=kind) for at, kind in mischiefs)
    return Encounter(errands=(Errand(task=task, mischiefs=done),))


@pytest.mark.parametrize("way", WAYS[1:])
async def test_ours_survives_there_too(way: str) -> None:
    head_end = HeadEndUnderTest.of(Driven(way=way, answer=ANSWER))
    searched = await search(head_end, most=14, seed=4)
    assert [one.breach for one in searched.caught] == []
    assert searched.encounters == 14


@pytest.mark.parametrize("way", WAYS)
async def test_a_top_up_is_one_credit(way: str) -> None:
    head_end = HeadEndUnderTest.of(Driven(way=way, answer=ANSWER))
    encounter = met()
    first, last = await head_end.play(encounter)
    assert (first.outcome.value, first.credits) == ("credited", 1)
    assert last.credits == 0
    assert first.material.way == way
    assert bool(first.material.tls) is (way == "tls")
    assert not breaches(encounter, (first, last))


@pytest.mark.parametrize(
    ("kind", "value", "credits"),
    [
        ("lost-answer", "credited", 1),
        ("lost-request", "not credited", 0),
        ("power", "not credited", 0),
        ("flipped-tag", "credited", 1),
        ("same-twice", "credited", 1),
    ],
)
async def test_ours_finds_out_whether_it_was_credited(
    own: HeadEndUnderTest, kind: str, value: str, credits: int
) -> None:
    encounter = met((4, kind))
    ran = await own.play(encounter)
    assert (ran[0].outcome.value, ran[0].credits) == (value, credits)
    assert not breaches(encounter, ran)


class Repeating(own_head_end.OwnHeadEnd):
    """What was not answered is asked for again."""

    async def _top_up(self) -> str:
        told = self._told["top_up"]
        amount = own_head_end.double_long(told["amount"])
        for _ in range(2):
            try:
                async with self._associated(self._keys) as a:
                    await self._credit(a)
                    await a.invoke(told["instance"], 1, amount, class_id=112)
                    return "credited"
            except (own_head_end.AnswerTimeout, own_head_end.AssociationLost):
                continue
        return "not credited"


class Trusting(own_head_end.OwnHeadEnd):
    """What was sent has arrived."""

    async def _top_up(self) -> str:
        await super()._top_up()
        return "credited"


class Denying(own_head_end.OwnHeadEnd):
    """What was not answered was not done, and nobody looks."""

    async def _top_up(self) -> str:
        told = self._told["top_up"]
        try:
            async with self._associated(self._keys) as a:
                await self._credit(a)
                amount = own_head_end.double_long(told["amount"])
                await a.invoke(told["instance"], 1, amount, class_id=112)
                return "credited"
        except (own_head_end.AnswerTimeout, own_head_end.AssociationLost):
            return "not credited"


CARELESS: dict[str, tuple[Any, str, str]] = {
    "asks again": (Repeating, "lost-answer", "credited 2 times for one top-up"),
    "believes that it arrived": (Trusting, "lost-request", "'credited', and the meter has not"),
    "believes that it did not": (Denying, "lost-answer", "'not credited', and the meter has been"),
}


def careless(kind: Any) -> HeadEndUnderTest:
    counters = InvocationCounters()

    async def do(task: str, host: str, port: int, material: Material) -> own_head_end.Outcome:
        return await own_head_end._done(kind(material.to_json(), counters), task)

    return HeadEndUnderTest(do, answer=ANSWER)


@pytest.mark.parametrize("name", CARELESS)
async def test_each_carelessness_with_credit_is_caught(name: str) -> None:
    kind, mischief, says = CARELESS[name]
    encounter = met((4, mischief))
    head_end = careless(kind)
    found = breaches(encounter, await head_end.play(encounter))
    assert [one.invariant for one in found] == ["H-CREDIT"]
    assert says in found[0].words
    assert not breaches(met(), await careless(kind).play(met()))


async def test_the_search_finds_a_second_credit(tmp_path: Path) -> None:
    kept: list[Caught] = []
    searched = await search(
        careless(Repeating), most=90, seed=1, tasks=("top-up",), stop_at_first=True,
        on_caught=kept.append,
    )  # fmt: skip
    assert [one.breach.invariant for one in searched.caught] == ["H-CREDIT"]
    (scenario,) = read(filing.file(tmp_path, kept[0], Driven(way="tls")))
    assert scenario.head_end == Driven(way="tls")
    assert scenario.found is not None
    assert scenario.found.target.endswith(", over TLS")
    said = [row[3] for row in scenario.found.seen[0].line]
    assert sum(": ActionRequest(" in one and "class_id=112" in one for one in said) == 2


def test_what_leaves_a_change_in_doubt_comes_first() -> None:
    simple = list(islice(encounters(random.Random(2)), 100))
    for task in ("rotate-keys", "top-up"):
        assert met((3, "lost-answer"), task=task).errands in [one.errands for one in simple]


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["fuzz", "run", "--head-end", "own", "--way", "tls", "--task", "top-up", "--steps", "2"]
    assert main([*run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["encounters"] == 2
    with pytest.raises(ValueError, match="no such way to a meter: pigeon"):
        Driven(way="pigeon")
