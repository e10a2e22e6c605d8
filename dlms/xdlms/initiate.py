"""InitiateRequest and InitiateResponse: the xDLMS context (GB Ed. 8, 9.4.6.1, 9.5).

The InitiateRequest may carry a dedicated key. The core never sees its octets: a client composes
the request with a :class:`~dlms.security.keys.KeyRef` in the key's place (:func:`compose`), and a
server has the key lifted out while the APDU is deciphered (:func:`lift_dedicated_key`).
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.hiding import repr_without
from dlms.octets import Reader, encode_length, encode_octet_string
from dlms.security.keys import KEY_LENGTH, KeyRef
from dlms.xdlms.conformance import Conformance, encode_conformance, read_conformance

DLMS_VERSION = 6
VAA_NAME_LN = 0x0007
VAA_NAME_SN = 0xFA00
MIN_PDU_SIZE = 12
"""A client-max-receive-pdu-size of 1 to 11 is too short (GB Ed. 8, 9.4.6.1); 0 is no limit."""

MAX_DEDICATED_KEY = 32
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class InitiateRequest(NamedTuple):
    """``client_max_receive_pdu_size`` is in octets; 0 means no limit."""

    conformance: Conformance
    client_max_receive_pdu_size: int
    dedicated_key: bytes | None = None
    response_allowed: bool = True
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION

    def __repr__(self) -> str:
        return repr_without(self, "dedicated_key")

    def encode(self) -> bytes:
        key = self.dedicated_key
        head = b"\x01\x00" if key is None else b"\x01\x01" + encode_octet_string(key)
        return head + _encode_rest(self)

    @classmethod
    def decode(cls, octets: bytes) -> InitiateRequest:
        reader = Reader(octets)
        _expect(reader, 0x01, "InitiateRequest")
        dedicated_key = None
        if reader.flag("dedicated-key"):
            length = reader.length("dedicated-key")
            if length > MAX_DEDICATED_KEY:
                raise CodecError(
                    f"key of {length} octets", offset=reader.position, field="dedicated-key"
                )
            dedicated_key = reader.take(length, "dedicated-key")
        response_allowed = True
        if reader.flag("response-allowed"):
            response_allowed = reader.u8("response-allowed") != 0
        quality = reader.u8("proposed-quality-of-service") if reader.flag("QoS") else None
        version = reader.u8("proposed-dlms-version-number")
        conformance = read_conformance(reader)
        size = reader.u16("client-max-receive-pdu-size")
        reader.finish("InitiateRequest")
        return _new(cls, (conformance, size, dedicated_key, response_allowed, quality, version))


class InitiateResponse(NamedTuple):
    """``server_max_receive_pdu_size`` is in octets; 0 means no limit."""

    conformance: Conformance
    server_max_receive_pdu_size: int
    vaa_name: int = VAA_NAME_LN
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION

    def encode(self) -> bytes:
        quality = self.quality_of_service
        return (
            (b"\x08\x00" if quality is None else bytes((0x08, 1, quality)))
            + bytes((self.dlms_version,))
            + encode_conformance(self.conformance)
            + self.server_max_receive_pdu_size.to_bytes(2, "big")
            + self.vaa_name.to_bytes(2, "big")
        )

    @classmethod
    def decode(cls, octets: bytes) -> InitiateResponse:
        reader = Reader(octets)
        _expect(reader, 0x08, "InitiateResponse")
        quality = reader.u8("negotiated-quality-of-service") if reader.flag("QoS") else None
        version = reader.u8("negotiated-dlms-version-number")
        conformance = read_conformance(reader)
        size = reader.u16("server-max-receive-pdu-size")
        vaa_name = reader.u16("vaa-name")
        reader.finish("InitiateResponse")
        return _new(cls, (conformance, size, vaa_name, quality, version))


def compose(
    request: InitiateRequest, key: KeyRef | bytes | None, key_length: int = KEY_LENGTH
) -> tuple[bytes | KeyRef, ...]:
    """Encode ``request`` with ``key`` as its dedicated key, which may be a reference.

    The parts, joined with the ``key_length`` octets of the key, are the APDU.
    """
    rest = _encode_rest(request)
    if key is None:
        return (b"\x01\x00" + rest,)
    length = len(key) if isinstance(key, bytes) else key_length
    return (b"\x01\x01" + encode_length(length), key, rest)


def _encode_rest(request: InitiateRequest) -> bytes:
    """What comes behind the dedicated key."""
    quality = request.quality_of_service
    return (
        (b"\x00" if request.response_allowed else b"\x01\x00")
        + (b"\x00" if quality is None else bytes((1, quality)))
        + bytes((request.dlms_version,))
        + encode_conformance(request.conformance)
        + request.client_max_receive_pdu_size.to_bytes(2, "big")
    )


def lift_dedicated_key(plaintext: bytes) -> tuple[bytes | None, bytes]:
    """Take the dedicated key out of an InitiateRequest.

    Returns the key and the same APDU with the key blanked by zeros of its length, or ``None`` and
    the octets unchanged if they carry no key or are no InitiateRequest (the decoder will say what
    they are). Called by a Cryptographic Module, so that the key does not leave it.
    """
    if len(plaintext) < 3 or plaintext[:2] != b"\x01\x01":
        return None, plaintext
    reader = Reader(plaintext, 2)
    try:
        key = reader.octet_string("dedicated-key")
    except CodecError:
        return None, plaintext
    stop = reader.position
    return key, plaintext[: stop - len(key)] + bytes(len(key)) + plaintext[stop:]


def _expect(reader: Reader, tag: int, what: str) -> None:
    found = reader.u8(what)
    if found != tag:
        raise CodecError(f"tag {tag:02X} expected, not {found:02X}", offset=0, field=what)
