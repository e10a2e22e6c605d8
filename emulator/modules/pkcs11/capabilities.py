"""What a token must be able to do, and what it lacks.

It is asked for its mechanisms, and hashes with a key inside are tried out: a token may have a hash
and yet not digest a sensitive key with it, as SoftHSM with MD5.
"""

from __future__ import annotations

from typing import NamedTuple

from pkcs11 import Mechanism

from dlms.security import ops
from dlms.security.ops import Curve, HashFunction

HASHES = {
    HashFunction.MD5: Mechanism._MD5,
    HashFunction.SHA1: Mechanism.SHA_1,
    HashFunction.SHA256: Mechanism.SHA256,
    HashFunction.SHA384: Mechanism.SHA384,
}

NEEDS: dict[type, tuple[Mechanism, ...]] = {
    ops.Seal: (Mechanism.AES_GCM,),
    ops.Open: (Mechanism.AES_GCM,),
    ops.Mac: (Mechanism.AES_GCM,),
    ops.Wrap: (Mechanism.AES_KEY_WRAP,),
    ops.Unwrap: (Mechanism.AES_KEY_WRAP,),
    ops.GenerateKey: (Mechanism.AES_KEY_GEN,),
    ops.Sign: (Mechanism.ECDSA,),
    ops.CertificateRequest: (Mechanism.ECDSA,),
    ops.GenerateKeyPair: (Mechanism.EC_KEY_PAIR_GEN,),
    ops.Agree: (Mechanism.ECDH1_DERIVE,),
}
"""Beside random octets, which every token has. Others need no mechanism."""

DERIVES = Mechanism.SHA256_HMAC
"""Without it there are no keys of version 0 but those that were imported."""

STORES = Mechanism.AES_KEY_WRAP
"""Without it there are no keys that last but key pairs."""


class Lack(NamedTuple):
    """``operation`` as it is called in :mod:`dlms.security.ops`, or in words."""

    operation: str
    mechanism: str

    def __str__(self) -> str:
        return f"{self.operation} ({self.mechanism})"


def lacks_of(mechanisms: set[Mechanism], digested: set[HashFunction]) -> tuple[Lack, ...]:
    """``mechanisms`` are the token's, ``digested`` the hashes that it makes of a secret key."""
    missing = [
        Lack(operation.__name__, f"CKM_{mechanism.name}")
        for operation, needed in NEEDS.items()
        for mechanism in needed
        if mechanism not in mechanisms
    ]
    if DERIVES not in mechanisms:
        missing.append(Lack("derived keys", f"CKM_{DERIVES.name}"))
    if STORES not in mechanisms:
        missing.append(Lack("keys that last", f"CKM_{STORES.name}"))
    for function, mechanism in HASHES.items():
        if function in digested:
            continue
        name = f"C_DigestKey with CKM_{mechanism.name.lstrip('_')}"
        missing.append(Lack("Digest of a secret", name))
        curve = next((curve for curve in Curve if curve.hash_function is function), None)
        if curve is not None:
            missing.append(Lack(f"Agree on {curve.name}", name))
        if function is FINGERPRINTS:
            missing.append(Lack("Unwrap", name))
    return tuple(missing)


FINGERPRINTS = HashFunction.SHA256
"""By this hash two keys inside the token are compared."""
