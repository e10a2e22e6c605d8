"""The layout of the general-ciphering APDU (GB Ed. 8, 9.2.7.2.4.8, Table 21 and 9.5).

``DD ‖ header ‖ key-info ‖ length ‖ SC ‖ IC ‖ body``. Key-info says which encryption key was used,
or brings what the recipient needs to get it. How the key is got and the APDU opened is in
:mod:`dlms.security.general_protection`.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import NamedTuple, TypeAlias

from dlms.errors import CodecError
from dlms.octets import Reader, encode_length, encode_octet_string
from dlms.security.general_header import GeneralHeader, read_header

GENERAL_CIPHERING = 0xDD

MAX_KEY_DATA = 192
"""Octets of key-ciphered-data: a public key and a signature on P-384 are the longest there is."""

_IDENTIFIED, _WRAPPED, _AGREED = 0, 1, 2
_MASTER_KEY = 0
_HEADER = struct.Struct(">BI")  # SC and IC


class Scheme(Enum):
    """Which key agreement; the value is key-parameters."""

    ONE_PASS = b"\x01"
    """One-Pass Diffie-Hellman, C(1e, 1s): a key pair for this message, and one of the recipient."""
    STATIC = b"\x02"
    """Static Unified Model, C(0e, 2s): the key pairs of both, and the transaction-id as nonce."""

    __hash__ = object.__hash__


class IdentifiedKey(NamedTuple):
    """The global unicast encryption key, or the global broadcast encryption key."""

    broadcast: bool


class WrappedKey(NamedTuple):
    """A random key for this message, wrapped under the master key."""

    wrapped: bytes


class AgreedKey(NamedTuple):
    """A key for this message, agreed. ``data`` is key-ciphered-data: the originator's ephemeral
    public key and its signature on it, or nothing with ``Scheme.STATIC``.
    """

    scheme: Scheme
    data: bytes


KeyInfo: TypeAlias = IdentifiedKey | WrappedKey | AgreedKey


class GeneralCiphered(NamedTuple):
    """A general-ciphering APDU taken apart, nothing verified yet.

    ``header_octets`` is the header as it was received: the additional data to authenticate.
    """

    header: GeneralHeader
    header_octets: bytes
    key_info: KeyInfo | None
    control: int
    counter: int
    body: bytes


def decode_general_ciphering(octets: bytes) -> GeneralCiphered:
    """Take the APDU apart. :class:`CodecError` if it is cut short or has octets left."""
    reader = Reader(octets)
    tag = reader.u8("general-ciphering")
    if tag != GENERAL_CIPHERING:
        raise CodecError(
            f"tag {tag:02X} is not general-ciphering", offset=0, field="general-ciphering"
        )
    header, header_octets = read_header(reader)
    key_info = _read_key_info(reader) if reader.flag("key-info") else None
    length = reader.length("ciphered-content")
    if length != reader.remaining:
        raise CodecError(
            f"{length} octets announced, {reader.remaining} there",
            offset=reader.position,
            field="ciphered-content",
        )
    control, counter = _HEADER.unpack(reader.take(_HEADER.size, "security-header"))
    body = octets[reader.position :]
    return GeneralCiphered(header, header_octets, key_info, control, counter, body)


def encode_general_ciphering(
    header: GeneralHeader, key_info: KeyInfo | None, control: int, counter: int, body: bytes
) -> bytes:
    """Put the APDU together. :class:`CodecError` if a field is too long."""
    return b"".join(
        (
            bytes((GENERAL_CIPHERING,)),
            header.encode(),
            b"\x00" if key_info is None else b"\x01" + _encode_key_info(key_info),
            encode_length(_HEADER.size + len(body)),
            _HEADER.pack(control, counter),
            body,
        )
    )


def _read_key_info(reader: Reader) -> KeyInfo:
    offset = reader.position
    choice = reader.u8("key-info")
    if choice == _IDENTIFIED:
        key_id = reader.u8("key-id")
        if key_id > 1:
            raise CodecError(f"key-id {key_id} is not 0 or 1", offset=offset + 1, field="key-id")
        return IdentifiedKey(key_id == 1)
    if choice == _WRAPPED:
        kek_id = reader.u8("kek-id")
        if kek_id != _MASTER_KEY:
            raise CodecError(f"kek-id {kek_id} is not 0", offset=offset + 1, field="kek-id")
        return WrappedKey(_read_key_data(reader))
    if choice == _AGREED:
        parameters = reader.octet_string("key-parameters")
        try:
            scheme = Scheme(parameters)
        except ValueError:
            raise CodecError(
                "neither 01 nor 02", offset=offset + 1, field="key-parameters"
            ) from None
        return AgreedKey(scheme, _read_key_data(reader))
    raise CodecError(f"choice {choice} is not in 0..2", offset=offset, field="key-info")


def _read_key_data(reader: Reader) -> bytes:
    offset = reader.position
    data = reader.octet_string("key-ciphered-data")
    _check_key_data(data, offset)
    return data


def _check_key_data(data: bytes, offset: int | None) -> None:
    if len(data) > MAX_KEY_DATA:
        raise CodecError(
            f"more than {MAX_KEY_DATA} octets", offset=offset, field="key-ciphered-data"
        )


def _encode_key_info(key_info: KeyInfo) -> bytes:
    match key_info:
        case IdentifiedKey(broadcast):
            return bytes((_IDENTIFIED, int(broadcast)))
        case WrappedKey(data):
            head = bytes((_WRAPPED, _MASTER_KEY))
        case AgreedKey(scheme, data):
            head = bytes((_AGREED,)) + encode_octet_string(scheme.value)
    _check_key_data(data, None)
    return head + encode_octet_string(data)
