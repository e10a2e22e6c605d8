"""Addresses of the data link (IEC 62056-46, 6.4.2.2 to 6.4.2.4; GB Ed. 8, 8.4.2).

The least significant bit of each octet says whether it is the last one. A client's address is one
octet. A server's has one, two or four: the upper part is the logical device, the lower one the
physical device; with one octet there is no lower part.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.octets import Reader

NO_STATION = 0
ALL_STATION = {1: 0x7F, 2: 0x7F, 4: 0x3FFF}
"""By the octets of the address: seven bits for each part, or fourteen."""

CALLING_STATION = {2: 0x7E, 4: 0x3FFE}
"""Lower address of the physical device that has called, whatever its own is."""

_LAST = 1
MAX_OCTETS = 4


class Address(NamedTuple):
    """``octets`` is the length on the line: 1, 2 or 4. ``lower`` is 0 in an address of one."""

    upper: int
    lower: int = 0
    octets: int = 1

    def encode(self) -> bytes:
        """:class:`CodecError` if a part has more bits than there is room for."""
        upper, lower, octets = self
        bits = 14 if octets == 4 else 7
        if octets not in ALL_STATION or upper >> bits or lower >> bits or (octets == 1 and lower):
            raise CodecError(f"{upper}/{lower} is no address of {octets} octets", field="address")
        if octets == 1:
            return bytes((upper << 1 | _LAST,))
        if octets == 2:
            return bytes((upper << 1, lower << 1 | _LAST))
        return bytes(
            (upper >> 6 & 0xFE, upper << 1 & 0xFE, lower >> 6 & 0xFE, lower << 1 & 0xFE | _LAST)
        )

    @property
    def is_all_station(self) -> bool:
        """Whether the logical device, or the physical one, is all there are."""
        everyone = ALL_STATION[self.octets]
        return self.upper == everyone or (self.octets > 1 and self.lower == everyone)

    def __str__(self) -> str:
        return f"{self.upper}" if self.octets == 1 else f"{self.upper}/{self.lower}"


def read_address(reader: Reader) -> Address:
    """Read an address. :class:`CodecError` if it has not 1, 2 or 4 octets."""
    start = reader.position
    parts = [reader.u8("address")]
    while not parts[-1] & _LAST:
        if len(parts) == MAX_OCTETS:
            raise CodecError("more than 4 octets", offset=start, field="address")
        parts.append(reader.u8("address"))
    values = [part >> 1 for part in parts]
    match values:
        case [upper]:
            return Address(upper)
        case [upper, lower]:
            return Address(upper, lower, 2)
        case [upper_high, upper_low, lower_high, lower_low]:
            return Address(upper_high << 7 | upper_low, lower_high << 7 | lower_low, 4)
        case _:
            raise CodecError("three octets", offset=start, field="address")
