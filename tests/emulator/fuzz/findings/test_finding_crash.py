"""An error that nobody expects is a breach, and says where it came from."""

from __future__ import annotations

import pytest

from devices.device import Device
from dlms.errors import CodecError
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz.actions import Get, Open, Wait
from emulator.fuzz.findings.finding import Key
from emulator.fuzz.findings.minimising import minimise
from emulator.fuzz.in_process.crashing import crash
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import Edit, EditKind, Twist

CRASHED = Key("CRASH", "IndexError in tests/emulator/fuzz/findings/test_finding_crash.py apply")


@pytest.fixture
def broken(note: AttributeDescriptor, monkeypatch: pytest.MonkeyPatch) -> Get:
    """Where octets are turned there is a mistake now: the fuzzer's, told as a meter's would be."""
    right = Edit.apply

    def apply(self: Edit, whole: bytes) -> bytes:
        if self.kind is EditKind.FLIP:
            raise IndexError("a secret")
        return right(self, whole)

    monkeypatch.setattr(Edit, "apply", apply)
    turned = Edit(kind=EditKind.FLIP, octets=b"\1")
    return Get(client="dco", attribute=note, twist=Twist(octets=(turned,)))


def test_a_crash_breaks_something_and_the_run_goes_on_to_say_so(broken: Get) -> None:
    trail = judged(Setting(), [Open(client="dco"), broken])
    assert CRASHED in {Key.of(one) for one in trail.all_breaches}
    assert trail.steps[-1].seen.outcome is Outcome.HUNG_UP


def test_it_is_made_smaller_as_any_other(broken: Get) -> None:
    steps = [Open(client="s1sp"), Open(client="dco"), Wait(seconds=1), broken]
    shrunk = minimise(Setting(), steps, CRASHED)
    assert [done.action for done in shrunk.trail.steps] == [Open(client="dco"), broken]


def test_what_it_says_is_left_out() -> None:
    def lacking(setting: Setting) -> InProcess:
        raise KeyError("a secret")

    with pytest.raises(KeyError) as caught:
        judged(Setting(), [], make=lacking)
    said = crash(caught.value)
    assert said == "CRASH: KeyError in tests/emulator/fuzz/findings/test_finding_crash.py lacking"


@pytest.mark.parametrize("kind", [ValueError, CodecError], ids=lambda kind: kind.__name__)
def test_what_comes_out_of_the_meter_is_a_crash_whatever_it_is(
    kind: type[Exception], note: AttributeDescriptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same errors of the bench say that an action cannot be done."""

    def handle(*_: object) -> None:
        raise kind("a secret")

    monkeypatch.setattr(Device, "handle", handle)
    trail = judged(Setting(), [Open(client="dco"), Get(client="dco", attribute=note)])
    assert [done.action for done in trail.steps][-1:] == [Get(client="dco", attribute=note)]
    words = f"{kind.__name__} in tests/emulator/fuzz/findings/test_finding_crash.py handle"
    assert Key("CRASH", words) in {Key.of(one) for one in trail.all_breaches}
