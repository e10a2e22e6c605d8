"""A head end as a file or a command line names it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

OWN = "own"
"""In the place of a command: our own head end, in this process."""

ANSWER = 0.5
"""Seconds that a head end is told to await an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """``command`` starts it for each task, with ``{task}`` and ``{material}`` in it; without one it
    is our own, in this process. ``answer`` are the seconds that it is told to await an answer. One
    that ``forgets`` keeps no counters from task to task.
    """

    command: tuple[str, ...] = ()
    answer: float = ANSWER
    forgets: bool = False

    @property
    def is_own(self) -> bool:
        return not self.command

    def __str__(self) -> str:
        return shlex.join(self.command) if self.command else "our own head end, in this process"


def command_of(text: str) -> tuple[str, ...]:
    """The command that ``text`` is for a shell; none for our own. ``ValueError`` for one that is
    not told of the task.
    """
    if text == OWN:
        return ()
    command = tuple(shlex.split(text))
    if not any("{material}" in part for part in command):
        raise ValueError("{material} is missing, the file with keys and addresses")
    return command
