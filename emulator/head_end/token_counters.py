"""Counters of the tokens made for each meter: never one twice under the same key."""

from __future__ import annotations

from devices.token import MAX_COUNTER
from dlms.errors import LocalProtocolError


class TokenCounters:
    def __init__(self) -> None:
        self._next: dict[bytes, int] = {}

    def burn(self, title: bytes) -> int:
        """The next counter for the meter ``title``, spent even if no token comes of it."""
        value = self._next.get(title, 0)
        if value > MAX_COUNTER:
            raise LocalProtocolError("the meter's token key is used up")
        self._next[title] = value + 1
        return value
