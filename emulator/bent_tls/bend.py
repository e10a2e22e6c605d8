"""What a connection does otherwise than it should."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from emulator.bent_tls.connection import BentConnection

Message: TypeAlias = Any
"""A message of tlslite (:mod:`tlslite.messages`), or ``tlslite.messages.Message`` for octets."""

Outgoing: TypeAlias = "Callable[[BentConnection, Message], Iterable[Message]]"
Heard: TypeAlias = "Callable[[BentConnection, Message], None]"
Alter: TypeAlias = Callable[[int, bytes], bytes]


def as_it_is(connection: BentConnection, message: Message) -> Iterable[Message]:
    return (message,)


def as_it_came(connection: BentConnection, message: Message) -> None:
    """It is taken as it is."""


def unaltered(content_type: int, record: bytes) -> bytes:
    return record


@dataclass(slots=True, kw_only=True)
class Bend:
    """``outgoing`` says what is sent in the place of a message, before it is protected and before
    it counts for Finished; ``record`` what in the place of the body of a record, after it was
    protected. ``heard`` may change what came before tlslite looks at it: then it makes of it what
    it should not. All may be changed while the connection is there.
    """

    outgoing: Outgoing = as_it_is
    heard: Heard = as_it_came
    record: Alter = unaltered
