"""The DLMS system title inside a certificate.

A party is known by its system title: 8 octets (Green Book Ed. 8, 4.3.4). A certificate carries it
in the subjectAltName as an otherName of type HardwareModuleName (RFC 4108, section 5)::

    HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }

where ``hwSerialNum`` is the system title. ``hwType`` names a kind of hardware; any well-formed
value is accepted, since each manufacturer has its own.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from typing import TypeAlias

from cryptography import x509

SYSTEM_TITLE_LENGTH = 8
HARDWARE_MODULE_NAME = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
DEFAULT_HARDWARE_TYPE = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1")
"""A type under the enterprise number that RFC 5612 sets aside for examples."""

TitleCheck: TypeAlias = Callable[[bytes | None], bool]
"""Whether to go on with a peer that has this system title (``None``: it has no valid one)."""

_TAG_OBJECT_IDENTIFIER = 0x06
_TAG_OCTET_STRING = 0x04
_TAG_SEQUENCE = 0x30


class IdentityError(ValueError):
    """A certificate does not name exactly one system title."""


def any_title(title: bytes | None) -> bool:
    """Accept every peer that has a system title."""
    return title is not None


def exactly(expected: bytes) -> TitleCheck:
    """Accept the one peer whose system title is ``expected`` (8 octets)."""
    _check_title(expected)
    return lambda title: title == expected


def hardware_module_name(
    title: bytes, hardware_type: x509.ObjectIdentifier = DEFAULT_HARDWARE_TYPE
) -> x509.OtherName:
    """Return the general name that carries ``title`` (8 octets)."""
    _check_title(title)
    content = _tlv(_TAG_OBJECT_IDENTIFIER, _oid_content(hardware_type))
    content += _tlv(_TAG_OCTET_STRING, title)
    return x509.OtherName(HARDWARE_MODULE_NAME, _tlv(_TAG_SEQUENCE, content))


def system_title_of(der_certificate: bytes) -> bytes:
    """Return the system title (8 octets) that a DER certificate names.

    Raises :class:`IdentityError` if the certificate cannot be read, or names no title, a malformed
    one, or more than one.
    """
    try:
        with warnings.catch_warnings():
            # A stranger's certificate says nothing here, whatever else is odd about it.
            warnings.simplefilter("ignore", UserWarning)
            certificate = x509.load_der_x509_certificate(der_certificate)
            extensions = certificate.extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise IdentityError("the certificate has no subjectAltName") from error
    except x509.DuplicateExtension as error:
        raise IdentityError("the certificate has an extension twice") from error
    except (
        ValueError,
        TypeError,  # of a name that is a BIT STRING
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise IdentityError(f"the certificate cannot be read: {error}") from error
    found = [
        name.value
        for name in names
        if isinstance(name, x509.OtherName) and name.type_id == HARDWARE_MODULE_NAME
    ]
    if not found:
        raise IdentityError("the subjectAltName has no HardwareModuleName")
    if len(found) > 1:
        raise IdentityError(f"the subjectAltName has {len(found)} HardwareModuleNames")
    return parse_hardware_module_name(found[0])


def peer_system_title(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> bytes:
    """Return the system title of the peer of a finished handshake.

    Raises :class:`IdentityError` as :func:`system_title_of` does, or if the peer sent no
    certificate.
    """
    certificate = ssl_object.getpeercert(binary_form=True)
    if certificate is None:
        raise IdentityError("the peer sent no certificate")
    return system_title_of(certificate)


def _check_title(title: bytes) -> None:
    if len(title) != SYSTEM_TITLE_LENGTH:
        raise IdentityError(f"a system title has 8 octets, not {len(title)}")


def parse_hardware_module_name(der: bytes) -> bytes:
    """Return the system title of a DER HardwareModuleName.

    Raises :class:`IdentityError` for anything but the one form that the Distinguished Encoding
    Rules allow (X.690, 8 and 10), and for a serial number that is not 8 octets long.
    """
    sequence, rest = _take(der, _TAG_SEQUENCE, "HardwareModuleName")
    if rest:
        raise IdentityError("octets left over behind HardwareModuleName")
    hardware_type, rest = _take(sequence, _TAG_OBJECT_IDENTIFIER, "hwType")
    _check_oid_content(hardware_type)
    title, rest = _take(rest, _TAG_OCTET_STRING, "hwSerialNum")
    if rest:
        raise IdentityError("octets left over behind hwSerialNum")
    _check_title(title)
    return title


def _take(octets: bytes, tag: int, field: str) -> tuple[bytes, bytes]:
    """Split one value with this tag off, its length definite and in the shortest form."""
    if len(octets) < 2:
        raise IdentityError(f"{field} is cut short")
    if octets[0] != tag:
        raise IdentityError(f"{field} has tag {octets[0]:02X}, not {tag:02X}")
    length = octets[1]
    if length >= 0x80:
        # Indefinite, not the shortest form, or 128 octets and more: no name of a device.
        raise IdentityError(f"{field} has a length that is not allowed here")
    if len(octets) < 2 + length:
        raise IdentityError(f"{field} is cut short")
    return octets[2 : 2 + length], octets[2 + length :]


def _check_oid_content(content: bytes) -> None:
    """Check X.690, 8.19.2: each subidentifier is complete and has no leading 80."""
    if not content or content[-1] & 0x80:
        raise IdentityError("hwType is not a complete object identifier")
    starts = True
    for octet in content:
        if starts and octet == 0x80:
            raise IdentityError("hwType has a subidentifier with leading zeros")
        starts = not octet & 0x80


def _oid_content(oid: x509.ObjectIdentifier) -> bytes:
    first, second, *others = (int(arc) for arc in oid.dotted_string.split("."))
    return b"".join(_base128(arc) for arc in (first * 40 + second, *others))


def _base128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(0x80 | number & 0x7F)
    return bytes(reversed(octets))


def _tlv(tag: int, content: bytes) -> bytes:
    # Always the short form of the length: cryptography has no object identifier over 63 octets.
    return bytes((tag, len(content))) + content
