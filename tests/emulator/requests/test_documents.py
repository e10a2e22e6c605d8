"""Documents of Service Requests: one spelling each, and nothing but that is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import KeyUnavailable, VerificationFailed
from emulator.head_end.party import SCOPES, signing_key
from emulator.modules.keyring import KeyRing, scope_secrets
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.requests.canonical import DocumentError, decode, encode
from emulator.requests.documents import (
    Authorisation,
    CountersignedRequest,
    ServiceRequest,
    SignedRequest,
)
from emulator.requests.enrolment import CertificateRefused, enrolled
from emulator.requests.signing import verified
from emulator.requests.user import User

REQUEST = ServiceRequest(
    originator=bytes.fromhex("020000FFFE000001"),
    device=b"EHL\1\0\0\0\5",
    counter=7,
    variant="2.2",
    arguments={"amount": "20"},
)
SIGNED = SignedRequest(request=REQUEST, signature=bytes(range(64)))


def test_the_octets_by_hand() -> None:
    signature = bytes(range(64)).hex().upper()
    assert SIGNED.to_octets().decode() == (
        '{"request":{"arguments":{"amount":"20"},"counter":7,"device":"45484C0100000005",'
        '"originator":"020000FFFE000001","variant":"2.2"},"signature":"' + signature + '"}'
    )
    assert SignedRequest.from_octets(SIGNED.to_octets()) == SIGNED
    assert REQUEST.id == "020000FFFE000001:45484C0100000005:7"


def test_each_document_reads_back() -> None:
    countersigned = CountersignedRequest(signed=SIGNED, countersignature=bytes(64))
    assert CountersignedRequest.from_octets(countersigned.to_octets()) == countersigned
    authorisation = Authorisation(
        digest=countersigned.digest(), device=REQUEST.device, signature=bytes(64)
    )
    assert Authorisation.from_octets(authorisation.to_octets()) == authorisation
    assert len({SIGNED.message(), REQUEST.message(), authorisation.message()}) == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(":7,", ":7.0,"),
        lambda text: text.replace(":7,", ": 7,"),
        lambda text: text.replace(":7,", ":0,"),
        lambda text: text.replace(":7,", ":-7,"),
        lambda text: text.replace(":7,", ":true,"),
        lambda text: text.replace(":7,", ":9223372036854775808,"),
        lambda text: text.replace('"counter":7', '"counter":7,"counter":8'),
        lambda text: text.replace('"counter":7', '"counter":7,"more":8'),
        lambda text: text.replace('"amount":"20"', '"amount":["20"]'),
        lambda text: text.replace('"amount":"20"', '"amount":null'),
        lambda text: text.replace("45484C", "45484c"),
        lambda text: text.replace("45484C", "484C"),
        lambda text: text.replace("20000FFFE", "2\u00e90000FFFE"),
        lambda text: text[:-1],
        lambda text: text + " ",
        lambda text: "[" * 5000,
        lambda text: "NaN",
        lambda text: "",
        lambda text: "[]",
        lambda text: '{"signature":"00"}',
        lambda text: text.replace('"20"', '"' + "2" * 20000 + '"'),
    ],
)
def test_what_is_no_document(spoil: Any) -> None:
    octets = SIGNED.to_octets().decode()
    spoilt = spoil(octets)
    assert spoilt != octets
    with pytest.raises(DocumentError):
        SignedRequest.from_octets(spoilt.encode())


def test_canonical_json_is_json() -> None:
    document = {"b": 1, "a": {"d": "ä", "c": ""}}
    assert encode(document) == b'{"a":{"c":"","d":"\\u00e4"},"b":1}'
    assert decode(encode(document)) == json.loads(encode(document)) == document


def test_a_users_signature(supplier: Any, enrolment: Any, place: Any) -> None:
    user, meter = User.of(supplier), place("secure")
    signed = user.request("2.2", meter.device.title, meter.profile, {"amount": "20.00"})
    assert signed.request.arguments == {"amount": "20"}
    public = enrolment.users[user.eui].public
    execute = SoftwareModule(KeyRing()).execute
    run(verified(signed.request.message(), signed.signature, public), execute)
    for changed in (
        replace(signed.request, arguments={"amount": "21"}),
        replace(signed.request, counter=signed.request.counter + 1),
        replace(signed.request, device=b"EHL\1\0\0\0\6"),
        replace(signed.request, variant="1.5"),
    ):
        with pytest.raises(VerificationFailed):
            run(verified(changed.message(), signed.signature, public), execute)


def test_a_refused_request_spends_no_counter(supplier: Any, place: Any) -> None:
    user, meter = User.of(supplier), place("secure")
    wrong = [("2.2", {"amount": "many"}), ("6.6", {"calorific_value": 1}), ("2.2", {})]
    for number, given in wrong:
        with pytest.raises(ValueError, match=r"amount|not for"):
            user.request(number, meter.device.title, meter.profile, given)
    signed = user.request("7.2", meter.device.title, meter.profile, {})
    assert signed.request.counter == 1


def test_who_is_not_enrolled(pki: Any, other_pki: Any, supplier: Any, credentials: Any) -> None:
    now, trust = pki.created, pki.trust()
    assert enrolled(supplier.chain_pem, trust, "one", "supplier", now).eui == supplier.system_title
    stranger = other_pki.issue_signer(supplier.system_title, "supplier")
    for chain in (
        stranger.chain_pem,
        credentials[Actor.S1SP].chain_pem,
        pki.issue_client(supplier.system_title, "for TLS").chain_pem,
    ):
        with pytest.raises(CertificateRefused):
            enrolled(chain, trust, "one", "supplier", now)
    with pytest.raises(CertificateRefused, match="out of date"):
        enrolled(supplier.chain_pem, trust, "one", "supplier", now.replace(year=now.year + 11))


def test_each_party_has_its_own_signing_key(fleet_secret: bytes) -> None:
    """Who holds the secrets of one party's scopes cannot sign as another."""
    for mine in SCOPES:
        ring = KeyRing(scope_secrets(fleet_secret, SCOPES[mine]))
        assert len(ring.get(signing_key(mine))) == 32
        for other in set(SCOPES) - {mine}:
            with pytest.raises(KeyUnavailable):
                ring.get(signing_key(other))
    ring = KeyRing(scope_secrets(fleet_secret, SCOPES[Actor.S1SP]))
    for kind in (KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK):
        with pytest.raises(KeyUnavailable):
            ring.get(KeyRef(b"EHL\1\0\0\0\5", "dco", kind))
