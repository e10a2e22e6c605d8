"""Elliptic curves with raw octets in and out, on the ``cryptography`` package.

A private key is its scalar in as many octets as a coordinate has, so that the length tells the
curve; public keys are ``x ‖ y`` and signatures ``R ‖ S`` (GB Ed. 8, 9.2.3.4.4 and 9.2.3.4.5).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dlms.security.ops import Curve, KeyUnavailable, VerificationFailed

_CURVES: dict[Curve, ec.EllipticCurve] = {
    Curve.P256: ec.SECP256R1(),
    Curve.P384: ec.SECP384R1(),
}
_HASHES: dict[Curve, hashes.SHA256 | hashes.SHA384] = {
    Curve.P256: hashes.SHA256(),
    Curve.P384: hashes.SHA384(),
}
_TLS_HASHES = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512(), hashes.SHA224(), hashes.SHA1())
ORDERS = {
    Curve.P256: int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16),
    Curve.P384: int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
}
"""How many points each curve has (NIST SP 800-186, 3.2.1)."""

_UNCOMPRESSED = b"\x04"


def hash_of(curve: Curve) -> hashes.SHA256 | hashes.SHA384:
    """The hash of signatures and key derivation on ``curve``."""
    return _HASHES[curve]


def curve_of(key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> Curve | None:
    """The curve of ``key``; ``None`` if no suite has it."""
    for curve, known in _CURVES.items():
        if key.curve.name == known.name:
            return curve
    return None


def new_scalar(curve: Curve) -> bytes:
    """Draw a private key."""
    value = ec.generate_private_key(_CURVES[curve]).private_numbers().private_value
    return value.to_bytes(curve.value, "big")


def private_key(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    """:class:`KeyUnavailable` if the octets are no private key of either curve."""
    try:
        curve = Curve(len(scalar))
        return ec.derive_private_key(int.from_bytes(scalar, "big"), _CURVES[curve])
    except ValueError:
        raise KeyUnavailable("not a private key of P-256 or P-384") from None


def public_octets(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def public_key(curve: Curve, octets: bytes) -> ec.EllipticCurvePublicKey:
    """:class:`VerificationFailed` unless ``octets`` are a point of ``curve`` (NIST SP 800-56A,
    5.6.2.3.3; the curves have no other subgroup, so that is a full validation)."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], _UNCOMPRESSED + octets)
    except ValueError:
        raise VerificationFailed("public key is not a point of the curve") from None


def sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    curve = curve_of(key)
    assert curve is not None  # private_key() makes no other
    return _raw(curve, key.sign(message, ec.ECDSA(_HASHES[curve])))


def sign_digest(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """Sign what was hashed elsewhere, with any of the hashes of TLS 1.2 (RFC 5246, 7.4.1.4.1).
    ``ValueError`` if it is as long as none of them.
    """
    curve = curve_of(key)
    assert curve is not None
    return _raw(curve, key.sign(digest, ec.ECDSA(Prehashed(tls_hash(digest)))))


def tls_hash(digest: bytes) -> hashes.HashAlgorithm:
    """What made ``digest``, by its length. ``ValueError`` if that is none of TLS 1.2."""
    made = next((one for one in _TLS_HASHES if one.digest_size == len(digest)), None)
    if made is None:
        raise ValueError(f"a digest of {len(digest)} octets is none of TLS 1.2")
    return made


def _raw(curve: Curve, signature: bytes) -> bytes:
    """``R ‖ S`` of a signature in DER."""
    return b"".join(
        number.to_bytes(curve.value, "big") for number in decode_dss_signature(signature)
    )


def verify(curve: Curve, public: bytes, message: bytes, signature: bytes) -> None:
    """:class:`VerificationFailed` if the signature is wrong in any way."""
    key = public_key(curve, public)
    if len(signature) != 2 * curve.value:
        raise VerificationFailed(f"signature of {len(signature)} octets, not {2 * curve.value}")
    r, s = (
        int.from_bytes(half, "big") for half in (signature[: curve.value], signature[curve.value :])
    )
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(_HASHES[curve]))
    except InvalidSignature:
        raise VerificationFailed("signature does not verify") from None


def agree(key: ec.EllipticCurvePrivateKey, public: bytes, other_info: bytes, length: int) -> bytes:
    """ECDH and the single-step key derivation (GB Ed. 8, 9.2.3.4.6.5)."""
    curve = curve_of(key)
    assert curve is not None
    shared = key.exchange(ec.ECDH(), public_key(curve, public))
    return ConcatKDFHash(_HASHES[curve], length, other_info).derive(shared)
