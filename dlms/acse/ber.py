"""The part of BER that ACSE uses: definite lengths, one-octet tags (ISO/IEC 8825-1).

Long-form and non-minimal lengths are accepted, for meters send them; indefinite lengths are not.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlms.errors import CodecError
from dlms.octets import Reader, encode_length

OCTET_STRING = 0x04
INTEGER = 0x02
OBJECT_IDENTIFIER = 0x06

MIN_INTEGER = -(2**31)
MAX_INTEGER = 2**32 - 1


def tlv(tag: int, content: bytes) -> bytes:
    """Encode one element."""
    return bytes((tag,)) + encode_length(len(content)) + content


def wrapped(tag: int, inner: int, content: bytes) -> bytes:
    """Encode an EXPLICIT tag around one universal element."""
    return tlv(tag, tlv(inner, content))


def unwrap(octets: bytes, inner: int, offset: int, field: str) -> bytes:
    """Give the content of the one element with tag ``inner`` that fills ``octets``.

    ``offset`` is where ``octets`` begin in the APDU, for the error.
    """
    try:
        reader = Reader(octets)
        tag = reader.u8(field)
        if tag != inner:
            raise CodecError(f"tag {inner:02X} expected, not {tag:02X}", offset=0, field=field)
        content = reader.octet_string(field)
        reader.finish(field)
    except CodecError as error:
        raise CodecError(error.args[0], offset=offset + (error.offset or 0), field=field) from None
    return content


def elements(octets: bytes, application_tag: int, name: str) -> Iterator[tuple[int, bytes, int]]:
    """Yield ``(tag, content, offset of content)`` of the elements inside an ACSE APDU.

    :class:`CodecError` if the APDU has another tag, octets are missing or left over, or elements
    are repeated or out of order: two readers must not see two different APDUs (X_AARQ_ORDER).
    """
    reader = Reader(octets)
    tag = reader.u8(name)
    if tag != application_tag:
        raise CodecError(f"tag {application_tag:02X} expected, not {tag:02X}", offset=0, field=name)
    length = reader.length(name)
    if length != reader.remaining:
        raise CodecError(
            f"{length} octets announced, {reader.remaining} there",
            offset=reader.position,
            field=name,
        )
    last = -1
    while reader.position < reader.end:
        start = reader.position
        tag = reader.u8(name)
        number = tag & 0x1F
        if tag & 0xC0 != 0x80 or number == 0x1F:
            raise CodecError(f"tag {tag:02X} is not context-specific", offset=start, field=name)
        if number <= last:
            raise CodecError(f"element {tag:02X} is out of order", offset=start, field=name)
        last = number
        content = reader.octet_string(f"{name} element {tag:02X}")
        yield tag, content, reader.position - len(content)


def check_name(oid: bytes, offset: int | None, field: str) -> bytes:
    """Give back the content octets of an OBJECT IDENTIFIER, known or not, if they are one.

    The last octet ends a subidentifier, and no subidentifier starts with 80 (ISO/IEC 8825-1, 8.19).
    """
    if not oid or oid[-1] & 0x80:
        raise CodecError("malformed OBJECT IDENTIFIER", offset=offset, field=field)
    if 0x80 in oid:
        fresh = True
        for octet in oid:
            if fresh and octet == 0x80:
                raise CodecError("malformed OBJECT IDENTIFIER", offset=offset, field=field)
            fresh = octet < 0x80
    return oid


def encode_integer(value: int) -> bytes:
    """Content octets of an INTEGER, in the shortest form."""
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise CodecError(f"{value} is out of range", field="INTEGER")
    bits = value.bit_length() if value >= 0 else (value + 1).bit_length()
    return value.to_bytes(bits // 8 + 1, "big", signed=True)


def decode_integer(content: bytes, offset: int, field: str) -> int:
    """An INTEGER of at most four octets and a sign: nothing in ACSE is larger.

    Negative values are read as such: the invocation identifiers are plain INTEGERs, and a client
    that writes user 255 as one octet must not be refused by the codec for it.
    """
    if not 1 <= len(content) <= 5:
        raise CodecError(f"INTEGER of {len(content)} octets", offset=offset, field=field)
    value = int.from_bytes(content, "big", signed=True)
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise CodecError("INTEGER is out of range", offset=offset, field=field)
    return value


def decode_bits(content: bytes, offset: int, field: str) -> str:
    """Bits of a BIT STRING, first bit first."""
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        raise CodecError("malformed BIT STRING", offset=offset, field=field)
    bits = bin(int.from_bytes(b"\x01" + content[1:], "big"))[3:]
    return bits[: len(bits) - content[0]]


def encode_bits(bits: str) -> bytes:
    """Content octets of a BIT STRING."""
    if bits.strip("01"):
        raise CodecError("bits are written 0 and 1", field="BIT STRING")
    unused = -len(bits) % 8
    value = int((bits + "0" * unused) or "0", 2)
    return bytes((unused,)) + value.to_bytes((len(bits) + unused) // 8, "big")
