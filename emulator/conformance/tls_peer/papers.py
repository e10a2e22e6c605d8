"""Certificates of the tester, good and bad.

Its own are in the declaration: ``way.certificate`` and ``way.key``, and for when it is a server the
settings ``tls.server-certificate`` and ``tls.server-key``. Bad ones are issued by an authority that
the device trusts, where the tester has it: the settings ``tls.issuer`` (its certificate, and those
between it and the root) and ``tls.issuer-key``. All are paths of PEM files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emulator.bent_tls.showing import chain_of, key_of
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.trying.trial import OWN_TITLE, Trial
from tls.certificates import Authority, load_authority
from tls.identity import IdentityError, hardware_module_name, system_title_of

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """A chain of DER certificates, the leaf first, and the leaf's key. Nothing at all is a peer
    without certificate.
    """

    chain: tuple[bytes, ...] = ()
    key_pem: bytes = field(default=b"", repr=False)

    def shown(self) -> tuple[Any, Any]:
        """For tlslite."""
        return (chain_of(self.chain), key_of(self.key_pem)) if self.chain else (None, None)

    def having(self, **changes: Any) -> Papers:
        return replace(self, **changes)


def none(trial: Trial) -> Papers:
    return Papers()


def _read(what: str, certificate: str, key: str) -> Papers:
    if not certificate or not key:
        raise Unjudged(f"the tester has no certificate {what}")
    try:
        shown = x509.load_pem_x509_certificates(Path(certificate).read_bytes())
        chain = tuple(one.public_bytes(Encoding.DER) for one in shown)
        return Papers(chain=chain, key_pem=Path(key).read_bytes())
    except (OSError, ValueError) as error:
        raise Unjudged(f"the certificate {what} cannot be read: {error}") from None


def own(trial: Trial) -> Papers:
    """As a client. :class:`Unjudged` if the declaration has none."""
    way = trial.declaration.way
    return _read("as a client (way.certificate, way.key)", way.certificate, way.key)


def own_server(trial: Trial) -> Papers:
    """As a server: its own, or one that is issued on the spot. :class:`Unjudged` without both."""
    settings = trial.declaration.settings
    if not settings.get("tls.server-certificate") and settings.get("tls.issuer"):
        return issued(trial, server=True)
    return _read(
        "as a server (tls.server-certificate, tls.server-key, or tls.issuer)",
        settings.get("tls.server-certificate", ""),
        settings.get("tls.server-key", ""),
    )


def title(trial: Trial) -> bytes:
    """The tester's system title: that of its certificate, else that of an association."""
    try:
        return system_title_of(own(trial).chain[0])
    except (Unjudged, IdentityError):
        rows = trial.declaration.associations
        return next((row.own_title for row in rows if row.own_title), OWN_TITLE)


def server_title(trial: Trial) -> bytes:
    """Whom the device calls: the setting ``tls.server-title`` (hexadecimal), else the tester's."""
    text = trial.declaration.settings.get("tls.server-title", "")
    return bytes.fromhex(text) if text else title(trial)


def issuer(trial: Trial) -> tuple[Authority, tuple[bytes, ...]]:
    """An authority that the device trusts, and its chain, DER. :class:`Unjudged` without one."""
    settings = trial.declaration.settings
    certificate, key = settings.get("tls.issuer", ""), settings.get("tls.issuer-key", "")
    if not certificate or not key:
        raise Unjudged("the tester has no authority that the device trusts (tls.issuer)")
    try:
        pem = Path(certificate).read_bytes()
        chain = x509.load_pem_x509_certificates(pem)
        authority = load_authority(pem, Path(key).read_bytes())
    except (OSError, ValueError) as error:
        raise Unjudged(f"tls.issuer cannot be read: {error}") from None
    return authority, tuple(one.public_bytes(Encoding.DER) for one in chain)


