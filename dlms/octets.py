"""Bounded reading of octets: no decoder indexes a buffer by itself.

Every read names the field it is for, so that a truncated buffer yields a :class:`CodecError` with
the position and the field, never an ``IndexError`` or a silently short value.
"""

from __future__ import annotations

from dlms.errors import CodecError


class Reader:
    """A cursor over immutable octets that never reads past ``end``."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    @property
    def remaining(self) -> int:
        return self.end - self.position

    def take(self, count: int, field: str) -> bytes:
        """Return the next ``count`` octets."""
        start = self.position
        stop = start + count
        if stop > self.end:
            raise CodecError(
                f"{count} octets needed, {self.end - start} left", offset=start, field=field
            )
        self.position = stop
        return self.data[start:stop]

    def u8(self, field: str) -> int:
        position = self.position
        if position >= self.end:
            raise CodecError("1 octet needed, none left", offset=position, field=field)
        self.position = position + 1
        return self.data[position]

    def u16(self, field: str) -> int:
        return int.from_bytes(self.take(2, field), "big")

    def u32(self, field: str) -> int:
        return int.from_bytes(self.take(4, field), "big")

    def peek(self, field: str) -> int:
        """Return the next octet without consuming it."""
        if self.position >= self.end:
            raise CodecError("1 octet needed, none left", offset=self.position, field=field)
        return self.data[self.position]

    def flag(self, field: str) -> bool:
        """Read an A-XDR OPTIONAL/DEFAULT presence octet (IEC 61334-6): 00 absent, 01 present."""
        position = self.position  # u8() once more, for every field that may be absent
        if position >= self.end:
            raise CodecError("1 octet needed, none left", offset=position, field=field)
        value = self.data[position]
        if value > 1:
            raise CodecError(
                f"presence flag must be 00 or 01, not {value:02X}", offset=position, field=field
            )
        self.position = position + 1
        return value == 1

    def length(self, field: str) -> int:
        """Read an A-XDR length (IEC 61334-6 6.2; same octets as a BER definite length).

        Up to four octets of length are accepted, minimal or not: meters in the field send
        long-form lengths where the short form would do. The caller bounds the value.
        """
        position = self.position  # u8() once more: this is read for every string and sequence
        if position >= self.end:
            raise CodecError("1 octet needed, none left", offset=position, field=field)
        self.position = position + 1
        first = self.data[position]
        if first < 0x80:
            return first
        count = first & 0x7F
        if not 1 <= count <= 4:
            raise CodecError(
                f"length of length {count} is not in 1..4", offset=self.position - 1, field=field
            )
        return int.from_bytes(self.take(count, field), "big")

    def octet_string(self, field: str) -> bytes:
        """Read a length-prefixed OCTET STRING."""
        position = self.position
        if position < self.end:
            length = self.data[position]
            stop = position + 1 + length
            if length < 0x80 and stop <= self.end:  # as nearly all are
                self.position = stop
                return self.data[position + 1 : stop]
        return self.take(self.length(field), field)

    def finish(self, what: str) -> None:
        """Refuse octets left over behind ``what``."""
        if self.position != self.end:
            raise CodecError(
                f"{self.end - self.position} octets left over",
                offset=self.position,
                field=what,
            )


_SHORT_LENGTHS = tuple(bytes((length,)) for length in range(0x80))


def encode_length(length: int) -> bytes:
    """Encode an A-XDR/BER definite length in its shortest form."""
    if length < 0x80:
        return _SHORT_LENGTHS[length]
    size = (length.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + length.to_bytes(size, "big")


def encode_octet_string(octets: bytes) -> bytes:
    """Encode a length-prefixed OCTET STRING."""
    return encode_length(len(octets)) + octets
