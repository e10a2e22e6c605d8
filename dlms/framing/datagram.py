"""The wrapper over UDP: one datagram carries one WPDU, whole (IEC 62056-4-7; GB Ed. 8, 7.3.3)."""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.framing.wrapper import HEADER, VERSION, Wpdu

MAX_DATAGRAM_APDU = 65_507 - HEADER.size
"""What is left of the largest UDP payload over IPv4."""


def decode_datagram(octets: bytes) -> Wpdu:
    """Take the WPDU out of a datagram.

    :class:`CodecError` if the version is wrong, or the length is not that of the APDU which is
    there: nothing can follow in another datagram.
    """
    if len(octets) < HEADER.size:
        raise CodecError(f"{HEADER.size} octets needed", offset=len(octets), field="wrapper header")
    version, source, destination, length = HEADER.unpack_from(octets)
    if version != VERSION:
        raise CodecError(f"wrapper version {version:04X} is not 0001", offset=0, field="version")
    there = len(octets) - HEADER.size
    if length != there:
        raise CodecError(f"{length} octets announced, {there} there", offset=6, field="length")
    return Wpdu(source, destination, octets[HEADER.size :])
