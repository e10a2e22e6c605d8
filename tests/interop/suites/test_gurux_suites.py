"""gurux-dlms in security suites 1 and 2: what its classes and our module make of each other.

Its AES-GCM for the general-ciphering APDU takes the invocation counter for the transaction-id, so
both have the same number here.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import load_der_x509_csr
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.asn import GXPkcs10
from gurux_dlms.CountType import CountType
from gurux_dlms.ecdsa import GXEcdsa, GXPrivateKey, GXPublicKey
from gurux_dlms.enums import Security
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from gurux_dlms.GXDLMSSettings import GXDLMSSettings
from gurux_dlms.objects.enums import SecuritySuite
from gurux_dlms.secure import GXDLMSSecureClient

from dlms.security.drive import run
from dlms.security.general_ciphering import decode_general_ciphering
from dlms.security.general_signing import sign_general
from dlms.security.key_choice import KeyChoice
from dlms.security.ops import (
    CertificateRequest,
    Curve,
    Seal,
    Sign,
    Use,
    VerificationFailed,
    Verify,
    Wrap,
)

APDU = bytes.fromhex("C0010000080000010000FF0200")
SERVER = bytes.fromhex("4D4D4D0000000001")


def parameter(ours: Any, control: int = 0x30) -> AesGcmParameter:
    """Title, keys and counter for the peer."""
    given = AesGcmParameter(0, bytearray(ours.title), bytearray(ours.ek), bytearray(ours.ak))
    given.security = Security(control & 0x30)
    given.securitySuite = SecuritySuite(ours.suite)
    given.invocationCounter = ours.counter
    given.type_ = CountType.DATA | CountType.TAG
    return given


def point(public: bytes) -> GXPublicKey:
    """The class wants the tag that DLMS leaves out."""
    return GXPublicKey.fromRawBytes(b"\x04" + public)


def test_gurux_derives_the_same_public_keys(ours: Any) -> None:
    key = GXPrivateKey.fromRawBytes(ours.keys.get(ours.signing))
    public = ours.signing_public
    assert bytes(key.getPublicKey().rawValue) == b"\x04" + public


def test_gurux_and_we_verify_each_other(p256: Any) -> None:
    public = p256.signing_public
    for number in range(8):
        message = bytes((number,)) * number
        ours = p256(Sign(Use.PROTECT_REQUEST, p256.signing, message))
        assert GXEcdsa(point(public)).verify(ours, message)
        assert not GXEcdsa(point(public)).verify(ours, message + b"\0")
        theirs = GXEcdsa(GXPrivateKey.fromRawBytes(p256.keys.get(p256.signing))).sign(message)
        p256(Verify(Use.OPEN_REQUEST, Curve.P256, public, message, theirs))
        with pytest.raises(VerificationFailed):
            p256(Verify(Use.OPEN_REQUEST, Curve.P256, public, message + b"\0", theirs))


def test_gurux_cannot_sign_in_suite_2(p384: Any) -> None:
    key = GXPrivateKey.fromRawBytes(p384.keys.get(p384.signing))
    with pytest.raises(ValueError, match="scheme"):
        GXEcdsa(key).sign(APDU)
    signature = p384(Sign(Use.PROTECT_REQUEST, p384.signing, APDU))
    with pytest.raises(ValueError, match="scheme"):
        GXEcdsa(point(p384.signing_public)).verify(signature, APDU)


def test_gurux_cannot_make_a_shared_secret(ours: Any) -> None:
    key = GXPrivateKey.fromRawBytes(ours.keys.get(ours.agreement))
    with pytest.raises(ValueError, match="invalid literal"):
        GXEcdsa(key).generateSecret(key.getPublicKey())


def test_gurux_reads_our_certificate_requests(p256: Any) -> None:
    """It checks the signature while it reads. It does not where one of its numbers is short."""
    der = b""
    while not der or any(number >> 248 == 0 for number in _numbers(der)):
        der = p256(CertificateRequest(Use.CERTIFICATE, p256.signing, p256.title))
    request = GXPkcs10.fromDer(b64encode(der).decode())
    assert request.subject == "CN=4D4D4D0000BC614E"
    public = p256.signing_public
    assert bytes(request.publicKey.rawValue) == b"\x04" + public


def _numbers(request: bytes) -> tuple[int, int]:
    return decode_dss_signature(load_der_x509_csr(request).signature)


def test_gurux_wraps_keys_the_same(p256: Any) -> None:
    wrapped = p256(Wrap(Use.TRANSFER_KEY, p256.kek, p256.guek))
    assert bytes(GXDLMSSecureClient.encrypt(p256.master, p256.ek)) == wrapped


def test_gurux_cannot_wrap_under_256_bits(p384: Any) -> None:
    with pytest.raises(ValueError, match="Key Encrypting Key"):
        GXDLMSSecureClient.encrypt(p384.master, p384.ek)


@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_gurux_seals_the_same_in_suite_1(p256: Any, control: int) -> None:
    _seals_the_same(p256, control)


@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_gurux_seals_the_same_in_suite_2(p384: Any, control: int) -> None:
    _seals_the_same(p384, control)


def _seals_the_same(ours: Any, control: int) -> None:
    ak = ours.gak if control & 0x10 else None
    seal = Seal(
        Use.PROTECT_REQUEST, ours.guek, ak, control | ours.suite, ours.title, ours.counter, APDU
    )
    theirs = bytes(GXDLMSChippering.encryptAesGcm(parameter(ours, control), bytearray(APDU)))
    assert theirs == (APDU if control == 0x10 else b"") + ours(seal)


def test_gurux_seals_general_ciphering_the_same(ours: Any) -> None:
    """Table 38: the header goes into the additional data."""
    message = decode_general_ciphering(ours.ciphered(APDU, KeyChoice.UNICAST))
    assert (message.counter, message.control) == (ours.counter, 0x30 | ours.suite)
    given = parameter(ours)
    given.recipientSystemTitle = bytearray(SERVER)
    assert bytes(GXDLMSChippering.encryptAesGcm(given, bytearray(APDU))) == message.body
    plain = parameter(ours)
    assert bytes(GXDLMSChippering.encryptAesGcm(plain, bytearray(APDU))) != message.body


def test_gurux_cannot_open_general_ciphering(ours: Any) -> None:
    octets = GXByteBuffer(bytearray(ours.ciphered(APDU, KeyChoice.STATIC)))
    with pytest.raises(AttributeError):
        GXDLMSChippering.decryptAesGcm(GXDLMSSettings(False, None), parameter(ours), octets)


def test_gurux_cannot_open_general_signing(ours: Any) -> None:
    header = ours.context.header(bytes(8))
    octets = run(sign_general(ours.context, APDU, header, Use.PROTECT_REQUEST), ours)
    with pytest.raises(ValueError, match="cryptedData"):
        GXDLMSChippering.decryptAesGcm(
            GXDLMSSettings(False, None), parameter(ours), GXByteBuffer(bytearray(octets))
        )
