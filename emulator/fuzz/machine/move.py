"""A rule of the machine, as data: what is drawn, when it may be, and what is then done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from emulator.fuzz.machine.plot import Plot


def always(plot: Plot) -> bool:
    return True


class Move(NamedTuple):
    """``weight`` is how often it is drawn compared with others. ``draws`` are the values that each
    argument of ``play`` may have, few of each; the first is what a proper client does, so that a
    run that is shrunk is as proper as it can be.
    """

    name: str
    play: Callable[..., None]
    draws: Mapping[str, tuple[Any, ...]]
    weight: int = 1
    when: Callable[[Plot], bool] = always

    @property
    def is_always(self) -> bool:
        """Whether it may be at any time."""
        return self.when is always

    def drawn(self, number: int) -> dict[str, Any]:
        """The values that ``number`` stands for, one of each: all first ones for 0."""
        found = {}
        for name, values in self.draws.items():
            number, which = divmod(number, len(values))
            found[name] = values[which]
        return found
