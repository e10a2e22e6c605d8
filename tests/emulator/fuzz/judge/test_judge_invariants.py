"""Each invariant: a step that breaks it, and the same step as it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dlms.axdr.data import octet_string
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action, NewKey
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.judge.judge import Judge
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Direction, Facts, Outcome, Passed, Seen
from emulator.fuzz.twist import Edit, EditKind, Lost, Otherwise, Twist

Make = Callable[..., Facts]

NOTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2)
KEYS = {f"dco/{kind}": f"dco {kind}" for kind in ("GUEK", "GBEK", "GAK", "KEK")}
ROTATED = {**KEYS, "dco/GUEK": "another"}
FLOORS = {"dco/GUEK": 5, "dco/GBEK": 0, "suite1/GUEK": 2}
SENDS = {"dco/GUEK": 4, "dco/GBEK": 0, "suite1/GUEK": 2}
TAG = Twist(octets=(Edit(kind=EditKind.FLIP, at=-1, octets=b"\1"),))
ANSWER = Twist(answer=(Edit(kind=EditKind.FLIP, at=-1, octets=b"\1"),))

TOKEN = actions.Token(client="", pence=5, counter=1)
GET = actions.Get(client="c", attribute=NOTE)
SET = actions.Set(client="c", attribute=NOTE, value=octet_string(b"\1"))
OPEN = actions.Open(client="c")
BACK = actions.Replay(client="c", step=1, heard=True)
TOLD = actions.Announce(attribute=NOTE)
ROTATE = actions.Rotate(client="c", kinds=("GUEK",))
BOTH = actions.Rotate(client="c", kinds=("GUEK", "GAK"))
SEND = actions.Send(client="c", plain=bytes.fromhex("C001C1000F0000280000FF0100"))


def of(action: Any, twist: Twist) -> Action:
    found: Action = replace(action, twist=twist)
    return found


def glo(counter: int) -> bytes:
    return bytes.fromhex("C81E30") + counter.to_bytes(4, "big") + bytes(25)


def transfer(*entries: NewKey) -> Action:
    return actions.Transfer(client="c", entries=entries)


BROKEN: list[tuple[str, str, Action, Outcome, dict[str, Any], dict[str, Any]]] = [
    ("an answer that comes back", "R-IC-1", BACK, Outcome.ACCEPTED, {}, {}),
    ("its floor", "R-IC-1", BACK, Outcome.REFUSED, {}, {"floors": {**FLOORS, "dco/GUEK": 6}}),
    ("its effect", "R-IC-1", BACK, Outcome.REFUSED, {}, {"digest": "two"}),
    ("told, and changed", "I3", TOLD, Outcome.DONE, {}, {"digest": "two"}),
    ("floor back", "I2", GET, Outcome.ACCEPTED, {}, {"floors": {**FLOORS, "dco/GUEK": 4}}),
    ("send back", "I2", actions.PowerCycle(), Outcome.DONE, {},
     {"sends": {**SENDS, "dco/GUEK": 3}, "open": frozenset()}),
    ("new key, old counter", "R-IC-2", ROTATE, Outcome.ACCEPTED, {},
     {"keys": ROTATED, "versions": {"dco/GUEK": 1}}),
    ("another floor", "R-IC-1", GET, Outcome.ACCEPTED, {},
     {"floors": {**FLOORS, "suite1/GUEK": 3}}),
    ("floor of a forged one", "R-IC-6", of(GET, TAG), Outcome.REFUSED, {},
     {"floors": {**FLOORS, "dco/GUEK": 6}}),
    ("forged and taken", "R-PROT-2", of(GET, TAG), Outcome.ACCEPTED, {}, {}),
    ("forged and written", "I3", of(SET, TAG), Outcome.SILENCE, {}, {"digest": "two"}),
    ("other key", "R-PROT-2", of(SET, Twist(seal=Otherwise(ek="KEK"))), Outcome.ACCEPTED, {}, {}),
    ("no authentication key", "R-PROT-2", of(SET, Twist(seal=Otherwise(ak="NONE"))),
     Outcome.ACCEPTED, {}, {}),
    ("other title", "R-PROT-2", of(SET, Twist(seal=Otherwise(title=bytes(8)))),
     Outcome.ACCEPTED, {}, {}),
    ("former key", "R-PROT-2", OPEN, Outcome.ACCEPTED,
     {"client_keys": {"c/GUEK": "former"}, "agree": {"c": False}, "open": frozenset()},
     {"agree": {"c": False}}),
    ("no answer to the challenge", "R-HLS-6",
     of(OPEN, Twist(mac=Otherwise(ek="KEK"))), Outcome.ACCEPTED, {}, {}),
    ("refused and changed", "I3", SET, Outcome.REFUSED, {}, {"digest": "two"}),
    ("asked and changed", "I3", GET, Outcome.ACCEPTED, {}, {"digest": "two"}),
    ("answer changed", "R-PROT-2", of(GET, ANSWER), Outcome.ACCEPTED, {}, {}),
    ("own challenge", "R-HLS-3",
     actions.Challenge(client="c", twist=Twist(echo=True)), Outcome.ACCEPTED, {}, {}),
    ("half a rotation", "R-KEY-2", BOTH, Outcome.SILENCE, {},
     {"keys": ROTATED, "versions": {"dco/GUEK": 1},
      "floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}),
    ("a rotation that was none", "R-KEY-1", ROTATE, Outcome.ACCEPTED, {}, {}),
    ("a rotation by the way", "I4", GET, Outcome.ACCEPTED, {},
     {"keys": ROTATED, "versions": {"dco/GUEK": 1},
      "floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}),
    ("a key without its version", "I4", ROTATE, Outcome.ACCEPTED, {},
     {"keys": ROTATED, "floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}),
    ("a key twice", "I1", ROTATE, Outcome.ACCEPTED, {},
     {"keys": {**KEYS, "dco/GUEK": "dco GAK"}, "versions": {"dco/GUEK": 1},
      "floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}),
    ("wrongly wrapped", "R-KEY-1", transfer(NewKey(key_id=0, under="GAK")), Outcome.ACCEPTED,
     {}, {}),
    ("short", "R-KEY-1", transfer(NewKey(key_id=0, length=8)), Outcome.ACCEPTED, {}, {}),
    ("twice in one array", "R-KEY-1", transfer(NewKey(key_id=0), NewKey(key_id=0)),
     Outcome.ACCEPTED, {}, {}),
    ("neither nor", "I4", of(BOTH, Twist(lose=Lost.RESPONSE)), Outcome.SILENCE, {},
     {"keys": {**ROTATED, "dco/GAK": "third"}, "versions": {"dco/GUEK": 1, "dco/GAK": 1},
      "client_doubts": {"c/GUEK": "another", "c/GAK": "fourth"},
      "floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}),
    ("open after a release", "R-AA-8", actions.Release(client="c"), Outcome.ACCEPTED, {}, {}),
    ("open after hanging up", "R-AA-8", actions.Hang(client="c"), Outcome.DONE, {}, {}),
    ("open without power", "R-AA-8", actions.PowerCycle(), Outcome.DONE, {}, {}),
    ("open after a cut", "R-AA-8", of(SET, Twist(cut=0)), Outcome.SILENCE, {}, {}),
    ("done for nobody", "I7", SEND, Outcome.ACCEPTED,
     {"open": frozenset()}, {"open": frozenset()}),
    ("bare", "R-PROT-1", replace(SEND, bare=True), Outcome.ACCEPTED, {}, {}),
    ("encrypted alone", "R-PROT-1", replace(SEND, protection=0x20), Outcome.ACCEPTED, {}, {}),
    ("weaker policy", "R-PROT-1", GET, Outcome.ACCEPTED, {}, {"policies": {"dco": 0x3010}}),
    ("another suite", "R-SC-1", of(SET, Twist(seal=Otherwise(control=0x31))),
     Outcome.ACCEPTED, {}, {}),
    ("something else inside", "R-PROT-3",
     of(GET, Twist(seal=Otherwise(payload=(Edit(kind=EditKind.ALL, octets=b"\xc1\1"),)))),
     Outcome.ACCEPTED, {}, {}),
    ("too much credit", "I8", TOKEN, Outcome.ACCEPTED, {},
     {"balance": 1010}),
    ("no credit", "I8", TOKEN, Outcome.ACCEPTED, {}, {}),
    ("refused and credited", "I3", TOKEN, Outcome.REFUSED, {},
     {"balance": 1005}),
    ("other digits", "R-PROT-2",
     actions.Token(client="", pence=5, counter=1, digits=(Edit(kind=EditKind.KEEP, count=19),)),
     Outcome.ACCEPTED, {}, {"balance": 1005}),
    ("credit by the way", "I3", GET, Outcome.ACCEPTED, {}, {"balance": 1005}),
    ("expired", "KL-TL-09", actions.Connect(client="c", days=-1), Outcome.ACCEPTED, {},
     {"open": frozenset()}),
    ("no TLS", "KL-TL-11", actions.Connect(client="c", garbage=b"\0"), Outcome.ACCEPTED, {},
     {"open": frozenset()}),
    ("leaking", "I6", GET, Outcome.ACCEPTED, {}, {"sizes": {"counters": 100, "keys": 60}}),
    ("not let in", "I6", OPEN, Outcome.REFUSED, {}, {"open": frozenset()}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("invariant", "action", "outcome", "before", "after"),
    [pytest.param(*rest, id=name) for name, *rest in BROKEN],
)
def test_what_breaks_it_is_a_breach(
    judge: Judge,
    facts: Make,
    invariant: str,
    action: Action,
    outcome: Outcome,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    seen = Seen(outcome=outcome)
    found = judge.watch(action, seen, facts(**before), facts(**{**before, **after}))
    assert invariant in [breach.invariant for breach in found]
    assert all(breach.shape in breach.words for breach in found)


RIGHT: list[tuple[Action, Outcome, dict[str, Any]]] = [
    (GET, Outcome.ACCEPTED, {"floors": {**FLOORS, "dco/GUEK": 6}}),
    (SET, Outcome.ACCEPTED, {"digest": "two"}),
    (SET, Outcome.REFUSED, {"sends": {**SENDS, "dco/GUEK": 5}}),
    (of(GET, TAG), Outcome.REFUSED, {"sends": {**SENDS, "dco/GUEK": 5}}),
    (ROTATE, Outcome.ACCEPTED,
     {"digest": "two", "keys": ROTATED, "versions": {"dco/GUEK": 1},
      "floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}),
    (of(BOTH, Twist(lose=Lost.RESPONSE)), Outcome.SILENCE, {}),
    (of(SET, Twist(cut=0)), Outcome.SILENCE,
     {"open": frozenset(), "sends": {**SENDS, "dco/GUEK": 32}}),
    (actions.Release(client="c"), Outcome.ACCEPTED, {"open": frozenset()}),
    (TOKEN, Outcome.ACCEPTED, {"balance": 1005, "digest": "two"}),
    (transfer(NewKey(key_id=0, under="GAK")), Outcome.REFUSED, {}),
    (actions.Connect(client="c", days=-1), Outcome.REFUSED, {"open": frozenset()}),
]  # fmt: skip


@pytest.mark.parametrize(("action", "outcome", "after"), RIGHT)
def test_what_is_right_is_none(
    judge: Judge, facts: Make, action: Action, outcome: Outcome, after: dict[str, Any]
) -> None:
    assert judge.watch(action, Seen(outcome=outcome), facts(), facts(**after)) == ()


def test_a_counter_below_the_floor_is_not_to_be_accepted(judge: Judge, facts: Make) -> None:
    line = (Passed(Direction.SENT, "c", glo(4)),)
    (low,) = judge.watch(GET, Seen(outcome=Outcome.ACCEPTED, line=line), facts(), facts())
    assert low.words == "a counter below the floor is accepted: dco/GUEK 4 < 5"
    line = (Passed(Direction.SENT, "c", glo(9)),)
    (left,) = judge.watch(GET, Seen(outcome=Outcome.ACCEPTED, line=line), facts(), facts())
    assert left.invariant == "R-IC-5"


def test_what_was_accepted_is_not_accepted_again(judge: Judge, facts: Make) -> None:
    line = (Passed(Direction.SENT, "c", glo(5)),)
    more = facts(floors={**FLOORS, "dco/GUEK": 6}, digest="two")
    first = Seen(outcome=Outcome.ACCEPTED, line=line)
    assert judge.watch(SET, first, facts(), more) == ()
    again = actions.Replay(client="c", step=1)
    assert judge.watch(again, Seen(outcome=Outcome.REFUSED, line=line), more, more) == ()
    found = judge.watch(again, first, more, facts(floors=more.floors, digest="three"))
    assert [breach.shape for breach in found] == [
        "a counter below the floor is accepted",
        "a message is accepted twice",
        "a message has an effect twice",
    ]


def test_a_key_that_was_there_does_not_come_back(judge: Judge, facts: Make) -> None:
    new = {"floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}
    rotated = facts(keys=ROTATED, versions={"dco/GUEK": 1}, **new)
    done = Seen(outcome=Outcome.ACCEPTED)
    assert judge.watch(ROTATE, done, facts(), rotated) == ()
    back = facts(versions={"dco/GUEK": 2}, **new)
    shapes = [breach.shape for breach in judge.watch(ROTATE, done, rotated, back)]
    assert shapes == [
        "a key is there again and its counters begin anew",
        "a key that was in force is put in force again",
    ]


def test_two_new_keys_are_two(judge: Judge, facts: Make) -> None:
    new = {"floors": {**FLOORS, "dco/GUEK": 0}, "sends": {**SENDS, "dco/GUEK": 0}}
    same = {**ROTATED, "dco/GAK": "another"}
    after = facts(keys=same, versions={"dco/GUEK": 1, "dco/GAK": 1}, **new)
    found = judge.watch(BOTH, Seen(outcome=Outcome.ACCEPTED), facts(), after)
    assert {breach.shape for breach in found} == {"one key is in force for two things"}


def test_an_answer_is_protected_as_the_policy_asks(judge: Judge, facts: Make) -> None:
    right = Seen(outcome=Outcome.ACCEPTED, says="data protected 30")
    assert judge.watch(SEND, right, facts(), facts()) == ()
    (breach,) = judge.watch(SEND, replace(right, says="data protected 20"), facts(), facts())
    assert breach.invariant == "R-PROT-5"


@pytest.mark.parametrize(("knob", "breaches"), [("STRICT", 1), ("LENIENT", 0), ("IGNORE", 0)])
def test_the_counter_of_the_proof_is_judged_as_the_knob_says(
    facts: Make, knob: str, breaches: int
) -> None:
    setting = Setting(
        clients={"c": ClientKind(association="dco")}, knobs={"dco": {"inner_counter": knob}}
    )
    line = (Passed(Direction.SENT, "c", b"\xcb" + glo(6)[1:]),)
    action = actions.Authenticate(client="c", twist=Twist(mac=Otherwise(counter=6)))
    before, after = facts(open=frozenset()), facts(floors={**FLOORS, "dco/GUEK": 7})
    found = Judge(setting).watch(
        replace(action, twist=replace(action.twist, seal=Otherwise(payload=PROOF))),
        Seen(outcome=Outcome.ACCEPTED, line=line),
        before,
        after,
    )
    assert [one.invariant for one in found].count("R-IC-9") == breaches


PROOF = (Edit(kind=EditKind.PUT, at=16, octets=(6).to_bytes(4, "big")),)


def test_a_token_is_worth_its_amount_once(judge: Judge, facts: Make) -> None:
    token, done = TOKEN, Seen(outcome=Outcome.ACCEPTED)
    once, twice = facts(balance=1005), facts(balance=1010)
    assert judge.watch(token, done, facts(), once) == ()
    (breach,) = judge.watch(token, done, once, twice)
    assert breach.shape == "a token is added twice"
    other_key = facts(balance=1010, versions={"prepayment/TOKEN": 1})
    assert judge.watch(token, done, other_key, replace(other_key, balance=1015)) == ()


def test_trust_that_has_ended_resumes_nothing(judge: Judge, facts: Make) -> None:
    quiet = facts(open=frozenset())
    connect = actions.Connect(client="c", resume=True)
    done = Seen(outcome=Outcome.ACCEPTED, says="resumed")
    assert judge.watch(connect, done, quiet, quiet) == ()
    revoke = actions.ChangeTls(what="revoke client")
    assert judge.watch(revoke, Seen(outcome=Outcome.DONE), quiet, quiet) == ()
    (breach,) = judge.watch(connect, done, quiet, quiet)
    assert breach.invariant == "KL-TL-02"
    fresh = actions.Connect(client="c", days=1)
    assert judge.watch(fresh, Seen(outcome=Outcome.ACCEPTED, says="full"), quiet, quiet) == ()


def test_what_a_target_cannot_see_is_not_judged(judge: Judge) -> None:
    """A meter behind a line shows nothing but its answers."""
    for action in (OPEN, GET, SEND, ROTATE, actions.PowerCycle(), TOKEN):
        assert judge.watch(action, Seen(outcome=Outcome.ACCEPTED), Facts(), Facts()) == ()


def test_in_the_end_a_legitimate_client_gets_in(judge: Judge, facts: Make) -> None:
    refused = Seen(outcome=Outcome.REFUSED, says="no")
    assert judge.quiet(facts(), facts(), Seen(outcome=Outcome.ACCEPTED)) == ()
    (breach,) = judge.quiet(facts(), facts(), refused)
    assert breach.invariant == "I6"
    used_up = facts(client_sends={"c/GUEK": 0xFFFFFFFE})
    assert judge.quiet(used_up, used_up, refused) == ()
    told = facts(breaches=("I5: a key is on the line",))
    (breach,) = judge.quiet(facts(), told, Seen(outcome=Outcome.ACCEPTED))
    assert str(breach) == "I5: a key is on the line"
