"""The part of BER that ACSE uses: definite lengths, one-octet tags (ISO/IEC 8825-1).

Long-form and non-minimal lengths are accepted, for meters send them; indefinite lengths are not.
What reads a content takes ``(content, offset)`` last, ``offset`` being where it begins in the APDU:
a table of elements holds it with the arguments before filled in.
"""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.octets import Reader, encode_length

OCTET_STRING = 0x04
INTEGER = 0x02
OBJECT_IDENTIFIER = 0x06

MIN_INTEGER = -(2**31)
MAX_INTEGER = 2**32 - 1

LONG = 0x80
"""Lengths from here on are not in the short form."""


def tlv(tag: int, content: bytes) -> bytes:
    """Encode one element."""
    length = len(content)
    if length < LONG:
        return bytes((tag, length)) + content
    return bytes((tag,)) + encode_length(length) + content


def wrapped(tag: int, inner: int, content: bytes) -> bytes:
    """Encode an EXPLICIT tag around one universal element."""
    length = len(content)
    if length < LONG - 2:
        return bytes((tag, length + 2, inner, length)) + content
    return tlv(tag, tlv(inner, content))


def unwrap(inner: int, field: str, octets: bytes, offset: int) -> bytes:
    """Give the content of the one element with tag ``inner`` that fills ``octets``."""
    length = len(octets) - 2
    if 0 <= length < LONG and octets[0] == inner and octets[1] == length:
        return octets[2:]
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


def check_name(field: str, oid: bytes, offset: int | None) -> bytes:
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


def decode_integer(field: str, content: bytes, offset: int) -> int:
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


def decode_bits(field: str, content: bytes, offset: int) -> str:
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
