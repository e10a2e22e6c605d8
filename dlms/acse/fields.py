"""Fields that AARQ and AARE share the form of.

Decoders take ``(content, offset)`` of one element and name the field in their errors.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from dlms.acse import ber
from dlms.errors import CodecError
from dlms.octets import Reader

AUTHENTICATION_UNIT = b"\x07\x80"
"""acse-requirements with bit 0, authentication, set: one bit, seven unused."""


class ValueChoice(IntEnum):
    """How an authentication value is tagged. The mechanisms of COSEM use the first two."""

    CHARSTRING = 0x80
    BITSTRING = 0x81


class AuthenticationValue(NamedTuple):
    """``octets`` may be a password: they are kept out of the ``repr``."""

    octets: bytes
    choice: ValueChoice = ValueChoice.CHARSTRING

    def __repr__(self) -> str:
        return f"<{len(self.octets)} octets, {self.choice.name}>"


def encode_context(oid: bytes) -> bytes:
    """application-context-name, the element with its tag."""
    name = ber.check_name(oid, None, "application-context-name")
    return ber.wrapped(0xA1, ber.OBJECT_IDENTIFIER, name)


def decode_context(content: bytes, offset: int) -> bytes:
    name = "application-context-name"
    return ber.check_name(ber.unwrap(content, ber.OBJECT_IDENTIFIER, offset, name), offset, name)


def encode_authentication_value(value: AuthenticationValue) -> bytes:
    if value.choice is ValueChoice.BITSTRING:
        return ber.tlv(value.choice, b"\x00" + value.octets)
    return ber.tlv(value.choice, value.octets)


def decode_authentication_value(content: bytes, offset: int) -> AuthenticationValue:
    field = "authentication-value"
    reader = Reader(content)
    try:
        tag = reader.u8(field)
        octets = reader.octet_string(field)
        reader.finish(field)
        if tag == ValueChoice.BITSTRING:
            if octets[:1] != b"\x00":
                raise CodecError("BIT STRING of whole octets expected", offset=0, field=field)
            octets = octets[1:]
        elif tag != ValueChoice.CHARSTRING:
            raise CodecError(f"choice {tag:02X} is not supported", offset=0, field=field)
    except CodecError as error:
        raise CodecError(error.args[0], offset=offset + (error.offset or 0), field=field) from None
    return AuthenticationValue(octets, ValueChoice(tag))


def decode_requirements(content: bytes, offset: int) -> bool:
    """Whether the authentication functional unit is asked for."""
    return ber.decode_bits(content, offset, "acse-requirements")[:1] == "1"


def encode_requirements(authentication: bool) -> bytes:
    return AUTHENTICATION_UNIT if authentication else b"\x07\x00"


def octets(content: bytes, offset: int, field: str) -> bytes:
    return ber.unwrap(content, ber.OCTET_STRING, offset, field)


def integer(content: bytes, offset: int, field: str) -> int:
    return ber.decode_integer(ber.unwrap(content, ber.INTEGER, offset, field), offset, field)


def encode_party(
    tag: int,
    ap_title: bytes | None,
    ae_qualifier: bytes | None,
    ap_invocation_id: int | None,
    ae_invocation_id: int | None,
) -> bytes:
    """The four elements that say who a party is; their tags follow each other from ``tag`` on."""
    parts = []
    for number, content in enumerate((ap_title, ae_qualifier), tag):
        if content is not None:
            parts.append(ber.wrapped(number, ber.OCTET_STRING, content))
    for number, value in enumerate((ap_invocation_id, ae_invocation_id), tag + 2):
        if value is not None:
            parts.append(ber.wrapped(number, ber.INTEGER, ber.encode_integer(value)))
    return b"".join(parts)


def encode_authentication(
    tag: int,
    requirements: bool | None,
    mechanism_name: bytes | None,
    value: AuthenticationValue | None,
) -> bytes:
    """The three elements of the authentication functional unit, from ``tag`` on."""
    parts = []
    if requirements is not None:
        parts.append(ber.tlv(tag, encode_requirements(requirements)))
    if mechanism_name is not None:
        name = ber.check_name(mechanism_name, None, "mechanism-name")
        parts.append(ber.tlv(tag + 1, name))
    if value is not None:
        # Constructed, unlike the two before it: the value is a CHOICE.
        parts.append(ber.tlv(tag + 2 | 0x20, encode_authentication_value(value)))
    return b"".join(parts)


def encode_information(implementation: bytes | None, user: bytes | None) -> bytes:
    """implementation-information and user-information, the last elements of both APDUs."""
    parts = []
    if implementation is not None:
        parts.append(ber.tlv(0x9D, implementation))
    if user is not None:
        parts.append(ber.wrapped(0xBE, ber.OCTET_STRING, user))
    return b"".join(parts)
