"""Whether an association can still be used: what both drivers of dialogues must remember.

A request that was broken off, by time or by its caller, leaves an association that nobody can trust
(:class:`~emulator.client.errors.AssociationLost` says why). So does a meter that breaks the
protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dlms.errors import RemoteProtocolError
from emulator.channel import Pair
from emulator.client.errors import AssociationLost


class Standing:
    """Kept by a driver: :meth:`asked` before it sends, :meth:`answered` once a step has run."""

    def __init__(self) -> None:
        self.lost = ""
        """Why the association cannot be used any more; empty while it can."""
        self._waiting = False

    @contextmanager
    def dialogue(self) -> Iterator[None]:
        """Around a dialogue, from its first effect to its end. :class:`AssociationLost` if it
        cannot even begin.
        """
        if self.lost:
            raise AssociationLost(f"the association is lost: {self.lost}")
        self._waiting = False
        try:
            yield
        except BaseException as error:  # to be cancelled is one of the ways to be broken off
            if self._waiting or isinstance(error, RemoteProtocolError):
                self.lost = f"{type(error).__name__} in the middle of a request"
            raise

    def asked(self) -> None:
        """An APDU goes out: from here on the meter may be at work, and its answer on the way."""
        self._waiting = True

    def answered(self) -> None:
        """A step has run to its end: what came has been taken in."""
        self._waiting = False


class Spoiled:
    """The pairs of SAPs of a connection between which an answer may still be on the way: it must
    not pass for that to the next request, so there is no next one.
    """

    def __init__(self) -> None:
        self._why: dict[Pair, str] = {}

    def add(self, pair: Pair, why: str) -> None:
        self._why[pair] = why

    def check(self, pair: Pair) -> None:
        """:class:`AssociationLost` if ``pair`` is one of them."""
        if pair in self._why:
            raise AssociationLost(
                f"an association of client {pair[0]} with {pair[1]} was lost on this connection"
                f" ({self._why[pair]}): connect again"
            )
