"""Certificates of a meter: which come in, how they are shown and given out, and removed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from devices.certificates import MAX_AUTHORITIES, MAX_CERTIFICATE, StoredCertificate
from dlms.axdr.data import enum, octet_string
from dlms.cosem.fitting import fits
from dlms.cosem.security_setup import (
    ByEntity,
    BySerial,
    Entity,
    Identification,
    entries_of,
    identification_data,
)
from dlms.cosem.tables.security import SECURITY_SETUP_V1
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from dlms.security.ops import (
    CertificatePurpose,
    CheckCertificate,
    KeyUnavailable,
    PublicKey,
    Use,
)
from dlms.xdlms.codes import ActionResult
from emulator.provisioning import CLIENT_TITLE, Fleet
from tls.identity import hardware_module_name

SUCCESS, REFUSED = ActionResult.SUCCESS, ActionResult.OTHER_REASON
SETUP, SCOPE = "0-0:43.0.11.255", "suite1"
SIGNATURE, AGREEMENT, TLS, AUTHORITY = CertificatePurpose
DAY = dt.timedelta(days=1)
USAGES = (
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
OF = {
    SIGNATURE: {"digital_signature"},
    AGREEMENT: {"key_agreement"},
    TLS: {"digital_signature", "key_agreement"},
    AUTHORITY: {"key_cert_sign", "crl_sign"},
}


def take(meter: Any, certificate: bytes, scope: str = SCOPE, setup: str = SETUP) -> ActionResult:
    result = meter.act(setup, 6, octet_string(certificate), scope)
    assert isinstance(result, ActionResult)
    return result


def export(meter: Any, named: Identification) -> Any:
    return meter.invoke(SETUP, 7, identification_data(named), SCOPE)


def remove(meter: Any, named: Identification) -> ActionResult:
    result = meter.act(SETUP, 8, identification_data(named), SCOPE)
    assert isinstance(result, ActionResult)
    return result


def entries(meter: Any) -> Any:
    value = meter.get(SETUP, 6, SCOPE)
    attribute = SECURITY_SETUP_V1.attribute(6)
    assert attribute is not None
    assert fits(attribute.shape, value)
    return entries_of(value)


class Unchanged:
    """The meter is at the end what it was at the beginning."""

    def __init__(self, meter: Any) -> None:
        self.meter = meter

    def seen(self) -> tuple[object, ...]:
        state = self.meter.device.state
        # Those of version 0 are derived, whenever they are first asked for.
        made = {ref for ref in self.meter.ring.refs if ref.version}
        return state.digest(), state.security_revision, made

    def __enter__(self) -> None:
        self.before = self.seen()

    def __exit__(self, *exc_info: object) -> None:
        assert self.seen() == self.before


class Ca:
    """An authority of the test's own: beneath the meter's anchor, or from nowhere."""

    def __init__(
        self, name: str, above: Any = None, curve: Any = None, length: int | None = None
    ) -> None:
        self.key = ec.generate_private_key(curve or ec.SECP256R1())
        self.name = name
        self.certificate = self.sign(
            name, self.key.public_key(), AUTHORITY, above=above or self, length=length
        )

    @classmethod
    def of(cls, authority: Any) -> Ca:
        """The fleet's root as one of these."""
        self = cls.__new__(cls)
        self.key, self.name = authority._key, authority._name
        self.certificate = authority.certificate
        return self

    def sign(
        self,
        name: str,
        key: Any,
        purpose: CertificatePurpose,
        title: bytes | None = None,
        *,
        above: Any = None,
        length: int | None = None,
        extra: x509.ExtensionType | None = None,
        days: tuple[int, int] = (-1000, 1000),
        serial: int | None = None,
        padding: int = 0,
        now: dt.datetime = dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC),
    ) -> bytes:
        issuer = self if above is None else above
        builder = x509.CertificateBuilder(
            subject_name=_named(name),
            issuer_name=_named(issuer.name),
            public_key=key,
            serial_number=x509.random_serial_number() if serial is None else serial,
            not_valid_before=now + days[0] * DAY,
            not_valid_after=now + days[1] * DAY,
        )
        ca = purpose is AUTHORITY
        usage = {one: one in OF[purpose] for one in USAGES}
        builder = builder.add_extension(x509.KeyUsage(**usage), True)
        builder = builder.add_extension(x509.BasicConstraints(ca, length), True)
        if title is not None:
            names: list[x509.GeneralName] = [hardware_module_name(title)]
            names += [x509.DNSName("x" * 60)] * (padding // 60)
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        if extra is not None:
            builder = builder.add_extension(extra, True)
        return builder.sign(issuer.key, _hash(issuer.key)).public_bytes(Encoding.DER)


def _hash(key: Any) -> Any:
    return hashes.SHA256() if key.curve.name == "secp256r1" else hashes.SHA384()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def new_key(curve: Any = None) -> Any:
    return ec.generate_private_key(curve or ec.SECP256R1()).public_key()


@pytest.fixture
def root(fleet: Fleet) -> Ca:
    return Ca.of(fleet.authority(1))


# What is there ------------------------------------------------------------------------------------


def test_the_certificates_are_shown(laboratory: Any, root: Ca) -> None:
    """The anchor, then the meter's own and its client's (Blue Book 4.4.7, attribute 6)."""
    shown = entries(laboratory)
    assert [(one.entity, one.purpose) for one in shown] == [
        (Entity.AUTHORITY, AUTHORITY),
        (Entity.SERVER, SIGNATURE),
        (Entity.SERVER, AGREEMENT),
        (Entity.CLIENT, SIGNATURE),
        (Entity.CLIENT, AGREEMENT),
    ]
    for one in shown:
        der = export(laboratory, BySerial(one.serial, one.issuer)).returned.value
        certificate = x509.load_der_x509_certificate(der)
        content = certificate.serial_number.to_bytes(len(one.serial) - 2, "big")
        assert one.serial == bytes((2, len(content))) + content
        assert one.issuer == certificate.issuer.public_bytes()
        assert one.subject == certificate.subject.public_bytes()
        assert (one.subject_alt_name == b"") is (one.entity is Entity.AUTHORITY)
    assert export(laboratory, BySerial(shown[0].serial, shown[0].issuer)).returned == (
        octet_string(root.certificate)
    )


def test_each_setup_shows_the_anchor_of_its_suite(laboratory: Any, fleet: Fleet) -> None:
    value = laboratory.get("0-0:43.0.12.255", 6, "suite2")
    subject = x509.load_der_x509_certificate(fleet.authority(2).certificate).subject
    (anchor,) = (one for one in entries_of(value) if one.entity is Entity.AUTHORITY)
    assert anchor.subject == subject.public_bytes()


def test_without_certificates_there_are_none(make_bench: Any) -> None:
    meter = make_bench("laboratory")
    assert entries(meter) == ()
    keys = meter.device.keys(meter.association(SCOPE))
    assert keys.signing_key is not None
    assert keys.peer_public is None


def test_the_client_is_who_its_certificate_says(laboratory: Any) -> None:
    """KL-PK-11: the association is for no other title."""
    row = laboratory.association(SCOPE)
    config = laboratory.device.config(row)
    assert config.client_title == CLIENT_TITLE
    assert laboratory.value(SETUP, 4, SCOPE) == CLIENT_TITLE
    keys = laboratory.device.keys(row)
    for public, kind in (
        (keys.peer_public, KeyKind.SIGNING_KEY),
        (keys.peer_agreement_public, KeyKind.AGREEMENT_KEY),
    ):
        ref = laboratory.device.key(SCOPE, kind)._replace(holder=CLIENT_TITLE)
        assert public == laboratory.module.execute(PublicKey(Use.CERTIFICATE, ref))
    for purpose in (SIGNATURE, AGREEMENT):
        assert laboratory.device.config(row).client_title == CLIENT_TITLE
        assert remove(laboratory, ByEntity(Entity.CLIENT, purpose, CLIENT_TITLE)) is SUCCESS
    config = laboratory.device.config(row)
    assert config.client_title is None
    assert config.anchors == ()  # or any certificate would make its holder the client


# Import -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [SIGNATURE, AGREEMENT, TLS])
def test_the_clients_own(laboratory: Any, root: Ca, purpose: CertificatePurpose) -> None:
    """It takes the place of the one for the same purpose, and its key is the client's at once."""
    key = new_key()
    der = root.sign("client", key, purpose, CLIENT_TITLE)
    before = laboratory.device.keys(laboratory.association(SCOPE))
    assert take(laboratory, der) is SUCCESS
    assert export(laboratory, ByEntity(Entity.CLIENT, purpose, CLIENT_TITLE)).returned == (
        octet_string(der)
    )
    assert len(entries(laboratory)) == (6 if purpose is TLS else 5)
    keys = laboratory.device.keys(laboratory.association(SCOPE))
    numbers = key.public_numbers()
    public = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert keys.peer_public == (public if purpose is SIGNATURE else before.peer_public)
    assert keys.peer_agreement_public == (
        public if purpose is AGREEMENT else before.peer_agreement_public
    )
    assert laboratory.device.state.security_revision == 1


def test_where_no_client_is_registered_the_first_one_is(make_bench: Any, fleet: Fleet) -> None:
    meter = make_bench("laboratory")
    op = CheckCertificate(
        Use.CERTIFICATE,
        fleet.authority(1).certificate,
        AUTHORITY,
        (fleet.authority(1).certificate,),
        meter.now,
    )
    meter.device.anchors = (
        StoredCertificate(Entity.AUTHORITY, op.certificate, meter.module.execute(op)),
    )
    root = Ca.of(fleet.authority(1))
    first = root.sign("one", new_key(), SIGNATURE, b"ONE\0\0\0\0\1")
    assert take(meter, first) is SUCCESS
    assert meter.device.config(meter.association(SCOPE)).client_title == b"ONE\0\0\0\0\1"
    with Unchanged(meter):
        assert take(meter, root.sign("two", new_key(), AGREEMENT, b"TWO\0\0\0\0\1")) is REFUSED
    assert take(meter, root.sign("one", new_key(), AGREEMENT, b"ONE\0\0\0\0\1")) is SUCCESS


def test_a_registered_title_is_the_clients(laboratory: Any, root: Ca) -> None:
    laboratory.device.client_titles[SCOPE] = b"REG\0\0\0\0\1"
    with Unchanged(laboratory):
        assert take(laboratory, root.sign("c", new_key(), SIGNATURE, CLIENT_TITLE)) is REFUSED
    der = root.sign("c", new_key(), SIGNATURE, b"REG\0\0\0\0\1")
    assert take(laboratory, der) is SUCCESS


def wrong(root: Ca) -> dict[str, bytes]:
    key, stranger = new_key(), Ca("stranger")
    good = root.sign("client", key, SIGNATURE, CLIENT_TITLE)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.9"), b"\5\0")
    below = Ca("below", above=root, length=0)
    return {
        "nothing": b"",
        "no certificate": b"certificate",
        "cut short": good[:-1],
        "a flipped bit": good[:-1] + bytes((good[-1] ^ 1,)),
        "too long": root.sign("client", key, SIGNATURE, CLIENT_TITLE, padding=MAX_CERTIFICATE),
        "of a stranger": stranger.sign("client", key, SIGNATURE, CLIENT_TITLE),
        "of an authority that is not there": below.sign("c", key, SIGNATURE, CLIENT_TITLE),
        "expired": root.sign("client", key, SIGNATURE, CLIENT_TITLE, days=(-9, -1)),
        "not yet valid": root.sign("client", key, SIGNATURE, CLIENT_TITLE, days=(1, 9)),
        "without a title": root.sign("client", key, SIGNATURE),
        "another client's": root.sign("client", key, SIGNATURE, b"OTH\0\0\0\0\1"),
        "with an unknown critical extension": root.sign(
            "client", key, SIGNATURE, CLIENT_TITLE, extra=unknown
        ),
        "on another curve": root.sign("c", new_key(ec.SECP384R1()), SIGNATURE, CLIENT_TITLE),
        "a root": Ca("new root").certificate,
        "the root again": root.certificate,
        "an authority of a stranger": Ca("sub", above=stranger).certificate,
    }


WRONG = (
    "nothing",
    "no certificate",
    "cut short",
    "a flipped bit",
    "too long",
    "of a stranger",
    "of an authority that is not there",
    "expired",
    "not yet valid",
    "without a title",
    "another client's",
    "with an unknown critical extension",
    "on another curve",
    "a root",
    "the root again",
    "an authority of a stranger",
)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_refused(laboratory: Any, root: Ca, what: str) -> None:
    """R-KEY-7, R-KEY-8, KL-PK-08: a failed import is discarded, and what was there stays."""
    certificates = wrong(root)
    assert certificates.keys() == set(WRONG)
    with Unchanged(laboratory):
        assert take(laboratory, certificates[what]) is REFUSED


@pytest.mark.parametrize("purpose", [SIGNATURE, AGREEMENT, TLS])
def test_the_curve_is_that_of_the_suite(
    laboratory: Any, fleet: Fleet, purpose: CertificatePurpose
) -> None:
    """In suite 2 the authority may certify a weaker key, and one for TLS is taken (9.2.6.4)."""
    der = Ca.of(fleet.authority(2)).sign("client", new_key(), purpose, CLIENT_TITLE)
    result = take(laboratory, der, "suite2", "0-0:43.0.12.255")
    assert result is (SUCCESS if purpose is TLS else REFUSED)


def test_too_long_is_not_even_checked(laboratory: Any) -> None:
    assert take(laboratory, bytes(MAX_CERTIFICATE + 1)) is REFUSED
    assert laboratory.operations == []


@pytest.mark.parametrize("purpose", [SIGNATURE, AGREEMENT, TLS])
def test_the_meters_title_with_a_key_that_is_not_its_own(
    laboratory: Any, root: Ca, purpose: CertificatePurpose
) -> None:
    with Unchanged(laboratory):
        der = root.sign("meter", new_key(), purpose, laboratory.device.title)
        assert take(laboratory, der) is REFUSED


@pytest.mark.parametrize("purpose", [AGREEMENT, TLS])
def test_the_meters_key_for_another_purpose(
    laboratory: Any, fleet: Fleet, purpose: CertificatePurpose
) -> None:
    """KL-PK-07: a pair that was made for signatures."""
    laboratory.act(SETUP, 4, enum(0), SCOPE)
    request = laboratory.invoke(SETUP, 5, enum(0), SCOPE).returned.value
    with Unchanged(laboratory):
        der = fleet.authority(1).answer(request, laboratory.device.title, purpose)
        assert take(laboratory, der) is REFUSED


def test_the_key_of_another_setup(laboratory: Any, fleet: Fleet) -> None:
    """Each association has pairs of its own."""
    laboratory.act(SETUP, 4, enum(0), SCOPE)
    request = laboratory.invoke(SETUP, 5, enum(0), SCOPE).returned.value
    der = fleet.authority(1).answer(request, laboratory.device.title, SIGNATURE)
    with Unchanged(laboratory):
        assert take(laboratory, der, "ecdsa1", "0-0:43.0.14.255") is REFUSED
    assert take(laboratory, der) is SUCCESS


def test_nothing_comes_in_without_anchors(make_bench: Any, root: Ca) -> None:
    """Nor does the first root that is sent become one (R-KEY-7)."""
    meter = make_bench("laboratory")
    with Unchanged(meter):
        for der in (root.certificate, root.sign("c", new_key(), SIGNATURE, CLIENT_TITLE)):
            assert take(meter, der) is REFUSED


def test_suite_0_takes_none(make_bench: Any, root: Ca) -> None:
    extra = '[objects."0-0:43.0.16.255"]\nclass = "Security setup"\nversion = 1\n'
    meter = make_bench("laboratory", extra + 'rights.graded = "r m"\nassumed = "a test"\n')
    with Unchanged(meter):
        assert take(meter, root.certificate, "graded", "0-0:43.0.16.255") is REFUSED
    assert meter.operations == []


# Authorities --------------------------------------------------------------------------------------


def test_an_authority_below_the_anchor(laboratory: Any, root: Ca) -> None:
    sub = Ca("sub", above=root)
    leaf = sub.sign("client", new_key(), SIGNATURE, CLIENT_TITLE)
    assert take(laboratory, leaf) is REFUSED
    assert take(laboratory, sub.certificate) is SUCCESS
    assert entries(laboratory)[-1].entity is Entity.AUTHORITY
    assert take(laboratory, leaf) is SUCCESS
    # Once it has gone what it vouched for is good no more.
    sub_entry = next(one for one in entries(laboratory)[1:] if one.entity is Entity.AUTHORITY)
    assert remove(laboratory, BySerial(sub_entry.serial, sub_entry.issuer)) is SUCCESS
    assert take(laboratory, leaf) is REFUSED


def test_no_more_authorities_than_there_is_room_for(laboratory: Any, root: Ca) -> None:
    subs = [Ca(f"sub {number}", above=root).certificate for number in range(MAX_AUTHORITIES + 1)]
    for der in subs[:MAX_AUTHORITIES]:
        assert take(laboratory, der) is SUCCESS
    with Unchanged(laboratory):
        assert take(laboratory, subs[-1]) is REFUSED
    assert take(laboratory, subs[0]) is SUCCESS  # the same again takes its own place
    assert len(entries(laboratory)) == 5 + MAX_AUTHORITIES
    first = entries(laboratory)[5]
    assert remove(laboratory, BySerial(first.serial, first.issuer)) is SUCCESS
    assert take(laboratory, subs[-1]) is SUCCESS


def test_a_path_has_the_length_that_its_authorities_allow(laboratory: Any, root: Ca) -> None:
    """RFC 5280, 4.2.1.9: below one with a path length of 0 there is no further authority."""
    last = Ca("last", above=root, length=0)
    assert take(laboratory, last.certificate) is SUCCESS
    with Unchanged(laboratory):
        assert take(laboratory, Ca("too deep", above=last).certificate) is REFUSED
    assert take(laboratory, last.sign("c", new_key(), SIGNATURE, CLIENT_TITLE)) is SUCCESS


# Export and removal -------------------------------------------------------------------------------


def test_by_entity_and_by_serial_it_is_the_same(laboratory: Any) -> None:
    held = laboratory.device.certificate(SCOPE, Entity.SERVER, SIGNATURE)
    facts = held.facts
    for named in (
        ByEntity(Entity.SERVER, SIGNATURE, laboratory.device.title),
        BySerial(facts.serial, facts.issuer),
        BySerial(facts.serial[2:], facts.issuer),  # without tag and length
    ):
        response = export(laboratory, named)
        assert response.result is SUCCESS
        assert response.returned == octet_string(held.certificate)


def absent(laboratory: Any) -> list[Identification]:
    facts = laboratory.device.certificate(SCOPE, Entity.SERVER, SIGNATURE).facts
    return [
        ByEntity(Entity.SERVER, TLS, laboratory.device.title),
        ByEntity(Entity.CLIENT, SIGNATURE, laboratory.device.title),
        ByEntity(Entity.SERVER, SIGNATURE, CLIENT_TITLE),
        ByEntity(Entity.OTHER, SIGNATURE, CLIENT_TITLE),
        BySerial(facts.serial, facts.subject),
        BySerial(facts.serial[:-1], facts.issuer),
        BySerial(b"", b""),
    ]


def test_what_is_not_there(laboratory: Any) -> None:
    with Unchanged(laboratory):
        for named in absent(laboratory):
            response = export(laboratory, named)
            assert (response.result, response.returned) == (REFUSED, None)
            assert remove(laboratory, named) is REFUSED


def test_a_name_that_several_have_is_none(laboratory: Any, root: Ca) -> None:
    authorities = ByEntity(Entity.AUTHORITY, AUTHORITY)
    assert export(laboratory, authorities).returned == octet_string(root.certificate)
    assert take(laboratory, Ca("sub", above=root).certificate) is SUCCESS
    with Unchanged(laboratory):
        assert export(laboratory, authorities).result is REFUSED
        assert remove(laboratory, authorities) is REFUSED


def test_options_of_the_other_type(laboratory: Any) -> None:
    facts = laboratory.device.certificate(SCOPE, Entity.SERVER, SIGNATURE).facts
    data = identification_data(BySerial(facts.serial, facts.issuer))
    assert isinstance(data.value, tuple)
    crossed = data._replace(value=(enum(0), data.value[1]))
    with Unchanged(laboratory):
        for method in (7, 8):
            assert laboratory.act(SETUP, method, crossed, SCOPE) is REFUSED


def test_an_anchor_is_exported_and_not_removed(laboratory: Any, root: Ca) -> None:
    """KL-PK-08."""
    anchor = entries(laboratory)[0]
    named = BySerial(anchor.serial, anchor.issuer)
    assert export(laboratory, named).returned == octet_string(root.certificate)
    with Unchanged(laboratory):
        assert remove(laboratory, named) is REFUSED


@pytest.mark.parametrize(
    ("purpose", "kind"),
    [(SIGNATURE, KeyKind.SIGNING_KEY), (AGREEMENT, KeyKind.AGREEMENT_KEY)],
)
def test_with_its_own_certificate_goes_the_private_key(
    laboratory: Any, purpose: CertificatePurpose, kind: KeyKind
) -> None:
    """KL-PK-10, GB Ed. 8, 9.2.6.6.7."""
    row, device = laboratory.association(SCOPE), laboratory.device
    key = device.key_pair(row, purpose)
    other = device.keys(laboratory.association("ecdsa1"))
    assert remove(laboratory, ByEntity(Entity.SERVER, purpose, device.title)) is SUCCESS
    assert device.key_pair(row, purpose) is None
    keys = device.keys(row)
    assert (keys.signing_key is None) is (purpose is SIGNATURE)
    assert (keys.agreement_key is None) is (purpose is AGREEMENT)
    assert device.state.security_revision == 1
    run(device.settle(), laboratory.execute)
    with pytest.raises(KeyUnavailable):
        laboratory.module.execute(PublicKey(Use.CERTIFICATE, key))
    assert device.keys(laboratory.association("ecdsa1")) == other
    with Unchanged(laboratory):
        assert remove(laboratory, ByEntity(Entity.SERVER, purpose, device.title)) is REFUSED


def test_what_a_policy_of_signatures_needs_stays(laboratory: Any) -> None:
    """KL-KT-33: or nobody could use the association again."""
    assert laboratory.act(SETUP, 1, enum(0b1111_1100), SCOPE) is SUCCESS
    with Unchanged(laboratory):
        for entity, title in (
            (Entity.SERVER, laboratory.device.title),
            (Entity.CLIENT, CLIENT_TITLE),
        ):
            assert remove(laboratory, ByEntity(entity, SIGNATURE, title)) is REFUSED
    assert remove(laboratory, ByEntity(Entity.CLIENT, AGREEMENT, CLIENT_TITLE)) is SUCCESS


def test_who_may(laboratory: Any, root: Ca) -> None:
    """The association itself and the management client; nobody without keys."""
    der = root.sign("client", new_key(), SIGNATURE, CLIENT_TITLE)
    for who in ("public", "reader"):
        assert take(laboratory, der, who) is ActionResult.OBJECT_UNDEFINED
    assert take(laboratory, der, "dco") is SUCCESS
