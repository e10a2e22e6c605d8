"""Our own meter behind sockets does what it does in process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.fuzz import actions
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.network.makes import over_tcp, over_tls
from emulator.fuzz.network.over_sockets import OverSockets
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import play_course
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Outcome, Seen
from emulator.fuzz.twist import Lost, Twist

OCTETS = ("KL-IC", "KL-KT-1")
"""Cases whose octets are compared, too: it would be so for all but those of TLS."""
ELSEWISE = {"KL-TL-01/revoked": "a legitimate client does not believe that certificate any more"}
"""In TLS throughout: in the end of these nobody gets in, and rightly."""


def _cases(scenarios: dict[str, Scenario], *families: str) -> list[Scenario]:
    return [one for one in scenarios.values() if one.name.startswith(families)]


def _same(one: Seen, other: Seen) -> bool:
    """In words and octets. Who has hung up says why only where both ends are one process."""
    if one.outcome is not other.outcome:
        return False
    return one.outcome is Outcome.HUNG_UP or (one.says, one.line) == (other.says, other.line)


def test_every_course_over_tcp_is_as_in_process_to_the_octet(
    every_scenario: dict[str, Scenario],
) -> None:
    differ, played = [], 0
    for scenario in every_scenario.values():
        for course in scenario.courses:
            played += scenario.found is None  # findings are added as they come
            found = play_course(scenario, course, make=over_tcp)
            assert found.passed, (scenario.id, course.binding, found.problems)
            if not scenario.name.startswith(OCTETS):
                continue
            here = play_course(scenario, course, make=in_process)
            pairs = zip(found.played, here.played, strict=True)
            differ += [
                (scenario.id, course.binding, one.number, one.seen.says, other.seen.says)
                for one, other in pairs
                if not _same(one.seen, other.seen)
            ]
    assert not differ
    assert played == 410


def test_courses_over_tls(every_scenario: dict[str, Scenario]) -> None:
    for scenario in _cases(every_scenario, "KL-TL", "KL-BC", "KL-PP"):
        for course in scenario.courses:
            found = play_course(scenario, course, make=over_tls)
            assert found.passed is (scenario.id not in ELSEWISE), (scenario.id, found.problems)


@pytest.fixture(params=[over_tcp, over_tls])
def make(request: pytest.FixtureRequest) -> Callable[[Setting], OverSockets]:
    found: Callable[[Setting], OverSockets] = request.param
    return found


def test_keys_are_lost_and_found(make: Any, note: Any) -> None:
    target = make(Setting(seed="1"))
    assert target.do(actions.Open(client="dco")).outcome is Outcome.ACCEPTED
    lost = actions.Rotate(client="dco", kinds=("GUEK",), twist=Twist(lose=Lost.RESPONSE))
    assert target.do(lost).outcome is Outcome.SILENCE
    assert target.look().agree == {"dco": False}
    target.do(actions.Hang(client="dco"))
    assert not target.look().open
    target.do(actions.TakeKeys(client="dco", which="doubtful"))
    assert target.do(actions.Open(client="dco")).outcome is Outcome.ACCEPTED
    assert target.do(actions.Get(client="dco", attribute=note)).outcome is Outcome.ACCEPTED
    assert target.alive().outcome is Outcome.ACCEPTED


def test_a_snapshot_is_done_again(make: Any, note: Any) -> None:
    target = make(Setting(seed="2"))
    target.do(actions.Open(client="dco"))
    snapshot, before = target.snapshot(), target.look()
    target.do(actions.Rotate(client="dco", kinds=("GUEK",)))
    assert target.look().digest != before.digest
    target.restore(snapshot)
    assert target.look() == before
    assert target.do(actions.Get(client="dco", attribute=note)).outcome is Outcome.ACCEPTED
    with pytest.raises(ValueError, match="no snapshot"):
        target.restore(before)


def test_power_fails_before_each_write(make: Any) -> None:
    """What was not kept is not there; the connections are gone, and a client gets in again."""
    outcomes = []
    for cut in range(4):
        target = make(Setting(seed="3"))
        target.do(actions.Open(client="dco"))
        before = target.look()
        seen = target.do(actions.Rotate(client="dco", kinds=("GUEK",), twist=Twist(cut=cut)))
        outcomes.append(seen.outcome)
        if seen.outcome is Outcome.SILENCE:
            assert not target.look().open
            assert target.look().digest == before.digest or cut
        assert target.alive().outcome is Outcome.ACCEPTED
    assert Outcome.SILENCE in outcomes
    assert Outcome.ACCEPTED in outcomes


def test_what_is_late_comes_by_the_meters_time(note: Any) -> None:
    target = over_tcp(Setting(seed="4"))
    target.do(actions.Open(client="dco"))
    target.plant(actions.Plant(fault="slow", parameters=(("fixed", 30.0),)))
    assert target.do(actions.Get(client="dco", attribute=note)).outcome is Outcome.SILENCE
    written = target.world.wire.connections
    target.do(actions.Wait(seconds=31))
    assert target.world.wire.connections == written == 1
    target.do(actions.Hang(client="dco"))
    assert target.do(actions.Open(client="dco")).outcome is Outcome.SILENCE


def test_a_crash_of_the_meter_is_told(
    make: Any, note: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make(Setting(seed="5"))
    target.do(actions.Open(client="dco"))

    def crash(*_: object) -> None:
        raise ZeroDivisionError("of the test's")

    with monkeypatch.context() as patch:
        patch.setattr(target.world.meter.device, "handle", crash, raising=True)
        seen = target.do(actions.Get(client="dco", attribute=note))
    assert seen.outcome is Outcome.HUNG_UP
    assert any("CRASH" in one for one in target.look().breaches)


def test_a_channel_that_is_refused_is_no_connection() -> None:
    target = over_tls(Setting(seed="6"))
    assert target.do(actions.Connect(client="dco")).outcome is Outcome.ACCEPTED
    target.do(actions.ChangeTls(what="revoke client"))
    seen = target.do(actions.Connect(client="dco"))
    assert (seen.outcome, target.world.wire.connections) == (Outcome.REFUSED, 0)
    assert target.do(actions.Open(client="dco")).outcome is Outcome.HUNG_UP


def test_sockets_are_let_go(make: Any) -> None:
    """A target that nobody has any more has closed its ports when the loop turns next."""
    first = make(Setting(seed="7"))
    first.do(actions.Open(client="dco"))
    wire: Any = first.world.wire
    listeners = list(wire._listeners.values())
    assert any(one.is_serving() for one in listeners)
    del first
    second = make(Setting(seed="7"))
    second.do(actions.Open(client="dco"))
    assert not any(one.is_serving() for one in listeners)
