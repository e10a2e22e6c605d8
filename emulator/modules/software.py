"""The software Cryptographic Module, on the ``cryptography`` package.

It is honest about itself: no FIPS 140-2 Level 3, only what the DCC's Information Classification
Scheme may admit (G2.45).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from dlms.security import ops
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import TAG_LENGTH, CryptoOp, VerificationFailed
from dlms.xdlms.initiate import lift_dedicated_key
from emulator.modules import certificates, curves, keyless
from emulator.modules.key_kinds import (
    AES,
    AES_LENGTHS,
    AGREES,
    ENCIPHERS,
    HASHED,
    PAIRS,
    PRESENTED,
    SIGNS,
    TLS,
    WRAPS,
    check_kind,
    check_secret,
)
from emulator.modules.keyring import KeyRing
from emulator.modules.poor_keys import poverty
from emulator.policy import ModuleClass

_AUTHENTICATED = 0x10
_ENCRYPTED = 0x20
_counter_octets = struct.Struct(">I").pack
_MAX_CIPHERS = 8192
"""Prepared ciphers kept at once: about 2 KiB each, so 16 MiB at the most."""
_MAX_PRIVATE_KEYS = 1024
"""Prepared private keys kept at once: to make one takes as long as to sign with it."""

_Encrypt: TypeAlias = Callable[[bytes, bytes, bytes | None], bytes]
_Prepared: TypeAlias = tuple[KeyRef | None, int, tuple[_Encrypt, bytes]]
"""What was last used with an encryption key: the authentication key and the security control octet,
and what comes of them."""


class SoftwareModule:
    """Carries operations out in this process. Not safe for use from several threads at once."""

    module_class = ModuleClass.G2_45
    emulated = False
    gives = True
    blocks = False

    def __init__(
        self,
        keys: KeyRing,
        random: Callable[[int], bytes] = secrets.token_bytes,
        *,
        name: str = "software",
    ) -> None:
        self.name = name
        self._keys = keys
        self._random = random
        self._prepared: dict[KeyRef, _Prepared] = {}
        self._authenticating: set[KeyRef] = set()
        self._private_keys: dict[KeyRef, ec.EllipticCurvePrivateKey] = {}

    def __repr__(self) -> str:
        return f"<SoftwareModule, {self._keys!r}>"

    def holds(self, key: KeyRef) -> bool:
        return self._keys.holds(key)

    def export(self, key: KeyRef) -> bytes:
        return self._keys.get(key)

    def admit(self, key: KeyRef, octets: bytes) -> None:
        self._keep(key, octets)

    def close(self) -> None:
        """It holds nothing open."""

    def execute(self, op: CryptoOp) -> Any:
        return self._HANDLERS[type(op)](self, op)

    def tls_sign(self, key: KeyRef, digest: bytes) -> bytes:
        return curves.sign_digest(self._private_key(key, TLS), digest)

    # These two are in the way of every APDU. So their fields are taken apart in one go: by name
    # each would be a look-up of its own.

    def _seal(self, op: ops.Seal) -> bytes:
        _, ek, ak, control, title, counter, payload, extra = op
        if isinstance(payload, tuple):
            payload = b"".join(
                self._keys.get(part) if isinstance(part, KeyRef) else part for part in payload
            )
        encrypt, aad = self._cipher(ek, ak, control)
        iv = title + _counter_octets(counter)
        if not control & _AUTHENTICATED:
            return encrypt(iv, payload, None)[: len(payload)]
        aad += extra
        if control & _ENCRYPTED:
            return encrypt(iv, payload, aad)[: len(payload) + TAG_LENGTH]
        return encrypt(iv, b"", aad + payload)[:TAG_LENGTH]

    def _open(self, op: ops.Open) -> bytes:
        _, ek, ak, control, title, counter, body, lift, extra = op
        encrypt, aad = self._cipher(ek, ak, control)
        iv = title + _counter_octets(counter)
        # CTR is its own inverse: to encrypt the ciphertext gives the plaintext.
        if not control & _AUTHENTICATED:
            plaintext = encrypt(iv, body, None)[: len(body)]
        else:
            split = len(body) - TAG_LENGTH
            if split < 0:
                raise VerificationFailed("no room for an authentication tag")
            aad += extra
            plaintext = body[:split]
            # AESGCM knows no tags of 12 octets. So what was sealed is sealed again and the tags are
            # compared: still a third of the time that setting up a Cipher takes. Nobody sees the
            # plaintext before that.
            if control & _ENCRYPTED:
                plaintext = encrypt(iv, plaintext, None)[:split]
                tag = encrypt(iv, plaintext, aad)[split : split + TAG_LENGTH]
            else:
                tag = encrypt(iv, b"", aad + plaintext)[:TAG_LENGTH]
            if not hmac.compare_digest(tag, body[split:]):
                raise VerificationFailed("authentication tag does not verify")
        if lift is not None:
            key, plaintext = lift_dedicated_key(plaintext)
            if key is not None:
                self._check_apart(key, ek, ak)
                self._keep(lift, key)
        return plaintext

    def _check_apart(self, key: bytes, *others: KeyRef | None) -> None:
        for other in others:
            if other is not None and hmac.compare_digest(key, self._keys.get(other)):
                raise VerificationFailed("dedicated key is a global one")

    def _mac(self, op: ops.Mac) -> bytes:
        encrypt, aad = self._cipher(op.ek, op.ak, op.control)
        iv = op.title + _counter_octets(op.counter)
        return encrypt(iv, b"", aad + op.message)[:TAG_LENGTH]

    def _wrap(self, op: ops.Wrap) -> bytes:
        check_secret(op.key)
        return aes_key_wrap(self._key_of_kind(op.kek, WRAPS), self._keys.get(op.key))

    def _unwrap(self, op: ops.Unwrap) -> None:
        check_secret(op.into)
        kek = self._key_of_kind(op.kek, WRAPS)
        try:
            key = aes_key_unwrap(kek, op.wrapped)
        except (InvalidUnwrap, ValueError):
            raise VerificationFailed("wrapped key does not verify") from None
        if op.into.kind in AES and len(key) not in AES_LENGTHS:
            raise VerificationFailed("wrapped key does not verify: no length of a key")
        self._keep_new(op.into, key, op.unlike)

    def _keep_new(self, into: KeyRef, key: bytes, unlike: tuple[KeyRef, ...]) -> None:
        poor = poverty(key, into.holder)
        if poor:
            raise VerificationFailed(poor)
        if any(hmac.compare_digest(key, self._keys.get(other)) for other in unlike):
            raise VerificationFailed("key is in use or was used before")
        self._keep(into, key)

    def _generate(self, op: ops.GenerateKey) -> None:
        check_secret(op.into)
        self._keep(op.into, self._random(op.length))

    def _discard(self, op: ops.Discard) -> None:
        self._forget(op.key)
        self._keys.discard(op.key)

    def _present(self, op: ops.Present) -> bytes:
        return self._key_of_kind(op.secret, PRESENTED)

    def _match(self, op: ops.Match) -> bool:
        return hmac.compare_digest(self._key_of_kind(op.secret, PRESENTED), op.presented)

    def _draw(self, op: ops.Random) -> bytes:
        return self._random(op.length)

    def _digest(self, op: ops.Digest) -> bytes:
        # The standard names MD5 and SHA-1, so where a platform bans them for security they are
        # wanted all the same.
        digest = hashlib.new(op.function.value, usedforsecurity=False)
        for part in op.parts:
            if isinstance(part, KeyRef):
                # A hash of chosen octets and a key of another kind could be its tag elsewhere.
                part = self._key_of_kind(part, HASHED)
            digest.update(part)
        return digest.digest()

    def _sign(self, op: ops.Sign) -> bytes:
        return curves.sign(self._private_key(op.key, SIGNS), op.message)

    def _generate_pair(self, op: ops.GenerateKeyPair) -> bytes:
        check_kind(op.into, PAIRS)
        self._keep(op.into, curves.new_scalar(op.curve))
        return self._public(ops.PublicKey(op.use, op.into))

    def _public(self, op: ops.PublicKey) -> bytes:
        return curves.public_octets(self._private_key(op.key, PAIRS).public_key())

    def _agree(self, op: ops.Agree) -> None:
        private = self._private_key(op.private, AGREES)
        key = curves.agree(private, op.public, op.other_info, op.length)
        self._keep_new(op.into, key, op.unlike)

    def _request(self, op: ops.CertificateRequest) -> bytes:
        return certificates.make_request(self._private_key(op.key, PAIRS), op.title)

    def _private_key(self, ref: KeyRef, kinds: tuple[KeyKind, ...]) -> ec.EllipticCurvePrivateKey:
        check_kind(ref, kinds)
        key = self._private_keys.get(ref)
        if key is None:
            if len(self._private_keys) >= _MAX_PRIVATE_KEYS:
                self._private_keys.clear()
            key = self._private_keys[ref] = curves.private_key(self._keys.get(ref))
        return key

    def _key_of_kind(self, ref: KeyRef, kinds: tuple[KeyKind, ...]) -> bytes:
        check_kind(ref, kinds)
        return self._keys.get(ref)

    def _keep(self, ref: KeyRef, key: bytes) -> None:
        self._forget(ref)
        self._keys.keep(ref, key)

    def _forget(self, ref: KeyRef) -> None:
        """Drop all that was made of a key."""
        self._private_keys.pop(ref, None)
        self._prepared.pop(ref, None)
        if ref in self._authenticating:  # with which keys is not known, and it happens rarely
            self._prepared.clear()
            self._authenticating.clear()

    def _cipher(self, ek: KeyRef, ak: KeyRef | None, control: int) -> tuple[_Encrypt, bytes]:
        """AES-GCM under ``ek``, and the additional data that every message begins with there."""
        prepared = self._prepared.get(ek)
        # The references are those of an association, which has the same ones all its life.
        if prepared is None or prepared[0] is not ak or prepared[1] != control:
            prepared = self._prepare(ek, ak, control)
        return prepared[2]

    def _prepare(self, ek: KeyRef, ak: KeyRef | None, control: int) -> _Prepared:
        check_kind(ek, ENCIPHERS)
        before = self._prepared.get(ek)
        encrypt = AESGCM(self._keys.get(ek)).encrypt if before is None else before[2][0]
        aad = control.to_bytes(1, "big")
        if max(len(self._prepared), len(self._authenticating)) >= _MAX_CIPHERS:
            self._prepared.clear()
            self._authenticating.clear()
        if ak is not None:
            aad += self._keys.get(ak)
            self._authenticating.add(ak)
        prepared = self._prepared[ek] = ak, control, (encrypt, aad)
        return prepared

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
        ops.Verify: lambda self, op: keyless.verify(op),
        ops.GenerateKeyPair: _generate_pair,
        ops.PublicKey: _public,
        ops.Agree: _agree,
        ops.CertificateRequest: _request,
        ops.CheckCertificate: lambda self, op: keyless.check_certificate(op),
    }
