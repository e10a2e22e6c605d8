"""Of what make the parts of one meter are: as they should be, as a rule.

Firmware that goes about something in another order is the same meter with another class under one
of its parts. So a fault can put a class over that of a single object, and take it away again: all
that it does not say goes on as before (:mod:`emulator.faults`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_STRAIGHT, _BENDS = "_straight_make", "_bends_of_make"


def _made(straight: type, bends: tuple[type, ...]) -> type:
    made = straight
    for number, bend in enumerate(bends, 1):
        what = {"__slots__": (), _STRAIGHT: straight, _BENDS: bends[:number]}
        made = type(straight.__name__, (bend, made), what)
    return made


def _of(thing: object) -> tuple[type, tuple[type, ...]]:
    kind = type(thing)
    return getattr(kind, _STRAIGHT, kind), getattr(kind, _BENDS, ())


def is_bent(thing: object) -> bool:
    """Whether anything is put over the class of ``thing``."""
    return bool(_of(thing)[1])


def remake(thing: Any, bends: tuple[type, ...]) -> None:
    """Let ``thing`` be of its own class with ``bends`` over it, the last outermost. They are
    subclasses of a base of its class, without slots of their own, so that nothing that it has
    changes its place.
    """
    straight, present = _of(thing)
    if present != bends:
        thing.__class__ = _made(straight, bends)


def bend(thing: object, over: type) -> Callable[[], None]:
    """Put one more over ``thing``; what this returns takes it away again."""
    remake(thing, (*_of(thing)[1], over))

    def straighten() -> None:
        remake(thing, tuple(one for one in _of(thing)[1] if one is not over))

    return straighten


class Makes:
    """What is put over the associations of a meter and its peers, which come and go."""

    __slots__ = ("_associations", "_peers", "are_touched")

    def __init__(self) -> None:
        self._associations: tuple[type, ...] = ()
        self._peers: tuple[type, ...] = ()
        self.are_touched = False
        """Whether there has ever been something: who was there then is fitted again."""

    def put_over_associations(self, over: type) -> Callable[[], None]:
        self._associations, self.are_touched = (*self._associations, over), True

        def take() -> None:
            self._associations = tuple(one for one in self._associations if one is not over)

        return take

    def put_over_peers(self, over: type) -> Callable[[], None]:
        self._peers, self.are_touched = (*self._peers, over), True

        def take() -> None:
            self._peers = tuple(one for one in self._peers if one is not over)

        return take

    def fit_association(self, association: object) -> None:
        remake(association, self._associations)

    def fit_peer(self, peer: object) -> None:
        remake(peer, self._peers)
