"""Made smaller: fewer steps, simpler ones, a simpler beginning, and the same is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.fuzz.actions import (
    Action,
    Certify,
    Challenge,
    Crowd,
    Get,
    NewKey,
    Open,
    Plant,
    Replay,
    Rotate,
    Transfer,
    Wait,
)
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.findings.finding import Key, broken
from emulator.fuzz.findings.minimising import NothingBroken, minimise
from emulator.fuzz.findings.renumbering import kept
from emulator.fuzz.findings.simplifying import fewer_clients, simpler, simpler_settings
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import Edit, EditKind, Lost, Otherwise, Twist

CHALLENGED = Key("R-HLS-4", "a challenge comes twice")


def test_what_is_not_needed_goes(stale: Setting, winding: tuple[Action, ...]) -> None:
    setting = replace(
        stale,
        clients={"b": ClientKind(association="dco", shares="dco")},
        knobs={"dco": {"max_forward_jump": 1000}},
        seed="5",
    )
    shrunk = minimise(setting, winding)
    assert Key.of(shrunk.breach) == CHALLENGED
    assert [done.action for done in shrunk.trail.steps] == [Open(client="dco"), Open(client="dco")]
    assert shrunk.trail.setting == stale  # what is planted is needed
    assert shrunk.is_done
    assert shrunk.was == 10
    assert shrunk.plays < 200


def test_the_same_run_comes_to_the_same_end(stale: Setting, winding: tuple[Action, ...]) -> None:
    first, second = (minimise(stale, winding) for _ in range(2))
    assert (first.trail, first.plays) == (second.trail, second.plays)


def test_what_it_comes_to_breaks_the_same_when_it_is_played(
    stale: Setting, winding: tuple[Action, ...]
) -> None:
    shrunk = minimise(stale, winding)
    again = judged(shrunk.trail.setting, [done.action for done in shrunk.trail.steps])
    assert again == shrunk.trail
    assert broken(again, CHALLENGED) == shrunk.breach


def test_it_ends_when_the_plays_are_over(stale: Setting, winding: tuple[Action, ...]) -> None:
    shrunk = minimise(stale, winding, plays=3)
    assert shrunk.plays == 3
    assert not shrunk.is_done
    assert broken(shrunk.trail, CHALLENGED)
    assert len(shrunk.trail.steps) > 2


def test_it_ends_when_the_time_is_over(stale: Setting, winding: tuple[Action, ...]) -> None:
    plays = iter([False, False, True])
    assert minimise(stale, winding, is_over=lambda: next(plays)).plays == 2
    with pytest.raises(NothingBroken, match="the time was over"):
        minimise(stale, winding, is_over=lambda: True)


def test_another_breach_is_not_taken_for_it(stale: Setting, winding: tuple[Action, ...]) -> None:
    with pytest.raises(NothingBroken, match="it does not break I1: another"):
        minimise(stale, winding, Key("I1", "another"))
    with pytest.raises(NothingBroken, match="it does not break any invariant"):
        minimise(Setting(), winding)


def test_it_keeps_the_invariant_and_does_not_slip(
    stale: Setting, winding: tuple[Action, ...]
) -> None:
    """Whoever does nothing with this meter finds another thing broken, in the end."""
    busy = Plant(fault="overloaded")
    setting = replace(stale, plants=(*stale.plants, busy))
    assert broken(judged(setting, ()), Key("I6", "no legitimate client gets in"))
    shrunk = minimise(setting, (*[Open(client="dco")] * 3, *winding))
    assert Key.of(shrunk.breach) == CHALLENGED
    assert shrunk.trail.setting == stale
    assert [done.action for done in shrunk.trail.steps] == [Open(client="dco"), Open(client="dco")]


# References ---------------------------------------------------------------------------------------


def test_a_replay_follows_its_step() -> None:
    steps = (
        Wait(seconds=1),
        Open(client="dco"),
        Wait(seconds=2),
        Replay(client="dco", step=2),
        Certify(client="dco", request=3),
        Certify(client="dco"),
    )
    assert kept(steps, (1, 3)) == (Open(client="dco"), Replay(client="dco", step=1))
    assert kept(steps, (0, 3, 5)) == (Wait(seconds=1), Certify(client="dco"))
    assert kept(steps, (2, 4)) == (Wait(seconds=2), Certify(client="dco", request=1))
    assert kept(steps, range(6)) == steps


# Forms --------------------------------------------------------------------------------------------


def test_a_twist_goes_first_and_then_field_by_field() -> None:
    twist = Twist(lose=Lost.RESPONSE, seal=Otherwise(counter=9, control=0x30))
    forms = list(simpler(Open(client="dco", twist=twist)))
    assert forms[0] == Open(client="dco")
    assert Open(client="dco", twist=replace(twist, lose=Lost.NOTHING)) in forms
    assert Open(client="dco", twist=replace(twist, seal=Otherwise(control=0x30))) in forms
    assert (
        Open(client="dco", twist=replace(twist, seal=Otherwise(counter=4, control=0x30))) in forms
    )


def test_kinds_and_numbers_get_fewer_and_smaller() -> None:
    forms = list(simpler(Rotate(client="dco", kinds=("GUEK", "GAK"))))
    assert forms == [Rotate(client="dco", kinds=("GAK",)), Rotate(client="dco", kinds=("GUEK",))]
    waits = [one.seconds for one in simpler(Wait(seconds=100.5))]  # type: ignore[union-attr]
    assert waits == [0, 1, 50, 99]
    assert list(simpler(Wait(seconds=0))) == []
    assert Open(client="dco") in list(simpler(Crowd(client="dco", times=9)))


def test_what_is_done_by_hand_is_done_as_our_head_end_does_it() -> None:
    transfer = Transfer(client="dco", entries=(NewKey(key_id=0), NewKey(key_id=2)), raw=True)
    assert next(simpler(transfer)) == Rotate(client="dco", kinds=("GUEK", "GAK"))
    unknown = Transfer(client="dco", entries=(NewKey(key_id=9),))
    assert not any(isinstance(one, Rotate) for one in simpler(unknown))


def test_a_change_of_octets_stays_one(note: object) -> None:
    flip = Edit(kind=EditKind.FLIP, at=-5, octets=b"\x80")
    step = Get(client="dco", attribute=note, twist=Twist(octets=(flip,)))  # type: ignore[arg-type]
    for form in simpler(step):
        assert isinstance(form, Get)
        for edit in form.twist.octets:
            edit.apply(b"\0" * 9)  # IndexError if it has no octets any more


def test_every_form_leads_to_an_end(winding: tuple[Action, ...]) -> None:
    """Whoever always takes the last form comes to one that has none."""
    for step in (
        *winding,
        Challenge(client="a"),
        Transfer(client="a", entries=(NewKey(key_id=1),)),
    ):
        form: Action | None = step
        for _ in range(200):
            *_, form = [None, *simpler(form)]  # type: ignore[arg-type]
            if form is None:
                break
        assert form is None


def test_settings_lose_what_they_have() -> None:
    client = ClientKind(association="dco", dedicated=True, knobs={"a": 1})
    setting = Setting(clients={"b": client}, knobs={"dco": {"c": 1, "d": 2}}, seed="9")
    forms = list(simpler_settings(setting))
    assert replace(setting, clients={}) in forms
    assert replace(setting, clients={"b": replace(client, dedicated=False)}) in forms
    assert replace(setting, clients={"b": replace(client, knobs={})}) in forms
    assert replace(setting, knobs={"dco": {"d": 2}}) in forms
    assert replace(setting, seed="0") in forms
    assert setting not in forms
    assert list(simpler_settings(Setting())) == []


def test_one_client_does_what_two_did() -> None:
    steps = (Open(client="a"), Wait(seconds=1), Open(client="b"))
    assert list(fewer_clients(steps)) == [(Open(client="a"), Wait(seconds=1), Open(client="a"))]
