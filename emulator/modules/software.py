"""The software Cryptographic Module, on the ``cryptography`` package.

It is honest about itself: no FIPS 140-2 Level 3, only what the DCC's Information Classification
Scheme may admit (G2.45).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from dlms.security import ops
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import TAG_LENGTH, CryptoOp, KeyUnavailable, VerificationFailed
from dlms.xdlms.initiate import lift_dedicated_key
from emulator.modules import certificates, curves
from emulator.modules.keyring import KeyRing
from emulator.policy import ModuleClass

_AUTHENTICATED = 0x10
_ENCRYPTED = 0x20
_OCTETS = tuple(bytes((value,)) for value in range(0x100))
_MAX_CIPHERS = 8192
"""Prepared ciphers kept at once: about 2 KiB each, so 16 MiB at the most."""
_MAX_PRIVATE_KEYS = 1024
"""Prepared private keys kept at once: to make one takes as long as to sign with it."""
_SIGNS = (KeyKind.SIGNING_KEY, KeyKind.TLS_PRIVATE_KEY)
_AGREES = (KeyKind.AGREEMENT_KEY,)
_PAIRS = (*_SIGNS, *_AGREES)


class SoftwareModule:
    """Carries operations out in this process. Not safe for use from several threads at once."""

    name = "software"
    module_class = ModuleClass.G2_45
    blocks = False

    def __init__(self, keys: KeyRing, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._keys = keys
        self._random = random
        self._ciphers: dict[KeyRef, AESGCM] = {}
        self._private_keys: dict[KeyRef, ec.EllipticCurvePrivateKey] = {}

    def __repr__(self) -> str:
        return f"<SoftwareModule, {self._keys!r}>"

    def execute(self, op: CryptoOp) -> Any:
        return self._HANDLERS[type(op)](self, op)

    # The two operations of every APDU. So their fields are taken apart in one go, where by name each
    # is a look-up of its own, and what usually is prepared is looked for here before it is made.

    def _seal(self, op: ops.Seal) -> bytes:
        _, ek, ak, control, title, counter, payload, extra = op
        if isinstance(payload, tuple):
            payload = b"".join(
                self._keys.get(part) if isinstance(part, KeyRef) else part for part in payload
            )
        cipher = self._ciphers.get(ek) or self._prepare(ek)
        iv = title + counter.to_bytes(4, "big")
        if not control & _AUTHENTICATED:
            return cipher.encrypt(iv, payload, None)[: len(payload)]
        aad = self._aad(control, ak) + extra
        if control & _ENCRYPTED:
            return cipher.encrypt(iv, payload, aad)[: len(payload) + TAG_LENGTH]
        return cipher.encrypt(iv, b"", aad + payload)[:TAG_LENGTH]

    def _open(self, op: ops.Open) -> bytes:
        _, ek, ak, control, title, counter, body, lift, extra = op
        cipher = self._ciphers.get(ek) or self._prepare(ek)
        iv = title + counter.to_bytes(4, "big")
        # CTR is its own inverse: to encrypt the ciphertext gives the plaintext.
        if not control & _AUTHENTICATED:
            plaintext = cipher.encrypt(iv, body, None)[: len(body)]
        else:
            split = len(body) - TAG_LENGTH
            if split < 0:
                raise VerificationFailed("no room for an authentication tag")
            aad = self._aad(control, ak) + extra
            plaintext = body[:split]
            # AESGCM knows no tags of 12 octets. So what was sealed is sealed again and the tags are
            # compared: still a third of the time that setting up a Cipher takes. Nobody sees the
            # plaintext before that.
            if control & _ENCRYPTED:
                plaintext = cipher.encrypt(iv, plaintext, None)[:split]
                tag = cipher.encrypt(iv, plaintext, aad)[split : split + TAG_LENGTH]
            else:
                tag = cipher.encrypt(iv, b"", aad + plaintext)[:TAG_LENGTH]
            if not hmac.compare_digest(tag, body[split:]):
                raise VerificationFailed("authentication tag does not verify")
        if lift is not None:
            key, plaintext = lift_dedicated_key(plaintext)
            if key is not None:
                self._keep(lift, key)
        return plaintext

    def _mac(self, op: ops.Mac) -> bytes:
        iv = op.title + op.counter.to_bytes(4, "big")
        aad = self._aad(op.control, op.ak) + op.message
        cipher = self._ciphers.get(op.ek) or self._prepare(op.ek)
        return cipher.encrypt(iv, b"", aad)[:TAG_LENGTH]

    def _wrap(self, op: ops.Wrap) -> bytes:
        return aes_key_wrap(self._keys.get(op.kek), self._keys.get(op.key))

    def _unwrap(self, op: ops.Unwrap) -> None:
        kek = self._keys.get(op.kek)
        try:
            key = aes_key_unwrap(kek, op.wrapped)
        except (InvalidUnwrap, ValueError):
            raise VerificationFailed("wrapped key does not verify") from None
        self._keep_new(op.into, key, op.unlike)

    def _keep_new(self, into: KeyRef, key: bytes, unlike: tuple[KeyRef, ...]) -> None:
        if not any(key):
            raise VerificationFailed("key of nothing but zeros")
        if any(hmac.compare_digest(key, self._keys.get(other)) for other in unlike):
            raise VerificationFailed("key is in use or was used before")
        self._keep(into, key)

    def _generate(self, op: ops.GenerateKey) -> None:
        self._keep(op.into, self._random(op.length))

    def _discard(self, op: ops.Discard) -> None:
        self._keys.discard(op.key)
        self._ciphers.pop(op.key, None)
        self._private_keys.pop(op.key, None)

    def _present(self, op: ops.Present) -> bytes:
        return self._keys.get(op.secret)

    def _match(self, op: ops.Match) -> bool:
        return hmac.compare_digest(self._keys.get(op.secret), op.presented)

    def _draw(self, op: ops.Random) -> bytes:
        return self._random(op.length)

    def _digest(self, op: ops.Digest) -> bytes:
        # The standard names MD5 and SHA-1, so where a platform bans them for security they are
        # wanted all the same.
        digest = hashlib.new(op.function.value, usedforsecurity=False)
        for part in op.parts:
            if isinstance(part, KeyRef):
                # A hash of chosen octets and a key of another kind could be its tag elsewhere.
                part = self._key_of_kind(part, (KeyKind.HLS_SECRET,))
            digest.update(part)
        return digest.digest()

    def _sign(self, op: ops.Sign) -> bytes:
        return curves.sign(self._private_key(op.key, _SIGNS), op.message)

    def _verify(self, op: ops.Verify) -> None:
        curves.verify(op.curve, op.public, op.message, op.signature)

    def _generate_pair(self, op: ops.GenerateKeyPair) -> bytes:
        _check_kind(op.into, _PAIRS)
        self._keep(op.into, curves.new_scalar(op.curve))
        return self._public(ops.PublicKey(op.use, op.into))

    def _public(self, op: ops.PublicKey) -> bytes:
        return curves.public_octets(self._private_key(op.key, _PAIRS).public_key())

    def _agree(self, op: ops.Agree) -> None:
        private = self._private_key(op.private, _AGREES)
        key = curves.agree(private, op.public, op.other_info, op.length)
        self._keep_new(op.into, key, op.unlike)

    def _request(self, op: ops.CertificateRequest) -> bytes:
        return certificates.make_request(self._private_key(op.key, _PAIRS), op.title)

    def _check(self, op: ops.CheckCertificate) -> ops.CertificateFacts:
        return certificates.check(op)

    def _private_key(self, ref: KeyRef, kinds: tuple[KeyKind, ...]) -> ec.EllipticCurvePrivateKey:
        _check_kind(ref, kinds)
        key = self._private_keys.get(ref)
        if key is None:
            if len(self._private_keys) >= _MAX_PRIVATE_KEYS:
                self._private_keys.clear()
            key = self._private_keys[ref] = curves.private_key(self._keys.get(ref))
        return key

    def _key_of_kind(self, ref: KeyRef, kinds: tuple[KeyKind, ...]) -> bytes:
        _check_kind(ref, kinds)
        return self._keys.get(ref)

    def _keep(self, ref: KeyRef, key: bytes) -> None:
        self._ciphers.pop(ref, None)
        self._private_keys.pop(ref, None)
        self._keys.keep(ref, key)

    def _prepare(self, ref: KeyRef) -> AESGCM:
        if not ref.kind.is_symmetric:
            raise KeyUnavailable(f"{ref} is not a key for this")
        if len(self._ciphers) >= _MAX_CIPHERS:
            self._ciphers.clear()
        cipher = self._ciphers[ref] = AESGCM(self._keys.get(ref))
        return cipher

    def _aad(self, control: int, ak: KeyRef | None) -> bytes:
        octet = _OCTETS[control]
        return octet if ak is None else octet + self._keys.get(ak)

    _HANDLERS: ClassVar[dict[type, Callable[..., Any]]] = {
        ops.Seal: _seal,
        ops.Open: _open,
        ops.Mac: _mac,
        ops.Wrap: _wrap,
        ops.Unwrap: _unwrap,
        ops.GenerateKey: _generate,
        ops.Discard: _discard,
        ops.Present: _present,
        ops.Match: _match,
        ops.Random: _draw,
        ops.Digest: _digest,
        ops.Sign: _sign,
        ops.Verify: _verify,
        ops.GenerateKeyPair: _generate_pair,
        ops.PublicKey: _public,
        ops.Agree: _agree,
        ops.CertificateRequest: _request,
        ops.CheckCertificate: _check,
    }


def _check_kind(ref: KeyRef, kinds: tuple[KeyKind, ...]) -> None:
    """A key pair serves one purpose (R-KEY-9), whatever else its octets could be used for."""
    if ref.kind not in kinds:
        raise KeyUnavailable(f"{ref} is not a key for this")
