"""Given actions under the judge: what is left out, where it ends, what shows in the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.fuzz import actions
from emulator.fuzz.actions import Action, Plant
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import Edit, EditKind, Lost, Twist

OPEN = actions.Open(client="dco")
ROTATE = actions.Rotate(client="dco", kinds=("GUEK", "GAK"))
FORGED = replace(
    actions.Rotate(client="dco", kinds=("GUEK",)),
    twist=Twist(octets=(Edit(kind=EditKind.FLIP, at=-1, octets=b"\1"),)),
)
ANY_TAG = Plant(fault="careless", parameters=(("how", "any-tag"),))


def test_a_right_meter_breaks_nothing() -> None:
    lost = replace(ROTATE, twist=Twist(lose=Lost.RESPONSE))
    run: list[Action] = [
        OPEN,
        FORGED,
        lost,
        actions.TakeKeys(client="dco", which="doubtful"),
        OPEN,
        actions.Replay(client="dco", step=3),
        actions.PowerCycle(),
    ]
    trail = judged(Setting(), run)
    assert [done.action for done in trail.steps] == run
    assert trail.all_breaches == ()


def test_it_ends_with_the_first_breach() -> None:
    trail = judged(Setting(plants=(ANY_TAG,)), [OPEN, FORGED, OPEN, ROTATE])
    assert [done.action for done in trail.steps] == [OPEN, FORGED]
    assert {one.invariant for one in trail.all_breaches} >= {"R-PROT-2", "I3"}
    assert trail.breaches == ()


def test_what_cannot_be_done_is_left_out() -> None:
    former = actions.TakeKeys(client="dco", which="former")
    trail = judged(Setting(), [OPEN, former, ROTATE])
    assert [done.action for done in trail.steps] == [OPEN, ROTATE]


def test_who_cannot_get_in_shows_in_the_end() -> None:
    trail = judged(Setting(plants=(Plant(fault="lost-rotation"),)), [])
    assert trail.steps == ()
    assert [one.invariant for one in trail.breaches] == ["I6"]
    nobody = replace(trail.setting, alive="")
    assert judged(nobody, []).breaches == ()


@pytest.mark.parametrize("cut", range(4))
def test_power_that_fails_at_any_write_of_a_rotation_breaks_nothing(cut: int) -> None:
    trail = judged(Setting(), [OPEN, replace(ROTATE, twist=Twist(cut=cut)), OPEN])
    assert trail.all_breaches == ()


def test_a_client_whose_keys_another_has_replaced_names_no_new_ones() -> None:
    """Or two keys would have one name, and one of them the counters of the other."""
    clients = {
        "a": ClientKind(association="dco"),
        "b": ClientKind(association="dco", shares="a"),
    }
    a, b = actions.Open(client="a"), actions.Open(client="b")
    rotate = actions.Rotate(client="a", kinds=("GUEK",))
    other = actions.Rotate(client="b", kinds=("GUEK",))
    trail = judged(Setting(clients=clients), [a, b, rotate, other, b, other])
    outcomes = [done.seen.outcome for done in trail.steps]
    assert outcomes[2:4] == [Outcome.ACCEPTED, Outcome.STOPPED]
    assert outcomes[5] is Outcome.ACCEPTED
    assert trail.all_breaches == ()


def test_a_session_of_another_certificate_is_not_resumed() -> None:
    """What a target does in part and then cannot do would be missing in the trail."""
    clients = {"t": ClientKind(association="dco")}
    run: list[Action] = [
        actions.Connect(client="t"),
        actions.ChangeTls(what="revoke client"),
        actions.Connect(client="t", resume=True, days=1),
        actions.Connect(client="t", resume=True),
    ]
    trail = judged(Setting(clients=clients, alive=""), run)
    assert [done.seen.says for done in trail.steps] == ["full", "", "full", "full"]
    assert trail.all_breaches == ()
