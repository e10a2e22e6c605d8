"""Given actions on a fresh target, under the judge."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.fuzz.actions import Action
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Course, Make
from emulator.fuzz.setting import Setting
from emulator.fuzz.trail import Trail


def judged(setting: Setting, actions: Iterable[Action], make: Make = in_process) -> Trail:
    """What comes of ``actions``, until the first step that breaks something; if none does, also
    what shows in the end. An action that the target cannot do is left out.
    """
    course = Course(setting, make)
    for action in actions:
        done = course.do(action)
        if done is not None and done.breaches:
            return course.trail()
    return course.trail(course.end())
