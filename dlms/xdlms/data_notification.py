"""DataNotification: what a server pushes (GB Ed. 8, 9.3.10 and 9.5).

The confirmation is in the ASN.1 of Ed. 8.3 (``data-notification-confirm [16]``); before it there
was none. There is one of either only in the general ciphered forms.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr import Data, read_data, write_data
from dlms.octets import Reader
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.long_invoke import CONFIRMED, read_long_invoke, write_long_invoke

TAG = 0x0F
CONFIRM_TAG = 0x10


class DataNotification(NamedTuple):
    """``date_time`` is 12 octets or none."""

    long_invoke: int
    body: Data
    date_time: bytes = b""

    @property
    def confirmed(self) -> bool:
        """Whether a :class:`DataNotificationConfirm` is due."""
        return bool(self.long_invoke & CONFIRMED)

    @property
    def needs(self) -> Conformance:
        return Conformance.DATA_NOTIFICATION

    def encode(self) -> bytes:
        out = bytearray((TAG,))
        write_long_invoke(out, self.long_invoke, self.date_time)
        write_data(out, self.body)
        return bytes(out)


class DataNotificationConfirm(NamedTuple):
    """The client has taken the notification with this long invoke id."""

    long_invoke: int
    date_time: bytes = b""

    def encode(self) -> bytes:
        out = bytearray((CONFIRM_TAG,))
        write_long_invoke(out, self.long_invoke, self.date_time)
        return bytes(out)


def decode(octets: bytes) -> DataNotification:
    reader = Reader(octets, 1)
    long_invoke, date_time = read_long_invoke(reader)
    body = read_data(reader)
    reader.finish("data-notification")
    return DataNotification(long_invoke, body, date_time)


def decode_confirm(octets: bytes) -> DataNotificationConfirm:
    reader = Reader(octets, 1)
    long_invoke, date_time = read_long_invoke(reader)
    reader.finish("data-notification-confirm")
    return DataNotificationConfirm(long_invoke, date_time)
