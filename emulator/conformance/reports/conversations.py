"""The connections of a run as packets: Ethernet, IP, TCP or UDP made up around what was recorded.

What was recorded are the octets of a connection, not its packets. So addresses, sequence numbers,
acknowledgements and the hands that are shaken are ours; the octets and their times are not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.printable import printable
from emulator.conformance.reports.reading import started_of
from emulator.conformance.running.result import Transport
from emulator.decoding.quiet import quiet

TESTER, DEVICE = "192.0.2.1", "192.0.2.2"
"""Addresses for documentation (RFC 5737): no packet was ever between them."""

_TESTER_MAC, _DEVICE_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
_SEGMENT = 1460
_DATAGRAM = 65507
_FIRST_PORT = 49152
_PORTS = 65536 - _FIRST_PORT
_MODULO = 2**32
_COMMENT = 1000
"""Characters: readers take no comment above 64 KiB."""


class NoPackets(ValueError):
    """Packets cannot be made."""


class Packet(NamedTuple):
    """``at`` is in seconds since 1970; ``octets`` begin with the Ethernet header."""

    at: float
    octets: bytes
    comment: str


class _Party:
    """One end: where it is, and what it will send next."""

    def __init__(self, address: str, mac: str, port: int) -> None:
        self.address, self.mac, self.port = address, mac, port
        self.sequence = 0


def packets(document: Document) -> Iterator[Packet]:
    """Of all cases in their order; each connection has a port of its own. :class:`NoPackets`
    without scapy (extra ``scapy``).
    """
    began = started_of(document["started"]).astimezone(dt.UTC).timestamp()
    number = 0
    for case in document["cases"]:
        conversations = {
            line: _Conversation(document, number + order) for order, line in enumerate(_lines(case))
        }
        number += len(conversations)
        yield from _of_case(case, conversations, began)
        spent = max([case["seconds"], *(one["at"] for one in case["record"])])
        began += spent


def _lines(case: Document) -> list[int]:
    return list(dict.fromkeys(one["line"] for one in case["record"] if _is_packet(one)))


def _is_packet(entry: Document) -> bool:
    return (
        entry["level"] == Level.OCTETS.value
        and entry["direction"] != Direction.NOTE.value
        and bool(entry["octets"])
    )


def _of_case(
    case: Document, conversations: dict[int, _Conversation], began: float
) -> Iterator[Packet]:
    last = {one["line"]: place for place, one in enumerate(case["record"]) if _is_packet(one)}
    for place, entry in enumerate(case["record"]):
        if not _is_packet(entry):
            continue
        conversation = conversations[entry["line"]]
        comment = _comment(case, place)
        parts = conversation.carry(
            bytes.fromhex(entry["octets"]),
            sent=entry["direction"] == Direction.SENT.value,
            ends=last[entry["line"]] == place,
        )
        for octets, carries in parts:
            yield Packet(began + entry["at"], octets, comment if carries else "")


def _comment(case: Document, place: int) -> str:
    steps = [one["step"] for one in case["steps"] if one["entries"][0] <= place < one["entries"][1]]
    text = case["record"][place]["text"]
    parts = [case["id"], *(f"step {one}" for one in steps), text]
    return printable(", ".join(part for part in parts if part))[:_COMMENT]


class _Conversation:
    """One connection, or the datagrams between two ports."""

    def __init__(self, document: Document, number: int) -> None:
        port = document["port"] or 4059
        caller = _FIRST_PORT + number % _PORTS
        called = document["called"]
        self._datagrams = document["transport"] == Transport.UDP.value
        self._tester = _Party(TESTER, _TESTER_MAC, port if called else caller)
        self._device = _Party(DEVICE, _DEVICE_MAC, caller if called else port)
        # Different from run to run it need not be: nobody is to be kept from guessing it.
        self._tester.sequence = self._device.sequence = 1000 * (number + 1) % _MODULO
        self._called = called
        self._open = False

    def carry(self, octets: bytes, *, sent: bool, ends: bool) -> Iterator[tuple[bytes, bool]]:
        """The packets of one entry, and whether each has octets of it."""
        source, target = (self._tester, self._device) if sent else (self._device, self._tester)
        if self._datagrams:
            for start in range(0, len(octets), _DATAGRAM):
                yield _datagram(source, target, octets[start : start + _DATAGRAM]), True
            return
        if not self._open:
            self._open = True
            yield from ((one, False) for one in self._opened())
        for start in range(0, len(octets), _SEGMENT):
            part = octets[start : start + _SEGMENT]
            yield _segment(source, target, "PA", part), True
            source.sequence = (source.sequence + len(part)) % _MODULO
        yield _segment(target, source, "A"), False
        if ends:
            yield from ((one, False) for one in self._closed(source, target))

    def _opened(self) -> Iterator[bytes]:
        caller, other = (
            (self._device, self._tester) if self._called else (self._tester, self._device)
        )
        yield _segment(caller, other, "S")
        caller.sequence += 1
        yield _segment(other, caller, "SA")
        other.sequence += 1
        yield _segment(caller, other, "A")

    def _closed(self, source: _Party, target: _Party) -> Iterator[bytes]:
        for one, other in ((source, target), (target, source)):
            yield _segment(one, other, "FA")
            one.sequence = (one.sequence + 1) % _MODULO
        yield _segment(source, target, "A")


def _segment(source: _Party, target: _Party, flags: str, octets: bytes = b"") -> bytes:
    """One TCP segment; scapy fills lengths and checksums in."""
    inet, _ = _scapy()
    header = inet.TCP(
        sport=source.port,
        dport=target.port,
        flags=flags,
        seq=source.sequence,
        ack=target.sequence if "A" in flags else 0,
        window=65535,
    )
    return _framed(source, target, header / octets)


def _datagram(source: _Party, target: _Party, octets: bytes) -> bytes:
    inet, _ = _scapy()
    return _framed(source, target, inet.UDP(sport=source.port, dport=target.port) / octets)


def _framed(source: _Party, target: _Party, inner: Any) -> bytes:
    inet, l2 = _scapy()
    ethernet = l2.Ether(src=source.mac, dst=target.mac)
    return bytes(ethernet / inet.IP(src=source.address, dst=target.address) / inner)


def _scapy() -> tuple[Any, Any]:
    """Its layers, imported when they are needed: that takes a while, and scapy is an extra."""
    try:
        with quiet():
            from scapy.layers import inet, l2
    except ImportError:
        raise NoPackets("pcapng needs scapy: pip install 'cosemlab[scapy]'") from None
    return inet, l2
