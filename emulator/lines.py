"""Serial lines for asyncio: a tty by its path, and a pty pair that stands in for a meter's port."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections.abc import Callable
from typing import Any, TypeVar

from dlms.framing.mode_e import LineSettings

READ_SIZE = 4096
MAX_UNSENT = 1 << 20
"""Octets that may wait for a line that takes none: no APDU is as long."""

P = TypeVar("P", bound=asyncio.Protocol)

_BITS = {7: termios.CS7, 8: termios.CS8}
_PTY_MAJORS = range(136, 144)
"""Device numbers of Linux: a pty carries octets whole, whatever size and parity it is told; to tell
it the same once more is an error there.
"""


class LineTransport(asyncio.Transport):
    """Reads and writes a tty through the event loop.

    ``others`` are file descriptors to keep open as long as this one: while somebody holds the
    slave's end of a pty, the master does not see it hang up.
    """

    def __init__(self, fd: int, protocol: asyncio.Protocol, others: tuple[int, ...] = ()) -> None:
        super().__init__({"peername": None})
        self._fd = fd
        self._others = others
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._closing = False
        self._gone = False
        os.set_blocking(fd, False)
        self._loop.add_reader(fd, self._readable)
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        if len(self._unsent) + len(data) > MAX_UNSENT:
            self.abort()
            return
        idle = not self._unsent
        self._unsent += data
        if idle:
            self._writable()

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return len(self._unsent)

    def pause_reading(self) -> None:
        if not self._gone:
            self._loop.remove_reader(self._fd)

    def resume_reading(self) -> None:
        if not self._gone:
            self._loop.add_reader(self._fd, self._readable)

    def close(self) -> None:
        """Send what waits, then close."""
        self._closing = True
        if not self._unsent:
            self._end(None)

    def abort(self) -> None:
        self._closing = True
        self._end(None)

    def discard(self) -> None:
        """What waits to be sent is not."""
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(self._fd)

    def set_line(self, settings: LineSettings) -> None:
        """Change how octets travel, after what has been written has gone out."""
        configure(self._fd, settings)

    def _readable(self) -> None:
        try:
            octets = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if octets:
            self._protocol.data_received(octets)
        else:
            self._end(None)

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._end(error)
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._fd, self._writable)
            return
        self._loop.remove_writer(self._fd)
        if self._closing:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._gone:
            return
        self._gone = self._closing = True
        self._unsent.clear()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        for fd in (self._fd, *self._others):
            os.close(fd)
        self._loop.call_soon(self._protocol.connection_lost, error)


def configure(fd: int, settings: LineSettings) -> None:
    """Raw, with these settings. ``ValueError`` if the system has no such baud rate, ``OSError`` if
    this is no line, or not one that can be set so.
    """
    speed = getattr(termios, f"B{settings.baud}", None)
    if speed is None:
        raise ValueError(f"no line of {settings.baud} baud here")
    if os.major(os.fstat(fd).st_rdev) in _PTY_MAJORS:
        settings = settings._replace(data_bits=8, even_parity=False)
    try:
        _configure(fd, settings, speed)
    except termios.error as error:
        raise OSError(*error.args) from None


def _configure(fd: int, settings: LineSettings, speed: int) -> None:
    tty.setraw(fd, termios.TCSADRAIN)
    attributes: list[Any] = termios.tcgetattr(fd)
    attributes[2] &= ~(termios.CSIZE | termios.PARENB | termios.PARODD | termios.CSTOPB)
    attributes[2] |= _BITS[settings.data_bits] | termios.CLOCAL | termios.CREAD
    if settings.even_parity:
        attributes[2] |= termios.PARENB
    attributes[4] = attributes[5] = speed
    termios.tcsetattr(fd, termios.TCSADRAIN, attributes)


def open_line(
    protocol_factory: Callable[[], P], path: str, settings: LineSettings
) -> tuple[LineTransport, P]:
    """Open a tty. ``OSError`` if there is none."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        configure(fd, settings)
    except BaseException:
        os.close(fd)
        raise
    protocol = protocol_factory()
    return LineTransport(fd, protocol), protocol


def open_pty(protocol_factory: Callable[[], asyncio.Protocol]) -> tuple[LineTransport, str]:
    """A pty whose master ``protocol`` serves; the path is that of the slave, for a client."""
    master, slave = os.openpty()
    tty.setraw(slave)
    return LineTransport(master, protocol_factory(), (slave,)), os.ttyname(slave)
