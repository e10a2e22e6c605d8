"""The certification authority of a laboratory fleet: system titles and their public keys certified
(GB Ed. 8, 9.2.6.3, 9.2.6.4).

One root for each curve, whose key is a function of the fleet secret: whoever has that secret can
make the authority again. It issues to anyone, for it is for tests.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificatePurpose, Curve
from dlms.security.suites import SUITES
from emulator.modules import curves
from emulator.modules.key_usage import extension_for
from emulator.modules.keyring import KeyRing
from tls.identity import hardware_module_name

_VALID = (
    dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC),
)
"""From before any meter's time to "no well-defined expiration date" (RFC 5280, 4.1.2.5)."""

_SERIAL_LENGTH = 16
"""Octets of a serial number; at most 20 (RFC 5280, 4.1.2.2)."""


class FleetAuthority:
    """The root for one security suite, 1 or 2: it certifies keys on the curve of that suite.

    The same key for the same title and purpose gets the same serial number, so that it does not
    matter who makes the certificate, the sandbox or a command beside it.
    """

    def __init__(self, fleet_secret: bytes, suite: int) -> None:
        ring = KeyRing(fleet_secret, lambda ref: suite)
        curve = SUITES[suite].curve
        if curve is None:
            raise ValueError(f"suite {suite} has no certificates")
        self.curve: Curve = curve
        self._key = curves.private_key(ring.get(KeyRef(b"", "authority", KeyKind.SIGNING_KEY)))
        self._name = f"cosemlab fleet root, suite {suite}"
        self.certificate = self._issue(
            self._name, self._key.public_key(), CertificatePurpose.AUTHORITY, None
        )
        """The root's own, DER."""

    def private_key_pem(self) -> bytes:
        """Its private key, for whoever has to issue without the fleet secret: PKCS #8, not
        encrypted.
        """
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def issue(self, title: bytes, purpose: CertificatePurpose, public: bytes) -> bytes:
        """A certificate (DER) for the holder of ``title``, whose public key is ``x ‖ y``.

        :class:`~dlms.security.ops.VerificationFailed` if that is no point of the curve.
        """
        key = curves.public_key(self.curve, public)
        return self._issue(title.hex().upper(), key, purpose, title)

    def answer(self, request: bytes, title: bytes, purpose: CertificatePurpose) -> bytes:
        """A certificate (DER) for a PKCS #10 request (DER) of the holder of ``title``.

        ``ValueError`` if it cannot be read, is not signed with its own key, or is for another key
        than one on the curve.
        """
        try:
            wanted = x509.load_der_x509_csr(request)
            key, is_signed = wanted.public_key(), wanted.is_signature_valid
        except (UnsupportedAlgorithm, x509.InvalidVersion) as error:  # which are no ValueError
            raise ValueError(f"the request cannot be read: {error}") from None
        if not is_signed:
            raise ValueError("the request is not signed with its own key")
        if not isinstance(key, ec.EllipticCurvePublicKey) or curves.curve_of(key) != self.curve:
            raise ValueError(f"the request is not for a key on {self.curve.name}")
        return self._issue(title.hex().upper(), key, purpose, title)

    def _issue(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        purpose: CertificatePurpose,
        title: bytes | None,
    ) -> bytes:
        seed = f"{name}\0{purpose.name}\0".encode() + curves.public_octets(key)
        digest = hashlib.sha256(seed).digest()[:_SERIAL_LENGTH]
        builder = x509.CertificateBuilder(
            subject_name=_named(name),
            issuer_name=_named(self._name),
            public_key=key,
            # Neither negative nor with a leading zero, so that any reading of DER finds the same.
            serial_number=int.from_bytes(digest, "big") >> 2 | 1 << 8 * _SERIAL_LENGTH - 2,
            not_valid_before=_VALID[0],
            not_valid_after=_VALID[1],
        )
        authority = purpose is CertificatePurpose.AUTHORITY
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (extension_for(purpose), True),
            (x509.BasicConstraints(ca=authority, path_length=None), True),
            (x509.SubjectKeyIdentifier.from_public_key(key), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
        ]
        if title is not None:
            names = x509.SubjectAlternativeName([hardware_module_name(title)])
            extensions.append((names, False))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        signed = builder.sign(self._key, curves.hash_of(self.curve))
        return signed.public_bytes(Encoding.DER)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
