"""The software Cryptographic Module, on the ``cryptography`` package.

It is honest about itself: no FIPS 140-2 Level 3, only what the DCC's Information Classification
Scheme may admit (G2.45).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from dlms.security import ops
from dlms.security.keys import KeyRef
from dlms.security.ops import TAG_LENGTH, CryptoOp, VerificationFailed
from dlms.xdlms.initiate import lift_dedicated_key
from emulator.modules.keyring import KeyRing
from emulator.policy import ModuleClass

_AUTHENTICATED = 0x10
_ENCRYPTED = 0x20
_MAX_CIPHERS = 8192
"""Prepared ciphers kept at once: about 2 KiB each, so 16 MiB at the most."""


class SoftwareModule:
    """Carries operations out in this process. Not safe for use from several threads at once."""

    name = "software"
    module_class = ModuleClass.G2_45
    blocks = False

    def __init__(self, keys: KeyRing, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._keys = keys
        self._random = random
        self._ciphers: dict[KeyRef, AESGCM] = {}

    def __repr__(self) -> str:
        return f"<SoftwareModule, {self._keys!r}>"

    def execute(self, op: CryptoOp) -> Any:
        return self._HANDLERS[type(op)](self, op)

    def _seal(self, op: ops.Seal) -> bytes:
        payload = op.payload
        if isinstance(payload, tuple):
            payload = b"".join(
                self._keys.get(part) if isinstance(part, KeyRef) else part for part in payload
            )
        return self._protect(op, payload)

    def _protect(self, op: ops.Seal | ops.Open, payload: bytes) -> bytes:
        """Ciphertext and tag for ``payload`` as the security control octet of ``op`` says."""
        iv = op.title + op.counter.to_bytes(4, "big")
        cipher = self._cipher(op.ek)
        if not op.control & _AUTHENTICATED:
            return cipher.encrypt(iv, payload, None)[: len(payload)]
        aad = self._aad(op.control, op.ak)
        if op.control & _ENCRYPTED:
            return cipher.encrypt(iv, payload, aad)[: len(payload) + TAG_LENGTH]
        return cipher.encrypt(iv, b"", aad + payload)[:TAG_LENGTH]

    def _open(self, op: ops.Open) -> bytes:
        plaintext = self._verified(op)
        if op.lift is not None:
            key, plaintext = lift_dedicated_key(plaintext)
            if key is not None:
                self._keep(op.lift, key)
        return plaintext

    def _verified(self, op: ops.Open) -> bytes:
        body = op.body
        if not op.control & _AUTHENTICATED:
            # CTR is its own inverse: sealing the ciphertext again gives the plaintext.
            return self._protect(op, body)
        split = len(body) - TAG_LENGTH
        if split < 0:
            raise VerificationFailed("no room for an authentication tag")
        tag = body[split:]
        if not op.control & _ENCRYPTED:
            payload = body[:split]
            if not hmac.compare_digest(self._protect(op, payload), tag):
                raise VerificationFailed("authentication tag does not verify")
            return payload
        # AESGCM knows no tags of 12 octets. So get the plaintext (CTR is its own inverse), seal it
        # again and compare the tags: still a third of the time that setting up a Cipher takes.
        # Nobody sees the plaintext before that.
        iv = op.title + op.counter.to_bytes(4, "big")
        cipher = self._cipher(op.ek)
        plaintext = cipher.encrypt(iv, body[:split], None)[:split]
        sealed = cipher.encrypt(iv, plaintext, self._aad(op.control, op.ak))
        if not hmac.compare_digest(sealed[split : split + TAG_LENGTH], tag):
            raise VerificationFailed("authentication tag does not verify")
        return plaintext

    def _mac(self, op: ops.Mac) -> bytes:
        iv = op.title + op.counter.to_bytes(4, "big")
        aad = self._aad(op.control, op.ak) + op.message
        return self._cipher(op.ek).encrypt(iv, b"", aad)[:TAG_LENGTH]

    def _wrap(self, op: ops.Wrap) -> bytes:
        return aes_key_wrap(self._keys.get(op.kek), self._keys.get(op.key))

    def _unwrap(self, op: ops.Unwrap) -> None:
        kek = self._keys.get(op.kek)
        try:
            key = aes_key_unwrap(kek, op.wrapped)
        except (InvalidUnwrap, ValueError):
            raise VerificationFailed("wrapped key does not verify") from None
        if not any(key):
            raise VerificationFailed("key of nothing but zeros")
        if any(hmac.compare_digest(key, self._keys.get(other)) for other in op.unlike):
            raise VerificationFailed("key is in use or was used before")
        self._keep(op.into, key)

    def _generate(self, op: ops.GenerateKey) -> None:
        self._keep(op.into, self._random(op.length))

    def _discard(self, op: ops.Discard) -> None:
        self._keys.discard(op.key)
        self._ciphers.pop(op.key, None)

    def _present(self, op: ops.Present) -> bytes:
        return self._keys.get(op.secret)

    def _match(self, op: ops.Match) -> bool:
        return hmac.compare_digest(self._keys.get(op.secret), op.presented)

    def _draw(self, op: ops.Random) -> bytes:
        return self._random(op.length)

    def _keep(self, ref: KeyRef, key: bytes) -> None:
        self._ciphers.pop(ref, None)
        self._keys.keep(ref, key)

    def _cipher(self, ref: KeyRef) -> AESGCM:
        cipher = self._ciphers.get(ref)
        if cipher is None:
            if len(self._ciphers) >= _MAX_CIPHERS:
                self._ciphers.clear()
            cipher = self._ciphers[ref] = AESGCM(self._keys.get(ref))
        return cipher

    def _aad(self, control: int, ak: KeyRef | None) -> bytes:
        octet = control.to_bytes(1, "big")
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
    }
