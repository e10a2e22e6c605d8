"""gurux-dlms and Security setup version 1: what its class can say to a meter of suite 1."""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from gurux_dlms.asn import GXx509Certificate
from gurux_dlms.ecdsa import GXPrivateKey
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.objects import GXDLMSSecuritySetup
from gurux_dlms.objects.enums import (
    CertificateEntity,
    CertificateType,
    SecurityPolicy,
    SecuritySuite,
)
from gurux_dlms.objects.enums.GlobalKeyType import GlobalKeyType

from dlms.cosem.security_setup import Entity
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificatePurpose
from emulator.provisioning import CLIENT_TITLE, Fleet

SCOPE = "suite1"
SIGNATURE = CertificatePurpose.SIGNATURE


class Talk:
    """An association in suite 1, and the object as the package has it."""

    def __init__(self, meter: Any, session: Any) -> None:
        self.meter, self.session = meter, session
        self.setup = GXDLMSSecuritySetup("0.0.43.0.11.255")

    def act(self, frames: Any) -> Any:
        return self.session.exchange(frames).value

    @property
    def client(self) -> Any:
        return self.session.client

    def works(self) -> None:
        assert self.session.read(self.setup, 3) == SecuritySuite.SUITE_1


@pytest.fixture
def talk(fresh: Any, gurux: Any) -> Talk:
    meter = fresh("laboratory", SCOPE)
    options = {"systemTitle": CLIENT_TITLE, "securitySuite": SecuritySuite.SUITE_1}
    return Talk(meter, gurux(meter, SCOPE, **options))


def test_gurux_reads_the_attributes(talk: Talk) -> None:
    setup, device = talk.setup, talk.meter.device
    for attribute in range(2, 7):
        talk.session.read(setup, attribute)
    both = SecurityPolicy.AUTHENTICATED_REQUEST | SecurityPolicy.ENCRYPTED_REQUEST
    both |= SecurityPolicy.AUTHENTICATED_RESPONSE | SecurityPolicy.ENCRYPTED_RESPONSE
    assert setup.securityPolicy == both
    assert bytes(setup.clientSystemTitle) == CLIENT_TITLE
    assert bytes(setup.serverSystemTitle) == device.title
    held = [*device.anchors_of(talk.meter.profile.associations[SCOPE])]
    held += device.state.certificates[SCOPE]
    shown = [
        (int(one.entity), int(one.type_), bytes(one.serialNumber), bytes(one.issuer))
        for one in setup.certificates
    ]
    assert shown == [
        (one.entity.value, one.facts.purpose.value, one.facts.serial, one.facts.issuer)
        for one in held
    ]


def test_gurux_activates_a_policy(talk: Talk) -> None:
    weaker = SecurityPolicy.AUTHENTICATED_REQUEST
    with pytest.raises(GXDLMSException):
        talk.act(talk.setup.activate(talk.client, weaker))
    talk.act(talk.setup.activate(talk.client, SecurityPolicy(0b0110_1100)))
    talk.works()


def test_gurux_transfers_keys_in_suite_1(talk: Talk) -> None:
    kek = talk.meter.ring.get(KeyRef(talk.meter.device.title, SCOPE, KeyKind.KEK))
    new = {
        GlobalKeyType.UNICAST_ENCRYPTION: bytes(range(16)),
        GlobalKeyType.AUTHENTICATION: bytes(range(32, 48)),
    }
    frames = talk.setup.globalKeyTransfer(talk.client, kek, list(new.items()))
    talk.act(frames)
    cipher = talk.client.ciphering
    cipher.blockCipherKey, cipher.authenticationKey = new.values()
    cipher.invocationCounter = 0
    talk.works()


def test_gurux_brings_a_key_pair_into_force(talk: Talk) -> None:
    setup, device = talk.setup, talk.meter.device
    talk.act(setup.generateKeyPair(talk.client, CertificateType.DIGITAL_SIGNATURE))
    der = bytes(talk.act(setup.generateCertificate(talk.client, CertificateType.DIGITAL_SIGNATURE)))
    certificate = Fleet(bytes(range(32))).authority(1).answer(der, device.title, SIGNATURE)
    # It wants an object of its certificate class, and takes the octets from that.
    talk.act(setup.importCertificate(talk.client, SimpleNamespace(encoded=certificate)))
    assert device.key(SCOPE, KeyKind.SIGNING_KEY).version == 1
    held = device.certificate(SCOPE, Entity.SERVER, SIGNATURE)
    assert held.certificate == certificate
    exported = talk.act(
        setup.exportCertificateByEntity(
            talk.client,
            CertificateEntity.SERVER,
            CertificateType.DIGITAL_SIGNATURE,
            device.title,
        )
    )
    assert bytes(exported) == certificate


def test_gurux_removes_by_entity(talk: Talk) -> None:
    device = talk.meter.device
    frames = talk.setup.removeCertificateByEntity(
        talk.client,
        CertificateEntity.SERVER,
        CertificateType.DIGITAL_SIGNATURE,
        device.title,
    )
    talk.act(frames)
    assert device.certificate(SCOPE, Entity.SERVER, SIGNATURE) is None
    talk.works()


def test_gurux_exports_by_serial(talk: Talk) -> None:
    held = talk.meter.device.certificate(SCOPE, Entity.SERVER, SIGNATURE)
    serial = int.from_bytes(held.facts.serial[2:], "big")
    frames = talk.setup.exportCertificateBySerial(talk.client, serial, held.facts.issuer)
    assert bytes(talk.act(frames)) == held.certificate


def test_gurux_cannot_remove_by_serial(talk: Talk) -> None:
    device = talk.meter.device
    facts = device.certificate(SCOPE, Entity.SERVER, SIGNATURE).facts
    with pytest.raises(AttributeError):
        talk.setup.removeCertificateBySerial(talk.client, facts.serial, facts.issuer)
    texts = str(int.from_bytes(facts.serial[2:], "big")), facts.issuer.hex()
    frames = talk.setup.removeCertificateBySerial(talk.client, *texts)
    with pytest.raises(GXDLMSException):
        talk.act(frames)
    assert device.certificate(SCOPE, Entity.SERVER, SIGNATURE) is not None


def test_gurux_cannot_agree_keys(talk: Talk) -> None:
    cipher = talk.client.ciphering
    private = GXPrivateKey.fromRawBytes((0xC11E27).to_bytes(32, "big"))
    pair = SimpleNamespace(private=private, public=private.getPublicKey())
    cipher.ephemeralKeyPair = cipher.signingKeyPair = pair
    with pytest.raises(AttributeError, match="getKey"):
        talk.setup.keyAgreement(talk.client, GlobalKeyType.UNICAST_ENCRYPTION)


def test_gurux_cannot_read_certificates_without_an_end(talk: Talk) -> None:
    """Their notAfter is a GeneralizedTime (RFC 5280, 4.1.2.5)."""
    held = talk.meter.device.certificate(SCOPE, Entity.SERVER, SIGNATURE)
    with pytest.raises(TypeError):
        GXx509Certificate.fromDer(b64encode(held.certificate).decode())
