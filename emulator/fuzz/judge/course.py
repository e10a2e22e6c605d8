"""A run on a target of its own, judged step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dlms.errors import DlmsError
from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.ending import Ending
from emulator.fuzz.judge.judge import Judge
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts, Target
from emulator.fuzz.trail import Done, Trail

Make: TypeAlias = Callable[[Setting], Target]


class Course:
    """Begins with a fresh target. ``facts`` are what can be observed by now."""

    def __init__(self, setting: Setting, make: Make = in_process) -> None:
        self.setting = setting
        self.target = make(setting)
        self.judge = Judge(setting)
        self.facts: Facts = self.target.look()
        self.steps: list[Done] = []

    def do(self, action: Action) -> Done | None:
        """The next step, and what it has broken; ``None`` if the target cannot do such a thing."""
        before = self.facts
        try:
            seen = self.target.do(action)
        except (ValueError, DlmsError):
            self.facts = self.target.look()
            return None
        self.facts = self.target.look()
        breaches = self.judge.watch(action, seen, before, self.facts)
        done = Done(action=action, seen=seen, breaches=breaches)
        self.steps.append(done)
        return done

    def end(self) -> tuple[Breach, ...]:
        """What is broken when all is quiet."""
        ending = Ending(self.target, self.judge, self.facts)
        breaches = ending.come()
        self.facts = ending.facts
        return breaches

    def trail(self, breaches: tuple[Breach, ...] = ()) -> Trail:
        """All steps by now, with the ``breaches`` of the end."""
        return Trail(setting=self.setting, steps=tuple(self.steps), breaches=breaches)
