"""COSEM values as profiles write them: a table of one entry, type to value.

``{ long-unsigned = 5 }``, ``{ octet-string = "0A0B" }`` (hexadecimal), ``{ ascii = "LGZ" }`` (an
octet-string of characters), ``{ obis = "1-0:1.8.0.255" }``, ``{ date-time = "2018-03-26T00:00" }``
(an octet-string), ``{ structure = [ ... ] }``.
"""

from __future__ import annotations

import datetime as dt

from dlms.axdr.data import Data, DataType
from dlms.axdr.datetimes import CosemDateTime
from dlms.axdr.encoding import encode
from dlms.cosem import obis
from dlms.errors import CodecError

_BY_LABEL = {kind.label: kind for kind in DataType}
_SEQUENCES = (DataType.ARRAY, DataType.STRUCTURE)


def parse_value(written: object) -> Data:
    """Read one value. ``ValueError`` says what is wrong with it."""
    if not isinstance(written, dict) or len(written) != 1:
        raise ValueError(f"a value is a table of one entry, type = value, not {written!r}")
    ((label, content),) = written.items()
    if label == "obis":
        return Data(DataType.OCTET_STRING, obis.parse(_text(label, content)))
    if label == "ascii":
        return Data(DataType.OCTET_STRING, _text(label, content).encode("ascii"))
    if label == "date-time":
        return Data(DataType.OCTET_STRING, _moment(content))
    kind = _BY_LABEL.get(label)
    if kind is None:
        raise ValueError(f"{label!r} is no data type")
    if kind is DataType.NULL_DATA:
        return Data(kind, None)
    if kind in _SEQUENCES:
        if not isinstance(content, list):
            raise ValueError(f"{label} needs a list")
        return Data(kind, tuple(parse_value(element) for element in content))
    if kind is DataType.OCTET_STRING:
        return Data(kind, bytes.fromhex(_text(label, content)))
    if isinstance(content, bool) and kind is not DataType.BOOLEAN:
        raise ValueError(f"{label} needs no true or false")
    data = Data(kind, content)
    try:
        encode(data)
    except CodecError as error:
        raise ValueError(str(error)) from None
    return data


def _text(label: str, content: object) -> str:
    if not isinstance(content, str):
        raise ValueError(f"{label} needs a string")
    return content


def _moment(content: object) -> bytes:
    """ISO 8601 text; ``*`` stands for a date-time with nothing specified."""
    if content == "*":
        return CosemDateTime().to_octets()
    moment = dt.datetime.fromisoformat(_text("date-time", content))
    return CosemDateTime.from_datetime(moment).to_octets()
