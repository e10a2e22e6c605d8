"""X.509 certificates and certificate requests, as the software module handles them.

Certificates are for one purpose each and lead over at most a few authorities to an anchor (GB
Ed. 8, 9.2.6.3.2 and 9.2.6.4). There is no revocation here: a meter has no way to ask, and the books
leave it to the operator to remove a certificate.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from dlms.security.ops import (
    CertificateFacts,
    CertificatePurpose,
    CheckCertificate,
    Curve,
    VerificationFailed,
)
from emulator.modules import curves
from tls.identity import IdentityError, system_title_of

MAX_CERTIFICATE = 4096
"""Octets of one certificate: those of the suites have less than 1000."""

MAX_PATH = 4
"""Authorities above a certificate: the books have two, a root and a sub-authority."""

MAX_AUTHORITIES = 16
"""Anchors and intermediates in one check: what a meter can store, and a bound on the work."""

_USAGES = {
    CertificatePurpose.SIGNATURE: {"digital_signature"},
    CertificatePurpose.KEY_AGREEMENT: {"key_agreement"},
    CertificatePurpose.TLS: {"digital_signature", "key_agreement"},
}
_AUTHORITY_USAGE = "key_cert_sign"
_ALL_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_KNOWN = (
    x509.KeyUsage,
    x509.BasicConstraints,
    x509.SubjectAlternativeName,
    x509.ExtendedKeyUsage,
    x509.CertificatePolicies,
    x509.SubjectKeyIdentifier,
    x509.AuthorityKeyIdentifier,
)
"""Extensions that may be critical. Others are ignored, but refused where they are critical."""

_UNREADABLE = (
    ValueError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    UnsupportedAlgorithm,
    CryptographyDeprecationWarning,
)


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
        certificate = _load(der)
        key, _ = _key_of(certificate)
        purpose = _purpose_of(certificate)
    except VerificationFailed as error:
        raise ValueError(str(error)) from None
    try:
        return KeyInCertificate(system_title_of(der), purpose, curves.public_octets(key))
    except IdentityError:
        return None


def check(op: CheckCertificate) -> CertificateFacts:
    """See :class:`~dlms.security.ops.CheckCertificate`."""
    certificate = _load(op.certificate)
    key, curve = _key_of(certificate)
    _check_validity(certificate, op.now)
    purpose = _purpose_of(certificate) if op.purpose is None else op.purpose
    if purpose is CertificatePurpose.AUTHORITY:
        _check_critical(certificate)
        _check_authority(certificate)
        title, names = b"", _other_names(certificate)
    else:
        names = _check_extensions(certificate, purpose)
        try:
            title = system_title_of(op.certificate)
        except IdentityError as error:
            raise VerificationFailed(str(error)) from None
    if op.title is not None and title != op.title:
        raise VerificationFailed("the certificate is for another system title")
    _check_path(certificate, op)
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


def _load(der: bytes) -> x509.Certificate:
    """Read everything that is looked at later, for ``cryptography`` reads on demand."""
    if len(der) > MAX_CERTIFICATE:
        raise VerificationFailed(f"certificate of more than {MAX_CERTIFICATE} octets")
    try:
        with warnings.catch_warnings():
            # What a later version of the package will refuse, such as a negative serial number.
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(der)
            # The objects are made on demand; now is when to find out that they cannot be.
            _ = (certificate.version, certificate.extensions, certificate.serial_number)
            _ = (certificate.issuer, certificate.subject, certificate.signature_algorithm_oid)
            _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except _UNREADABLE as error:
        raise VerificationFailed(f"the certificate cannot be read: {error}") from None
    if certificate.version is not x509.Version.v3:
        raise VerificationFailed("not an X.509 version 3 certificate")
    return certificate


def _key_of(certificate: x509.Certificate) -> tuple[ec.EllipticCurvePublicKey, Curve]:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise VerificationFailed("the public key cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise VerificationFailed("the public key is not on an elliptic curve")
    curve = curves.curve_of(key)
    if curve is None:
        raise VerificationFailed(f"the public key is on the curve {key.curve.name}")
    return key, curve


def _check_validity(certificate: x509.Certificate, now: dt.datetime) -> None:
    if now.tzinfo is None:
        raise VerificationFailed("validity cannot be judged by a time without a time zone")
    if now < certificate.not_valid_before_utc:
        raise VerificationFailed("the certificate is not valid yet")
    if now > certificate.not_valid_after_utc:
        raise VerificationFailed("the certificate is not valid any more")


def _purpose_of(certificate: x509.Certificate) -> CertificatePurpose:
    """What the key usage says that the key is for."""
    usages = _usages(certificate)
    if _is_authority(certificate):
        return CertificatePurpose.AUTHORITY
    for purpose, needed in _USAGES.items():
        if usages == needed:
            return purpose
    raise VerificationFailed("the key usage is that of no purpose")


def _check_authority(certificate: x509.Certificate) -> int | None:
    """An authority that may issue certificates: how many others may be below it; ``None`` for any
    number.
    """
    if not _is_authority(certificate):
        raise VerificationFailed("the key usage is not that of AUTHORITY")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        raise VerificationFailed("the certificate has no basic constraints") from None
    if not constraints.critical or not constraints.value.ca:
        raise VerificationFailed("the certificate is not that of an authority")
    return constraints.value.path_length


def _is_authority(certificate: x509.Certificate) -> bool:
    return _AUTHORITY_USAGE in _usages(certificate)


def _other_names(certificate: x509.Certificate) -> bytes:
    """The subjectAltName, DER; empty if there is none."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return b""
    return found.value.public_bytes()


