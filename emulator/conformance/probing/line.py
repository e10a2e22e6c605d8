"""One connection to the device under test: octets as they are, all of them recorded."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from dlms.errors import CodecError, DlmsError, RemoteProtocolError
from dlms.security.ciphered import decode_ciphered, is_ciphered
from emulator.channel import ApduLink, Channel, ChannelClosed
from emulator.client.route import OnSettings, Route
from emulator.conformance.probing.record import Direction, Level, Recorder
from emulator.conformance.probing.relay import Relay
from emulator.conformance.probing.seen import Seen
from emulator.meter_address import LOOPBACK

PATIENCE = 5.0
"""Seconds for a connection to come about."""

MOST_OCTETS = 1 << 24
"""On one connection: a device that goes on and on is cut off before it fills our memory."""
_NO_LINGERING = struct.pack("ii", 1, 0)
"""SO_LINGER: the connection is reset when it is closed."""


class LineClosed(ConnectionError):
    """The connection has ended."""


class Line(asyncio.Protocol):
    """``framed`` lines have links, addresses and APDUs; others nothing but octets. A framed line
    takes octets to write as well, beside its framing.
    """

    def __init__(
        self,
        number: int,
        recorder: Recorder,
        channel: Channel | None,
        relay: Relay | None = None,
    ) -> None:
        self.number = number
        self._relay = relay
        self._recorder = recorder
        self._channel = channel
        self._transport: asyncio.Transport | None = None
        self._arrived: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ended = ""
        self._flood = 0
        self._pairs: set[tuple[int, int]] = set()
        self.farewells: list[Callable[[], Awaitable[None]]] = []
        """What is done before the line is closed, so that the device is left as it was."""

    @property
    def is_open(self) -> bool:
        return not self._ended

    # asyncio.Protocol -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._channel is not None:
            self._channel.connection_made(_Recorded(self._transport, self._sent))

    def data_received(self, data: bytes) -> None:
        self._flood += len(data)
        if self._flood > MOST_OCTETS:
            self._recorder.note(
                f"line {self.number}: more than {MOST_OCTETS} octets, it is cut off"
            )
            assert self._transport is not None, "octets come over a transport"
            self._transport.abort()
            return
        self._keep_octets(Direction.RECEIVED, data)
        if self._channel is not None:
            self._channel.data_received(data)
        else:
            self._arrived.append(data)
            self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = "the device closed the connection" if exc is None else str(exc)
        self._recorder.note(f"line {self.number}: {self._ended}")
        self._news.set()
        self._flowing.set()
        if self._channel is not None:
            self._channel.connection_lost(exc)

    # Octets ---------------------------------------------------------------------------------------

    def write(self, octets: bytes) -> None:
        """:class:`LineClosed` if the connection has ended."""
        if self._transport is None or self._ended or self._transport.is_closing():
            raise LineClosed(self._ended or "the line is closed")
        self._sent(octets)
        self._transport.write(octets)

    async def trickle(self, octets: bytes) -> None:
        """Write each octet by itself. On TCP each is a segment of its own: Nagle's algorithm is
        off, and an octet is handed over when the one before it has left this process. With TLS it
        is a record of its own.
        :class:`LineClosed`, as :meth:`write`.
        """
        transport, sock = self._transport, self._socket()
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if isinstance(transport, asyncio.WriteTransport) and self._relay is None:
            transport.set_write_buffer_limits(high=0)
        for octet in octets:
            self.write(bytes((octet,)))
            for _ in range(2):  # a device in this process sees that there is something, and reads
                await asyncio.sleep(0)
            await self._flowing.wait()

    def pause_writing(self) -> None:
        self._flowing.clear()

    def resume_writing(self) -> None:
        self._flowing.set()

    def _socket(self) -> Any:
        """That of a TCP connection; ``None`` if this is none."""
        found = None if self._transport is None else self._transport.get_extra_info("socket")
        return found if found is not None and found.type is socket.SOCK_STREAM else None

    async def read(self, within: float) -> bytes:
        """What has come since the last call, or the first that comes within so many seconds;
        nothing is silence. Of lines without framing. :class:`LineClosed` if there will be nothing.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not self._arrived:
                    if self._ended:
                        raise LineClosed(self._ended)
                    self._news.clear()
                    await self._news.wait()
        octets = b"".join(self._arrived)
        self._arrived.clear()
        return octets

    async def ends(self, within: float) -> bool:
        """Whether the device ends the connection within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not self._ended:
                    self._news.clear()
                    await self._news.wait()
        return bool(self._ended)

    # APDUs ----------------------------------------------------------------------------------------

    @property
    def channel(self) -> Channel:
        """What carries APDUs, for clients that behave."""
        assert self._channel is not None, "a line without framing carries no APDUs"
        return self._channel

    @property
    def link(self) -> ApduLink:
        """The same, recorded."""
        return _RecordedLink(self)

    def say(self, pair: tuple[int, int], apdu: bytes) -> None:
        """Send an APDU from a client SAP to a server SAP. :class:`LineClosed`."""
        self.keep(Direction.SENT, apdu, pair)
        try:
            self.channel.send(*pair, apdu)
        except (ChannelClosed, RemoteProtocolError) as error:
            raise LineClosed(str(error)) from error

    async def hear(self, pair: tuple[int, int], within: float) -> Seen:
        """The next APDU for that pair, the end of the connection or of the link, or silence."""
        try:
            async with asyncio.timeout(within):
                octets = await self.channel.receive(*pair)
        except TimeoutError:
            return Seen.silence(within)
        except (ChannelClosed, DlmsError) as error:
            return Seen.closed(str(error))
        return Seen.apdu(octets, self.keep(Direction.RECEIVED, octets, pair))

    def keep(self, direction: Direction, apdu: bytes, pair: tuple[int, int]) -> int:
        """Record an APDU; its number in the record."""
        self._pairs.add(pair)
        key, counter = visible_counter(apdu)
        return self._recorder.add(
            direction, Level.APDU, apdu, line=self.number, pair=pair, key=key, counter=counter
        )

    async def unlink(self, pair: tuple[int, int]) -> None:
        """End the link of that pair, where there are links (DISC and UA)."""
        await self.channel.disconnect(*pair)

    # ----------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End the links, where there are links, and then the connection."""
        for farewell in self.farewells if not self._ended else ():
            with suppress(ConnectionError):
                await farewell()
        if self._channel is not None and not self._ended:
            for pair in self._pairs:
                with suppress(ConnectionError, DlmsError):
                    await self._channel.disconnect(*pair)
        if self._transport is not None and not self._ended:
            self._transport.close()
            await self.ends(PATIENCE)
        if self._relay is not None:
            await self._relay.close()

    async def reset(self) -> None:
        """End it without a word: on TCP with RST, whatever waits to be read or sent."""
        if self._transport is not None and not self._ended:
            if (sock := self._socket()) is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
            self._transport.abort()
            await self.ends(PATIENCE)

    def _sent(self, octets: bytes) -> None:
        self._keep_octets(Direction.SENT, octets)

    def _keep_octets(self, direction: Direction, octets: bytes) -> None:
        """Unless somebody stands in the line who sees what is really there."""
        if self._relay is None:
            self._recorder.add(direction, Level.OCTETS, octets, line=self.number)


