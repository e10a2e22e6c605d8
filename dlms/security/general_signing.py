"""The general-signing APDU (GB Ed. 8, 9.2.7.2.5, Figure 85 and 9.5).

``DF ‖ header ‖ content ‖ signature``, each an octet string. The signature is R ‖ S over all fields
before it, values and lengths, without the tag.

A signature says who made a message, and nothing of when: there is no counter in it. Who must know
that a message is new looks at its transaction-id or date-time, or has it ciphered as well.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError, LocalProtocolError
from dlms.octets import Reader, encode_octet_string
from dlms.security.general_context import GeneralContext
from dlms.security.general_header import GeneralHeader, read_header
from dlms.security.ops import Sign, Step, Use, Verify

GENERAL_SIGNING = 0xDF

_SIGNATURE_LENGTHS = (64, 96)


class GeneralSigned(NamedTuple):
    """A general-signing APDU taken apart, nothing verified yet.

    ``head`` are the octets before the content as they were received, its length included;
    ``length_octets`` says how many of them are that length.
    """

    header: GeneralHeader
    content: bytes
    signature: bytes
    head: bytes
    length_octets: int


class Signed(NamedTuple):
    """The content of a general-signing APDU whose signature has verified."""

    apdu: bytes
    header: GeneralHeader


def decode_general_signing(octets: bytes) -> GeneralSigned:
    """Take the APDU apart. :class:`CodecError` if it is cut short or has octets left."""
    reader = Reader(octets)
    tag = reader.u8("general-signing")
    if tag != GENERAL_SIGNING:
        raise CodecError(f"tag {tag:02X} is not general-signing", offset=0, field="general-signing")
    header, _ = read_header(reader)
    before = reader.position
    length = reader.length("content")
    start = reader.position
    content = reader.take(length, "content")
    offset = reader.position
    signature = reader.octet_string("signature")
    if len(signature) not in _SIGNATURE_LENGTHS:
        raise CodecError(f"{len(signature)} octets", offset=offset, field="signature")
    reader.finish("general-signing")
    return GeneralSigned(header, content, signature, octets[1:start], start - before)


def sign_general(
    context: GeneralContext, apdu: bytes, header: GeneralHeader, use: Use
) -> Step[bytes]:
    """Sign ``apdu`` for the recipient in ``header``, which is of ``context.header``.

    :class:`LocalProtocolError` if there is no signing key or the suite has no signatures,
    :class:`CodecError` if a field of the header is too long.
    """
    if context.signing_key is None or context.suite.curve is None:
        raise LocalProtocolError("general-signing needs a signing key and security suite 1 or 2")
    head = header.encode()
    content = encode_octet_string(apdu)
    signed = content if context.practice.content_length_signed else apdu
    signature: bytes = yield Sign(use, context.signing_key, head + signed)
    return bytes((GENERAL_SIGNING,)) + head + content + encode_octet_string(signature)


def open_signed(context: GeneralContext, octets: bytes, use: Use) -> Step[Signed]:
    """Verify a general-signing APDU of the peer.

    :class:`CodecError` for what can be refused by its layout, or if the peer's public key is not
    known; :class:`~dlms.security.ops.VerificationFailed` if the signature is wrong.
    """
    message = decode_general_signing(octets)
    curve, public = context.suite.curve, context.peer_signing_public
    if curve is None:
        raise CodecError("there are no signatures in this suite", field="general-signing")
    if public is None:
        raise CodecError("the originator's signature key is not known", field="general-signing")
    context.check_titles(message.header)
    if len(message.signature) != 2 * curve.value:
        raise CodecError(f"not {2 * curve.value} octets", field="signature")
    if not message.content:
        raise CodecError("nothing inside", field="content")
    head = message.head
    if not context.practice.content_length_signed:
        head = head[: -message.length_octets]
    yield Verify(use, curve, public, head + message.content, message.signature)
    return Signed(message.content, message.header)
