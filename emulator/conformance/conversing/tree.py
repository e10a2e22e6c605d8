"""A conversation: a tree of senders and of what may come back.

A node does something and has alternatives of what it expects, one of which must hold. An
alternative may lead on, to nodes of its own. The nodes at the root are the steps of a check, by
their names, and their alternatives the answers that the catalogue accepts, in its order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from emulator.conformance.probing.seen import Seen

if TYPE_CHECKING:
    from emulator.conformance.trying.trial import Trial


class Mismatch(NamedTuple):
    """Why what came is not what was expected. ``offset`` is the octet at fault in the APDU or frame
    that came, where that can be told: beneath its protection, or in the ``carrier`` around it.
    """

    expected: str
    actual: str
    offset: int | None = None
    in_carrier: bool = False


class Unjudged(Exception):
    """The check cannot be judged on this device, and why: it becomes INCONCLUSIVE."""


class Pointless(Exception):
    """The check turns out not to be for this device, and why: it becomes INAPPLICABLE."""


class Skipped(Pointless):
    """One step turns out not to be for this device, and why; those behind it do not build on it."""


Sender: TypeAlias = "Callable[[Trial], Awaitable[Seen]]"
Judge: TypeAlias = "Callable[[Trial, Seen], Mismatch | None]"


class Expect(NamedTuple):
    """An alternative: ``answer`` is the catalogue's word for it, ``judge`` says why it is not it.
    ``then`` goes on where it is.
    """

    answer: str
    judge: Judge
    then: tuple[Node, ...] = ()


class Node(NamedTuple):
    """``name`` is that of the step. What a node only does so that others can follow has no
    alternatives, and anything may come back.
    """

    name: str
    send: Sender
    expect: tuple[Expect, ...]


def step(name: str, send: Sender, *expect: Expect) -> Node:
    return Node(name, send, expect)
