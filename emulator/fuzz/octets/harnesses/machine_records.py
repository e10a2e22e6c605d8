"""Inputs of whole machines: records, each a way, a length in two octets and as many octets. The
last may be cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.release import Rlre, Rlrq
from dlms.xdlms import registry
from emulator.fuzz.octets.harness import Structure

MAX_RECORDS = 8
_HEAD = 3


class Record(NamedTuple):
    """``apdu`` is octets, or an APDU that encodes itself."""

    way: int
    apdu: Any


def records(octets: bytes) -> list[tuple[int, bytes]]:
    """At most :data:`MAX_RECORDS`."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(octets) and len(found) < MAX_RECORDS:
        length = int.from_bytes(octets[at + 1 : at + _HEAD], "big")
        found.append((octets[at], octets[at + _HEAD : at + _HEAD + length]))
        at += _HEAD + length
    return found


def of_records(found: Iterable[tuple[int, bytes]]) -> bytes:
    """The input of such records."""
    return b"".join(bytes((way,)) + len(one).to_bytes(2, "big") + one for way, one in found)


_ACSE: dict[int, Callable[[bytes], Any]] = {
    0x60: Aarq.decode, 0x61: Aare.decode, 0x62: Rlrq.decode, 0x63: Rlre.decode,
}  # fmt: skip


def _read(octets: bytes) -> list[Record]:
    return [Record(way, _apdu(one)) for way, one in records(octets)]


def _apdu(octets: bytes) -> Any:
    """As far as it can be read."""
    try:
        return _ACSE.get(octets[0], registry.decode)(octets)
    except Exception:  # it stays octets, whatever is wrong with it
        return octets


def _write(found: list[Record]) -> bytes:
    return of_records(
        (one.way & 0xFF, one.apdu if isinstance(one.apdu, bytes) else one.apdu.encode())
        for one in found
    )


RECORDS = Structure(read=_read, write=_write)
