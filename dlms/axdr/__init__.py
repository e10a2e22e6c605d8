"""COSEM data types and their A-XDR encoding."""

from dlms.axdr.data import CompactArray, Data, DataType, TypeDescription
from dlms.axdr.datetimes import ClockStatus, CosemDateTime
from dlms.axdr.decoding import decode, read_data
from dlms.axdr.encoding import encode, write_data

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
