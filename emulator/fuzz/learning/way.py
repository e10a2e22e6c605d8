"""What is below the APDUs, as whoever learns has it."""

from __future__ import annotations

from typing import Protocol

from emulator.fuzz.learning.symbol import Kind, Symbol


class Way(Protocol):
    """One connection at a time to one meter."""

    @property
    def lower(self) -> tuple[Symbol, ...]:
        """The letters that are said to the lower layer."""
        ...

    def begin(self) -> None:
        """From the beginning: whatever there was is over."""
        ...

    def do(self, symbol: Symbol) -> Kind:
        """One of :attr:`lower`."""
        ...

    def say(self, apdu: bytes) -> bytes | Kind:
        """The first APDU that answers, or what came in its place."""
        ...

    def close(self) -> None: ...
