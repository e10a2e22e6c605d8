"""X.509 certificates and certificate requests, as the software module handles them.

Certificates are for one purpose each and lead over authorities to an anchor (GB Ed. 8, 9.2.6.3.2
and 9.2.6.4).
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dlms.security.ops import (
    CertificateFacts,
    CertificatePurpose,
    CheckCertificate,
    VerificationFailed,
)
from emulator.modules import curves
from emulator.modules.certificate_fields import check_critical, check_validity, key_of, load
from emulator.modules.certificate_paths import check_authority, check_path
from emulator.modules.key_usage import USAGES, purpose_of, usages_of
from tls.identity import IdentityError, system_title_of


def make_request(key: ec.EllipticCurvePrivateKey, title: bytes) -> bytes:
    """A PKCS #10 request for ``key``, DER."""
    curve = curves.curve_of(key)
    assert curve is not None  # the module has no other keys
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title.hex().upper())])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, curves.hash_of(curve)).public_bytes(Encoding.DER)


class KeyInCertificate(NamedTuple):
    """Whose key a certificate is about, and what for. ``public`` is ``x ‖ y``."""

    title: bytes
    purpose: CertificatePurpose
    public: bytes


def key_in(der: bytes) -> KeyInCertificate | None:
    """What a certificate says, unchecked; ``None`` if it is not that of a system title.

    ``ValueError`` if it cannot be read.
    """
    try:
        certificate = load(der)
        key, _ = key_of(certificate)
        purpose = purpose_of(certificate)
    except VerificationFailed as error:
        raise ValueError(str(error)) from None
    try:
        return KeyInCertificate(system_title_of(der), purpose, curves.public_octets(key))
    except IdentityError:
        return None


def check(op: CheckCertificate) -> CertificateFacts:
    """See :class:`~dlms.security.ops.CheckCertificate`."""
    certificate = load(op.certificate)
    key, curve = key_of(certificate)
    check_validity(certificate, op.now)
    purpose = purpose_of(certificate) if op.purpose is None else op.purpose
    if purpose is CertificatePurpose.AUTHORITY:
        check_critical(certificate)
        check_authority(certificate)
        title, names = b"", _other_names(certificate)
    else:
        names = _check_extensions(certificate, purpose)
        try:
            title = system_title_of(op.certificate)
        except IdentityError as error:
            raise VerificationFailed(str(error)) from None
    if op.title is not None and title != op.title:
        raise VerificationFailed("the certificate is for another system title")
    check_path(certificate, op)
    return CertificateFacts(
        public=curves.public_octets(key),
        curve=curve,
        title=title,
        serial=_der_integer(certificate.serial_number),
        issuer=certificate.issuer.public_bytes(),
        subject=certificate.subject.public_bytes(),
        subject_alt_name=names,
        purpose=purpose,
    )


def _other_names(certificate: x509.Certificate) -> bytes:
    """The subjectAltName, DER; empty if there is none."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return b""
    return found.value.public_bytes()


def _check_extensions(certificate: x509.Certificate, purpose: CertificatePurpose) -> bytes:
    """The extensions of the certificate of a party; return its subjectAltName, DER."""
    check_critical(certificate)
    if usages_of(certificate) != USAGES[purpose]:
        raise VerificationFailed(f"the key usage is not that of {purpose.name}")
    extensions = certificate.extensions
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            raise VerificationFailed("the certificate is that of an authority")
        if (
            isinstance(value, x509.ExtendedKeyUsage)
            and extension.critical
            and purpose is not CertificatePurpose.TLS
        ):
            raise VerificationFailed("the certificate is for other purposes alone")
    names = _other_names(certificate)
    if not names:
        raise VerificationFailed("the certificate has no subjectAltName")
    return names


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(content))) + content  # RFC 5280, 4.1.2.2: at most 20 octets
