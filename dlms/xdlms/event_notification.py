"""EventNotification: a server tells one attribute unasked (GB Ed. 8, 9.3.11 and 9.5)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, encode_descriptor, read_attribute
from dlms.xdlms.long_invoke import DATE_TIME_SIZE

TAG = 0xC2


class EventNotification(NamedTuple):
    """``time`` is a date-time of 12 octets, where it is said. There is no response."""

    attribute: AttributeDescriptor
    value: Data
    time: bytes | None = None

    @property
    def needs(self) -> Conformance:
        return Conformance.EVENT_NOTIFICATION

    def encode(self) -> bytes:
        out = bytearray((TAG,))
        if self.time is None:
            out.append(0)
        else:
            _check_time(len(self.time))
            out.append(1)
            out += encode_octet_string(self.time)
        out += encode_descriptor(self.attribute)
        write_data(out, self.value)
        return bytes(out)


def decode(octets: bytes) -> EventNotification:
    reader = Reader(octets, 1)
    time = None
    if reader.flag("time"):
        start = reader.position
        length = reader.length("time")
        _check_time(length, start)
        time = reader.take(length, "time")
    attribute = read_attribute(reader)
    value = read_data(reader)
    reader.finish("event-notification-request")
    return EventNotification(attribute, value, time)


def _check_time(length: int, offset: int | None = None) -> None:
    if length != DATE_TIME_SIZE:
        raise CodecError(f"{length} octets, 12 needed", offset=offset, field="time")
