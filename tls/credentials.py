"""What a party shows (a certificate chain with its key) and what it trusts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tls.files import private_directory, read_private, write_private
from tls.identity import system_title_of

DIGEST_LENGTH = 32
SIGNATURE_LENGTH = 64

Sign: TypeAlias = Callable[[bytes], bytes]
"""From a digest of 32 octets, made by the caller, to its ECDSA signature on P-256: ``r ‖ s``, 64
octets (FIPS 186-5, 6.4.1). It is called in the middle of a handshake, in the thread of the
handshake, and may wait, but not for an event loop of that thread. What it raises ends the
handshake, and is the ``__cause__`` of the error.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateChain:
    """A leaf certificate and the chain below the root. ``chain_pem`` starts with the leaf (RFC
    5246, 7.4.2).
    """

    chain_pem: bytes

    @property
    def leaf(self) -> x509.Certificate:
        return x509.load_pem_x509_certificates(self.chain_pem)[0]

    @property
    def system_title(self) -> bytes:
        """The system title of the leaf; raises :class:`tls.identity.IdentityError` if none."""
        return system_title_of(self.leaf.public_bytes(Encoding.DER))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCredential(CertificateChain):
    """A chain whose private key is elsewhere, in a Cryptographic Module for example: ``sign`` asks
    whoever has it.
    """

    sign: Sign = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential(CertificateChain):
    """A chain with its private key. ``private_key_pem`` is PKCS #8 without a password; it never
    appears in ``repr``.
    """

    private_key_pem: bytes = field(repr=False)

    def save(self, directory: Path, name: str) -> None:
        """Write ``name.pem`` and ``name.key`` (mode 0600) into a directory of mode 0700."""
        private_directory(directory)
        write_private(directory / f"{name}.key", self.private_key_pem)
        (directory / f"{name}.pem").write_bytes(self.chain_pem)

    @classmethod
    def load(cls, directory: Path, name: str) -> Self:
        """Read what :meth:`save` wrote; refuses a key file that others can read."""
        return cls(
            chain_pem=(directory / f"{name}.pem").read_bytes(),
            private_key_pem=read_private(directory / f"{name}.key"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Root certificates, and a revocation list if revocation is to be checked.

    With a list, every peer's leaf must be covered by it: a list of another issuer, or one past its
    nextUpdate, refuses everybody. Without one, a revoked certificate is accepted.
    """

    roots_pem: bytes
    crl_pem: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """The time, inclusive, in which a certificate is valid. Both ends carry a time zone."""

    not_before: datetime
    not_after: datetime

    def __post_init__(self) -> None:
        if self.not_before.tzinfo is None or self.not_after.tzinfo is None:
            raise ValueError("validity needs times with a time zone")
        if self.not_after < self.not_before:
            raise ValueError(f"validity ends ({self.not_after}) before it begins")
