"""generate_key_pair, generate_certificate_request, and the import that brings a pair into force."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from dlms.axdr.data import enum, octet_string
from dlms.cosem.security_setup import ByEntity, Entity, identification_data
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    CertificatePurpose,
    CertificateRequest,
    Discard,
    GenerateKeyPair,
    KeyUnavailable,
    PublicKey,
    Sign,
    Use,
)
from dlms.xdlms.codes import ActionResult
from emulator.modules import curves

SUCCESS, REFUSED = ActionResult.SUCCESS, ActionResult.OTHER_REASON
SETUPS = {"suite1": "0-0:43.0.11.255", "suite2": "0-0:43.0.12.255"}
KINDS = {
    CertificatePurpose.SIGNATURE: KeyKind.SIGNING_KEY,
    CertificatePurpose.KEY_AGREEMENT: KeyKind.AGREEMENT_KEY,
    CertificatePurpose.TLS: KeyKind.TLS_PRIVATE_KEY,
}
CURVES = {"suite1": ec.SECP256R1, "suite2": ec.SECP384R1}


MARKS = (b"\1wrapped", b"\2one-pass", b"\3static", b"\4own")


class Setup:
    """One Security setup of a meter on the bench, with the authority that certifies its keys."""

    def __init__(self, meter: Any, fleet: Any, scope: str = "suite1") -> None:
        self.meter, self.scope = meter, scope
        self.authority = fleet.authority(meter.association(scope).config.suite)
        self.title = meter.device.title

    def act(self, method: int, parameter: Any) -> Any:
        return self.meter.invoke(SETUPS[self.scope], method, parameter, self.scope)

    def generate(self, purpose: CertificatePurpose) -> None:
        assert self.act(4, enum(purpose.value)).result is SUCCESS

    def request(self, purpose: CertificatePurpose) -> bytes:
        response = self.act(5, enum(purpose.value))
        assert response.result is SUCCESS
        der = response.returned.value
        assert isinstance(der, bytes)
        return der

    def certify(self, purpose: CertificatePurpose, request: bytes | None = None) -> bytes:
        wanted = self.request(purpose) if request is None else request
        der = self.authority.answer(wanted, self.title, purpose)
        assert isinstance(der, bytes)
        return der

    def take(self, certificate: bytes) -> ActionResult:
        result = self.act(6, octet_string(certificate)).result
        assert isinstance(result, ActionResult)
        return result

    def key(self, purpose: CertificatePurpose) -> KeyRef | None:
        ref = self.meter.device.key_pair(self.meter.association(self.scope), purpose)
        assert ref is None or isinstance(ref, KeyRef)
        return ref

    def public(self, key: KeyRef) -> bytes:
        octets = self.meter.module.execute(PublicKey(Use.CERTIFICATE, key))
        assert isinstance(octets, bytes)
        return octets


@pytest.fixture(params=SETUPS)
def setup(laboratory: Any, fleet: Any, request: pytest.FixtureRequest) -> Setup:
    return Setup(laboratory, fleet, request.param)


@pytest.fixture
def suite1(laboratory: Any, fleet: Any) -> Setup:
    return Setup(laboratory, fleet)


@pytest.mark.parametrize("purpose", KINDS)
def test_a_pair_is_in_force_once_its_certificate_is_there(
    setup: Setup, purpose: CertificatePurpose
) -> None:
    """X_SUITE1_GENKEY: the pair before it goes on until then."""
    meter, device = setup.meter, setup.meter.device
    old = setup.key(purpose)
    before = device.keys(meter.association(setup.scope))
    setup.generate(purpose)
    assert setup.key(purpose) == old
    assert device.keys(meter.association(setup.scope)) == before
    assert device.state.security_revision == 0

    csr = x509.load_der_x509_csr(setup.request(purpose))
    assert csr.is_signature_valid
    assert isinstance(csr.public_key(), ec.EllipticCurvePublicKey)
    assert isinstance(csr.public_key().curve, CURVES[setup.scope])  # type: ignore[union-attr]
    assert csr.subject.rfc4514_string() == f"CN={device.title.hex().upper()}"
    certificate = setup.certify(purpose)
    assert setup.take(certificate) is SUCCESS

    new = setup.key(purpose)
    assert new == KeyRef(device.title, setup.scope, KINDS[purpose], version=1)
    assert setup.public(new) == curves.public_octets(csr.public_key())  # type: ignore[arg-type]
    assert device.state.security_revision == 1
    assert device.state.generated == {}
    held = device.certificate(setup.scope, Entity.SERVER, purpose)
    assert held.certificate == certificate
    # The former signs the response, if that is to be signed, and is destroyed then.
    assert device.state.doomed == (set() if old is None else {old})
    run(device.settle(), meter.execute)
    assert device.state.doomed == set()
    if old is not None:
        with pytest.raises(KeyUnavailable):
            meter.module.execute(PublicKey(Use.CERTIFICATE, old))
    setup.public(new)


def test_the_keys_of_the_association_follow(setup: Setup) -> None:
    for purpose in KINDS:
        setup.generate(purpose)
        assert setup.take(setup.certify(purpose)) is SUCCESS
    keys = setup.meter.device.keys(setup.meter.association(setup.scope))
    assert keys.signing_key == setup.key(CertificatePurpose.SIGNATURE)
    assert keys.agreement_key == setup.key(CertificatePurpose.KEY_AGREEMENT)
    assert keys.signing_key.version == keys.agreement_key.version == 1
    own = setup.meter.device.certificate(setup.scope, Entity.SERVER, CertificatePurpose.SIGNATURE)
    config = setup.meter.device.config(setup.meter.association(setup.scope))
    assert config.certificate == own.certificate


def test_of_two_pairs_the_second_waits(suite1: Setup) -> None:
    """KL-PK-06: the first is destroyed, and no certificate brings it back."""
    purpose = CertificatePurpose.SIGNATURE
    suite1.generate(purpose)
    first = suite1.certify(purpose)
    suite1.generate(purpose)
    second = suite1.certify(purpose)
    (gone,) = (op.key for op in suite1.meter.operations if isinstance(op, Discard))
    with pytest.raises(KeyUnavailable):
        suite1.public(gone)
    digest = suite1.meter.digest()
    assert suite1.take(first) is REFUSED
    assert suite1.meter.digest() == digest
    assert suite1.take(second) is SUCCESS
    key = suite1.key(purpose)
    assert key is not None
    assert key.version == 2
    # And so on: no version comes twice.
    suite1.generate(purpose)
    assert suite1.take(suite1.certify(purpose)) is SUCCESS
    assert suite1.key(purpose) == key._replace(version=3)


def test_a_request_for_the_pair_in_force(suite1: Setup) -> None:
    """Its certificate can be renewed: the key stays, and nothing is destroyed."""
    purpose = CertificatePurpose.KEY_AGREEMENT
    before = suite1.key(purpose)
    certificate = suite1.certify(purpose)
    assert suite1.take(certificate) is SUCCESS
    assert suite1.key(purpose) == before
    assert suite1.meter.device.state.doomed == set()
    held = suite1.meter.device.certificate("suite1", Entity.SERVER, purpose)
    assert held.certificate == certificate


def test_a_renewal_leaves_the_pair_that_waits(suite1: Setup) -> None:
    purpose = CertificatePurpose.SIGNATURE
    renewal = suite1.certify(purpose)
    suite1.generate(purpose)
    assert suite1.take(renewal) is SUCCESS
    assert suite1.meter.device.state.generated.keys() == {("suite1", KeyKind.SIGNING_KEY)}
    assert suite1.take(suite1.certify(purpose)) is SUCCESS


@pytest.mark.parametrize("method", [4, 5])
@pytest.mark.parametrize("number", [3, 4, 255])
def test_other_kinds_of_pairs(suite1: Setup, method: int, number: int) -> None:
    digest = suite1.meter.digest()
    assert suite1.act(method, enum(number)).result is REFUSED
    assert suite1.meter.digest() == digest
    assert suite1.meter.operations == []


def test_no_request_without_a_pair(suite1: Setup) -> None:
    assert suite1.act(5, enum(2)).result is REFUSED  # there was never one for TLS
    named = ByEntity(Entity.SERVER, CertificatePurpose.SIGNATURE, suite1.title)
    assert suite1.act(8, identification_data(named)).result is SUCCESS
    assert suite1.act(5, enum(0)).result is REFUSED
    suite1.generate(CertificatePurpose.SIGNATURE)
    assert suite1.take(suite1.certify(CertificatePurpose.SIGNATURE)) is SUCCESS
    key = suite1.key(CertificatePurpose.SIGNATURE)
    assert key is not None
    assert key.version == 1


@pytest.mark.parametrize(
    ("method", "operation"), [(4, GenerateKeyPair), (4, Discard), (5, CertificateRequest)]
)
def test_a_module_that_fails(suite1: Setup, method: int, operation: type) -> None:
    suite1.generate(CertificatePurpose.SIGNATURE)
    waiting = suite1.meter.device.state.generated["suite1", KeyKind.SIGNING_KEY]
    execute = suite1.meter.module.execute
    failed: list[Any] = []

    def failing(op: Any) -> Any:
        if isinstance(op, operation) and not failed:
            failed.append(op)
            raise KeyUnavailable("gone")
        return execute(op)

    digest, kept = suite1.meter.digest(), repr(suite1.meter.ring)
    suite1.meter.module.execute = failing
    assert suite1.act(method, enum(0)).result is REFUSED
    assert len(failed) == 1
    assert suite1.meter.digest() == digest
    assert repr(suite1.meter.ring) == kept
    suite1.meter.module.execute = execute
    assert suite1.meter.device.state.generated["suite1", KeyKind.SIGNING_KEY] == waiting
    assert suite1.take(suite1.certify(CertificatePurpose.SIGNATURE)) is SUCCESS


def test_what_waits_signs_nothing(suite1: Setup) -> None:
    """Only its request: the association's key is another."""
    suite1.generate(CertificatePurpose.SIGNATURE)
    suite1.request(CertificatePurpose.SIGNATURE)
    assert not any(isinstance(op, Sign) for op in suite1.meter.operations)


