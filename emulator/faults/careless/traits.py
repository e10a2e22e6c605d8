"""What some devices have that our meters do not: so that checks of it have a device to pass on."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tlslite.mathtls import FFDHE3072, RFC2409_GROUP2

from emulator.faults.presented import Presented
from tls.certificates import certify
from tls.credentials import Credential, Validity
from tls.identity import hardware_module_name
from tls.pki import NO_EXPIRY, SERVER

SHORT = 0.15
"""Seconds that a session lasts where sessions are short."""

_RSA_BITS = 2048

LABORATORY_KEY = b"laboratory", bytearray(range(32))
"""Identity and pre-shared key of a device in the laboratory; nobody else has such a device."""

_TICKET_KEY = bytearray(range(32, 64))


def settle(settings: Any, flaws: frozenset[str]) -> None:
    """Settings of either side, by its traits and flaws."""
    settings.certificate_compression_send = settings.certificate_compression_receive = []
    if "cbc" in flaws:
        settings.cipherNames += ["aes256", "aes128"]
        settings.useEncryptThenMAC = "etm" in flaws
    if "tls-1.3" in flaws:
        settings.maxVersion = (3, 4)
        settings.versions = [(3, 4), (3, 3)]
    if "psk" in flaws:
        settings.pskConfigs = [(*LABORATORY_KEY, "sha256")]
        settings.cipherNames = ["aes128gcm"]
    if "tickets" in flaws:
        settings.ticketKeys = [_TICKET_KEY]
    if flaws & {"long-prime", "short-prime"}:
        settings.keyExchangeNames += ["dhe_rsa"]
        settings.rsaSigHashes = ["sha256"]
        settings.dhGroups, settings.dhParams = ["ffdhe3072"], FFDHE3072
    if "short-prime" in flaws:
        settings.dhGroups = []
        settings.dhParams = RFC2409_GROUP2


def credential_of(presented: Presented, flaws: frozenset[str]) -> Credential:
    """What is shown: the meter's own, or another one for the same system title."""
    if flaws & {"long-prime", "short-prime"}:
        return _with_rsa(presented)
    if "signed-with-sha-384" in flaws:
        return _signed_with_sha_384(presented)
    return presented.credential


def _with_rsa(presented: Presented) -> Credential:
    key = rsa.generate_private_key(65537, _RSA_BITS)
    pki = presented.pki
    leaf = certify(
        presented.title.hex().upper(),
        key.public_key(),  # type: ignore[arg-type]  # any key can be certified
        Validity(not_before=pki.issuing.certificate.not_valid_before_utc, not_after=NO_EXPIRY),
        pki.issuing,
        names=[hardware_module_name(presented.title)],
        purposes=[SERVER],
    )
    return Credential(
        chain_pem=leaf.public_bytes(Encoding.PEM) + pki.issuing.certificate_pem,
        private_key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _signed_with_sha_384(presented: Presented) -> Credential:
    right, issuing = presented.credential, presented.pki.issuing
    leaf = right.leaf
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .public_key(leaf.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(leaf.not_valid_before_utc)
        .not_valid_after(leaf.not_valid_after_utc)
    )
    for extension in leaf.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    signed = builder.sign(issuing.key, SHA384())
    return Credential(
        chain_pem=signed.public_bytes(Encoding.PEM) + issuing.certificate_pem,
        private_key_pem=right.private_key_pem,
    )
