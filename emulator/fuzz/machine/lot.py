"""Octets that were drawn, and what they stand for: moves and their values.

Hypothesis draws the octets of a stretch of moves at once. That it drew each rule, whether it is
enabled, and each argument by itself took a quarter of the time of a search.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.plot import Plot

STRETCH = 4
"""Moves that are drawn at once."""
WIDTH = 4
"""Octets of one: more than there are of moves with their values, by far."""
_SIXTEENTHS = 16


class Drawn(NamedTuple):
    move: Move
    values: dict[str, Any]


class Lot:
    """The moves of one run, all of them for ``selection`` 0, and octets then mean what they say:
    the simplest run that Hypothesis can draw is one of proper requests.

    Otherwise some are left out, by a chance that itself is drawn: a run that cannot do everything
    gets further with the rest ("swarm testing", Groce et al., ISSTA 2012). And what the octets mean
    depends on the selection and their place: one run in five of Hypothesis' ends in nothing but
    zeros, which would be the same request over and over.
    """

    def __init__(self, moves: Sequence[Move], selection: int) -> None:
        self._lot = random.Random(selection) if selection else None
        there = moves if self._lot is None else _selected(moves, self._lot)
        self._tickets = tuple(move for move in there for _ in range(move.weight))

    def play(self, octets: bytes, plot: Plot) -> None:
        """Do what ``octets`` stand for, one move after the other, until the run is over."""
        for at in range(0, len(octets), WIDTH):
            if plot.is_over:
                return
            number = int.from_bytes(octets[at : at + WIDTH], "big")
            if self._lot is not None:
                number ^= self._lot.getrandbits(8 * WIDTH)
            drawn = self.draw(number, plot)
            drawn.move.play(plot, **drawn.values)

    def draw(self, number: int, plot: Plot) -> Drawn:
        """What ``number`` stands for: of the moves that may be, the next one."""
        rest, at = divmod(number, len(self._tickets))
        for further in range(len(self._tickets)):
            move = self._tickets[(at + further) % len(self._tickets)]
            if move.when(plot):
                return Drawn(move, move.drawn(rest))
        raise AssertionError("there is always a move that may be")


def _selected(moves: Sequence[Move], lot: random.Random) -> Sequence[Move]:
    left_out = lot.randrange(_SIXTEENTHS) / _SIXTEENTHS
    # One that may always be is among them, or there would be nothing to do.
    first = lot.choice([move for move in moves if move.is_always])
    return [move for move in moves if lot.random() >= left_out or move is first]
