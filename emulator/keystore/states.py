"""The life of a key, as a table: which state follows which."""

from __future__ import annotations

from enum import Enum


class KeyState(Enum):
    PENDING = "pending"
    """Its name is given; it is made, or has come, and was never sent."""
    IN_DOUBT = "in doubt"
    """It is being sent, or was and there was no answer: nobody knows whether the meter has it."""
    IN_FORCE = "in force"
    """The meter has it."""
    RETIRED = "retired"
    """The meter had it; another came instead."""
    DESTROYED = "destroyed"
    """What was wrapped is erased. The name stays, so that it does not come again."""

    __hash__ = object.__hash__


FOLLOWS: dict[KeyState, frozenset[KeyState]] = {
    KeyState.PENDING: frozenset({KeyState.IN_DOUBT, KeyState.IN_FORCE, KeyState.DESTROYED}),
    KeyState.IN_DOUBT: frozenset({KeyState.IN_FORCE, KeyState.DESTROYED}),
    KeyState.IN_FORCE: frozenset({KeyState.RETIRED}),
    KeyState.RETIRED: frozenset({KeyState.DESTROYED}),
    KeyState.DESTROYED: frozenset(),
}
"""Pending to in force: a key that comes in a file, and that the meter has already."""
