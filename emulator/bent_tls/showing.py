"""Certificates and keys in tlslite's form."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from tlslite.utils.keyfactory import parsePEMKey
from tlslite.x509 import X509
from tlslite.x509certchain import X509CertChain


def chain_of(der: tuple[bytes, ...]) -> Any:
    """A chain for a Certificate message: octets as they are, also those that are no certificate."""
    return X509CertChain([_shown(one) for one in der])


def _shown(der: bytes) -> Any:
    certificate = X509()
    try:
        certificate.parseBinary(bytearray(der))
    except Exception:
        # tlslite stumbles over some in many ways; what is shown are the octets alone.
        certificate.bytes = bytearray(der)
        certificate.certAlg = "ecdsa"
    return certificate


def key_of(private_key_pem: bytes) -> Any:
    """From PKCS #8 without a password; tlslite takes keys of elliptic curves in SEC 1 as well."""
    key = load_pem_private_key(private_key_pem, password=None)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return parsePEMKey(text.decode("ascii"), private=True, implementations=["python"])
