"""A meter and its clients in one process: the same again, octet for octet, and its look-outs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from dlms.axdr.data import octet_string
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action, NewKey
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import play
from emulator.fuzz.target import Outcome, Target
from emulator.fuzz.twist import Edit, EditKind, Lost, Otherwise, Twist

Make = Callable[..., InProcess]

OPEN = actions.Open(client="dco")
ROTATE = actions.Rotate(client="dco", kinds=("GUEK", "GAK"))


def octets(target: Target, run: Sequence[Action]) -> list[bytes]:
    return [passed.octets for action in run for passed in target.do(action).line]


def test_it_is_a_target(target: Make) -> None:
    it: Target = target()
    assert it.do(OPEN).outcome is Outcome.ACCEPTED
    assert it.look().open == {"dco"}


def test_the_same_seed_gives_the_same_octets(target: Make, note: AttributeDescriptor) -> None:
    run = [OPEN, ROTATE, actions.Get(client="dco", attribute=note)]
    first = octets(target(seed="1"), run)
    assert octets(target(seed="1"), run) == first
    assert octets(target(seed="2"), run) != first


def test_octets_do_not_change_between_processes(target: Make, note: AttributeDescriptor) -> None:
    """Or a finding of yesterday would not be found again today."""
    run = [OPEN, ROTATE, actions.Get(client="dco", attribute=note), actions.PowerCycle(), OPEN]
    whole = hashlib.sha256(b"".join(octets(target(), run))).hexdigest()
    assert whole == GOLDEN


GOLDEN = "389bfcd42fb42e93d394141621162d0084e9fd887c19e2019fc6091dab03de00"


def test_agreed_keys_are_drawn_from_the_seed(target: Make) -> None:
    run = [actions.Open(client="suite1"), actions.Agree(client="suite1", kinds=("GUEK",))]
    assert octets(target(), run) == octets(target(), run)


def test_a_snapshot_in_the_middle_goes_on_as_the_run_does(
    target: Make, note: AttributeDescriptor
) -> None:
    before = [OPEN, ROTATE, actions.Challenge(client="s1sp")]
    behind: list[Action] = [
        actions.Authenticate(client="s1sp"),
        actions.Set(client="dco", attribute=note, value=octet_string(b"\x05")),
        ROTATE,
        actions.PowerCycle(),
        actions.CatchUp(client="dco"),
        OPEN,
        actions.Get(client="dco", attribute=note),
    ]
    straight = target()
    octets(straight, before)
    wanted = octets(straight, behind)

    it = target()
    octets(it, before)
    snapshot = it.snapshot()
    assert octets(it, behind) == wanted
    for _ in range(2):
        it.restore(snapshot)
        assert octets(it, behind) == wanted
    assert it.look() == straight.look()
    assert it.look().breaches == ()


def test_what_is_done_after_a_restore_does_not_reach_the_snapshot(
    target: Make, note: AttributeDescriptor
) -> None:
    it = target()
    it.do(OPEN)
    snapshot, digest = it.snapshot(), it.look().digest
    it.do(actions.Set(client="dco", attribute=note, value=octet_string(b"\x05")))
    it.do(ROTATE)
    assert it.look().digest != digest
    it.restore(snapshot)
    assert it.look().digest == digest
    assert it.look().versions == {}


def test_power_that_fails_before_the_write_leaves_all_as_it_was(target: Make) -> None:
    it = target()
    it.do(OPEN)
    before = it.look()
    seen = it.do(actions.Rotate(client="dco", kinds=("GUEK", "KEK"), twist=Twist(cut=0)))
    assert seen.outcome is Outcome.SILENCE
    after = it.look()
    assert (after.digest, after.versions) == (before.digest, before.versions)
    assert not after.open
    assert after.sends["dco/GUEK"] > before.sends["dco/GUEK"]


def test_a_vector_that_comes_again_is_seen(target: Make, note: AttributeDescriptor) -> None:
    it = target()
    it.do(OPEN)
    same = Twist(meter_seal=Otherwise(counter=0))
    it.do(actions.Get(client="dco", attribute=note, twist=same))
    (breach,) = it.look().breaches
    assert breach.startswith("I1: the meter uses the vector 4C41420000000001 0 twice")


def test_a_key_on_the_line_is_seen(target: Make) -> None:
    it = target()
    it.do(OPEN)
    client = it.world.client("dco")
    key = client.party.ring.get(client.key("GAK"))
    it.do(actions.Send(client="dco", plain=b"\xc0" + key, bare=True))
    assert any(breach.startswith("I5: ") for breach in it.look().breaches)


def test_a_lost_answer_leaves_both_ends_apart(target: Make) -> None:
    it = target()
    it.do(OPEN)
    it.do(actions.Rotate(client="dco", kinds=("GUEK",), twist=Twist(lose=Lost.RESPONSE)))
    assert it.look().agree == {"dco": False}
    it.do(actions.TakeKeys(client="dco", which="doubtful"))
    assert it.do(OPEN).outcome is Outcome.ACCEPTED
    assert it.look().agree == {"dco": True}


def test_a_legitimate_client_is_alive_whatever_was_done(target: Make) -> None:
    it = target()
    it.do(OPEN)
    cut = (Edit(kind=EditKind.KEEP, count=5),)
    it.do(actions.Transfer(client="dco", entries=(NewKey(key_id=0, edits=cut),)))
    assert it.alive().outcome is Outcome.ACCEPTED


def test_clients_share_keys_and_counters_only_if_they_are_to(target: Make) -> None:
    kinds = {
        "a": ClientKind(association="dco"),
        "b": ClientKind(association="dco", shares="a"),
        "c": ClientKind(association="dco"),
    }
    it = target(clients=kinds)
    assert it.do(actions.Open(client="a")).outcome is Outcome.ACCEPTED
    assert it.do(actions.Open(client="b")).outcome is Outcome.ACCEPTED
    assert it.do(actions.Open(client="c")).outcome is Outcome.REFUSED


def test_every_scenario_plays_the_same_again(every_scenario: dict[str, Scenario]) -> None:
    """But for TLS, whose own keys OpenSSL draws, and certificates, whose signatures are drawn."""
    for name, scenario in every_scenario.items():
        if name.startswith(("KL-TL", "KL-PK", "KL-HL-01", "KL-HL-03/mech", "KL-KT-30")):
            continue
        assert _line(scenario) == _line(scenario), name


def _line(scenario: Scenario) -> list[Any]:
    return [
        (played.seen.outcome, played.seen.says, played.seen.line)
        for result in play(scenario)
        for played in result.played
    ]


def test_keys_of_messages_are_spent_over_any_number_of_losses_of_power(target: Make) -> None:
    """Also where nobody has asked for them between two of them."""
    bench = target()
    said = actions.Send(
        client="suite1",
        plain=bytes.fromhex("C001C1000F0000280000FF0100"),
        form="CIPHERING",
        choice="STATIC",
        transaction=b"12345678",
    )
    bench.do(actions.Open(client="suite1"))
    assert bench.do(said).outcome is Outcome.ACCEPTED
    for _ in range(2):
        bench.do(actions.PowerCycle())
    bench.do(actions.PutCounter(client="suite1", send=5000))
    assert bench.do(actions.Open(client="suite1")).outcome is Outcome.ACCEPTED
    assert bench.do(said).outcome is Outcome.REFUSED
