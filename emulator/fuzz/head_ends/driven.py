"""A head end as a file or a command line names it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

OWN = "own"
"""In the place of a command: our own head end, in this process."""

ANSWER = 0.5
"""Seconds that a head end is told to await an answer."""
ANSWERS = 20
"""As many of them a task may take: one that is slow, as all is on a busy machine, is not without
end.
"""

WAYS = ("tcp", "tls", "hdlc")
"""How it gets to the meter: the first unless it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """``command`` starts it for each task, with ``{task}`` and ``{material}`` in it; without one it
    is our own, in this process. ``way`` is how it calls: the wrapper over tcp or over tls, where
    both ends show certificates of the test PKI, or hdlc over TCP. ``answer`` are the seconds that
    it is told to await an answer. One that ``forgets`` keeps no counters from task to task.
    """

    command: tuple[str, ...] = ()
    way: str = WAYS[0]
    answer: float = ANSWER
    forgets: bool = False

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise ValueError(f"no such way to a meter: {self.way}; there are {', '.join(WAYS)}")

    @property
    def is_own(self) -> bool:
        return not self.command

    def __str__(self) -> str:
        who = shlex.join(self.command) if self.command else "our own head end, in this process"
        return who if self.way == WAYS[0] else f"{who}, over {self.way.upper()}"


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
