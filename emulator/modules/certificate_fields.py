"""What is read in every X.509 certificate, and judged by itself: key, validity, extensions.

:class:`~dlms.security.ops.VerificationFailed` says what is wrong.
"""

from __future__ import annotations

import datetime as dt
import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning

from dlms.security.ops import Curve, VerificationFailed
from emulator.modules import curves

MAX_CERTIFICATE = 4096
"""Octets of one certificate: those of the suites have less than 1000."""

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
    TypeError,  # of a name that is a BIT STRING
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
    CryptographyDeprecationWarning,
)


def load(der: bytes) -> x509.Certificate:
    """Read everything that is looked at later, for ``cryptography`` reads on demand."""
    if len(der) > MAX_CERTIFICATE:
        raise VerificationFailed(f"certificate of more than {MAX_CERTIFICATE} octets")
    try:
        with warnings.catch_warnings():
            # Names that are too short or too long: a stranger's certificate says nothing here.
            warnings.simplefilter("ignore", UserWarning)
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


def key_of(certificate: x509.Certificate) -> tuple[ec.EllipticCurvePublicKey, Curve]:
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


def check_validity(certificate: x509.Certificate, now: dt.datetime) -> None:
    if now.tzinfo is None:
        raise VerificationFailed("validity cannot be judged by a time without a time zone")
    if now < certificate.not_valid_before_utc:
        raise VerificationFailed("the certificate is not valid yet")
    if now > certificate.not_valid_after_utc:
        raise VerificationFailed("the certificate is not valid any more")


def check_critical(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN):
            raise VerificationFailed(f"unknown critical extension {extension.oid.dotted_string}")
