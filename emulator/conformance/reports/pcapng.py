"""A run as a pcapng file, for Wireshark and its like.

Blocks are as in draft-ietf-opsawg-pcapng, little-endian, times in microseconds. The secrets of TLS
sessions go into a Decryption Secrets Block (4.7) before the packets that need them; scapy, which
makes the packets, has no writer for one.
"""

from __future__ import annotations

import struct

from emulator.conformance.reports.conversations import packets
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.printable import printable

_SECTION, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 0x0A
_MAGIC = 0x1A2B3C4D
_ETHERNET = 1
_TLS_KEY_LOG = 0x544C534B
_COMMENT, _APPLICATION = 1, 4
_MICROSECONDS = 1_000_000


def pcapng(document: Document) -> bytes:
    """The file. :class:`~emulator.conformance.reports.conversations.NoPackets` without scapy."""
    comment = f"{document['disclaimer']} Device: {document['device']}. Packets are made up around"
    comment += " what was recorded above them."
    blocks = [
        _block(
            _SECTION,
            struct.pack("<IHHq", _MAGIC, 1, 0, -1),
            (_COMMENT, printable(comment)),
            (_APPLICATION, printable(f"cosemlab {document['version']}")),
        ),
        _block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, 0)),
    ]
    if document["key_log"]:
        secrets = "".join(f"{line}\n" for line in document["key_log"]).encode("ascii")
        blocks.append(
            _block(_SECRETS, struct.pack("<II", _TLS_KEY_LOG, len(secrets)) + _padded(secrets))
        )
    for packet in packets(document):
        ticks = round(packet.at * _MICROSECONDS)
        size = len(packet.octets)
        head = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, size, size)
        options = [(_COMMENT, packet.comment)] if packet.comment else []
        blocks.append(_block(_PACKET, head + _padded(packet.octets), *options))
    return b"".join(blocks)


def _block(kind: int, body: bytes, *options: tuple[int, str]) -> bytes:
    """A block whose body is padded already, with options of text."""
    for code, text in options:
        octets = text.encode()
        body += struct.pack("<HH", code, len(octets)) + _padded(octets)
    if options:
        body += struct.pack("<HH", 0, 0)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _padded(octets: bytes) -> bytes:
    """To a multiple of four."""
    return octets + bytes(-len(octets) % 4)
