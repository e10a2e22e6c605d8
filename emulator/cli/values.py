"""COSEM values as JSON has them."""

from __future__ import annotations

from typing import Any

from dlms.axdr.data import CompactArray, Data, DataType
from dlms.axdr.datetimes import CosemDateTime
from dlms.errors import CodecError


def plain(data: Data) -> Any:
    """Numbers and strings as they are, sequences as lists.

    Octets are shown as a date-time if they are twelve that can be one, as text if they are all
    printable, and in hexadecimal otherwise.
    """
    value = data.value
    if isinstance(value, CompactArray):
        return [plain(element) for element in value.elements]
    if isinstance(value, tuple):
        return [plain(element) for element in value]
    if isinstance(value, bytes):
        return _octets(data.type, value)
    return value


def _octets(kind: DataType, octets: bytes) -> str:
    if len(octets) == 12 and kind in (DataType.OCTET_STRING, DataType.DATE_TIME):
        try:
            return str(CosemDateTime.from_octets(octets))
        except CodecError:
            pass
    if octets and octets.isascii() and octets.decode("ascii").isprintable():
        return octets.decode("ascii")
    return octets.hex().upper()
