"""Some actions of a run, with what they say of each other still right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emulator.fuzz.actions import Action, Certify, Replay


def kept(actions: Sequence[Action], numbers: Sequence[int]) -> tuple[Action, ...]:
    """Those at ``numbers``, from 0 and rising. What refers to a step refers to its new number;
    what refers to one that is not kept is not kept either.
    """
    now: dict[int, int] = {}
    found: list[Action] = []
    for number in numbers:
        action = _renumbered(actions[number], now)
        if action is not None:
            found.append(action)
            now[number + 1] = len(found)
    return tuple(found)


def _renumbered(action: Action, now: dict[int, int]) -> Action | None:
    match action:
        case Replay(step=step):
            return replace(action, step=now[step]) if step in now else None
        case Certify(request=int(step)):
            return replace(action, request=now[step]) if step in now else None
    return action
