"""What proves whose a thing is: certificates, requests for them, and firmware images."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.image import ImageFormatError, Target, is_sealed, is_whole, make_image, read_image
from devices.image import Seal as ImageSeal
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    CertificateFacts,
    CertificatePurpose,
    CertificateRequest,
    CheckCertificate,
    PublicKey,
    Use,
    VerificationFailed,
)
from emulator.fuzz.octets import laws, words
from emulator.fuzz.octets.harness import Harness, Outcome, Unlawful
from emulator.fuzz.octets.two_parties import CLIENT, SECRET, SERVER, SUITE
from emulator.modules.authority import FleetAuthority
from emulator.modules.certificates import key_in
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from tls.identity import IdentityError, system_title_of

NOW = dt.datetime(2025, 1, 1, 12, tzinfo=dt.UTC)
_PURPOSES = (None, *CertificatePurpose)
_TITLES = (None, SERVER)


@cache
def _authority() -> FleetAuthority:
    return FleetAuthority(SECRET, SUITE)


@cache
def _module() -> SoftwareModule:
    return SoftwareModule(KeyRing(SECRET, lambda ref: SUITE))


def _certificate(octets: bytes) -> Outcome:
    """Checked as a meter does it, for each purpose; and read as a head end does it."""
    taken = False
    for purpose in _PURPOSES:
        for title in _TITLES:
            facts = _facts(octets, purpose, title)
            if facts is not None:
                taken = True
                _check_facts(facts, title)
    try:
        found = key_in(octets)
    except ValueError:
        return Outcome.TAKEN if taken else Outcome.REFUSED
    if found is None and taken and _facts(octets, CertificatePurpose.AUTHORITY, None) is None:
        raise Unlawful("what is checked has a key in it", octets.hex())
    return Outcome.TAKEN


def _facts(
    octets: bytes, purpose: CertificatePurpose | None, title: bytes | None
) -> CertificateFacts | None:
    op = CheckCertificate(Use.CERTIFICATE, octets, purpose, (_authority().certificate,), NOW, title)
    try:
        facts: CertificateFacts = _module().execute(op)
    except VerificationFailed:
        return None
    return facts


def _check_facts(facts: CertificateFacts, title: bytes | None) -> None:
    if title is not None and facts.title != title:
        raise Unlawful("a certificate is for whom it was asked", facts.title.hex())
    if len(facts.public) != 2 * facts.curve.value:
        raise Unlawful("a public key is x and y", facts.public.hex())


def _request(octets: bytes) -> Outcome:
    """What an authority makes of a request is a certificate that the meter would take."""
    purpose = CertificatePurpose.SIGNATURE
    try:
        answer = _authority().answer(octets, SERVER, purpose)
    except (ValueError, VerificationFailed):
        return Outcome.REFUSED
    if _facts(answer, purpose, SERVER) is None:
        raise Unlawful("what is issued is taken", octets.hex())
    return Outcome.TAKEN


def _certificates() -> Iterable[bytes]:
    authority = _authority()
    yield authority.certificate
    for purpose, kind in (
        (CertificatePurpose.SIGNATURE, KeyKind.SIGNING_KEY),
        (CertificatePurpose.KEY_AGREEMENT, KeyKind.AGREEMENT_KEY),
        (CertificatePurpose.TLS, KeyKind.SIGNING_KEY),
    ):
        for title in (SERVER, CLIENT):
            public = _module().execute(PublicKey(Use.CERTIFICATE, KeyRef(title, "octets", kind)))
            yield authority.issue(title, purpose, public)


def _requests() -> Iterable[bytes]:
    key = KeyRef(SERVER, "octets", KeyKind.SIGNING_KEY)
    yield _module().execute(CertificateRequest(Use.CERTIFICATE, key, SERVER))


def _images() -> Iterable[bytes]:
    target = Target("LAB", "METER", "1")
    for kind in ImageSeal:
        made: bytes = run(make_image(target, "2.0", bytes(40), kind), _module().execute)
        yield made


def _image(octets: bytes) -> Outcome:
    """An image that is whole and sealed is the one that the maker made."""
    try:
        image = read_image(octets)
    except ImageFormatError:
        return Outcome.REFUSED
    if image.sealed + image.seal != octets:
        raise Unlawful("an image is all of its octets", octets.hex())
    if not is_whole(image):
        return Outcome.REFUSED
    sealed: Any = run(is_sealed(image), _module().execute)
    return Outcome.TAKEN if sealed else Outcome.REFUSED


def _words() -> Iterable[bytes]:
    """Object identifiers and names out of what the authority issues."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    yield point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)[:26]
    for oid in (
        "06072A8648CE3D0201", "06082A8648CE3D030107", "06052B81040022", "06082A8648CE3D040302",
        "0603551D0F", "0603551D11", "0603551D13", "0603551D25", "0603550403",
        "06082B06010505070804",
        "06092A864886F70D01010B", "06032B6570", "0500", "0101FF", "03020780", "03020308",
        "170D3235303130313132303030305A", "180F39393939313233313233353935395A",
    ):  # fmt: skip
        yield bytes.fromhex(oid)
    yield from words.lengths()


HARNESSES = (
    Harness(
        name="papers.certificate",
        takes="an X.509 certificate, DER",
        play=_certificate,
        seeds=_certificates,
        words=_words,
        is_ber=True,
        most=4200,
        work=60,
    ),
    Harness(
        name="papers.title",
        takes="the certificate of whoever comes over TLS, DER: whose it is",
        play=laws.reader(system_title_of, (IdentityError,)),
        seeds=_certificates,
        words=_words,
        is_ber=True,
        most=4200,
        work=60,
    ),
    Harness(
        name="papers.request",
        takes="a PKCS #10 request for a certificate, DER",
        play=_request,
        seeds=_requests,
        words=_words,
        is_ber=True,
        most=4200,
        work=60,
    ),
    Harness(
        name="papers.image",
        takes="a firmware image",
        play=_image,
        seeds=_images,
        words=lambda: (*words.codes(ImageSeal), b"CLFI", b"LAB", *words.numbers()),
        most=8192,
        work=10,
    ),
)
