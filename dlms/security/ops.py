"""Cryptography as an effect.

A step of the protocol that needs a key is a generator. It yields one of the operations below, which
name keys by reference, and is sent the result. Whoever drives the generator decides which
Cryptographic Module runs the operation; the core neither knows nor sees a key.

A driver that cannot get a result throws a :class:`CryptoFailure` into the step.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

from dlms.errors import DlmsError
from dlms.security.asymmetric import (
    Agree,
    CertificateFacts,
    CertificatePurpose,
    CertificateRequest,
    CheckCertificate,
    Curve,
    Digest,
    GenerateKeyPair,
    HashFunction,
    PublicKey,
    Sign,
    Verify,
)
from dlms.security.keys import KeyRef
from dlms.security.symmetric import (
    IV_TITLE_LENGTH,
    TAG_LENGTH,
    Discard,
    GenerateKey,
    Mac,
    Match,
    Open,
    Present,
    Random,
    Seal,
    Unwrap,
    Wrap,
)
from dlms.security.use import Use

__all__ = [
    "IV_TITLE_LENGTH",
    "TAG_LENGTH",
    "Agree",
    "CertificateFacts",
    "CertificatePurpose",
    "CertificateRequest",
    "CheckCertificate",
    "CryptoFailure",
    "CryptoOp",
    "Curve",
    "Digest",
    "Discard",
    "GenerateKey",
    "GenerateKeyPair",
    "HashFunction",
    "KeyUnavailable",
    "Mac",
    "Match",
    "Open",
    "OperationRefused",
    "Present",
    "PublicKey",
    "Random",
    "Seal",
    "Sign",
    "Step",
    "Unwrap",
    "Use",
    "VerificationFailed",
    "Verify",
    "Wrap",
    "keys_needed",
    "keys_of",
]


class CryptoFailure(DlmsError):
    """An operation gave no result."""


class VerificationFailed(CryptoFailure):
    """A tag, a wrapped key or a secret did not verify."""


class KeyUnavailable(CryptoFailure):
    """The module does not hold the key that was named."""


class OperationRefused(CryptoFailure):
    """The policy does not allow the operation on any module at hand."""


CryptoOp: TypeAlias = (
    Seal
    | Open
    | Mac
    | Wrap
    | Unwrap
    | GenerateKey
    | Discard
    | Present
    | Match
    | Random
    | Digest
    | Sign
    | Verify
    | GenerateKeyPair
    | PublicKey
    | Agree
    | CertificateRequest
    | CheckCertificate
)

T = TypeVar("T")
Step: TypeAlias = Generator[CryptoOp, Any, T]
"""A step of the protocol: yields operations, is sent their results, returns ``T``."""


def keys_needed(op: CryptoOp) -> tuple[KeyRef, ...]:
    """Of the keys that ``op`` touches, those that must be there before it."""
    match op:
        case GenerateKey() | GenerateKeyPair() | Discard():
            return ()
        case Unwrap(kek=needed, unlike=unlike) | Agree(private=needed, unlike=unlike):
            return (needed, *unlike)
        case _:
            return keys_of(op)


def keys_of(op: CryptoOp) -> tuple[KeyRef, ...]:
    """Every key that ``op`` touches, the encryption or wrapping key first."""
    match op:
        case Seal(ek=ek, ak=ak, payload=payload):
            embedded = (
                tuple(part for part in payload if isinstance(part, KeyRef))
                if isinstance(payload, tuple)
                else ()
            )
            return ((ek,) if ak is None else (ek, ak)) + embedded
        case Open(ek=ek, ak=ak) | Mac(ek=ek, ak=ak):
            return (ek,) if ak is None else (ek, ak)
        case Wrap(kek=kek, key=key):
            return (kek, key)
        case Unwrap(kek=kek, into=into, unlike=unlike):
            return (kek, into, *unlike)
        case GenerateKey(into=into) | GenerateKeyPair(into=into):
            return (into,)
        case Discard(key=key) | Sign(key=key) | PublicKey(key=key) | CertificateRequest(key=key):
            return (key,)
        case Agree(private=private, into=into, unlike=unlike):
            return (private, into, *unlike)
        case Digest(parts=parts):
            return tuple(part for part in parts if isinstance(part, KeyRef))
        case Present(secret=secret) | Match(secret=secret):
            return (secret,)
        case Random() | Verify() | CheckCertificate():
            return ()
