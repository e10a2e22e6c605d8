"""A certification authority for tests: root, issuing authority, devices and head-end parties.

Keys are made on the spot and kept without a password. It is for a laboratory and issues to anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tls.certificates import (
    Authority,
    certify,
    load_authority,
    make_authority,
    make_crl,
    make_leaf,
    private_key_pem,
)
from tls.credentials import CertificateChain, Credential, Trust, Validity
from tls.files import private_directory, read_private, write_private
from tls.identity import DEFAULT_HARDWARE_TYPE, hardware_module_name

NO_EXPIRY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""99991231235959Z, "no well-defined expiration date" (RFC 5280, 4.1.2.5), as GB devices have."""

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
DOCUMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning (RFC 9336): no TLS can be established with such a certificate."""

_YEAR = timedelta(days=365)
# A clock that runs a little behind ours must not find our certificates "not yet valid".
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPki:
    """A root (path length 1) and one issuing authority below it (path length 0)."""

    __test__: ClassVar[bool] = False  # the name does not make it a test case

    root: Authority
    issuing: Authority
    created: datetime

    @classmethod
    def create(cls, *, now: datetime, name: str = "cosemlab test") -> Self:
        """Make both authorities, valid from just before ``now`` (with time zone) for 20 years."""
        validity = Validity(not_before=now - _CLOCK_SKEW, not_after=now + 20 * _YEAR)
        root = make_authority(f"{name} root CA", validity, path_length=1)
        issuing = make_authority(f"{name} issuing CA", validity, path_length=0, issuer=root)
        return cls(root=root, issuing=issuing, created=now)

    def issue_device(
        self,
        title: bytes,
        common_name: str | None = None,
        *,
        not_before: datetime | None = None,
        not_after: datetime = NO_EXPIRY,
        hardware_type: x509.ObjectIdentifier = DEFAULT_HARDWARE_TYPE,
    ) -> Credential:
        """Issue to a device, a TLS server. Without a name its CN is the title in hexadecimal."""
        return self.issue_leaf(
            common_name or title.hex().upper(),
            names=[hardware_module_name(title, hardware_type)],
            purposes=[SERVER],
            not_before=not_before,
            not_after=not_after,
        )

    def issue_client(
        self,
        title: bytes,
        common_name: str,
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Credential:
        """Issue to a party of the head end, a TLS client."""
        return self.issue_leaf(
            common_name,
            names=[hardware_module_name(title)],
            purposes=[CLIENT],
            not_before=not_before,
            not_after=not_after,
        )

    def issue_listener(self, title: bytes, common_name: str) -> Credential:
        """Issue to a party of the head end for when it is a TLS server, which meters call."""
        return self.issue_leaf(common_name, names=[hardware_module_name(title)], purposes=[SERVER])

    def issue_signer(self, title: bytes, common_name: str) -> Credential:
        """Issue to who signs documents, and is known by an EUI-64."""
        names = [hardware_module_name(title)]
        return self.issue_leaf(common_name, names=names, purposes=[DOCUMENTS])

    def issue_leaf(
        self,
        common_name: str,
        *,
        names: Sequence[x509.GeneralName],
        purposes: Sequence[x509.ObjectIdentifier],
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Credential:
        """Issue to anyone, with any names and purposes: also what a peer has to refuse.

        ``not_before`` is by default just before the PKI was created, ``not_after`` ten years later.
        """
        validity = self._validity(not_before, not_after)
        leaf, key = make_leaf(common_name, validity, self.issuing, names=names, purposes=purposes)
        return Credential(
            chain_pem=leaf.public_bytes(Encoding.PEM) + self.issuing.certificate_pem,
            private_key_pem=private_key_pem(key),
        )

    def certify_client(
        self, title: bytes, common_name: str, public: ec.EllipticCurvePublicKey
    ) -> CertificateChain:
        """As :meth:`issue_client`, for a key that is in a module."""
        return self._certify(title, common_name, public, CLIENT)

    def certify_listener(
        self, title: bytes, common_name: str, public: ec.EllipticCurvePublicKey
    ) -> CertificateChain:
        """As :meth:`issue_listener`, for a key that is in a module."""
        return self._certify(title, common_name, public, SERVER)

    def _certify(
        self,
        title: bytes,
        common_name: str,
        public: ec.EllipticCurvePublicKey,
        purpose: x509.ObjectIdentifier,
    ) -> CertificateChain:
        leaf = certify(
            common_name,
            public,
            self._validity(),
            self.issuing,
            names=[hardware_module_name(title)],
            purposes=[purpose],
        )
        return CertificateChain(
            chain_pem=leaf.public_bytes(Encoding.PEM) + self.issuing.certificate_pem
        )

    def _validity(
        self, not_before: datetime | None = None, not_after: datetime | None = None
    ) -> Validity:
        return Validity(
            not_before=self.created - _CLOCK_SKEW if not_before is None else not_before,
            not_after=self.created + 10 * _YEAR if not_after is None else not_after,
        )

    def issue_crl(
        self,
        revoked: Iterable[Credential] = (),
        *,
        now: datetime | None = None,
        next_update: datetime | None = None,
        number: int = 1,
    ) -> bytes:
        """Return the issuing authority's revocation list as PEM, good for a year by default."""
        this_update = self.created - _CLOCK_SKEW if now is None else now
        return make_crl(
            self.issuing,
            [credential.leaf.serial_number for credential in revoked],
            number=number,
            this_update=this_update,
            next_update=this_update + _YEAR if next_update is None else next_update,
        )

    def trust(self, crl_pem: bytes | None = None) -> Trust:
        """Return what makes a party trust this PKI, with revocation checked if a list is given."""
        return Trust(roots_pem=self.root.certificate_pem, crl_pem=crl_pem)

    def save(self, directory: Path) -> None:
        """Write both authorities as PEM: directory mode 0700, keys 0600, nothing overwritten."""
        private_directory(directory)
        for name, authority in (("root", self.root), ("issuing", self.issuing)):
            write_private(directory / f"{name}.key", authority.key_pem)
            (directory / f"{name}.pem").write_bytes(authority.certificate_pem)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what :meth:`save` wrote; refuses keys that others can read."""
        root, issuing = (
            load_authority(
                (directory / f"{name}.pem").read_bytes(), read_private(directory / f"{name}.key")
            )
            for name in ("root", "issuing")
        )
        created = root.certificate.not_valid_before_utc + _CLOCK_SKEW
        return cls(root=root, issuing=issuing, created=created)