def _check_extensions(certificate: x509.Certificate, purpose: CertificatePurpose) -> bytes:
    """The extensions of the certificate of a party; return its subjectAltName, DER."""
    _check_critical(certificate)
    if _usages(certificate) != _USAGES[purpose]:
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


def _check_critical(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN):
            raise VerificationFailed(f"unknown critical extension {extension.oid.dotted_string}")


def _usages(certificate: x509.Certificate) -> set[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        raise VerificationFailed("the certificate has no key usage") from None
    if not extension.critical:
        raise VerificationFailed("the key usage is not critical")
    return {usage for usage in _ALL_USAGES if getattr(extension.value, usage)}


def _check_path(certificate: x509.Certificate, op: CheckCertificate) -> None:
    if len(op.anchors) + len(op.intermediates) > MAX_AUTHORITIES:
        raise VerificationFailed(f"more than {MAX_AUTHORITIES} authorities")
    anchors = [_load(der) for der in op.anchors]
    intermediates = [_load(der) for der in op.intermediates]
    # An authority below another is one step of the paths that will lead over it.
    below = int(_is_authority(certificate) and certificate.subject != certificate.issuer)
    if not _leads_up(certificate, anchors, intermediates, op.now, below):
        raise VerificationFailed("no path to an anchor")


def _leads_up(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate],
    now: dt.datetime,
    below: int,
) -> bool:
    """Whether ``certificate``, with ``below`` authorities below it, was issued by an anchor, or by
    an intermediate that leads up to one.
    """
    if any(_issued(certificate, anchor, now, below) for anchor in anchors):
        return True
    if below + 1 == MAX_PATH:
        return False
    return any(
        _issued(certificate, issuer, now, below)
        and _leads_up(
            issuer, anchors, [one for one in intermediates if one is not issuer], now, below + 1
        )
        for issuer in intermediates
    )


def _issued(
    certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime, below: int
) -> bool:
    """Whether ``issuer`` is an authority that may have issued ``certificate``, and did."""
    if issuer.subject != certificate.issuer:
        return False
    try:
        _check_validity(issuer, now)
        _check_critical(issuer)
        _, curve = _key_of(issuer)
        _, certified = _key_of(certificate)
        room = _check_authority(issuer)
    except VerificationFailed:
        return False
    # A key is not to be vouched for by a weaker one (R-KEY-8).
    if (room is not None and below > room) or curve.value < certified.value:
        return False
    try:
        hash_algorithm = certificate.signature_hash_algorithm
        if hash_algorithm is None or hash_algorithm.name != curve.hash_function.value:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(content))) + content  # RFC 5280, 4.1.2.2: at most 20 octets
