"""The end of a run, when all is quiet: who has the keys comes back in, and both ends agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action, NewKey
from emulator.fuzz.breach import Breach
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.judge.agreeing import disagreements
from emulator.fuzz.judge.course import Course
from emulator.fuzz.judge.history import History
from emulator.fuzz.judge.judge import Judge
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts, Outcome, Seen
from emulator.fuzz.twist import Lost, Twist

Make = Callable[..., Facts]

NAME = AttributeDescriptor(15, bytes((0, 0, 40, 0, 0, 255)), 1)
SETTING = Setting(clients={"dco": ClientKind(association="dco")})
NO_ANSWER, NO_REQUEST = Twist(lose=Lost.RESPONSE), Twist(lose=Lost.REQUEST)
OPEN = actions.Open(client="dco")
ALL = ("GUEK", "GAK", "KEK")


class Watched(InProcess):
    """Notes what is done to it."""

    done: list[Action]

    def do(self, action: Action) -> Any:
        self.done.append(action)
        return super().do(action)


def course(*steps: Action) -> Course:
    made = Course(SETTING, _watched)
    for step in steps:
        done = made.do(step)
        assert done is not None
        assert done.breaches == ()
    return made


def _watched(setting: Setting) -> Watched:
    target = Watched(setting.profile, setting.clients, alive=setting.alive)
    target.done = []
    return target


def rotate(twist: Twist, *kinds: str) -> Action:
    return actions.Rotate(client="dco", kinds=kinds, twist=twist)


RUNS: dict[str, tuple[Action, ...]] = {
    "nothing of it": (actions.Wait(seconds=1.0),),
    "an answer lost": (OPEN, rotate(NO_ANSWER, "GUEK")),
    "an answer lost of all keys": (OPEN, rotate(NO_ANSWER, *ALL)),
    "a request lost": (OPEN, rotate(NO_REQUEST, *ALL)),
    "a master key's answer lost": (OPEN, rotate(NO_ANSWER, "KEK")),
    "the power failed in it": (OPEN, rotate(Twist(cut=1), *ALL)),
    "a counter lost": (OPEN, actions.PowerCycle()),
    "an old connection of the public client": (
        actions.CatchUp(client="dco"), OPEN, actions.PowerCycle(),
    ),
    "an answer of other keys lost": (
        OPEN, actions.Transfer(client="dco", entries=(NewKey(key_id=0),), twist=NO_ANSWER),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_both_ends_come_to_agree(name: str) -> None:
    made = course(*RUNS[name])
    assert made.end() == ()
    assert made.facts.floors["dco/GUEK"] == made.facts.client_sends["dco/GUEK"]
    assert "dco" in made.facts.open


def test_the_keys_in_doubt_are_tried_when_the_others_fail() -> None:
    made = course(OPEN, rotate(NO_ANSWER, "GUEK"))
    before = made.facts.agree["dco"]
    assert made.end() == ()
    assert (before, made.facts.agree["dco"]) == (False, True)
    target = made.target
    assert isinstance(target, Watched)
    assert actions.TakeKeys(client="dco", which="doubtful") in target.done


def test_of_agreed_keys_whose_answer_was_lost_nobody_knows_anything() -> None:
    setting = Setting(clients={"s": ClientKind(association="suite1")}, alive="suite1")
    made = Course(setting)
    made.do(actions.Open(client="s"))
    done = made.do(actions.Agree(client="s", kinds=("GUEK",), twist=NO_ANSWER))
    assert done is not None
    assert done.seen.outcome is Outcome.SILENCE
    assert made.end() == ()


def test_a_meter_whose_key_nobody_knows_is_found() -> None:
    """One that puts the key of a transfer in force that it has refused."""
    made = course(OPEN)
    target = made.target
    assert isinstance(target, Watched)
    meter = target.world.meter
    ref = meter.key("dco", "GUEK")
    meter.ring.keep(ref._replace(version=1), bytes(range(16)))
    meter.device.state.key_versions["dco", ref.kind] = 1
    meter.host.memory.commit()
    made.facts = target.look()
    assert {one.invariant for one in made.end()} >= {"I4"}


# The judgement itself -----------------------------------------------------------------------------


def judgement(facts: Facts, *, is_in: bool = True, unknown: bool = False) -> set[str]:
    judge = Judge(Setting(clients={"c": ClientKind(association="dco")}))
    history: History = judge.history
    history.known = {f"dco/{kind}": {f"dco {kind}", "doubt"} for kind in ALL}
    history.unknown = {"dco"} if unknown else set()
    came = Seen(outcome=Outcome.ACCEPTED if is_in else Outcome.REFUSED)
    found: list[Breach] = list(disagreements("c", facts, judge.site, history, came))
    return {f"{one.invariant}: {one.shape}" for one in found}


KEYS = {f"dco/{kind}": f"dco {kind}" for kind in ("GUEK", "GBEK", "GAK", "KEK")}
NOBODYS = "I4: when all is quiet the meter has a key that nobody knows"
NOT_IN = "I6: no legitimate client gets in"


def test_what_is_judged(facts: Make) -> None:
    assert judgement(facts()) == set()
    other = facts(keys={**KEYS, "dco/GAK": "another"})
    assert judgement(other) == {NOBODYS}
    assert judgement(other, unknown=True) == set()
    assert judgement(facts(floors={"dco/GUEK": 6})) == {
        "R-IC-5: when all is quiet the ends count differently"
    }
    assert judgement(facts(keys={**KEYS, "dco/GAK": "doubt"})) == {
        "I4: a client is in, and has other keys than the meter"
    }


def test_who_is_not_in_has_a_reason(facts: Make) -> None:
    assert judgement(facts(), is_in=False) == {NOT_IN}
    half = facts(keys={**KEYS, "dco/GAK": "doubt"})
    assert judgement(half, is_in=False) == set()
    doubts = {"c/GUEK": "dco GUEK", "c/GAK": "doubt"}
    in_doubt = facts(keys={**KEYS, "dco/GAK": "doubt"}, client_doubts=doubts)
    assert judgement(in_doubt, is_in=False) == {NOT_IN}
    used_up = facts(sends={"dco/GUEK": 0xFFFFFFFF})
    assert judgement(used_up, is_in=False) == set()
