"""Which conversation belongs to which check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from emulator.conformance.catalogue.check import Check
from emulator.conformance.conversing.tree import Node

Conversation: TypeAlias = Callable[[], Sequence[Node]]

_BOUND: dict[str, Conversation] = {}


class Unbound(ValueError):
    """A conversation is not what its check says."""


def conversation(id: str) -> Callable[[Conversation], Conversation]:
    """Bind what is decorated to the check of that id: it gives the nodes of its steps, in order,
    each with the alternatives of the catalogue, in theirs.
    """

    def bind(make: Conversation) -> Conversation:
        if id in _BOUND:
            raise Unbound(f"{id} has a conversation already")
        _BOUND[id] = make
        return make

    return bind


def bound() -> Mapping[str, Conversation]:
    """All conversations, by the ids of their checks; those of :mod:`emulator.conformance.cases`
    are there once that is imported.
    """
    return _BOUND


def nodes_of(check: Check) -> tuple[Node, ...] | None:
    """The steps of a check; ``None`` if nobody has written its conversation.

    :class:`Unbound` if its steps or answers are not those of the catalogue.
    """
    make = _BOUND.get(check.id)
    if make is None:
        return None
    nodes = tuple(make())
    names, wanted = [node.name for node in nodes], [step.name for step in check.steps]
    if names != wanted:
        raise Unbound(f"{check.id} has the steps {wanted}, its conversation {names}")
    for node, step in zip(nodes, check.steps, strict=True):
        answers = [expect.answer for expect in node.expect]
        accepted = [answer.name for answer in step.answers]
        if answers != accepted:
            raise Unbound(f"{check.id} {step.name} accepts {accepted}, its conversation {answers}")
    return nodes
