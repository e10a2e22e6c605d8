"""Packets out of pcap and pcapng files, read by scapy (extra ``scapy``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from dlms.hiding import repr_without
from emulator.decoding.quiet import quiet

MAGICS = (
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)  # fmt: skip
"""What a pcap file begins with, in either order of octets and with either fraction of a second; and
a pcapng file.
"""

Secrets = dict[str, dict[bytes, bytes]]
"""TLS secrets by label and client random, as in a key log file."""


class CaptureError(ValueError):
    """A capture cannot be read."""


class Packet(NamedTuple):
    """``number`` counts from 1 as Wireshark does; ``at`` is in seconds since 1970. ``flags`` and
    ``sequence`` are of TCP.
    """

    number: int
    at: float
    tcp: bool
    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes
    flags: str = ""
    sequence: int = 0


class Capture(NamedTuple):
    """``other`` are the packets of which nothing is decoded, by why."""

    packets: tuple[Packet, ...]
    other: dict[str, int]
    secrets: Secrets

    def __repr__(self) -> str:
        return repr_without(self, "secrets")


def is_capture(octets: bytes) -> bool:
    return octets[:4] in MAGICS


def scapy() -> Any:
    """The modules of scapy that read captures, imported when they are needed."""
    try:
        with quiet():
            from scapy import config, error, utils
            from scapy.layers import inet, inet6, l2  # noqa: F401
            from scapy.layers.tls import record, session
    except ImportError:
        raise CaptureError("a capture needs scapy: pip install 'cosemlab[scapy]'") from None
    return _Scapy(config.conf, error, utils, inet, inet6, record, session)


class _Scapy(NamedTuple):
    conf: Any
    error: Any
    utils: Any
    inet: Any
    inet6: Any
    record: Any
    session: Any


def read_capture(path: Path) -> Capture:
    """:class:`CaptureError` without scapy, and if the file is damaged from its beginning."""
    found = scapy()
    packets: list[Packet] = []
    other: dict[str, int] = {}
    with quiet(), path.open("rb") as file:
        if _breaks_off(file):
            other["the file breaks off in the middle of one"] = 1
        try:
            reader = found.utils.PcapReader(file)
        except (found.error.Scapy_Exception, EOFError) as error:
            raise CaptureError(f"{path}: is no capture: {error}") from None
        before = found.conf.tls_nss_keys
        found.conf.tls_nss_keys = None
        try:
            for number, one in enumerate(_all(found, reader, other), 1):
                packet = _packet(found, number, one)
                if isinstance(packet, str):
                    other[packet] = other.get(packet, 0) + 1
                else:
                    packets.append(packet)
            secrets: Secrets = dict(found.conf.tls_nss_keys or {})
        finally:
            reader.close()
            found.conf.tls_nss_keys = before
    return Capture(tuple(packets), other, secrets)


def read_key_log(path: Path) -> Secrets:
    """A file as ``SSLKEYLOGFILE`` names it. :class:`CaptureError` if it holds no secret."""
    found = scapy()
    with quiet():
        secrets: Secrets = found.session.parse_nss_keys(path.read_text("ascii", "replace"))
    if not any(secrets.values()):
        raise CaptureError(f"{path}: no TLS secret is in it")
    return secrets


def _breaks_off(file: BinaryIO) -> bool:
    """Whether the last packet or block is cut short, of which scapy says nothing."""
    size = file.seek(0, 2)
    file.seek(0)
    magic = file.read(4)
    ng = magic == MAGICS[-1]
    file.seek(8)
    order: Literal["little", "big"] = "big" if magic in MAGICS[1::2] else "little"
    if ng:
        order = "little" if file.read(4) == b"\x4d\x3c\x2b\x1a" else "big"
    at = 0 if ng else 24
    while at < size:
        file.seek(at + (4 if ng else 8))
        length = int.from_bytes(file.read(4), order)
        at += max(length, 12) if ng else 16 + length
    file.seek(0)
    return at > size


def _all(found: _Scapy, reader: Any, other: dict[str, int]) -> Any:
    while True:
        try:
            yield reader.read_packet()
        except EOFError:
            return
        except (found.error.Scapy_Exception, ValueError) as error:
            other[f"the rest of the file cannot be read: {error}"] = 1
            return


def _packet(found: _Scapy, number: int, one: Any) -> Packet | str:
    """The packet, or why there is nothing to decode in it."""
    ip = one.getlayer(found.inet.IP) or one.getlayer(found.inet6.IPv6)
    if ip is None:
        return "no IP"
    if getattr(ip, "frag", 0) or getattr(getattr(ip, "flags", None), "MF", False):
        return "a fragment of IP"
    at = float(one.time)
    tcp, udp = ip.getlayer(found.inet.TCP), ip.getlayer(found.inet.UDP)
    if tcp is not None:
        payload = tcp.original[4 * (tcp.dataofs or 5) :]
        return Packet(
            number, at, True, (ip.src, tcp.sport), (ip.dst, tcp.dport), payload,
            str(tcp.flags), tcp.seq,
        )  # fmt: skip
    if udp is not None:
        payload = udp.original[8 : udp.len]
        return Packet(number, at, False, (ip.src, udp.sport), (ip.dst, udp.dport), payload)
    return "neither TCP nor UDP"
