"""What a dialogue asks of whoever carries it out.

A dialogue is a generator. It yields one of the effects below, is sent its result, and returns a
value or raises a refusal of the meter. What it wishes for and cannot have is thrown into it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from dlms.security.ops import Step


class Compute(NamedTuple):
    """Run ``step`` and send back what it returns. It may need cryptography."""

    step: Step[Any]


class Transmit(NamedTuple):
    """Send ``apdus`` in their order, none at all perhaps, and send back the next one that comes.

    ``TimeoutError`` is thrown in if none does.
    """

    apdus: tuple[bytes, ...] = ()


class Post(NamedTuple):
    """Send ``apdus``; nobody answers them."""

    apdus: tuple[bytes, ...]


class Glance(NamedTuple):
    """Send back the next APDU if it is here already, else ``None``; nobody waits for it."""


T = TypeVar("T")
Effect: TypeAlias = Compute | Transmit | Post | Glance
Dialogue: TypeAlias = Generator[Effect, Any, T]
