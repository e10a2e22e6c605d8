"""A DCC Private Key for TLS that is born in a module and stays there."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from dlms.security.keys import KeyRef
from dlms.security.ops import Curve, GenerateKeyPair, KeyUnavailable, PublicKey, Use
from emulator.modules.curves import public_key
from emulator.modules.module import CryptoModule


def tls_public_key(module: CryptoModule, key: KeyRef) -> ec.EllipticCurvePublicKey:
    """The public part of ``key``, to be certified; the module makes the pair if there is none."""
    try:
        octets = module.execute(PublicKey(Use.ASSOCIATION, key))
    except KeyUnavailable:
        octets = module.execute(GenerateKeyPair(Use.ASSOCIATION, key, Curve.P256))
    return public_key(Curve.P256, octets)
