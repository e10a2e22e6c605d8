"""CheckCertificate: what a module finds right with an X.509 certificate, and what not (R-KEY-8)."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dlms.security.ops import (
    CertificateFacts,
    CertificatePurpose,
    CheckCertificate,
    Curve,
    Use,
    VerificationFailed,
    keys_of,
)
from emulator.modules import certificate_paths, certificates, keyless
from emulator.modules.module import CryptoModule
from tls.identity import hardware_module_name

TITLE = bytes.fromhex("4D4D4D0000BC614E")
OTHER = bytes.fromhex("4D4D4D0000000001")
NOW = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
P256, P384 = ec.SECP256R1(), ec.SECP384R1()
SIGNATURE = CertificatePurpose.SIGNATURE
UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.32473.99")

Extensions = dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool]]


def usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


@dataclass(frozen=True)
class Draft:
    """A certificate to be; ``replace`` makes it wrong in one way."""

    name: str
    key: Any = field(default_factory=lambda: ec.generate_private_key(P256))
    start: dt.datetime = NOW - DAY
    end: dt.datetime = NOW + DAY
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    digest: hashes.SHA256 | hashes.SHA384 = field(default_factory=hashes.SHA256)
    serial: int = 0x80

    def without(self, kind: type[x509.ExtensionType]) -> Draft:
        kept = tuple(one for one in self.extensions if not isinstance(one[0], kind))
        return replace(self, extensions=kept)

    def having(self, value: x509.ExtensionType, critical: bool = True) -> Draft:
        draft = self if isinstance(value, x509.UnrecognizedExtension) else self.without(type(value))
        return replace(draft, extensions=(*draft.extensions, (value, critical)))

    def by(self, issuer: Draft) -> bytes:
        builder = x509.CertificateBuilder(
            subject_name=named(self.name),
            issuer_name=named(issuer.name),
            public_key=self.key.public_key(),
            serial_number=self.serial,
            not_valid_before=self.start,
            not_valid_after=self.end,
        )
        for value, critical in self.extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(issuer.key, self.digest).public_bytes(Encoding.DER)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])


def alternative(title: bytes = TITLE) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([hardware_module_name(title)])


AUTHORITY = (
    (x509.BasicConstraints(ca=True, path_length=None), True),
    (usage("key_cert_sign", "crl_sign"), True),
)
ROOT = Draft("root", extensions=AUTHORITY)
SUB = Draft("sub", extensions=AUTHORITY)
LEAF = Draft("leaf", extensions=((usage("digital_signature"), True), (alternative(), False)))
ANCHORS = (ROOT.by(ROOT),)


def check(der: bytes, **changes: Any) -> CertificateFacts:
    op = CheckCertificate(Use.CERTIFICATE, der, SIGNATURE, ANCHORS, NOW)._replace(**changes)
    assert keys_of(op) == ()
    return keyless.check_certificate(op)


def refused(der: bytes, why: str | None = None, **changes: Any) -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(der, **changes)


def test_every_module_checks(make: Callable[..., CryptoModule]) -> None:
    module = make({})
    op = CheckCertificate(Use.CERTIFICATE, LEAF.by(ROOT), SIGNATURE, ANCHORS, NOW, TITLE)
    assert module.execute(op) == keyless.check_certificate(op)
    with pytest.raises(VerificationFailed, match="another system title"):
        module.execute(op._replace(title=OTHER))


def test_facts() -> None:
    facts = check(LEAF.by(ROOT), title=TITLE)
    numbers = LEAF.key.public_key().public_numbers()
    assert facts.public == numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert facts.curve is Curve.P256
    assert facts.title == TITLE
    assert facts.serial == bytes.fromhex("02020080")
    assert facts.issuer == named("root").public_bytes()
    assert facts.subject == named("leaf").public_bytes()
    assert facts.subject_alt_name == alternative().public_bytes()


def test_empty_subject_with_the_title_in_a_critical_alternative_name() -> None:
    draft = replace(LEAF, name="").having(alternative(), critical=True)
    assert check(draft.by(ROOT)).title == TITLE


def test_p384_throughout() -> None:
    root = replace(ROOT, key=ec.generate_private_key(P384), digest=hashes.SHA384())
    leaf = replace(LEAF, key=ec.generate_private_key(P384), digest=hashes.SHA384())
    facts = check(leaf.by(root), anchors=(root.by(root),))
    assert facts.curve is Curve.P384
    assert len(facts.public) == 96


@pytest.mark.parametrize(
    ("purpose", "usages"),
    [
        (CertificatePurpose.SIGNATURE, ("digital_signature",)),
        (CertificatePurpose.KEY_AGREEMENT, ("key_agreement",)),
        (CertificatePurpose.TLS, ("digital_signature", "key_agreement")),
    ],
)
def test_each_purpose_has_its_key_usage(
    purpose: CertificatePurpose, usages: tuple[str, ...]
) -> None:
    der = LEAF.having(usage(*usages)).by(ROOT)
    for other in CertificatePurpose:
        if other is purpose:
            check(der, purpose=other)
        else:
            refused(der, "key usage", purpose=other)


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (LEAF.without(x509.KeyUsage), "no key usage"),
        (LEAF.having(usage("digital_signature"), critical=False), "not critical"),
        (LEAF.having(usage("digital_signature", "content_commitment")), "key usage"),
        (LEAF.having(usage("digital_signature", "crl_sign")), "key usage"),
        (LEAF.without(x509.SubjectAlternativeName), "no subjectAltName"),
        (
            LEAF.having(x509.SubjectAlternativeName([x509.DNSName("meter")])),
            "no HardwareModuleName",
        ),
        (LEAF.having(x509.BasicConstraints(ca=True, path_length=None)), "authority"),
        (LEAF.having(x509.UnrecognizedExtension(UNKNOWN, b"\5\0")), "unknown critical"),
        (
            LEAF.having(x509.NameConstraints([x509.DNSName("meter")], None)),
            "unknown critical",
        ),
        (LEAF.having(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])), "other purposes"),
        (replace(LEAF, start=NOW + DAY, end=NOW + 2 * DAY), "not valid yet"),
        (replace(LEAF, start=NOW - 2 * DAY, end=NOW - DAY), "not valid any more"),
        (replace(LEAF, digest=hashes.SHA384()), "no path"),
        (replace(LEAF, key=ec.generate_private_key(P384)), "no path"),
        (replace(LEAF, key=ec.generate_private_key(ec.SECP521R1())), "curve secp521r1"),
        (replace(LEAF, key=rsa.generate_private_key(65537, 2048)), "not on an elliptic curve"),
    ],
)
def test_wrong_in_one_way(draft: Draft, why: str) -> None:
    """R-KEY-8."""
    refused(draft.by(ROOT), why)


def test_extensions_that_do_not_matter() -> None:
    draft = LEAF.having(x509.UnrecognizedExtension(UNKNOWN, b"\5\0"), critical=False)
    draft = draft.having(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    draft = draft.having(x509.BasicConstraints(ca=False, path_length=None))
    check(draft.by(ROOT))


def test_the_title_that_is_asked_for() -> None:
    refused(LEAF.by(ROOT), "another system title", title=OTHER)


def test_the_ends_of_validity_are_inside() -> None:
    """RFC 5280, 4.1.2.5: the period includes both dates."""
    der = LEAF.by(ROOT)
    root = (replace(ROOT, start=NOW - 9 * DAY, end=NOW + 9 * DAY).by(ROOT),)
    check(der, now=LEAF.start, anchors=root)
    check(der, now=LEAF.end, anchors=root)
    for now in (LEAF.start - dt.timedelta(seconds=1), LEAF.end + dt.timedelta(seconds=1)):
        refused(der, "not valid", now=now, anchors=root)
    refused(der, "time zone", now=NOW.replace(tzinfo=None))


# Paths --------------------------------------------------------------------------------------------


def test_over_a_sub_authority() -> None:
    der, sub = LEAF.by(SUB), SUB.by(ROOT)
    check(der, intermediates=(sub,))
    check(der, anchors=(sub,))
    refused(der, "no path")
    refused(der, "no path", anchors=(), intermediates=(sub, *ANCHORS))
    refused(der, "no path", intermediates=(SUB.by(SUB),))


def test_an_anchor_is_not_trusted_to_vouch_for_itself_as_a_party() -> None:
    der = LEAF.by(LEAF)
    refused(der, "no path", anchors=(der,))


def test_another_key_under_the_same_name() -> None:
    impostor = replace(ROOT, key=ec.generate_private_key(P256))
    refused(LEAF.by(impostor), "no path")
    check(LEAF.by(ROOT), anchors=(impostor.by(impostor), *ANCHORS))


@pytest.mark.parametrize(
    "wrong",
    [
        SUB.without(x509.BasicConstraints),
        SUB.having(x509.BasicConstraints(ca=False, path_length=None)),
        SUB.having(x509.BasicConstraints(ca=True, path_length=None), critical=False),
        SUB.without(x509.KeyUsage),
        SUB.having(usage("digital_signature")),
        SUB.having(usage("key_cert_sign"), critical=False),
        SUB.having(x509.UnrecognizedExtension(UNKNOWN, b"\5\0")),
        replace(SUB, start=NOW + DAY, end=NOW + 2 * DAY),
        replace(SUB, start=NOW - 2 * DAY, end=NOW - DAY),
        LEAF,
    ],
)
def test_what_is_no_authority(wrong: Draft) -> None:
    wrong = replace(wrong, name="sub", key=SUB.key)
    refused(LEAF.by(SUB), "no path", intermediates=(wrong.by(ROOT),))
    check(LEAF.by(SUB), intermediates=(wrong.by(ROOT), SUB.by(ROOT)))


def test_path_length() -> None:
    der, sub = LEAF.by(SUB), SUB.by(ROOT)

    def root(path_length: int | None) -> tuple[bytes, ...]:
        constraints = x509.BasicConstraints(ca=True, path_length=path_length)
        return (ROOT.having(constraints).by(ROOT),)

    refused(der, "no path", anchors=root(0), intermediates=(sub,))
    check(der, anchors=root(1), intermediates=(sub,))
    check(LEAF.by(ROOT), anchors=root(0))


def test_long_paths_and_circles_end() -> None:
    chain = [Draft(f"sub {number}", extensions=AUTHORITY) for number in range(4)]
    ders = [chain[0].by(ROOT)]
    ders += [lower.by(upper) for upper, lower in pairwise(chain)]
    check(LEAF.by(chain[2]), intermediates=tuple(ders[:3]))
    refused(LEAF.by(chain[3]), "no path", intermediates=tuple(ders))
    circle = (chain[0].by(chain[1]), chain[1].by(chain[0]))
    refused(LEAF.by(chain[0]), "no path", intermediates=circle)


def test_no_more_authorities_than_one_can_store() -> None:
    many = ANCHORS * certificate_paths.MAX_AUTHORITIES
    check(LEAF.by(ROOT), anchors=many)
    refused(LEAF.by(ROOT), "more than", anchors=many, intermediates=ANCHORS)


# Any octets ---------------------------------------------------------------------------------------


def test_what_is_too_long() -> None:
    draft = LEAF.having(x509.UnrecognizedExtension(UNKNOWN, b"\4\x82\x10\0" + bytes(4096)), False)
    refused(draft.by(ROOT), "more than")


def bent(der: bytes, at: int, bits: int) -> bytes:
    return der[:at] + bytes((der[at] ^ bits,)) + der[at + 1 :]


def signed_octets(der: bytes) -> range:
    """Where the signed part lies: behind tag and length of four octets."""
    length = len(x509.load_der_x509_certificate(der).tbs_certificate_bytes)
    return range(4, 4 + length)


def test_any_octets_are_refused_or_right() -> None:
    """Cut, and with each octet changed: nothing but VerificationFailed. No change of what is signed
    is accepted; around it there are a few that say the same in other octets."""
    der = LEAF.by(ROOT)
    right = check(der)
    for cut in range(len(der)):
        refused(der[:cut])
    refused(der + b"\0")
    signed = signed_octets(der)
    for at in range(len(der)):
        for bits in (0x01, 0x02, 0x80, 0xFF):
            if at in signed:
                refused(bent(der, at, bits))
                continue
            with suppress(VerificationFailed):
                assert check(bent(der, at, bits)) == right
    generator = random.Random(1)
    for length in range(0, 400, 7):
        refused(generator.randbytes(length))


def test_any_octets_as_an_authority() -> None:
    der, sub = LEAF.by(SUB), SUB.by(ROOT)
    for at in signed_octets(sub):
        refused(der, intermediates=(bent(sub, at, 0x01),))


# Without a purpose, and authorities ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("usages", "purpose"),
    [
        (("digital_signature",), CertificatePurpose.SIGNATURE),
        (("key_agreement",), CertificatePurpose.KEY_AGREEMENT),
        (("digital_signature", "key_agreement"), CertificatePurpose.TLS),
    ],
)
def test_the_purpose_is_that_of_the_key_usage(
    usages: tuple[str, ...], purpose: CertificatePurpose
) -> None:
    facts = check(LEAF.having(usage(*usages)).by(ROOT), purpose=None)
    assert (facts.purpose, facts.title) == (purpose, TITLE)


@pytest.mark.parametrize(
    "usages",
    [(), ("content_commitment",), ("digital_signature", "key_encipherment"), ("crl_sign",)],
)
def test_a_key_usage_of_no_purpose(usages: tuple[str, ...]) -> None:
    key_usage = x509.UnrecognizedExtension(x509.KeyUsage.oid, bytes.fromhex("03020700"))
    value = usage(*usages) if usages else key_usage
    refused(LEAF.without(x509.KeyUsage).having(value).by(ROOT), "no purpose", purpose=None)


@pytest.mark.parametrize("purpose", [None, CertificatePurpose.AUTHORITY])
def test_an_authority_is_one_by_its_key_usage(purpose: CertificatePurpose | None) -> None:
    facts = check(SUB.by(ROOT), purpose=purpose)
    assert facts.purpose is CertificatePurpose.AUTHORITY
    assert (facts.title, facts.subject_alt_name) == (b"", b"")
    assert facts.subject == named("sub").public_bytes()
    named_sub = SUB.having(alternative(), critical=False)
    assert check(named_sub.by(ROOT), purpose=purpose).subject_alt_name
    # An anchor vouches for itself.
    assert check(ANCHORS[0], purpose=purpose).purpose is CertificatePurpose.AUTHORITY


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (SUB.without(x509.BasicConstraints), "no basic constraints"),
        (SUB.having(x509.BasicConstraints(True, None), critical=False), "not that of an authority"),
        (SUB.having(x509.BasicConstraints(False, None)), "not that of an authority"),
        (SUB.having(usage("digital_signature", "crl_sign")), "key usage"),
        (SUB.having(x509.UnrecognizedExtension(UNKNOWN, b"\5\0")), "unknown critical"),
        (replace(SUB, end=NOW - DAY / 2), "not valid any more"),
    ],
)
def test_no_authority(draft: Draft, why: str) -> None:
    refused(draft.by(ROOT), why, purpose=CertificatePurpose.AUTHORITY)


def test_an_authority_has_no_title() -> None:
    refused(SUB.by(ROOT), "another system title", purpose=None, title=TITLE)


def test_an_authority_is_a_step_of_the_path_already() -> None:
    """RFC 5280, 4.2.1.9: of the root's path length, which a party right below does not use up."""
    root = ROOT.having(x509.BasicConstraints(ca=True, path_length=0))
    anchors = (root.by(root),)
    check(LEAF.by(root), anchors=anchors)
    check(anchors[0], anchors=anchors, purpose=None)
    refused(SUB.by(root), "no path", anchors=anchors, purpose=None)
    one = ROOT.having(x509.BasicConstraints(ca=True, path_length=1))
    check(SUB.by(one), anchors=(one.by(one),), purpose=None)


def test_what_a_certificate_says_unchecked() -> None:
    found = certificates.key_in(LEAF.by(SUB))
    assert found is not None
    numbers = LEAF.key.public_key().public_numbers()
    assert found.public == numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert (found.title, found.purpose) == (TITLE, SIGNATURE)
    assert certificates.key_in(SUB.by(ROOT)) is None
    with pytest.raises(ValueError, match="cannot be read"):
        certificates.key_in(b"nothing")
