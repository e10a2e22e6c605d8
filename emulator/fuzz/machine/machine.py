"""Runs drawn by lot: actions as rules of a state machine of Hypothesis."""

from __future__ import annotations

try:
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, rule
except ImportError as error:
    raise ImportError(
        "runs are drawn by Hypothesis, which is not installed: pip install 'cosemlab[fuzz]'"
    ) from error

from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Course, Make
from emulator.fuzz.machine.watcher import Broken, Watcher
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import STRAIGHT, Lost, Twist

_NOTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2)
_TWISTS = st.sampled_from(
    (STRAIGHT, STRAIGHT, STRAIGHT, Twist(lose=Lost.REQUEST), Twist(lose=Lost.RESPONSE))
)
_KINDS = st.sampled_from((("GUEK",), ("GAK",), ("KEK",), ("GUEK", "GAK")))


def machine(
    setting: Setting, watcher: Watcher, make: Make = in_process
) -> type[RuleBasedStateMachine]:
    """A machine whose every example is one run of ``setting``. A run that breaks something that
    ``watcher`` does not know ends with :class:`Broken`.
    """
    clients = st.sampled_from(tuple(setting.clients) or ("dco", "s1sp"))

    class Drawn(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.course = Course(setting, make)
            self.is_over = False
            watcher.began()

        def do(self, action: Action) -> None:
            if self.is_over:
                return
            state = "open" if self.course.facts.open else "closed"
            done = self.course.do(action)
            if done is None:
                return
            watcher.did(done, state, f"{type(action).__name__} {done.seen.outcome.value}")
            if done.breaches:
                self.over()

        def over(self) -> None:
            last = self.course.steps[-1].breaches if self.course.steps else ()
            trail = self.course.trail(() if last else self.course.end())
            self.is_over = True
            watcher.ended(trail)
            for breach in trail.all_breaches:
                if not watcher.knows(breach):
                    raise Broken(trail, breach)

        def teardown(self) -> None:
            if not self.is_over:
                self.over()

        @rule(client=clients, twist=_TWISTS)
        def open(self, client: str, twist: Twist) -> None:
            self.do(actions.Open(client=client, twist=twist))

        @rule(client=clients, twist=_TWISTS)
        def get(self, client: str, twist: Twist) -> None:
            self.do(actions.Get(client=client, attribute=_NOTE, twist=twist))

        @rule(client=clients, twist=_TWISTS, kinds=_KINDS)
        def rotate(self, client: str, twist: Twist, kinds: tuple[str, ...]) -> None:
            self.do(actions.Rotate(client=client, kinds=kinds, twist=twist))

        @rule(client=clients)
        def take_doubtful(self, client: str) -> None:
            self.do(actions.TakeKeys(client=client, which="doubtful"))

        @rule()
        def power_cycle(self) -> None:
            self.do(actions.PowerCycle())

        @rule(client=clients)
        def catch_up(self, client: str) -> None:
            self.do(actions.CatchUp(client=client))

    return Drawn
