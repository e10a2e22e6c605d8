"""The wrapper of the TCP-UDP/IP profile (IEC 62056-4-7), bound to the port of DLMS/COSEM."""

from __future__ import annotations

from typing import Any

from scapy.config import conf
from scapy.fields import LenField, ShortField
from scapy.layers.inet import TCP, UDP
from scapy.packet import Packet, bind_layers

from dlms.framing.hdlc.frame import FLAG, announced_length
from dlms.framing.wrapper import HEADER, VERSION
from emulator.scapy_layers.apdu import Apdu
from emulator.scapy_layers.hdlc import HdlcFrame

PORT = 4059
"""Registered for DLMS/COSEM, over TCP and UDP."""


class Wpdu(Packet):
    """A header of four words in front of an APDU. The wPort of a client is its client SAP."""

    name = "DLMS/COSEM wrapper"
    fields_desc = [
        ShortField("version", VERSION),
        ShortField("source_wport", 16),
        ShortField("destination_wport", 1),
        LenField("length", None),
    ]

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        return Apdu

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return s[: self.length], s[self.length :]

    @classmethod
    def tcp_reassemble(
        cls, data: bytes, metadata: dict[str, Any], session: dict[str, Any]
    ) -> Packet | None:
        """For ``sniff(session=TCPSession)`` and for a ``StreamSocket``: one whole WPDU."""
        if len(data) < HEADER.size:
            return None
        version, _, _, length = HEADER.unpack_from(data)
        if version != VERSION:
            return conf.raw_layer(data)
        return cls(data) if len(data) >= HEADER.size + length else None


class HdlcOverTcp(HdlcFrame):
    """A frame as the payload of TCP or UDP."""

    name = "HDLC frame over IP"

    @classmethod
    def tcp_reassemble(
        cls, data: bytes, metadata: dict[str, Any], session: dict[str, Any]
    ) -> Packet | None:
        if data[0] != FLAG:
            return conf.raw_layer(data)
        rest = data.lstrip(bytes((FLAG,)))
        if len(rest) < 2:
            return None
        length = announced_length(rest[:2])
        if length is None:
            return conf.raw_layer(data)
        return cls(data) if len(rest) > length else None


def bind_wrapper(port: int) -> None:
    """Take what goes from or to this port of TCP or UDP for WPDUs."""
    _bind(Wpdu, port)


def bind_hdlc(port: int) -> None:
    """Take what goes from or to this port of TCP or UDP for frames of HDLC."""
    _bind(HdlcOverTcp, port)


def _bind(layer: type[Packet], port: int) -> None:
    for transport in (TCP, UDP):
        bind_layers(transport, layer, sport=port)
        bind_layers(transport, layer, dport=port)


bind_wrapper(PORT)
