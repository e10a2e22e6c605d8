"""Invocation counters (GB Ed. 8, 9.2.3.3.7.3).

One pair per *encryption key*: the next value to send, and the lowest value still acceptable. They
belong to the key, not to the association or the authentication key, and they start at 0 when the
key is established (R-IC-1, R-IC-2, R-IC-8).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dlms.errors import LocalProtocolError, ProtocolError
from dlms.security.keys import KeyRef

MAXIMUM = 0xFFFFFFFF
"""Never sent and never accepted (R-IC-4): a key whose counter reached it is used up."""


class CounterRefused(ProtocolError):
    """A received counter is not acceptable. ``floor`` is the lowest value that still is."""

    def __init__(self, why: str, floor: int) -> None:
        super().__init__(why)
        self.floor = floor


class CounterTooLow(CounterRefused):
    """A received counter was used before, or is the last there is."""

    def __init__(self, received: int, floor: int) -> None:
        super().__init__(f"invocation counter {received} is below {floor}", floor)


class CounterTooFar(CounterRefused):
    """A received counter jumps further forward than is allowed (R-IC-11)."""

    def __init__(self, received: int, floor: int) -> None:
        super().__init__(f"invocation counter {received} is too far above {floor}", floor)


class CounterRow(NamedTuple):
    """Both counters of one key: the next to send and the lowest acceptable."""

    ek: KeyRef
    next_to_send: int
    floor: int


class InvocationCounters:
    """The counters of one party, by encryption key. Values are only ever raised, but for
    :meth:`establish`.
    """

    __slots__ = ("_floor", "_next")

    def __init__(self) -> None:
        self._next: dict[KeyRef, int] = {}
        self._floor: dict[KeyRef, int] = {}

    def burn(self, ek: KeyRef) -> int:
        """Take the next value for sending. It is spent even if the message is never sent.

        :class:`LocalProtocolError` once the key is used up.
        """
        value = self._next.get(ek, 0)
        if value >= MAXIMUM:
            raise LocalProtocolError(f"invocation counter of {ek} is used up")
        self._next[ek] = value + 1
        return value

    def check(self, ek: KeyRef, received: int, max_jump: int | None = None) -> None:
        """:class:`CounterRefused` if ``received`` must not be accepted. Changes nothing.

        ``max_jump`` is by how much it may exceed the lowest acceptable value, if that is limited.
        """
        floor = self._floor.get(ek, 0)
        if received < floor or received >= MAXIMUM:
            raise CounterTooLow(received, floor)
        if max_jump is not None and received - floor > max_jump:
            raise CounterTooFar(received, floor)

    def accept(self, ek: KeyRef, received: int) -> None:
        """Raise the floor above a counter whose message has been verified (R-IC-5, R-IC-6).

        :class:`CounterTooLow`, with nothing changed, if the floor has moved beyond it since it was
        checked: where a module waits, the same message may be on its way twice.
        """
        floor = self._floor.get(ek, 0)
        if received < floor:
            raise CounterTooLow(received, floor)
        self._floor[ek] = received + 1

    def next_to_send(self, ek: KeyRef) -> int:
        return self._next.get(ek, 0)

    def floor(self, ek: KeyRef) -> int:
        """The lowest value that would be accepted."""
        return self._floor.get(ek, 0)

    def raise_to(self, ek: KeyRef, value: int) -> None:
        """Move the next value to send forward; a lower ``value`` is ignored (KL-IC-16, 17)."""
        if value > self._next.get(ek, 0):
            self._next[ek] = value

    def establish(self, ek: KeyRef) -> None:
        """Start both counters of a newly established key at 0 (R-IC-2)."""
        self._next[ek] = 0
        self._floor[ek] = 0

    def forget(self, ek: KeyRef) -> None:
        """Drop the counters of a key that has been destroyed."""
        self._next.pop(ek, None)
        self._floor.pop(ek, None)

    def snapshot(self) -> tuple[CounterRow, ...]:
        """Every key's counters, to be kept over a loss of power (R-IC-7)."""
        keys = sorted({*self._next, *self._floor}, key=str)
        return tuple(CounterRow(ek, self._next.get(ek, 0), self._floor.get(ek, 0)) for ek in keys)

    def copied(self) -> tuple[dict[KeyRef, int], dict[KeyRef, int]]:
        """The next to send and the floors by key, as they are: in no order, for whoever only looks
        whether any of them has moved.
        """
        return dict(self._next), dict(self._floor)

    def restore(self, rows: Iterable[CounterRow]) -> None:
        """Take up what :meth:`snapshot` gave.

        :class:`LocalProtocolError`, with nothing changed, if any row would take a counter back, is
        out of range or names a key twice: with such a store no message can be protected safely
        (R-IC-7, KL-IC-15, 16).
        """
        kept: dict[KeyRef, CounterRow] = {}
        for row in rows:
            if row.ek in kept:
                raise LocalProtocolError(f"two rows of counters for {row.ek}")
            if not (
                self.next_to_send(row.ek) <= row.next_to_send <= MAXIMUM
                and self.floor(row.ek) <= row.floor <= MAXIMUM
            ):
                raise LocalProtocolError(f"counters of {row.ek} go back or are out of range")
            kept[row.ek] = row
        for ek, row in kept.items():
            self._next[ek] = row.next_to_send
            self._floor[ek] = row.floor
