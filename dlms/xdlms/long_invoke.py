"""Long-Invoke-Id-And-Priority and the date-time behind it (GB Ed. 8, 9.5).

ACCESS and DataNotification begin with them in both directions.
"""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string

LONG_INVOKE_ID = 0x00FFFFFF
SELF_DESCRIPTIVE = 1 << 28
BREAK_ON_ERROR = 1 << 29
"""Processing option: without it the server goes on after an item that failed."""
CONFIRMED = 1 << 30
HIGH_PRIORITY = 1 << 31

DATE_TIME_SIZE = 12
"""Octets of :class:`dlms.axdr.CosemDateTime`."""


def read_long_invoke(reader: Reader) -> tuple[int, bytes]:
    """Read the long invoke id with its flags, and the date-time: 12 octets or none."""
    return reader.u32("long-invoke-id-and-priority"), _read_date_time(reader)


def write_long_invoke(out: bytearray, long_invoke: int, date_time: bytes) -> None:
    """:class:`CodecError` if ``long_invoke`` is no Unsigned32 or ``date_time`` no date-time."""
    if not 0 <= long_invoke <= 0xFFFFFFFF:
        raise CodecError(f"{long_invoke} is no Unsigned32", field="long-invoke-id-and-priority")
    if len(date_time) not in (0, DATE_TIME_SIZE):
        raise CodecError(f"{len(date_time)} octets, 12 or none needed", field="date-time")
    out += long_invoke.to_bytes(4, "big")
    out += encode_octet_string(date_time)


def _read_date_time(reader: Reader) -> bytes:
    start = reader.position
    length = reader.length("date-time")
    if length not in (0, DATE_TIME_SIZE):
        raise CodecError(f"{length} octets, 12 or none needed", offset=start, field="date-time")
    return reader.take(length, "date-time")
