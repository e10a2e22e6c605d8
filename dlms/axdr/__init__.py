"""COSEM data types and their A-XDR encoding."""

from dlms.axdr.codec import decode, encode, read_data, write_data
from dlms.axdr.data import CompactArray, Data, DataType, TypeDescription
from dlms.axdr.datetimes import ClockStatus, CosemDateTime

__all__ = [
    "ClockStatus",
    "CompactArray",
    "CosemDateTime",
    "Data",
    "DataType",
    "TypeDescription",
    "decode",
    "encode",
    "read_data",
    "write_data",
]
