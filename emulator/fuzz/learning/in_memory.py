"""APDUs handed to a meter of this process: connections without a framing."""

from __future__ import annotations

from collections.abc import Callable

from emulator.fuzz.learning.symbol import Kind, Symbol
from emulator.serving.host import Host
from emulator.serving.peer import Peer, Unable


class InMemory:
    """``host`` gives the meter as it is now; ``pair`` are client SAP and server SAP."""

    lower = (Symbol.CONNECT, Symbol.HANG)

    def __init__(self, host: Callable[[], Host], pair: tuple[int, int]) -> None:
        self._host = host
        self._pair = pair
        self._peer: Peer | None = None

    def begin(self) -> None:
        self._hang()
        self._peer = Peer(self._host(), "learner")

    def do(self, symbol: Symbol) -> Kind:
        if symbol is Symbol.HANG:
            self._hang()
        elif self._peer is None:
            self._peer = Peer(self._host(), "learner")
        return Kind.DONE

    def say(self, apdu: bytes) -> bytes | Kind:
        if self._peer is None:
            return Kind.NO_LINE
        try:
            replies = self._peer.serve(*self._pair, apdu)
        except Unable:
            self._hang()
            return Kind.HUNG_UP
        return replies[0] if replies else Kind.SILENCE

    def close(self) -> None:
        self._hang()

    def _hang(self) -> None:
        if self._peer is not None:
            self._peer.close()
            self._peer = None