def visible_counter(apdu: bytes) -> tuple[str, int | None]:
    """Of which family of keys a ciphered APDU is, and its counter, as its header says them."""
    if not apdu or not is_ciphered(apdu[0]):
        return "", None
    try:
        ciphered = decode_ciphered(apdu)
    except CodecError:
        return "", None
    return ciphered.family.value, ciphered.counter


async def open_line(route: Route, number: int, recorder: Recorder, *, framed: bool) -> Line:
    """``OSError`` if there is no connection."""
    relay = None
    if route.tls is not None and route.port is not None:
        relay = Relay(route.host, route.port, number, recorder)
        await relay.open()
        route = replace(route, host=LOOPBACK, port=relay.port)

    def make(on_settings: OnSettings) -> Line:
        channel = Channel(lambda: route.make_framing(on_settings)) if framed else None
        return Line(number, recorder, channel, relay)

    try:
        return await route.connect(make, PATIENCE)
    except BaseException:
        if relay is not None:
            await relay.close()
        raise


class _Recorded(asyncio.Transport):
    """A transport that tells what is written to it."""

    def __init__(self, transport: asyncio.Transport, told: Callable[[bytes], None]) -> None:
        super().__init__()
        self._transport = transport
        self._told = told

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._told(bytes(data))
        self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


class _RecordedLink:
    """The APDUs of clients that behave, recorded (:class:`~emulator.channel.ApduLink`)."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def send(self, client_sap: int, server_sap: int, apdu: bytes) -> None:
        self._line.keep(Direction.SENT, apdu, (client_sap, server_sap))
        self._line.channel.send(client_sap, server_sap, apdu)

    async def receive(self, client_sap: int, server_sap: int) -> bytes:
        apdu = await self._line.channel.receive(client_sap, server_sap)
        self._line.keep(Direction.RECEIVED, apdu, (client_sap, server_sap))
        return apdu

    def glance(self, client_sap: int, server_sap: int) -> bytes | None:
        apdu = self._line.channel.glance(client_sap, server_sap)
        if apdu is not None:
            self._line.keep(Direction.RECEIVED, apdu, (client_sap, server_sap))
        return apdu

    async def news(self, client_sap: int, server_sap: int) -> None:
        await self._line.channel.news(client_sap, server_sap)

    def close(self) -> None:
        self._line.channel.close()
