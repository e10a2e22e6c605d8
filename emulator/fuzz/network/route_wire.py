"""The way to another's meter: TCP, TLS, UDP, HDLC or a serial line, as it was declared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

from devices.outbox import Announcement
from dlms.errors import RemoteProtocolError
from emulator.channel import Channel, ChannelClosed
from emulator.client.route import Route
from emulator.conformance.declaration.model import Timing
from emulator.fuzz.actions import Connect
from emulator.fuzz.in_process.channel import Shaken, TlsPort
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.wire import HungUp
from emulator.fuzz.network.pump import call_soon, pump

PATIENCE = 5.0
"""Seconds for a connection to come about, and for one to end."""


class RouteWire:
    """A :class:`~emulator.fuzz.in_process.wire.Wire`. Each client has a connection of its own; at a
    serial line there is one for all, and a link for each.

    Nothing within ``timing.answer`` seconds is silence. What comes later is passed over when the
    client says something else. ``check`` looks at each APDU before it leaves; ``pace`` is how many
    seconds are between two at the least.
    """

    def __init__(
        self, route: Route, timing: Timing, check: Callable[[bytes], None], pace: float
    ) -> None:
        self._route = route
        self._timing = timing
        self._check = check
        self._pace = pace
        self._channels: dict[str, Channel] = {}
        self._clients: dict[str, BenchClient] = {}
        self._next = 0.0

    def carry(self, client: BenchClient, apdu: bytes) -> tuple[bytes, ...]:
        self._check(apdu)
        return pump(self._carry(client, apdu))

    def connect(self, client: BenchClient, action: Connect) -> Shaken:
        raise ValueError("the channel to another's meter is as it was declared")

    def tls_port(self) -> TlsPort:
        raise ValueError("the certificates of another's meter are not ours")

    def hang(self, client: BenchClient) -> None:
        if client.name in self._clients:
            pump(self._hang(client))

    def is_up(self, name: str) -> bool:
        return name in self._clients

    def tell(self, what: Announcement) -> Iterator[tuple[str, bytes]]:
        raise ValueError("nothing is said unasked here")

    @property
    def connections(self) -> int:
        return len(self._clients)

    def associated(self) -> frozenset[str]:
        """None that could be seen from here."""
        return frozenset()

    def time_passes(self) -> None:
        """Nothing is late but by its own time."""

    def drop(self) -> None:
        for client in list(self._clients.values()):
            self.hang(client)

    def close(self) -> None:
        """All connections are dropped when the loop turns next."""
        channels = tuple(self._channels.values())
        self._channels.clear()
        self._clients.clear()

        def end() -> None:
            for channel in channels:
                channel.abort()

        call_soon(end)

    # ----------------------------------------------------------------------------------------------

    async def _carry(self, client: BenchClient, apdu: bytes) -> tuple[bytes, ...]:
        channel = await self._channel(client)
        with suppress(ChannelClosed, RemoteProtocolError):
            while channel.glance(*client.pair) is not None:
                pass  # an answer that came too late
        await self._wait_its_turn()
        try:
            channel.send(*client.pair, apdu)
            async with asyncio.timeout(self._timing.answer):
                replies = [await channel.receive(*client.pair)]
            while (reply := channel.glance(*client.pair)) is not None:
                replies.append(reply)
        except TimeoutError:
            return ()
        except ChannelClosed as error:
            self._forget(client)
            raise HungUp(str(error)) from error
        return tuple(replies)

    async def _channel(self, client: BenchClient) -> Channel:
        place = self._place(client.name)
        channel = self._channels.get(place)
        if channel is None:
            try:
                channel = await self._route.open(PATIENCE)
            except OSError as error:
                raise HungUp(f"no connection: {error}") from error
            self._channels[place] = channel
        self._clients[client.name] = client
        return channel

    def _place(self, name: str) -> str:
        return name if self._route.port is not None else ""

    async def _wait_its_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._pace and now < self._next:
            await asyncio.sleep(self._next - now)
        self._next = asyncio.get_running_loop().time() + self._pace

    async def _hang(self, client: BenchClient) -> None:
        channel = self._channels.get(self._place(client.name))
        if channel is not None:
            with suppress(ConnectionError, RemoteProtocolError, TimeoutError):
                await channel.disconnect(*client.pair)
            if self._route.port is not None:
                channel.close()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await channel.wait_closed()
        self._forget(client)

    def _forget(self, client: BenchClient) -> None:
        self._clients.pop(client.name, None)
        if self._route.port is not None or not self._clients:
            channel = self._channels.pop(self._place(client.name), None)
            if channel is not None:
                channel.abort()
