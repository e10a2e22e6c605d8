"""The rules of the machine, by what they are about."""

from __future__ import annotations

from emulator.fuzz.machine.families import (
    asking,
    certifying,
    changing,
    channels,
    counting,
    crediting,
    failing,
    mistaking,
    opening,
    passing,
    reflecting,
    repeating,
    short_names,
    tampering,
    telling,
)
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette

FAMILIES = (
    asking,
    opening,
    changing,
    tampering,
    repeating,
    failing,
    counting,
    crediting,
    channels,
    passing,
    mistaking,
    reflecting,
    telling,
    certifying,
    short_names,
)


def moves(palette: Palette) -> tuple[Move, ...]:
    """All that can be drawn of what a setting has."""
    return tuple(move for family in FAMILIES for move in family.moves(palette))
