"""Where a meter is found, and by what ways besides TCP and TLS."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

LOOPBACK = "127.0.0.1"


class Way(Enum):
    """Ways to a meter besides the wrapper over TCP and TLS."""

    UDP = "wrapper over UDP"
    HDLC = "HDLC over TCP"
    LINE = "HDLC on a serial line"
    OPTICAL = "HDLC on a serial line, after the mode E opening"


class MeterAddress(NamedTuple):
    """Where a meter listens. ``title`` is its system title; a way that is not open is ``None``."""

    name: str
    serial: int
    title: bytes
    host: str
    plain_port: int
    tls_port: int
    udp_port: int | None = None
    hdlc_port: int | None = None
    line: str | None = None
    optical: str | None = None
