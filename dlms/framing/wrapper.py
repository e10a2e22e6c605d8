"""The wrapper of the TCP-UDP/IP profile (IEC 62056-4-7; GB Ed. 8, 7.3).

Each APDU follows a header of four big-endian 16-bit words: version (1), source wPort, destination
wPort, length.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from dlms.errors import RemoteProtocolError

VERSION = 1
HEADER = struct.Struct(">HHHH")
MAX_APDU = 0xFFFF
"""The length word's own limit: a WPDU never makes a buffer larger than this plus the header."""

_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class Wpdu(NamedTuple):
    """One APDU with its wPorts. The wPort of a client is its client SAP."""

    source: int
    destination: int
    apdu: bytes

    def encode(self) -> bytes:
        """``struct.error`` if a port or the length of the APDU exceeds 16 bits."""
        return encode_wpdu(*self)


def encode_wpdu(source: int, destination: int, apdu: bytes) -> bytes:
    """A WPDU of these; see :meth:`Wpdu.encode`."""
    return HEADER.pack(VERSION, source, destination, len(apdu)) + apdu


class WrapperReceiver:
    """Cuts a stream of octets into WPDUs, however they arrive.

    Call :meth:`receive` with what came, then :meth:`next_wpdu` until it gives ``None``.
    ``max_apdu`` bounds what is buffered: a longer announcement is refused before its octets are
    waited for.
    """

    __slots__ = ("_buffer", "_max_apdu", "_position")

    def __init__(self, max_apdu: int = MAX_APDU) -> None:
        self._buffer = b""
        self._position = 0
        self._max_apdu = max_apdu

    @property
    def pending(self) -> int:
        """How many octets wait for the rest of their WPDU."""
        return len(self._buffer) - self._position

    def receive(self, octets: bytes) -> None:
        """Take octets from the stream."""
        rest = self._buffer[self._position :]
        self._buffer = rest + octets if rest else octets
        self._position = 0

    def next_wpdu(self) -> Wpdu | None:
        """Return the next complete WPDU, or ``None`` until more octets come.

        :class:`RemoteProtocolError` on a wrong version or an oversized length: the stream has lost
        its framing, so the connection is to be closed without an answer (X_WPDU_VER). Empty WPDUs
        are skipped (X_WPDU_LEN0).
        """
        buffer = self._buffer
        while len(buffer) - self._position >= 8:
            start = self._position
            version, source, destination, length = HEADER.unpack_from(buffer, start)
            if version != VERSION:
                raise RemoteProtocolError(
                    f"wrapper version {version:04X} is not 0001", reason="wrapper-version"
                )
            if length > self._max_apdu:
                raise RemoteProtocolError(
                    f"WPDU of {length} octets exceeds the limit of {self._max_apdu}",
                    reason="wrapper-length",
                )
            stop = start + 8 + length
            if stop > len(buffer):
                return None
            self._position = stop
            if length:
                return _new(Wpdu, (source, destination, buffer[start + 8 : stop]))
        return None
