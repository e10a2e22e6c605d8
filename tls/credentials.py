"""What a party shows (a certificate chain with its key) and what it trusts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tls.files import private_directory, read_private, write_private
from tls.identity import system_title_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A leaf certificate, the chain below the root, and the private key.

    ``chain_pem`` starts with the leaf (RFC 5246, 7.4.2). ``private_key_pem`` is PKCS #8 without a
    password; it never appears in ``repr``.
    """

    chain_pem: bytes
    private_key_pem: bytes = field(repr=False)

    @property
    def leaf(self) -> x509.Certificate:
        return x509.load_pem_x509_certificates(self.chain_pem)[0]

    @property
    def system_title(self) -> bytes:
        """The system title of the leaf; raises :class:`tls.identity.IdentityError` if none."""
        return system_title_of(self.leaf.public_bytes(Encoding.DER))

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