def issued(
    trial: Trial,
    *,
    server: bool = False,
    title_in_it: bytes | None = None,
    names: Sequence[x509.GeneralName] | None = None,
    common_name: str = "",
    key: PrivateKey | None = None,
    days: tuple[int, int] = (-1, 365),
    uses: Sequence[x509.ObjectIdentifier] | None = None,
    usage: Sequence[str] = ("digital_signature", "key_agreement"),
    by: tuple[Authority, tuple[bytes, ...]] | None = None,
    weak: bool = False,
) -> Papers:
    """A certificate of the authority at hand (or ``by`` another), right in all that is not said:
    ``days`` from now until it begins and ends, ``uses`` of ExtendedKeyUsage, the bits of ``usage``.
    ``weak`` ones are signed with SHA-1.
    """
    authority, chain = issuer(trial) if by is None else by
    key = ec.generate_private_key(ec.SECP256R1()) if key is None else key
    if title_in_it is None:
        title_in_it = server_title(trial) if server else title(trial)
    names = [hardware_module_name(title_in_it)] if names is None else names
    uses = ([SERVER] if server else [CLIENT]) if uses is None else uses
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (key_usage(*usage), True),
        (x509.ExtendedKeyUsage(uses), False),
    ]
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    leaf = signed(trial, authority, common_name or "cosemlab conformance", key, days, extensions)
    if weak:
        leaf = _with_sha1(leaf, authority)
    return Papers(chain=(leaf, *chain), key_pem=pem_of(key))


def below(
    trial: Trial, by: tuple[Authority, tuple[bytes, ...]]
) -> tuple[Authority, tuple[bytes, ...]]:
    """One more authority, below another, whether that may have any or not."""
    authority, chain = by
    key = ec.generate_private_key(ec.SECP256R1())
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (key_usage("key_cert_sign", "crl_sign"), True),
    ]
    der = signed(trial, authority, "cosemlab conformance CA", key, (-1, 365), extensions)
    certificate = x509.load_der_x509_certificate(der)
    return Authority(certificate=certificate, key=key), (der, *chain)


def stranger(trial: Trial) -> tuple[Authority, tuple[bytes, ...]]:
    """An authority that nobody trusts, which has the name of the one that the device trusts, where
    that is known.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    try:
        name = issuer(trial)[0].certificate.subject
    except Unjudged:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger CA")])
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (key_usage("key_cert_sign", "crl_sign"), True),
    ]
    der = _built(trial, name, name, key.public_key(), (-1, 365), extensions).sign(key, SHA256())
    return Authority(certificate=der, key=key), (der.public_bytes(Encoding.DER),)


def signed(
    trial: Trial,
    authority: Authority,
    common_name: str,
    key: PrivateKey,
    days: tuple[int, int],
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    issuer_name = authority.certificate.subject
    builder = _built(trial, subject, issuer_name, key.public_key(), days, extensions)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return builder.sign(authority.key, SHA256()).public_bytes(Encoding.DER)


def _with_sha1(der: bytes, authority: Authority) -> bytes:
    """The same, signed with ecdsa-with-SHA1, which ``cryptography`` does not sign certificates
    with any more.
    """
    certificate = Certificate.load(der)
    algorithm = {"algorithm": "sha1_ecdsa"}
    certificate["tbs_certificate"]["signature"] = algorithm
    certificate["signature_algorithm"] = algorithm
    content = certificate["tbs_certificate"].dump(force=True)
    certificate["signature_value"] = authority.key.sign(content, ec.ECDSA(SHA1()))
    return bytes(certificate.dump(force=True))


def _built(
    trial: Trial,
    subject: x509.Name,
    issuer_name: x509.Name,
    public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    days: tuple[int, int],
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.CertificateBuilder:
    today = trial.clocks.today()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today + days[0] * _DAY)
        .not_valid_after(today + days[1] * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder


def pem_of(key: PrivateKey) -> bytes:
    """PKCS #8 without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_usage(*bits: str) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{bit: bit in bits for bit in every})
