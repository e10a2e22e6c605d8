"""The layout of ciphered APDUs (GB Ed. 8, 9.2.7.2.4, 9.5).

Service-specific: ``tag ‖ length ‖ SC ‖ IC ‖ body``, with one tag per plain tag and key family.
General: ``tag ‖ system title ‖ length ‖ SC ‖ IC ‖ body``, for any APDU.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import NamedTuple

from dlms.errors import CodecError
from dlms.octets import Reader, encode_length, encode_octet_string

GENERAL_GLO = 0xDB
GENERAL_DED = 0xDC
_HEADER = struct.Struct(">BI")  # SC and IC
_SHORT = struct.Struct(">BBBI")  # tag, length in one octet, SC and IC
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class Family(Enum):
    """Which encryption key a ciphered APDU is made with."""

    GLOBAL = "glo"
    DEDICATED = "ded"
    BROADCAST = "broadcast glo"
    """The tags are those of ``GLOBAL``; the Key_Set bit of the security control tells them apart,
    so that a layout alone never says this.
    """
    MESSAGE = "key of a single message"
    """Of general-ciphering alone, which brings it."""

    __hash__ = object.__hash__


class Form(Enum):
    """The dialect: one tag per service, or one of the general forms."""

    SERVICE = "service-specific"
    GENERAL = "general"
    CIPHERING = "general-ciphering"
    """The general form with a header and a choice of keys (:mod:`dlms.security.general_ciphering`);
    the layout of this module has no part in it."""

    __hash__ = object.__hash__


# In Python 3.11 a member costs a tenth of a microsecond where it is named by its class.
_GLOBAL, _DEDICATED = Family.GLOBAL, Family.DEDICATED
_SERVICE, _GENERAL = Form.SERVICE, Form.GENERAL

_GLO = {
    0x01: 0x21,  # initiate-request
    0x05: 0x25,  # read-request
    0x06: 0x26,  # write-request
    0x08: 0x28,  # initiate-response
    0x0C: 0x2C,  # read-response
    0x0D: 0x2D,  # write-response
    0x0E: 0x2E,  # confirmed-service-error
    0x16: 0x36,  # unconfirmed-write-request
    0x18: 0x38,  # information-report-request
    0xC0: 0xC8,  # get-request
    0xC1: 0xC9,  # set-request
    0xC2: 0xCA,  # event-notification-request
    0xC3: 0xCB,  # action-request
    0xC4: 0xCC,  # get-response
    0xC5: 0xCD,  # set-response
    0xC7: 0xCF,  # action-response
}
# There is no sensible use for a dedicated key before the association, so the ded-initiate tags
# of the ASN.1 are left out and refused. The tags of short names count from another base.
_BEFORE_ASSOCIATION = (0x01, 0x08, 0x0E)
_DED = {
    plain: glo + (0x08 if plain >= 0xC0 else 0x20)
    for plain, glo in _GLO.items()
    if plain not in _BEFORE_ASSOCIATION
}

TAGS: dict[int, tuple[Family, int]] = {
    **{glo: (Family.GLOBAL, plain) for plain, glo in _GLO.items()},
    **{ded: (Family.DEDICATED, plain) for plain, ded in _DED.items()},
}
"""Service-specific tag to the key family and the plain tag it must decipher to (R-PROT-3)."""

GENERAL_TAGS = {GENERAL_GLO: Family.GLOBAL, GENERAL_DED: Family.DEDICATED}


class Ciphered(NamedTuple):
    """A ciphered APDU taken apart, nothing verified yet.

    ``plain_tag`` is what a service-specific tag promises; ``title`` is there in the general form
    only and may be empty.
    """

    family: Family
    form: Form
    control: int
    counter: int
    body: bytes
    plain_tag: int | None = None
    title: bytes | None = None


def is_ciphered(tag: int) -> bool:
    return tag in TAGS or tag in GENERAL_TAGS


def decode_ciphered(octets: bytes) -> Ciphered:
    """Take a ciphered APDU apart. :class:`CodecError` if it is cut short or has octets left."""
    size = len(octets)
    if _SHORT.size <= size < 2 + 0x80:
        # Most have this layout: it is read in one go, any other one field by field.
        tag, length, control, counter = _SHORT.unpack_from(octets)
        specific = TAGS.get(tag)
        if specific is not None and length == size - 2:
            family, plain_tag = specific
            body = octets[_SHORT.size :]
            return _new(Ciphered, (family, _SERVICE, control, counter, body, plain_tag, None))
    return _decode_any(octets)


def _decode_any(octets: bytes) -> Ciphered:
    reader = Reader(octets)
    tag = reader.u8("ciphered APDU")
    title = None
    plain_tag = None
    specific = TAGS.get(tag)
    if specific is not None:
        family, plain_tag = specific
        form = _SERVICE
    else:
        general = GENERAL_TAGS.get(tag)
        if general is None:
            raise CodecError(f"tag {tag:02X} is not ciphered", offset=0, field="ciphered APDU")
        family = general
        form = _GENERAL
        title = reader.octet_string("system-title")
        if len(title) not in (0, 8):
            raise CodecError(f"system title of {len(title)} octets", offset=1, field="system-title")
    length = reader.length("ciphered content")
    if length != reader.end - reader.position:
        raise CodecError(
            f"{length} octets announced, {reader.remaining} there",
            offset=reader.position,
            field="ciphered content",
        )
    control, counter = _HEADER.unpack(reader.take(_HEADER.size, "security-header"))
    body = octets[reader.position :]
    return _new(Ciphered, (family, form, control, counter, body, plain_tag, title))


def encode_ciphered(
    plain_tag: int,
    family: Family,
    form: Form,
    control: int,
    counter: int,
    body: bytes,
    title: bytes,
) -> bytes:
    """Put a ciphered APDU together. :class:`CodecError` if ``plain_tag`` has no such form."""
    size = _HEADER.size + len(body)
    if form is _GENERAL:
        tag = GENERAL_DED if family is _DEDICATED else GENERAL_GLO
        head = bytes((tag,)) + encode_octet_string(title)
    else:
        specific = (_DED if family is _DEDICATED else _GLO).get(plain_tag)
        if specific is None:
            raise CodecError(
                f"APDU {plain_tag:02X} has no {family.value}- form", field="ciphered APDU"
            )
        if size < 0x80:
            return _SHORT.pack(specific, size, control, counter) + body
        head = bytes((specific,))
    return head + encode_length(size) + _HEADER.pack(control, counter) + body
