"""What a :class:`~emulator.client.blocking_channel.BlockingChannel` writes to and reads from."""

from __future__ import annotations

import os
import select
import socket
import ssl

from dlms.framing.mode_e import LineSettings
from emulator.client.blocking_channel import BlockingChannel, Wire
from emulator.client.route import Route
from emulator.lines import configure
from tls.identity import IdentityError, TitleCheck, peer_system_title

READ_SIZE = 4096
MAX_DATAGRAM = 0xFFFF
"""A datagram is read at once or its end is lost."""
_SHORTEST = 1e-4
"""Seconds. A socket with a time-out of 0 does not wait at all, and raises something else."""
WRITE_TIMEOUT = 10.0
"""Seconds until a meter that takes no octets is given up."""


class SocketWire:
    """A connected socket, of TCP or TLS."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def write(self, octets: bytes) -> None:
        self._socket.settimeout(WRITE_TIMEOUT)
        self._socket.sendall(octets)

    def read(self, timeout: float) -> bytes:
        self._socket.settimeout(max(timeout, _SHORTEST))
        return self._socket.recv(READ_SIZE)

    def close(self) -> None:
        self._socket.close()


class DatagramWire(SocketWire):
    """A UDP socket that is connected to one address."""

    def read(self, timeout: float) -> bytes:
        self._socket.settimeout(max(timeout, _SHORTEST))
        # A datagram may be empty, which is no end: to the framing one octet is no WPDU either.
        return self._socket.recv(MAX_DATAGRAM) or b"\0"


class LineWire:
    """A tty. ``OSError`` if there is none of that path."""

    def __init__(self, path: str, settings: LineSettings) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            self.set_line(settings)
        except BaseException:
            os.close(self._fd)
            raise

    def set_line(self, settings: LineSettings) -> None:
        """Change how octets travel, after what has been written has gone out."""
        configure(self._fd, settings)

    def write(self, octets: bytes) -> None:
        while octets:
            if not _ready(self._fd, select.POLLOUT, WRITE_TIMEOUT):
                raise TimeoutError("the line takes no octets")
            octets = octets[os.write(self._fd, octets) :]

    def read(self, timeout: float) -> bytes:
        if not _ready(self._fd, select.POLLIN, timeout):
            raise TimeoutError("nothing came")
        return os.read(self._fd, READ_SIZE)

    def close(self) -> None:
        os.close(self._fd)


def _ready(fd: int, event: int, timeout: float) -> bool:
    """Whether to try, within ``timeout`` seconds; who tries will see if the line is gone."""
    poll = select.poll()
    poll.register(fd, event)
    return bool(poll.poll(timeout * 1000))


def open_blocking(route: Route, timeout: float) -> BlockingChannel:
    """What :meth:`Route.open` does, without an event loop."""
    if route.port is None:
        line = LineWire(route.host, route.settings)
        return BlockingChannel(line, lambda: route.make_framing(line.set_line))
    wire: Wire
    if route.udp:
        family, kind, number, _, address = socket.getaddrinfo(
            route.host, route.port, type=socket.SOCK_DGRAM
        )[0]
        datagrams = socket.socket(family, kind, number)
        datagrams.connect(address)
        wire = DatagramWire(datagrams)
    else:
        connection = socket.create_connection((route.host, route.port), timeout)
        try:
            # Requests are short and wait for their answers: there is nothing to collect.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if route.tls is not None:
                connection = _secured(connection, route.tls, route.accept)
        except BaseException:
            connection.close()
            raise
        wire = SocketWire(connection)
    return BlockingChannel(wire, lambda: route.make_framing(lambda settings: None))


def _secured(
    connection: socket.socket, context: ssl.SSLContext, accept: TitleCheck
) -> ssl.SSLSocket:
    """After the handshake. ``ssl.SSLError`` if it fails, ``ConnectionError`` for a wrong peer."""
    secure = context.wrap_socket(connection)
    title: bytes | None
    try:
        title = peer_system_title(secure)
    except IdentityError:
        title = None
    if not accept(title):
        secure.close()
        raise ConnectionError("the meter's certificate names another system title than it should")
    return secure
