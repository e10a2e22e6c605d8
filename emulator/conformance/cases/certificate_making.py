"""Certificates for checks, right and wrong, of the authority that the device under test trusts.

The declaration's settings ``certificates.issuer`` and ``certificates.key`` are the paths of the PEM
files of its certificate and its private key; with ``.1`` or ``.2`` behind, those for that suite.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from dlms.security.asymmetric import CertificatePurpose, Curve
from dlms.security.suites import SUITES
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.trying.trial import Trial
from emulator.modules import curves
from emulator.modules.key_usage import extension_for
from tls.identity import hardware_module_name

_DAY = dt.timedelta(days=1)
_YEARS = dt.timedelta(days=3650)
_SERIAL_BITS = 64

CURVES: dict[Curve, ec.EllipticCurve] = {Curve.P256: ec.SECP256R1(), Curve.P384: ec.SECP384R1()}


class Authority(NamedTuple):
    """Who issues: its name, and its private key."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


class Wanted(NamedTuple):
    """A certificate to be: whose it is, for what and for which key. ``usage`` is in place of that
    of the purpose, ``extension`` comes besides.
    """

    title: bytes
    purpose: CertificatePurpose
    key: ec.EllipticCurvePublicKey
    not_before: dt.datetime
    not_after: dt.datetime
    usage: x509.KeyUsage | None = None
    extension: x509.ExtensionType | None = None


def authority_of(trial: Trial, suite: int) -> Authority:
    """The declared one. :class:`Unjudged` if none is declared, or it cannot be read."""
    settings = trial.declaration.settings
    paths = [
        settings.get(f"certificates.{what}.{suite}") or settings.get(f"certificates.{what}")
        for what in ("issuer", "key")
    ]
    if not all(paths):
        raise Unjudged("no authority is declared (certificates.issuer and certificates.key)")
    try:
        issuer, key = (Path(str(path)).read_bytes() for path in paths)
        certificate = x509.load_pem_x509_certificate(issuer)
        private = load_pem_private_key(key, password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Unjudged(f"the declared authority cannot be read: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise Unjudged("the key of the declared authority is not on a curve")
    if curves.curve_of(private) is not SUITES[suite].curve:
        raise Unjudged(f"the declared authority has no key on the curve of suite {suite}")
    return Authority(certificate.subject, private)


def other_authority(trial: Trial, suite: int, name: x509.Name | None = None) -> Authority:
    """One that nobody trusts, with that name or one of its own."""
    curve = SUITES[suite].curve
    assert curve is not None  # by_suite()
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody's authority")])
    return Authority(own if name is None else name, new_key(trial, curve))


def new_key(trial: Trial, curve: Curve) -> ec.EllipticCurvePrivateKey:
    scalar = trial.rng.randrange(1, curves.ORDERS[curve])
    return ec.derive_private_key(scalar, CURVES[curve])


def scalar_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    curve = curves.curve_of(key)
    assert curve is not None
    return key.private_numbers().private_value.to_bytes(curve.value, "big")


def wanted(
    trial: Trial, title: bytes, purpose: CertificatePurpose, key: ec.EllipticCurvePublicKey
) -> Wanted:
    """All of it as it must be, valid from yesterday on."""
    today = trial.clocks.today()
    return Wanted(title, purpose, key, today - _DAY, today + _YEARS)


def expired(one: Wanted) -> Wanted:
    return one._replace(not_before=one.not_before - _YEARS, not_after=one.not_before)


def issue(trial: Trial, authority: Authority, one: Wanted) -> bytes:
    """Of a party, no authority: DER."""
    text = one.title.hex().upper()
    builder = _begun(trial, one, text, authority.name)
    for extension, critical in (
        (one.usage or extension_for(one.purpose), True),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(one.key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), False),
        (x509.SubjectAlternativeName([hardware_module_name(one.title)]), False),
    ):
        builder = builder.add_extension(extension, critical)
    if one.extension is not None:
        builder = builder.add_extension(one.extension, critical=True)
    return _signed(builder, authority.key)


def root(trial: Trial, authority: Authority) -> bytes:
    """The certificate of an authority by itself, DER: a trust anchor."""
    key = authority.key.public_key()
    one = wanted(trial, b"", CertificatePurpose.AUTHORITY, key)
    builder = _begun(trial, one, "", authority.name).subject_name(authority.name)
    for extension, critical in (
        (extension_for(CertificatePurpose.AUTHORITY), True),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
    ):
        builder = builder.add_extension(extension, critical)
    return _signed(builder, authority.key)


def _begun(trial: Trial, one: Wanted, subject: str, issuer: x509.Name) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        public_key=one.key,
        serial_number=trial.rng.getrandbits(_SERIAL_BITS) | 1 << _SERIAL_BITS - 1,
        not_valid_before=one.not_before,
        not_valid_after=one.not_after,
    )
    if not subject:
        return builder
    return builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    curve = curves.curve_of(key)
    assert curve is not None
    # The same seed makes the same certificate.
    signed = builder.sign(key, curves.hash_of(curve), ecdsa_deterministic=True)
    return signed.public_bytes(Encoding.DER)


UNKNOWN_EXTENSION = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.25.329800735698586629295641978511506172918"), b"\x05\x00"
)
"""Of an arc that nobody has: whoever does not know a critical extension refuses it (RFC 5280,
4.2)."""

WRONG_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=True,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""Of no certificate in DLMS (GB Ed. 8, 9.2.6.4)."""
