"""AES-GCM and the secrets of low and high level security, with keys in a token.

The security control octet says what is sealed (GB Ed. 8, Table 38): bit 4 authenticates, bit 5
encrypts. Encryption alone is GCM whose tag is thrown away.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Any

from pkcs11 import GCMParams, Mechanism

from dlms.security import ops
from dlms.security.keys import KeyRef
from dlms.security.ops import TAG_LENGTH, VerificationFailed
from dlms.xdlms.initiate import lift_dedicated_key
from emulator.modules.key_kinds import ENCIPHERS, HASHED, PRESENTED, check_kind
from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.errors import BAD_TAG
from emulator.modules.pkcs11.secret_keys import SecretKeys, fingerprint_of

_AUTHENTICATED = 0x10
_ENCRYPTED = 0x20
_TAG_BITS = TAG_LENGTH * 8
_counter_octets = struct.Struct(">I").pack


class Ciphering:
    """Carries these operations out in one session."""

    def __init__(self, connection: Connection, keys: SecretKeys) -> None:
        self._connection = connection
        self._keys = keys

    def seal(self, op: ops.Seal) -> bytes:
        iv = _iv(op)
        key = self._cipher(op.ek)
        payload = op.payload
        if isinstance(payload, tuple):
            # Plaintext is octets, so a key that travels in it is read.
            payload = b"".join(
                self._keys.octets(part) if isinstance(part, KeyRef) else part for part in payload
            )
        if not op.control & _AUTHENTICATED:
            return _encrypt(key, iv, b"", payload)[: len(payload)]
        aad = self._aad(op.control, op.ak) + op.extra
        if op.control & _ENCRYPTED:
            return _encrypt(key, iv, aad, payload)
        return _encrypt(key, iv, aad + payload, b"")

    def open(self, op: ops.Open) -> bytes:
        iv = _iv(op)
        key = self._cipher(op.ek)
        body = op.body
        if not op.control & _AUTHENTICATED:
            # CTR is its own inverse: to encrypt the ciphertext gives the plaintext.
            plaintext = _encrypt(key, iv, b"", body)[: len(body)]
        else:
            aad = self._aad(op.control, op.ak) + op.extra
            split = len(body) - TAG_LENGTH
            if split < 0:
                raise VerificationFailed("no room for an authentication tag")
            if op.control & _ENCRYPTED:
                plaintext = self._decrypt(key, iv, aad, body)
            else:
                plaintext = bytes(body[:split])
                if not hmac.compare_digest(_encrypt(key, iv, aad + plaintext, b""), body[split:]):
                    raise VerificationFailed("authentication tag does not verify")
        if op.lift is not None:
            lifted, plaintext = lift_dedicated_key(plaintext)
            if lifted is not None:
                self._check_apart(lifted, op.ek, op.ak)
                self._keys.keep_octets(op.lift, lifted)
        return plaintext

    def mac(self, op: ops.Mac) -> bytes:
        key = self._cipher(op.ek)
        return _encrypt(key, _iv(op), self._aad(op.control, op.ak) + op.message, b"")

    def present(self, op: ops.Present) -> bytes:
        check_kind(op.secret, PRESENTED)
        return self._keys.octets(op.secret)

    def match(self, op: ops.Match) -> bool:
        check_kind(op.secret, PRESENTED)
        return hmac.compare_digest(self._keys.octets(op.secret), op.presented)

    def digest(self, op: ops.Digest) -> bytes:
        parts: list[Any] = []
        for part in op.parts:
            if isinstance(part, KeyRef):
                check_kind(part, HASHED)
                parts.append(self._keys.get(part))
            elif part:  # nothing is no part to some tokens
                parts.append(bytes(part))
        if any(isinstance(part, KeyRef) for part in op.parts):
            return self._connection.digest(op.function, parts)
        return hashlib.new(op.function.value, b"".join(parts), usedforsecurity=False).digest()

    def _cipher(self, ek: KeyRef) -> Any:
        check_kind(ek, ENCIPHERS)
        return self._keys.get(ek)

    def _aad(self, control: int, ak: KeyRef | None) -> bytes:
        """What the additional data begins with. PKCS#11 takes it as octets: here an Authentication
        Key leaves the token. It is read each time, so that it stays in no cache of ours.
        """
        return control.to_bytes(1, "big") + (b"" if ak is None else self._keys.octets(ak))

    def _decrypt(self, key: Any, iv: bytes, aad: bytes, body: bytes) -> bytes:
        try:
            plaintext: bytes = key.decrypt(
                bytes(body),
                mechanism=Mechanism.AES_GCM,
                mechanism_param=GCMParams(iv, aad, _TAG_BITS),
            )
        except BAD_TAG:
            self._connection.check()  # or the token is lost
            raise VerificationFailed("authentication tag does not verify") from None
        return plaintext

    def _check_apart(self, lifted: bytes, *others: KeyRef | None) -> None:
        found = fingerprint_of(lifted)
        for other in others:
            if other is not None and self._keys.fingerprint(other) == found:
                raise VerificationFailed("dedicated key is a global one")


def _iv(op: ops.Seal | ops.Open | ops.Mac) -> bytes:
    return bytes(op.title) + _counter_octets(op.counter)


def _encrypt(key: Any, iv: bytes, aad: bytes, payload: bytes) -> bytes:
    """Ciphertext ‖ tag."""
    sealed: bytes = key.encrypt(
        bytes(payload),
        mechanism=Mechanism.AES_GCM,
        mechanism_param=GCMParams(iv, aad or None, _TAG_BITS),
    )
    return sealed