@pytest.mark.parametrize("method", [4, 5])
def test_suite_0_has_no_pairs(make_bench: Any, method: int) -> None:
    extra = '[objects."0-0:43.0.16.255"]\nclass = "Security setup"\nversion = 1\n'
    meter = make_bench("laboratory", extra + 'rights.graded = "r m"\nassumed = "a test"\n')
    digest = meter.digest()
    assert meter.act("0-0:43.0.16.255", method, enum(0), "graded") is REFUSED
    assert meter.digest() == digest


@pytest.mark.parametrize(
    ("purpose", "left"),
    [
        (CertificatePurpose.SIGNATURE, MARKS),
        (CertificatePurpose.KEY_AGREEMENT, MARKS[:1]),
        (CertificatePurpose.TLS, MARKS),
    ],
)
def test_what_was_agreed_with_the_former_pair_is_forgotten(
    suite1: Setup, purpose: CertificatePurpose, left: tuple[bytes, ...]
) -> None:
    """KL-PK-05: once the new one is in force, and not where its certificate is renewed."""
    spent = suite1.meter.device.state.spent
    for mark in MARKS:
        spent["suite1"].add(mark)
    suite1.generate(purpose)
    certificate = suite1.certify(purpose)
    assert spent["suite1"].snapshot() == MARKS
    assert suite1.take(certificate) is SUCCESS
    assert spent["suite1"].snapshot() == left
    spent["suite1"].add(b"\2after")
    assert suite1.take(suite1.certify(purpose)) is SUCCESS
    assert b"\2after" in spent["suite1"].snapshot()
