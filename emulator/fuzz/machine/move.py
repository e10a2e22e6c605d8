"""A rule of the machine, as data: what is drawn, when it may be, and what is then done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from emulator.fuzz.machine.hypothesis_needed import SearchStrategy
from emulator.fuzz.machine.plot import Plot


def always(plot: Plot) -> bool:
    return True


class Move(NamedTuple):
    """``weight`` is how often it is drawn compared with others. What is ``drawn`` is small, and its
    simplest value is what a proper client does, so that a run that is shrunk is as proper as it
    can be.
    """

    name: str
    play: Callable[..., None]
    draws: Mapping[str, SearchStrategy[Any]]
    weight: int = 1
    when: Callable[[Plot], bool] = always
