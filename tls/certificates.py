"""Building certificates and revocation lists (RFC 5280) on P-256 with ecdsa-with-SHA256."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tls.credentials import Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certification authority: its certificate and the key that signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return private_key_pem(self.key)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def private_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key as PKCS #8 without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_authority(certificate_pem: bytes, key_pem: bytes) -> Authority:
    """Put an authority together; raises ``ValueError`` if the key is not the certificate's."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    key = load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is not an elliptic curve key")
    if key.public_key() != certificate.public_key():
        raise ValueError("the authority's key does not belong to its certificate")
    return Authority(certificate=certificate, key=key)


def name_of(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def make_authority(
    common_name: str, validity: Validity, *, path_length: int, issuer: Authority | None = None
) -> Authority:
    """Make an authority, signed by ``issuer`` or, without one, by itself.

    ``path_length`` is how many further authorities may follow below it (RFC 5280, 4.2.1.9).
    """
    key = new_key()
    subject = name_of(common_name)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(key_cert_sign=True, crl_sign=True), True),
    ]
    signer = key if issuer is None else issuer.key
    certificate = _certificate(subject, key.public_key(), validity, extensions, issuer, signer)
    return Authority(certificate=certificate, key=key)


def make_leaf(
    common_name: str,
    validity: Validity,
    issuer: Authority,
    *,
    names: Sequence[x509.GeneralName],
    purposes: Sequence[x509.ObjectIdentifier],
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make an end-entity certificate for TLS and its key.

    The key usage is digitalSignature and keyAgreement, as the Green Book asks of a TLS certificate.
    """
    key = new_key()
    certificate = certify(
        common_name, key.public_key(), validity, issuer, names=names, purposes=purposes
    )
    return certificate, key


def certify(
    common_name: str,
    public: ec.EllipticCurvePublicKey,
    validity: Validity,
    issuer: Authority,
    *,
    names: Sequence[x509.GeneralName],
    purposes: Sequence[x509.ObjectIdentifier],
) -> x509.Certificate:
    """Make such a certificate for a key that somebody else has the private part of."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(digital_signature=True, key_agreement=True), True),
        (x509.ExtendedKeyUsage(purposes), False),
    ]
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    return _certificate(name_of(common_name), public, validity, extensions, issuer, issuer.key)


def make_crl(
    issuer: Authority,
    revoked_serials: Iterable[int],
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
) -> bytes:
    """Return a PEM revocation list (RFC 5280, 5) dated ``this_update``."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key_identifier(issuer), critical=False)
    )
    for serial in revoked_serials:
        entry = x509.RevokedCertificateBuilder(serial, this_update).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.PEM)


def _certificate(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    validity: Validity,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    issuer: Authority | None,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if issuer is not None:
        builder = builder.add_extension(_authority_key_identifier(issuer), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, SHA256())


def _authority_key_identifier(issuer: Authority) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)


def _key_usage(
    *,
    digital_signature: bool = False,
    key_agreement: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_agreement=key_agreement,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        encipher_only=False,
        decipher_only=False,
    )
