"""Signatures, key agreement and certificate requests, with private keys in a token."""

from __future__ import annotations

import hashlib
from typing import Any

from pkcs11 import KDF, Attribute, KeyType, Mechanism

from dlms.security import ops
from dlms.security.keys import KeyRef
from emulator.modules import certificates, curves
from emulator.modules.key_kinds import AGREES, PAIRS, SIGNS, TLS, check_kind
from emulator.modules.pkcs11 import templates
from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.key_pairs import KeyPairs, Pair
from emulator.modules.pkcs11.request_key import RequestKey
from emulator.modules.pkcs11.secret_keys import SecretKeys, fingerprint_of


class PairWork:
    """Carries these operations out in one session."""

    def __init__(self, connection: Connection, pairs: KeyPairs, keys: SecretKeys) -> None:
        self._connection = connection
        self._pairs = pairs
        self._keys = keys

    def sign(self, op: ops.Sign) -> bytes:
        pair = self._pair(op.key, SIGNS)
        # CKM_ECDSA does not hash, and takes any octets for a digest.
        return _sign(pair, hashlib.new(pair.curve.hash_function.value, op.message).digest())

    def tls_sign(self, key: KeyRef, digest: bytes) -> bytes:
        """See :class:`~emulator.modules.module.TlsSigner`."""
        pair = self._pair(key, TLS)
        curves.tls_hash(digest)
        return _sign(pair, digest)

    def generate(self, op: ops.GenerateKeyPair) -> bytes:
        check_kind(op.into, PAIRS)
        return self._pairs.generate(op.into, op.curve).public

    def public(self, op: ops.PublicKey) -> bytes:
        return self._pair(op.key, PAIRS).public

    def request(self, op: ops.CertificateRequest) -> bytes:
        pair = self._pair(op.key, PAIRS)
        key = RequestKey(curves.public_key(pair.curve, pair.public), lambda d: _sign(pair, d))
        return certificates.make_request(key, op.title)

    def agree(self, op: ops.Agree) -> None:
        """ECDH and the single-step key derivation (GB Ed. 8, 9.2.3.4.6.5). The shared secret stays
        in the token: it is hashed there. What is made of it is the new key, and passes through the
        memory of this process.
        """
        pair = self._pair(op.private, AGREES)
        curves.public_key(pair.curve, op.public)  # or the token would answer as it likes
        shared = pair.private.derive_key(
            KeyType.GENERIC_SECRET,
            pair.curve.value * 8,
            mechanism=Mechanism.ECDH1_DERIVE,
            mechanism_param=(KDF.NULL, None, templates.UNCOMPRESSED + bytes(op.public)),
            template={
                Attribute.TOKEN: False,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
            },
        )
        try:
            octets = self._derived(shared, pair, bytes(op.other_info), op.length)
        finally:
            shared.destroy()
        self._keys.check_new(op.into, fingerprint_of(octets), op.length, op.unlike)
        self._keys.keep_octets(op.into, octets)

    def _derived(self, shared: Any, pair: Pair, other_info: bytes, length: int) -> bytes:
        octets = b""
        counter = 0
        while len(octets) < length:
            counter += 1
            parts = [counter.to_bytes(4, "big"), shared]
            if other_info:
                parts.append(other_info)
            octets += self._connection.digest(pair.curve.hash_function, parts)
        return octets[:length]

    def _pair(self, ref: KeyRef, kinds: tuple[Any, ...]) -> Pair:
        check_kind(ref, kinds)
        return self._pairs.get(ref)


def _sign(pair: Pair, digest: bytes) -> bytes:
    """``R ‖ S``. Of a digest that is longer than the order the leftmost octets count (FIPS 186-5,
    6.4.1), which not every token knows.
    """
    signature: bytes = pair.private.sign(digest[: pair.curve.value], mechanism=Mechanism.ECDSA)
    return signature
