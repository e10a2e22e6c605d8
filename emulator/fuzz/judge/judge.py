"""Judges every step of a run by what must be."""

from __future__ import annotations

from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.told import told
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts, Outcome, Seen


class Judge:
    """Of one run, from its beginning. What a target cannot see is not judged."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def watch(self, action: Action, seen: Seen, before: Facts, after: Facts) -> tuple[Breach, ...]:
        """What the step has broken."""
        return told(before, after)

    def quiet(self, before: Facts, after: Facts, alive: Seen) -> tuple[Breach, ...]:
        """What is broken in the end: ``alive`` is what a legitimate client has come to."""
        found = told(before, after)
        if self.setting.alive and alive.outcome is not Outcome.ACCEPTED:
            words = f"no legitimate association: {alive.outcome.value} ({alive.says})"
            shape = f"no legitimate association: {alive.outcome.value}"
            found += (Breach(invariant="I6", words=words, shape=shape),)
        return found
