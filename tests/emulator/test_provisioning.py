"""The fleet's authority, and what meters and clients of suites 1 and 2 are given."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from devices.device import Device
from devices.profile import load, load_text
from devices.state import DeviceState
from dlms.cosem.security_setup import Entity
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    CertificatePurpose,
    CertificateRequest,
    GenerateKeyPair,
    PublicKey,
    Use,
    VerificationFailed,
)
from dlms.security.suites import SUITES
from emulator.head_end.party import LISTENER, TITLES, client_titles
from emulator.key_suites import suites_of
from emulator.modules.authority import FleetAuthority
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.provisioning import (
    CLIENT_TITLE,
    Fleet,
    anchors,
    client_keys,
    client_title,
    provision,
    registered_titles,
)
from tls.identity import system_title_of

SECRET = bytes(range(32))
NOW = dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)
TITLE = b"MET\0\0\0\0\1"
LABORATORY = load("laboratory")
SIGNATURE, AGREEMENT, TLS, AUTHORITY = CertificatePurpose
USAGES = {
    SIGNATURE: "Digital Signature",
    AGREEMENT: "Key Agreement",
    TLS: "Digital Signature, Key Agreement",
}


class Party:
    """Somebody with a key pair of a suite."""

    def __init__(self, suite: int) -> None:
        self.ref = KeyRef(TITLE, "party", KeyKind.SIGNING_KEY)
        self.module = SoftwareModule(KeyRing())
        curve = SUITES[suite].curve
        assert curve is not None
        self.public: bytes = self.module.execute(GenerateKeyPair(Use.CERTIFICATE, self.ref, curve))

    def request(self) -> bytes:
        der: bytes = self.module.execute(CertificateRequest(Use.CERTIFICATE, self.ref, TITLE))
        return der


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def pem(path: Path, der: bytes) -> str:
    path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    return str(path)


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("purpose", USAGES)
def test_openssl_verifies_what_it_issues(
    suite: int, purpose: CertificatePurpose, tmp_path: Path
) -> None:
    authority, party = FleetAuthority(SECRET, suite), Party(suite)
    der = authority.issue(TITLE, purpose, party.public)
    root, leaf = pem(tmp_path / "root", authority.certificate), pem(tmp_path / "leaf", der)
    assert openssl("verify", "-x509_strict", "-CAfile", root, leaf).endswith("OK\n")
    stranger = pem(tmp_path / "other", FleetAuthority(bytes(32), suite).certificate)
    assert "verification failed" in openssl("verify", "-CAfile", stranger, leaf)
    text = openssl("x509", "-in", leaf, "-noout", "-text")
    assert f"X509v3 Key Usage: critical\n                {USAGES[purpose]}\n" in text
    assert "CN = 4D45540000000001" in text
    assert {1: "prime256v1", 2: "secp384r1"}[suite] in text
    assert {1: "ecdsa-with-SHA256", 2: "ecdsa-with-SHA384"}[suite] in text
    assert system_title_of(der) == TITLE


@pytest.mark.parametrize("suite", [1, 2])
def test_a_request_is_answered(suite: int) -> None:
    authority, party = FleetAuthority(SECRET, suite), Party(suite)
    answered = x509.load_der_x509_certificate(authority.answer(party.request(), TITLE, SIGNATURE))
    issued = x509.load_der_x509_certificate(authority.issue(TITLE, SIGNATURE, party.public))
    assert answered.public_key() == issued.public_key()
    assert answered.serial_number == issued.serial_number


def test_requests_that_are_not_answered() -> None:
    authority = FleetAuthority(SECRET, 1)
    request = Party(1).request()
    for wrong in (b"", request[:-1], request[:-1] + bytes((request[-1] ^ 1,))):
        with pytest.raises(ValueError, match=r"request|parsing|ASN.1"):
            authority.answer(wrong, TITLE, SIGNATURE)
    with pytest.raises(ValueError, match="not for a key on P256"):
        authority.answer(Party(2).request(), TITLE, SIGNATURE)
    key = ec.generate_private_key(ec.SECP256K1())
    other = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
    with pytest.raises(ValueError, match="not for a key on P256"):
        authority.answer(other.public_bytes(Encoding.DER), TITLE, SIGNATURE)
    with pytest.raises(VerificationFailed):
        authority.issue(TITLE, SIGNATURE, bytes(64))


def test_suite_0_has_no_authority() -> None:
    with pytest.raises(ValueError, match="suite 0"):
        FleetAuthority(SECRET, 0)


def test_whoever_has_the_fleet_secret_has_the_same_authority() -> None:
    one, other = (
        x509.load_der_x509_certificate(FleetAuthority(SECRET, 1).certificate) for _ in "12"
    )
    assert one.public_key() == other.public_key()
    assert (one.serial_number, one.subject) == (other.serial_number, other.subject)
    fleet = Fleet(SECRET)
    assert fleet.authority(1) is fleet.authority(1)


def test_each_has_a_serial_number_of_its_own() -> None:
    authority, party, another = FleetAuthority(SECRET, 1), Party(1), Party(1)
    serials = {
        x509.load_der_x509_certificate(authority.issue(title, purpose, public)).serial_number
        for title in (TITLE, CLIENT_TITLE)
        for purpose in USAGES
        for public in (party.public, another.public)
    }
    assert len(serials) == 12


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing(SECRET, suites_of(LABORATORY))


def provisioned(ring: KeyRing, titles: dict[str, bytes] | None = None) -> Device:
    made = provision(LABORATORY, 1, ring, Fleet(SECRET), titles or {}, NOW)
    state = DeviceState(kept={"certificates": made.items()})
    return Device(LABORATORY, 1, anchors=anchors(LABORATORY, Fleet(SECRET), NOW), state=state)


def test_meter_and_client_know_each_others_keys(ring: KeyRing) -> None:
    meter = provisioned(ring)
    for row in LABORATORY.associations.values():
        held = meter.state.certificates.get(row.name, ())
        if row.config.suite == 0:
            assert held == ()
            continue
        assert [(one.entity, one.facts.purpose) for one in held] == [
            (Entity.SERVER, SIGNATURE),
            (Entity.SERVER, AGREEMENT),
            (Entity.CLIENT, SIGNATURE),
            (Entity.CLIENT, AGREEMENT),
        ]
        keys = client_keys(row, meter.title, CLIENT_TITLE, ring)
        refs = meter.keys(row)
        for ref, public in (
            (refs.signing_key, keys.peer_public),
            (refs.agreement_key, keys.peer_agreement_public),
        ):
            assert ref is not None
            assert SoftwareModule(ring).execute(PublicKey(Use.CERTIFICATE, ref)) == public
        for scalar, public in (
            (keys.signing_key, refs.peer_public),
            (keys.agreement_key, refs.peer_agreement_public),
        ):
            assert scalar is not None
            assert public is not None
            curve = {32: ec.SECP256R1(), 48: ec.SECP384R1()}[len(scalar)]
            key = ec.derive_private_key(int.from_bytes(scalar, "big"), curve).public_key()
            numbers = key.public_numbers()
            half = len(scalar)
            assert public == numbers.x.to_bytes(half, "big") + numbers.y.to_bytes(half, "big")


def test_all_private_keys_differ(ring: KeyRing) -> None:
    """R-KEY-9: of each association, party and purpose."""
    meter = provisioned(ring)
    found: list[Any] = []
    for row in LABORATORY.associations.values():
        if row.config.suite:
            keys = client_keys(row, meter.title, CLIENT_TITLE, ring)
            found += [keys.signing_key, keys.agreement_key]
            refs = meter.keys(row)
            found += [ring.get(ref) for ref in (refs.signing_key, refs.agreement_key) if ref]
    assert len(found) == len(set(found)) == 16


def test_a_partys_association_is_the_partys(ring: KeyRing) -> None:
    titles = {"suite1": b"S1P\0\0\0\0\1"}
    meter = provisioned(ring, titles)
    row = LABORATORY.associations["suite1"]
    assert client_title(row, titles) == meter.client_title("suite1") == titles["suite1"]
    assert meter.client_title("suite2") == CLIENT_TITLE


@pytest.mark.parametrize("name", ["secure", "itron"])
def test_meters_of_suite_0_have_none(name: str) -> None:
    profile = load(name)
    ring = KeyRing(SECRET, suites_of(profile))
    assert provision(profile, 1, ring, Fleet(SECRET), client_titles(), NOW) == {}
    assert anchors(profile, Fleet(SECRET), NOW) == ()
    keys = client_keys(profile.associations["s1sp"], profile.system_title(1), TITLE, ring)
    assert keys.signing_key is keys.peer_public is None


@pytest.mark.parametrize("name", ["alerts", "telling"])
def test_alerts_are_for_who_takes_them(name: str) -> None:
    """Whatever a profile calls the association that they go by."""
    text = 'extends = "secure"\nname = "mine"\n'
    if name != "alerts":
        text += (
            f'[associations.{name}]\nclient_sap = 64\ncontext = "LN_CIPHERED"\n'
            'mechanism = "NONE"\nconformance = ["DATA_NOTIFICATION", "GENERAL_PROTECTION"]\n'
            "max_pdu_size = 1024\nsecurity_setup = 9\npre_established = true\n"
            'assumed = "for the test"\n[objects."0-0:25.9.1.255"]\nclass = "Push setup"\n'
            'values.9 = { integer = 64 }\nassumed = "for the test"\n'
        )
    titles = registered_titles(load_text(text, "mine.toml"), client_titles())
    assert titles[name] == TITLES[LISTENER]
    assert registered_titles(load_text(text, "mine.toml"), {})[name] == CLIENT_TITLE
