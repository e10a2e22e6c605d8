"""Connections to any meter over a network, one exchange at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from dlms.errors import DlmsError
from emulator.channel import Channel, ChannelClosed
from emulator.client.route import Route
from emulator.fuzz.learning.symbol import Kind, Symbol

Runs: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]
"""Carries a coroutine out in the loop of the connections, and gives what it returns."""


class Connections:
    """By ``route``; ``run`` carries out what asyncio has to. ``wait`` is how many seconds without
    an answer are silence, ``patience`` how many a connection may take: ``OSError`` if there is
    none.
    """

    lower = (Symbol.CONNECT, Symbol.HANG)

    def __init__(
        self, route: Route, pair: tuple[int, int], run: Runs, *, wait: float, patience: float
    ) -> None:
        self._route = route
        self._pair = pair
        self._run = run
        self._wait = wait
        self._patience = patience
        self._channel: Channel | None = None

    def begin(self) -> None:
        self._run(self._hang())
        self._run(self._connect())

    def do(self, symbol: Symbol) -> Kind:
        if symbol is Symbol.HANG:
            self._run(self._hang())
        elif self._channel is None:
            self._run(self._connect())
        return Kind.DONE

    def say(self, apdu: bytes) -> bytes | Kind:
        if self._channel is None:
            return Kind.NO_LINE
        said: bytes | Kind = self._run(self._exchange(self._channel, apdu))
        if said is Kind.HUNG_UP:
            self._channel = None
        return said

    async def _exchange(self, channel: Channel, apdu: bytes) -> bytes | Kind:
        try:
            channel.send(*self._pair, apdu)
            async with asyncio.timeout(self._wait):
                return await channel.receive(*self._pair)
        except TimeoutError:
            return Kind.SILENCE
        except (ChannelClosed, DlmsError):
            return Kind.HUNG_UP

    async def _connect(self) -> None:
        self._channel = await self._route.open(self._patience)

    async def _hang(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
            await channel.wait_closed()

    def close(self) -> None:
        self._run(self._hang())
