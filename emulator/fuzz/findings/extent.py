"""How far a search has got, derived from what it counted."""

from __future__ import annotations

from collections.abc import Collection, Sequence


class Extent:
    """For what has ``steps``, ``seconds``, and the transitions that it ``covered``: each a state of
    the model, and what happened to it.
    """

    __slots__ = ()

    steps: int
    seconds: float
    covered: Collection[Sequence[str]]

    @property
    def states(self) -> int:
        """How many states of the model the search has been in."""
        return len({one[0] for one in self.covered})

    @property
    def transitions(self) -> int:
        return len(self.covered)

    @property
    def steps_per_second(self) -> float:
        return per_second(self.steps, self.seconds)


def per_second(steps: int, seconds: float) -> float:
    """0 before any time has passed."""
    return steps / seconds if seconds > 0 else 0.0
