"""The firmware image that meters of the laboratory take.

The manufacturers' formats are not public. This one is ours, *assumed*, with what any such format
has: whom it is for, what it is, and a proof of whose it is (docs/firmware.md)::

    "CLFI" ‖ format 1 ‖ seal 1 or 2 ‖ FLAG ID (3) ‖ model ‖ hardware version ‖ firmware version
        ‖ length of body (4) ‖ body ‖ SHA-256 of all before (32) ‖ seal of all before

Texts are ASCII behind one octet of length, numbers big-endian. Seal 1 is an ECDSA signature on
P-256 by the manufacturer, ``R ‖ S``. Seal 2 is a GMAC tag under a key of the manufacturer's, for
meters that have symmetric keys only; its initialization vector is the beginning of the hash, so
that different images have different ones.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import IntEnum
from typing import NamedTuple

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    IV_TITLE_LENGTH,
    TAG_LENGTH,
    CryptoFailure,
    Curve,
    Mac,
    PublicKey,
    Sign,
    Step,
    Use,
    Verify,
)

MAGIC = b"CLFI"
FORMAT = 1
FLAG_LENGTH = 3
MAX_TEXT = 32
"""Octets of model and versions: more fits on no nameplate."""

SCOPE = "image maker"
"""Security scope of a manufacturer's keys."""

_HASH_LENGTH = 32
_LENGTH_OCTETS = 4
_SECURITY_CONTROL = 0x10


class Seal(IntEnum):
    """How an image proves whose it is."""

    SIGNATURE = 1
    GMAC = 2


_SEAL_LENGTH = {Seal.SIGNATURE: 2 * Curve.P256.value, Seal.GMAC: TAG_LENGTH}


class ImageFormatError(ValueError):
    """Octets that are no image, or not the whole of it."""


class Target(NamedTuple):
    """What an image is for: any meter of this FLAG ID, model and hardware version."""

    flag_id: str
    model: str
    hardware: str


class Image(NamedTuple):
    """An image taken apart; ``seal`` is still to be verified. ``sealed`` is all before it."""

    target: Target
    version: str
    body: bytes
    kind: Seal
    digest: bytes
    sealed: bytes
    seal: bytes


def maker_key(flag_id: str, kind: Seal) -> KeyRef:
    """The manufacturer's private key for signatures, or its symmetric one."""
    holder = flag_id.encode("ascii").ljust(IV_TITLE_LENGTH, b"\0")
    return KeyRef(holder, SCOPE, KeyKind.SIGNING_KEY if kind is Seal.SIGNATURE else KeyKind.GAK)


def make_image(target: Target, version: str, body: bytes, kind: Seal) -> Step[bytes]:
    """The octets of an image. ``ValueError`` if a text cannot be in it."""
    if len(target.flag_id) != FLAG_LENGTH or not target.flag_id.isascii():
        raise ValueError(f"{target.flag_id!r} is no FLAG ID")
    texts = b"".join(_text(text) for text in (target.model, target.hardware, version))
    head = MAGIC + bytes((FORMAT, kind)) + target.flag_id.encode("ascii") + texts
    before = head + len(body).to_bytes(_LENGTH_OCTETS, "big") + body
    found = _hash(before)
    sealed = before + found
    key = maker_key(target.flag_id, kind)
    seal: bytes
    if kind is Seal.SIGNATURE:
        seal = yield Sign(Use.FIRMWARE, key, sealed)
    else:
        seal = yield _mac(key, found, sealed)
    return sealed + seal


def read_image(octets: bytes) -> Image:
    """Take an image apart. :class:`ImageFormatError` if it cannot be one; whether its hash is
    right and whose it is, is another question.
    """
    reader = _Reader(octets)
    if reader.take(len(MAGIC)) != MAGIC or reader.number(1) != FORMAT:
        raise ImageFormatError("no image of this format")
    try:
        kind = Seal(reader.number(1))
    except ValueError:
        raise ImageFormatError("no such seal") from None
    flag_id = reader.ascii(FLAG_LENGTH)
    model, hardware, version = reader.text(), reader.text(), reader.text()
    body = reader.take(reader.number(_LENGTH_OCTETS))
    found = reader.take(_HASH_LENGTH)
    sealed = octets[: reader.position]
    seal = reader.take(_SEAL_LENGTH[kind])
    if reader.position != len(octets):
        raise ImageFormatError("something follows the seal")
    return Image(Target(flag_id, model, hardware), version, body, kind, found, sealed, seal)


def is_whole(image: Image) -> bool:
    """Whether the hash is that of the image."""
    return hmac.compare_digest(_hash(image.sealed[:-_HASH_LENGTH]), image.digest)


def is_sealed(image: Image) -> Step[bool]:
    """Whether the seal is the manufacturer's: that of the FLAG ID which the image names."""
    key = maker_key(image.target.flag_id, image.kind)
    try:
        if image.kind is Seal.SIGNATURE:
            public: bytes = yield PublicKey(Use.FIRMWARE, key)
            yield Verify(Use.FIRMWARE, Curve.P256, public, image.sealed, image.seal)
            return True
        tag: bytes = yield _mac(key, image.digest, image.sealed)
    except CryptoFailure:
        return False
    return hmac.compare_digest(tag, image.seal)


def _mac(key: KeyRef, found: bytes, sealed: bytes) -> Mac:
    title, counter = found[:IV_TITLE_LENGTH], found[IV_TITLE_LENGTH : IV_TITLE_LENGTH + 4]
    number = int.from_bytes(counter, "big")
    return Mac(Use.FIRMWARE, key, None, _SECURITY_CONTROL, title, number, sealed)


def _hash(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def _text(text: str) -> bytes:
    if not 0 < len(text) <= MAX_TEXT or not (text.isascii() and text.isprintable()):
        raise ValueError(f"{text!r} is not 1 to {MAX_TEXT} printable ASCII characters")
    return bytes((len(text),)) + text.encode("ascii")


class _Reader:
    """Takes octets off the front."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.position = 0

    def take(self, count: int) -> bytes:
        taken = self._octets[self.position : self.position + count]
        if len(taken) < count:
            raise ImageFormatError("it ends too soon")
        self.position += count
        return taken

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def ascii(self, count: int) -> str:
        octets = self.take(count)
        if not octets.isascii() or not octets.decode("ascii").isprintable():
            raise ImageFormatError("no text where one should be")
        return octets.decode("ascii")

    def text(self) -> str:
        length = self.number(1)
        if not 0 < length <= MAX_TEXT:
            raise ImageFormatError("no text where one should be")
        return self.ascii(length)
