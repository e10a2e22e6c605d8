"""Invocation counters (GB Ed. 8, 9.2.3.3.7.3).

One pair per *encryption key*: the next value to send, and the lowest value still acceptable. They
belong to the key, not to the association or the authentication key, and they start at 0 when the
key is established (R-IC-1, R-IC-2, R-IC-8).
"""

from __future__ import annotations

from dlms.errors import LocalProtocolError, ProtocolError
from dlms.security.keys import KeyRef

MAXIMUM = 0xFFFFFFFF
"""Never sent and never accepted (R-IC-4): a key whose counter reached it is used up."""


class CounterTooLow(ProtocolError):
    """A received counter was used before. ``floor`` is the lowest value still acceptable."""

    def __init__(self, received: int, floor: int) -> None:
        super().__init__(f"invocation counter {received} is below {floor}")
        self.floor = floor


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

    def check(self, ek: KeyRef, received: int) -> None:
        """:class:`CounterTooLow` if ``received`` must not be accepted. Changes nothing."""
        floor = self._floor.get(ek, 0)
        if received < floor or received >= MAXIMUM:
            raise CounterTooLow(received, floor)

    def accept(self, ek: KeyRef, received: int) -> None:
        """Raise the floor above a counter whose message has been verified (R-IC-5, R-IC-6)."""
        if received >= self._floor.get(ek, 0):
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
