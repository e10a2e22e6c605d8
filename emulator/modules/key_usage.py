"""Key usage: what the key in a certificate may do, and which purpose that is (GB Ed. 8, 9.2.6.4).

Each purpose has its own set of usages, and no certificate is for two. Usages are named as the
``cryptography`` package names them.
"""

from __future__ import annotations

from cryptography import x509

from dlms.security.ops import CertificatePurpose, VerificationFailed

USAGES = {
    CertificatePurpose.SIGNATURE: {"digital_signature"},
    CertificatePurpose.KEY_AGREEMENT: {"key_agreement"},
    CertificatePurpose.TLS: {"digital_signature", "key_agreement"},
    CertificatePurpose.AUTHORITY: {"key_cert_sign", "crl_sign"},
}
_ISSUING = "key_cert_sign"
"""Whoever may do this is an authority, whatever else it may."""

_ALL = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


def extension_for(purpose: CertificatePurpose) -> x509.KeyUsage:
    """The extension of a certificate for ``purpose``."""
    usages = {usage: usage in USAGES[purpose] for usage in _ALL}
    return x509.KeyUsage(**usages, encipher_only=False, decipher_only=False)


def usages_of(certificate: x509.Certificate) -> set[str]:
    """What the key may do. :class:`VerificationFailed` if no critical extension says so."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        raise VerificationFailed("the certificate has no key usage") from None
    if not extension.critical:
        raise VerificationFailed("the key usage is not critical")
    return {usage for usage in _ALL if getattr(extension.value, usage)}


def purpose_of(certificate: x509.Certificate) -> CertificatePurpose:
    """What the key is for. :class:`VerificationFailed` if that is nothing, or several things."""
    usages = usages_of(certificate)
    if _ISSUING in usages:
        return CertificatePurpose.AUTHORITY
    for purpose, needed in USAGES.items():
        if usages == needed:
            return purpose
    raise VerificationFailed("the key usage is that of no purpose")


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether the key may certify others."""
    return _ISSUING in usages_of(certificate)
