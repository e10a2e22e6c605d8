"""Ways to a meter: what is below the APDUs, and opening it for asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict, TypeVar

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import PrimaryConfig
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from dlms.framing.mode_e import INITIAL, LineSettings
from emulator.channel import Channel, client_wrapper
from emulator.datagrams import open_datagrams
from emulator.framing import DatagramFraming, Framing, HdlcClient, OpticalClient
from emulator.lines import open_line
from tls.identity import TitleCheck, any_title
from tls.plain import open_tcp_connection
from tls.transport import open_tls_connection

OnSettings = Callable[[LineSettings], None]

P = TypeVar("P", bound=asyncio.Protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdlc:
    """An HDLC link (IEC 62056-46).

    ``physical`` is the lower part of the meter's address, 0 for an address of one octet; with it an
    address has ``octets`` octets, 2 or 4. ``limits`` are proposed in SNRM. Times are in seconds;
    the one between octets is long, because TCP and converters deliver frames in pieces.
    """

    physical: int = 0
    octets: int = 4
    limits: Parameters = DEFAULTS
    response_timeout: float = 5.0
    inter_octet_timeout: float = 1.0

    def link(self, client_sap: int, server_sap: int) -> PrimaryConfig:
        """The link between a client and a logical device."""
        octets = self.octets if self.physical else 1
        return PrimaryConfig(
            client=client_sap,
            server=Address(server_sap, self.physical, octets),
            limits=self.limits,
            response_timeout=self.response_timeout,
            inter_octet_timeout=self.inter_octet_timeout,
        )


class Way(TypedDict, total=False):
    """How to get there; all may be left out.

    ``tls``, ``accept``
        TLS with this context; what judges the system title in the meter's certificate, as
        :func:`tls.identity.exactly` does (by default there must be one).
    ``udp``
        The wrapper over UDP.
    ``hdlc``
        HDLC over TCP, or the parameters of HDLC on a serial line.
    ``optical``, ``baud``
        Of a serial line: whether it begins with the mode E opening of IEC 62056-21; bit/s without
        that, 9600 by default, 8N1.
    ``framing``
        Makes another framing than these.
    """

    tls: ssl.SSLContext
    accept: TitleCheck
    udp: bool
    hdlc: Hdlc
    optical: bool
    baud: int
    framing: Callable[[], Framing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to one meter, as :class:`Way` says. A serial line has no ``port``: ``host`` is its
    path. ``ValueError`` if the parts do not go together.
    """

    host: str
    port: int | None = None
    tls: ssl.SSLContext | None = None
    accept: TitleCheck = any_title
    udp: bool = False
    hdlc: Hdlc | None = None
    optical: bool = False
    baud: int = 9600
    framing: Callable[[], Framing] | None = None

    def __post_init__(self) -> None:
        serial = self.port is None
        if serial and (self.tls is not None or self.udp):
            raise ValueError("a serial line has neither TLS nor UDP: a port is missing")
        if self.optical and not serial:
            raise ValueError("an optical port is at a serial line, not at a TCP port")
        if self.udp and (self.tls is not None or self.hdlc is not None):
            raise ValueError("UDP carries the wrapper only, without TLS")

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def settings(self) -> LineSettings:
        """How octets travel on a serial line at first."""
        return INITIAL if self.optical else LineSettings(self.baud, 8, False)

    def make_framing(self, on_settings: OnSettings) -> Framing:
        """``on_settings`` is told when a line is to go on at another speed."""
        if self.framing is not None:
            return self.framing()
        link = self.hdlc or Hdlc()
        if self.optical:
            return OpticalClient(link.link, on_settings)
        if self.port is None or self.hdlc is not None:
            return HdlcClient(link.link)
        return DatagramFraming() if self.udp else client_wrapper()

    async def open(self, patience: float) -> Channel:
        """``OSError`` (``TimeoutError`` after ``patience`` seconds) if there is no connection."""
        return await self.connect(
            lambda on_settings: Channel(lambda: self.make_framing(on_settings)), patience
        )

    async def connect(self, make: Callable[[OnSettings], P], patience: float) -> P:
        """The same for any protocol, which gets the octets of the connection, or whole datagrams.
        ``make`` is given what a serial line that changes its speed is to be told by.
        """
        if self.port is None:
            transport, protocol = open_line(
                lambda: make(lambda settings: transport.set_line(settings)),
                self.host,
                self.settings,
            )
            return protocol
        if self.udp:
            return await open_datagrams(lambda: make(_no_line), self.host, self.port)
        if self.tls is None:
            _, protocol = await open_tcp_connection(
                lambda: make(_no_line), self.host, self.port, connect_timeout=patience
            )
        else:
            _, protocol = await open_tls_connection(
                lambda: make(_no_line),
                self.host,
                self.port,
                self.tls,
                accept=self.accept,
                connect_timeout=patience,
                handshake_timeout=patience,
            )
        return protocol


def _no_line(settings: LineSettings) -> None:
    """A socket has no speed to change."""
