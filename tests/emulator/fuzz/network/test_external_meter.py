"""Another's meter: reached by its declaration, spared what would spoil it, and found out."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from devices.profile import ProfileError
from dlms.security.keys import KeyKind
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.declaration import key_file
from emulator.conformance.declaration.model import WayKind
from emulator.fuzz import actions
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.network.declared_rows import setting_for
from emulator.fuzz.network.external import External
from emulator.fuzz.network.external_meter import read_meter
from emulator.fuzz.network.guarding import NotAllowed
from emulator.fuzz.setting import Setting
from emulator.fuzz.spoken import NewKey
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import Edit, EditKind, Lost, Otherwise, Twist

Begin = Callable[..., External]


@pytest.fixture
def begin(elsewhere: Any) -> Iterator[Begin]:
    """``begin(kind, destructive=False, **settings)``: the first run on a meter."""
    with ExitStack() as stack:

        def make(
            kind: WayKind = WayKind.TCP, *, destructive: bool = False, **said: Any
        ) -> External:
            there = elsewhere(kind, **said)
            meter = read_meter(there.declaration, destructive=destructive)
            found = External(meter, setting_for(meter.device))
            stack.callback(found.close)
            return found

        yield make


@pytest.mark.parametrize("kind", [WayKind.TCP, WayKind.UDP, WayKind.HDLC, WayKind.SERIAL])
def test_each_client_gets_in(kind: WayKind, begin: Begin, note: AttributeDescriptor) -> None:
    target = begin(kind)
    clients = list(target.bench.kinds)
    assert {"dco", "s1sp", "suite1", "ecdsa2", "public"} <= set(clients)
    for client in clients[:6]:
        assert target.do(actions.Open(client=client)).outcome is Outcome.ACCEPTED, client
    assert target.do(actions.Get(client="dco", attribute=note)).outcome is Outcome.ACCEPTED
    assert "dco" in target.look().open
    assert target.alive().outcome is Outcome.ACCEPTED
    assert not target.look().breaches


def test_counters_are_asked_for_and_none_is_used_twice(elsewhere: Any) -> None:
    """A second process, which knows nothing of the first but the file, gets in behind it."""
    there = elsewhere()
    device = there.meter.device
    device.state.counters.accept(device.key("dco", KeyKind.GUEK), 1000)  # of others, before
    used = []
    for _ in range(2):
        meter = read_meter(there.declaration)
        target = External(meter, setting_for(meter.device))
        assert target.do(actions.Open(client="dco")).outcome is Outcome.ACCEPTED
        guek = target.bench.client("dco").keys.guek
        assert guek is not None
        lost = actions.Open(client="dco", twist=Twist(lose=Lost.REQUEST))
        assert target.do(lost).outcome is Outcome.SILENCE  # the meter does not know of that one
        used.append(meter.counters.next_to_send(guek))
        target.close()
    assert used[1] > used[0]


SPOILING = [
    actions.Rotate(client="dco", kinds=("GUEK",)),
    actions.Transfer(client="dco", entries=(NewKey(key_id=0),)),
    actions.Agree(client="suite1", kinds=("GUEK",)),
    actions.ChangeSecret(client="sha256"),
    actions.PutCounter(client="dco", send=1 << 30),
    actions.Storm(client="dco", times=3),
    actions.Send(client="dco", plain=bytes.fromhex("C101C100010000600109FF020009024142")),
    actions.Send(client="dco", plain=bytes.fromhex("C301C100120000600109FF0100")),
    actions.Open(client="dco", twist=Twist(seal=Otherwise(counter=0xFFFFFFF0))),
]
IMPOSSIBLE = [
    actions.PowerCycle(),
    actions.ClockStep(seconds=3600),
    actions.Damage(what="store"),
    actions.Plant(fault="tags-unchecked"),
    actions.ChangeTls(what="revoke client"),
    actions.TakeKeys(client="dco", which="current"),
    actions.Get(
        client="dco",
        attribute=AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2),
        twist=Twist(cut=0),
    ),
]


@pytest.mark.parametrize("action", SPOILING, ids=lambda one: type(one).__name__)
def test_what_would_spoil_it_is_refused(action: Any, begin: Begin) -> None:
    target = begin()
    target.do(actions.Open(client=action.client))
    before = target.bench.line[:]
    with pytest.raises(NotAllowed):
        target.do(action)
    assert target.bench.line == before


@pytest.mark.parametrize("action", IMPOSSIBLE, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("destructive", [False, True])
def test_what_nobody_can_do_from_here(action: Any, destructive: bool, begin: Begin) -> None:
    with pytest.raises(ValueError, match=r"."):
        begin(destructive=destructive).do(action)


def test_a_message_that_becomes_a_write_on_its_way_is_held_back(begin: Begin) -> None:
    """A GET in a plain association, changed on the line: the guard is where octets leave."""
    target = begin()
    target.do(actions.Open(client="public"))
    becomes_set = Edit(kind=EditKind.PUT, at=0, octets=b"\xc1")
    name = AttributeDescriptor(1, bytes((0, 0, 42, 0, 0, 255)), 2)
    sent = len(target.bench.line)
    with pytest.raises(NotAllowed):
        target.do(actions.Get(client="public", attribute=name, twist=Twist(octets=(becomes_set,))))
    assert not target.look().open
    assert len(target.bench.line) == sent + 1  # noted as sent, and held back
    assert target.alive().outcome is Outcome.ACCEPTED


def test_keys_change_if_that_is_allowed_and_are_written_down_before(
    begin: Begin, note: AttributeDescriptor
) -> None:
    target = begin(destructive=True)
    meter = target._meter
    assert target.do(actions.Open(client="dco")).outcome is Outcome.ACCEPTED
    wire: Any = target.bench.wire
    carry, there_then = wire.carry, []

    def watched(*args: Any) -> Any:
        there_then.append(meter.new_keys)
        return carry(*args)

    wire.carry = watched
    lost = actions.Rotate(client="dco", kinds=("GUEK", "GAK"), twist=Twist(lose=Lost.RESPONSE))
    assert target.do(lost).outcome is Outcome.SILENCE
    path = meter.new_keys
    assert path is not None
    assert there_then == [path], "they are written down before they are sent"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = [keys for name, keys in key_file.load(path).items() if " made " in name]
    assert len(made) == 2
    assert target.alive().outcome is Outcome.ACCEPTED, "it finds out which keys are in force"
    assert target.do(actions.Open(client="dco")).outcome is Outcome.ACCEPTED
    assert target.do(actions.Get(client="dco", attribute=note)).outcome is Outcome.ACCEPTED
    now = key_file.load(path)["dco"]
    assert now.guek in [keys.guek for keys in made]
    assert not target.look().breaches


def test_what_the_declaration_forbids(begin: Begin) -> None:
    target = begin(destructive=True, fuzz_never="Storm, Replay")
    with pytest.raises(NotAllowed, match="not to be done"):
        target.do(actions.Storm(client="dco", times=2))
    with pytest.raises(NotAllowed, match=r"key\.transfer"):
        begin(destructive=True, spend=False).do(actions.Rotate(client="dco", kinds=("GUEK",)))


def test_the_declaration_says_that_it_may_be_spoiled(begin: Begin) -> None:
    target = begin(fuzz_destructive="true")
    target.do(actions.Open(client="dco"))
    rotate = actions.Rotate(client="dco", kinds=("GUEK",))
    assert target.do(rotate).outcome is Outcome.ACCEPTED
    assert any("may be spoiled" in line for line in target._meter.promise)
    with pytest.raises(ProfileError, match=r"fuzz\.pace"):
        begin(fuzz_pace="soon")


def test_it_has_no_snapshots(begin: Begin) -> None:
    target = begin()
    for use in (target.snapshot, lambda: target.restore(())):
        with pytest.raises(ValueError, match="nobody can put it back"):
            use()


def test_a_meter_that_hangs_up_is_connected_to_again(begin: Begin) -> None:
    target = begin()
    assert target.do(actions.Open(client="dco")).outcome is Outcome.ACCEPTED
    garbage = Edit(kind=EditKind.REPEAT, octets=b"\x00", count=40_000)
    name = AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2)
    seen = target.do(actions.Get(client="dco", attribute=name, twist=Twist(octets=(garbage,))))
    assert seen.outcome is Outcome.HUNG_UP
    assert target.do(actions.Open(client="dco")).outcome is Outcome.ACCEPTED


# What it is good for ------------------------------------------------------------------------------


DEFECTS = {
    "tags-unchecked": actions.Get(
        client="dco",
        attribute=AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2),
        twist=Twist(octets=(Edit(kind=EditKind.FLIP, at=-1, octets=b"\x01"),)),
    ),
    "same-challenge": actions.Open(client="dco"),
    "replays-taken": actions.Replay(client="dco", step=2),
}


@pytest.mark.parametrize("fault", DEFECTS)
@pytest.mark.parametrize("planted", [True, False])
def test_a_defect_of_another_meter_is_seen_on_the_line(
    fault: str, planted: bool, elsewhere: Any, note: AttributeDescriptor
) -> None:
    there = elsewhere()
    if planted:
        there.meter.faults.set(fault, {})
    meter = read_meter(there.declaration)
    course = [
        actions.Open(client="dco"),
        actions.Get(client="dco", attribute=note),
        DEFECTS[fault],
    ]
    made: list[External] = []

    def make(setting: Setting) -> External:
        made.append(External(meter, setting))
        return made[-1]

    trail = judged(setting_for(meter.device), course, make)
    for one in made:
        one.close()
    assert bool(trail.all_breaches) is planted, trail.all_breaches


def test_a_vector_of_the_meters_that_comes_again_is_seen(
    elsewhere: Any, note: AttributeDescriptor
) -> None:
    there = elsewhere()
    meter = read_meter(there.declaration)
    target = External(meter, setting_for(meter.device))
    target.do(actions.Open(client="dco"))
    device = there.meter.device
    guek = device.key("dco", KeyKind.GUEK)
    counters = device.state.counters
    sent, floor = counters.next_to_send(guek), counters.floor(guek)
    target.do(actions.Get(client="dco", attribute=note))
    assert not target.look().breaches
    counters.establish(guek)  # as from an old image of its memory
    counters.raise_to(guek, sent)
    counters.accept(guek, floor)
    name = AttributeDescriptor(15, bytes((0, 0, 40, 0, 0, 255)), 1)
    target.do(actions.Get(client="dco", attribute=name))
    target.close()
    assert [one for one in target.look().breaches if one.startswith("I1: the meter uses")]


def test_associations_with_the_same_keys_have_the_same_new_ones(begin: Begin) -> None:
    target = begin(destructive=True)
    declaration = target._meter.device.declaration
    twin = replace(declaration.association("dco"), name="twin", client_sap=99)
    target._meter.device.declaration = replace(
        declaration, associations=(*declaration.associations, twin)
    )
    target.do(actions.Open(client="dco"))
    assert target.do(actions.Rotate(client="dco", kinds=("GUEK",))).outcome is Outcome.ACCEPTED
    assert target.bench.client("twin").keys == target.bench.client("dco").keys
