"""Fields that AARQ and AARE share the form of.

Decoders take ``(content, offset)`` of one element and name the field in their errors. What nearly
every APDU has, the names of COSEM and the authentication functional unit, is looked up whole; any
other form of it is taken apart.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import NamedTuple

from dlms.acse import ber
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.errors import CodecError

_REQUIREMENTS = {True: b"\x07\x80", False: b"\x07\x00"}
"""acse-requirements by its bit 0, authentication: one bit, seven unused."""

_CONTEXTS = {
    context.oid: ber.wrapped(0xA1, ber.OBJECT_IDENTIFIER, context.oid)
    for context in ApplicationContext
}
_CONTEXT_NAMES = {element[2:]: oid for oid, element in _CONTEXTS.items()}
_AUTHENTICATED: dict[tuple[int, bytes | None], bytes] = {
    (tag, mechanism.oid): ber.tlv(tag, _REQUIREMENTS[True]) + ber.tlv(tag + 1, mechanism.oid)
    for tag in (0x8A, 0x88)
    for mechanism in Mechanism
}
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class ValueChoice(IntEnum):
    """How an authentication value is tagged. The mechanisms of COSEM use the first two."""

    CHARSTRING = 0x80
    BITSTRING = 0x81


# To look a member up in its class takes as long as to read the value.
_CHARSTRING, _BITSTRING = ValueChoice


class AuthenticationValue(NamedTuple):
    """``octets`` may be a password: they are kept out of the ``repr``."""

    octets: bytes
    choice: ValueChoice = ValueChoice.CHARSTRING

    def __repr__(self) -> str:
        return f"<{len(self.octets)} octets, {self.choice.name}>"


def encode_context(oid: bytes) -> bytes:
    """application-context-name, the element with its tag."""
    known = _CONTEXTS.get(oid)
    if known is not None:
        return known
    name = ber.check_name("application-context-name", oid, None)
    return ber.wrapped(0xA1, ber.OBJECT_IDENTIFIER, name)


def decode_context(content: bytes, offset: int) -> bytes:
    known = _CONTEXT_NAMES.get(content)
    if known is not None:
        return known
    name = "application-context-name"
    return ber.check_name(name, ber.unwrap(ber.OBJECT_IDENTIFIER, name, content, offset), offset)


def decode_authentication_value(content: bytes, offset: int) -> AuthenticationValue:
    field = "authentication-value"
    choice = content[0] if content else 0
    octets = ber.unwrap(choice, field, content, offset)
    if choice == _CHARSTRING:
        return _new(AuthenticationValue, (octets, _CHARSTRING))
    if choice != _BITSTRING:
        raise CodecError(f"choice {choice:02X} is not supported", offset=offset, field=field)
    if octets[:1] != b"\x00":
        raise CodecError("BIT STRING of whole octets expected", offset=offset, field=field)
    return AuthenticationValue(octets[1:], _BITSTRING)


def decode_requirements(content: bytes, offset: int) -> bool:
    """Whether the authentication functional unit is asked for."""
    if content == _REQUIREMENTS[True]:
        return True
    return ber.decode_bits("acse-requirements", content, offset)[:1] == "1"


def octets(field: str) -> Callable[[bytes, int], bytes]:
    """What reads an OCTET STRING under an EXPLICIT tag."""
    return partial(ber.unwrap, ber.OCTET_STRING, field)


def integer(field: str) -> Callable[[bytes, int], int]:
    """What reads an INTEGER under an EXPLICIT tag."""

    def read(content: bytes, offset: int) -> int:
        return ber.decode_integer(field, ber.unwrap(ber.INTEGER, field, content, offset), offset)

    return read


def plain(content: bytes, offset: int) -> bytes:
    """The octets as they are, under an IMPLICIT tag."""
    return content


def encode_version(bits: str | None) -> bytes:
    """protocol-version, the first element of both APDUs."""
    return b"" if bits is None else ber.tlv(0x80, ber.encode_bits(bits))


def encode_party(
    tag: int,
    ap_title: bytes | None,
    ae_qualifier: bytes | None,
    ap_invocation_id: int | None,
    ae_invocation_id: int | None,
) -> bytes:
    """The four elements that say who a party is; their tags follow each other from ``tag`` on."""
    out = b""
    if ap_title is not None:
        out = ber.wrapped(tag, ber.OCTET_STRING, ap_title)
    if ae_qualifier is not None:
        out += ber.wrapped(tag + 1, ber.OCTET_STRING, ae_qualifier)
    if ap_invocation_id is not None:
        out += ber.wrapped(tag + 2, ber.INTEGER, ber.encode_integer(ap_invocation_id))
    if ae_invocation_id is not None:
        out += ber.wrapped(tag + 3, ber.INTEGER, ber.encode_integer(ae_invocation_id))
    return out


def encode_authentication(
    tag: int,
    requirements: bool | None,
    mechanism_name: bytes | None,
    value: AuthenticationValue | None,
) -> bytes:
    """The three elements of the authentication functional unit, from ``tag`` on."""
    known = _AUTHENTICATED.get((tag, mechanism_name)) if requirements else None
    if known is not None:
        out = known
    else:
        out = b"" if requirements is None else ber.tlv(tag, _REQUIREMENTS[requirements])
        if mechanism_name is not None:
            out += ber.tlv(tag + 1, ber.check_name("mechanism-name", mechanism_name, None))
    if value is not None:
        octets, choice = value
        content = b"\x00" + octets if choice is _BITSTRING else octets
        # Constructed, unlike the two before it: the value is a CHOICE.
        out += ber.wrapped(tag + 2 | 0x20, choice, content)
    return out


def encode_information(implementation: bytes | None, user: bytes | None) -> bytes:
    """implementation-information and user-information, the last elements of both APDUs."""
    out = b"" if implementation is None else ber.tlv(0x9D, implementation)
    if user is not None:
        out += ber.wrapped(0xBE, ber.OCTET_STRING, user)
    return out
