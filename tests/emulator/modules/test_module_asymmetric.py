"""What every Cryptographic Module must do with key pairs, hashes and agreed keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Agree,
    CertificateRequest,
    CryptoOp,
    Curve,
    Digest,
    Discard,
    GenerateKey,
    GenerateKeyPair,
    HashFunction,
    KeyUnavailable,
    Open,
    OperationRefused,
    PublicKey,
    Seal,
    Sign,
    Use,
    VerificationFailed,
    Verify,
    keys_of,
)
from emulator.modules import software
from emulator.modules.key_kinds import PAIRS
from emulator.modules.keyring import KeyRing
from emulator.modules.module import CryptoModule
from emulator.modules.software import SoftwareModule

TITLE = bytes.fromhex("4D4D4D0000BC614E")
CURVES = {Curve.P256: ec.SECP256R1(), Curve.P384: ec.SECP384R1()}
DIGESTS = {Curve.P256: hashes.SHA256(), Curve.P384: hashes.SHA384()}
LENGTHS = {Curve.P256: 16, Curve.P384: 32}


def ref(kind: KeyKind, version: int = 0) -> KeyRef:
    return KeyRef(TITLE, "a", kind, version=version)


SIGNING, AGREEMENT, SECRET = (
    ref(kind) for kind in (KeyKind.SIGNING_KEY, KeyKind.AGREEMENT_KEY, KeyKind.HLS_SECRET)
)
GUEK, GAK, KEK = (ref(kind) for kind in (KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK))
FRESH = ref(KeyKind.GUEK, 1)
KEYS = {GUEK: bytes(range(16)), GAK: bytes(range(0xD0, 0xE0)), SECRET: b"secret of the HLS"}


@pytest.fixture
def module(make: Callable[..., CryptoModule]) -> CryptoModule:
    return make(KEYS)


@pytest.fixture(params=Curve, ids=lambda curve: curve.name)
def curve(request: pytest.FixtureRequest) -> Curve:
    chosen: Curve = request.param
    return chosen


def raw(key: ec.EllipticCurvePublicKey) -> bytes:
    numbers, length = key.public_numbers(), key.key_size // 8
    return numbers.x.to_bytes(length, "big") + numbers.y.to_bytes(length, "big")


def cooked(curve: Curve, public: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve], b"\4" + public)


def pair(module: CryptoModule, curve: Curve, into: KeyRef = SIGNING) -> bytes:
    public: bytes = module.execute(GenerateKeyPair(Use.CERTIFICATE, into, curve))
    return public


# Hashes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", HashFunction)
def test_a_secret_goes_into_a_hash_where_it_stands(
    module: CryptoModule, backend: Any, function: HashFunction
) -> None:
    if function.value in backend.REFUSED:
        with pytest.raises(OperationRefused, match=function.value):
            module.execute(Digest(Use.ASSOCIATION, function, (b"a", SECRET)))
        digest = module.execute(Digest(Use.ASSOCIATION, function, (b"a", b"b")))
        assert digest == hashlib.new(function.value, b"ab").digest()
        return
    for parts, joined in (
        ((b"a", SECRET, b"b"), b"a" + KEYS[SECRET] + b"b"),
        ((SECRET, b"", b"c", SECRET), KEYS[SECRET] + b"c" + KEYS[SECRET]),
        ((), b""),
    ):
        digest = module.execute(Digest(Use.ASSOCIATION, function, parts))
        assert digest == hashlib.new(function.value, joined).digest()


@pytest.mark.parametrize("kind", [kind for kind in KeyKind if kind is not KeyKind.HLS_SECRET])
def test_no_other_key_is_hashed(make: Callable[..., CryptoModule], kind: KeyKind) -> None:
    octets = bytes(31) + b"\1" if kind in PAIRS else b"k" * 16
    module = make({ref(kind): octets})
    with pytest.raises(KeyUnavailable):
        module.execute(Digest(Use.ASSOCIATION, HashFunction.SHA256, (ref(kind), b"challenge")))


# Signatures ---------------------------------------------------------------------------------------


def test_signatures_are_those_of_the_curve(module: CryptoModule, curve: Curve) -> None:
    public = pair(module, curve)
    signature = module.execute(Sign(Use.PROTECT_REQUEST, SIGNING, b"message"))
    half = curve.value
    assert (len(public), len(signature)) == (2 * half, 2 * half)
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    der = encode_dss_signature(r, s)
    cooked(curve, public).verify(der, b"message", ec.ECDSA(DIGESTS[curve]))
    module.execute(Verify(Use.OPEN_REQUEST, curve, public, b"message", signature))
    with pytest.raises(VerificationFailed):
        module.execute(Verify(Use.OPEN_REQUEST, curve, public, b"massage", signature))
    with pytest.raises(VerificationFailed):
        module.execute(Verify(Use.OPEN_REQUEST, curve, public, b"message", der))


def test_short_numbers_are_padded(module: CryptoModule) -> None:
    """KL-PK-12: about one signature in 128 has an R or S that begins with a zero octet."""
    public = pair(module, Curve.P256)
    seen = False
    for number in range(3000):
        message = number.to_bytes(2, "big")
        signature = module.execute(Sign(Use.PROTECT_REQUEST, SIGNING, message))
        assert len(signature) == 64
        if 0 in (signature[0], signature[32]):
            seen = True
            module.execute(Verify(Use.OPEN_REQUEST, Curve.P256, public, message, signature))
            break
    assert seen


# Key pairs ----------------------------------------------------------------------------------------


def test_a_new_pair_replaces_the_old_one(module: CryptoModule, curve: Curve) -> None:
    """R-KEY-7."""
    first = pair(module, curve)
    signature = module.execute(Sign(Use.PROTECT_REQUEST, SIGNING, b"message"))
    second = pair(module, curve)
    assert first != second
    assert module.execute(PublicKey(Use.CERTIFICATE, SIGNING)) == second
    with pytest.raises(VerificationFailed):
        module.execute(Verify(Use.OPEN_REQUEST, curve, second, b"message", signature))
    signature = module.execute(Sign(Use.PROTECT_REQUEST, SIGNING, b"message"))
    module.execute(Verify(Use.OPEN_REQUEST, curve, second, b"message", signature))


def test_a_discarded_pair_is_gone(module: CryptoModule) -> None:
    pair(module, Curve.P256)
    module.execute(Discard(Use.CERTIFICATE, SIGNING))
    for op in (
        Sign(Use.PROTECT_REQUEST, SIGNING, b"message"),
        PublicKey(Use.CERTIFICATE, SIGNING),
        CertificateRequest(Use.CERTIFICATE, SIGNING, TITLE),
    ):
        with pytest.raises(KeyUnavailable):
            module.execute(op)


def test_a_pair_serves_one_purpose(module: CryptoModule) -> None:
    """R-KEY-9; nor is it a symmetric key, though as many octets are one in suite 2."""
    pair(module, Curve.P256, SIGNING)
    public = pair(module, Curve.P256, AGREEMENT)
    wrong: tuple[CryptoOp, ...] = (
        Agree(Use.AGREE_KEY, SIGNING, public, b"", FRESH, 16),
        Sign(Use.PROTECT_REQUEST, AGREEMENT, b"message"),
        Sign(Use.PROTECT_REQUEST, GUEK, b"message"),
        PublicKey(Use.CERTIFICATE, GUEK),
        GenerateKeyPair(Use.CERTIFICATE, FRESH, Curve.P256),
        Seal(Use.PROTECT_REQUEST, SIGNING, None, 0x30, TITLE, 1, b"payload"),
        Open(Use.OPEN_REQUEST, AGREEMENT, None, 0x30, TITLE, 1, bytes(20)),
    )
    for op in wrong:
        with pytest.raises(KeyUnavailable, match="not a key for this"):
            module.execute(op)


@pytest.mark.parametrize(
    "scalar", [b"", bytes(32), bytes(16), b"\xff" * 32, b"\xff" * 48, b"1" * 33]
)
def test_what_is_no_private_key_is_unavailable(
    make: Callable[..., CryptoModule], scalar: bytes
) -> None:
    with pytest.raises(KeyUnavailable):
        make({SIGNING: scalar}).execute(PublicKey(Use.CERTIFICATE, SIGNING))


def test_prepared_private_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_MAX_PRIVATE_KEYS", 3)
    module = SoftwareModule(KeyRing(b"fleet", lambda ref: 1))
    names = [SIGNING._replace(holder=bytes(7) + bytes((n,))) for n in range(8)]
    publics = [module.execute(PublicKey(Use.CERTIFICATE, name)) for name in names]
    assert [module.execute(PublicKey(Use.CERTIFICATE, name)) for name in names] == publics
    assert len(set(publics)) == 8
    assert len(module._private_keys) <= 3


# Agreement ----------------------------------------------------------------------------------------


def test_both_sides_agree_on_the_key_of_the_standard(module: CryptoModule, curve: Curve) -> None:
    peer = ec.generate_private_key(CURVES[curve])
    public = pair(module, curve, AGREEMENT)
    length = LENGTHS[curve]
    op = Agree(Use.AGREE_KEY, AGREEMENT, raw(peer.public_key()), b"info", FRESH, length)
    assert module.execute(op) is None
    z = peer.exchange(ec.ECDH(), cooked(curve, public))
    digest = {Curve.P256: hashlib.sha256, Curve.P384: hashlib.sha384}[curve]
    key = digest(b"\0\0\0\1" + z + b"info").digest()[:length]
    sealed = module.execute(Seal(Use.PROTECT_REQUEST, FRESH, None, 0x30, TITLE, 7, b"payload"))
    iv = TITLE + bytes((0, 0, 0, 7))
    assert sealed == AESGCM(key).encrypt(iv, b"payload", b"\x30")[:-4]


def bad_points(curve: Curve) -> list[bytes]:
    """KL-PK-01: not of the length, not on the curve, compressed, tagged, at infinity."""
    good = raw(ec.generate_private_key(CURVES[curve]).public_key())
    other = Curve.P384 if curve is Curve.P256 else Curve.P256
    half = curve.value
    return [
        b"",
        b"\0",
        bytes(2 * half),
        b"\xff" * (2 * half),
        good[:-1],
        good + b"\0",
        b"\4" + good,
        b"\2" + good[:half],
        good[half:] + good[:half],
        good[:-1] + bytes((good[-1] ^ 1,)),
        raw(ec.generate_private_key(CURVES[other]).public_key()),
    ]


def test_points_that_are_none_are_refused(module: CryptoModule, curve: Curve) -> None:
    pair(module, curve, AGREEMENT)
    for bad in bad_points(curve):
        with pytest.raises(VerificationFailed):
            module.execute(Agree(Use.AGREE_KEY, AGREEMENT, bad, b"info", FRESH, 16))
    with pytest.raises(KeyUnavailable):
        module.execute(Seal(Use.PROTECT_REQUEST, FRESH, None, 0x30, TITLE, 1, b"payload"))


def test_an_agreed_key_is_unlike_those_before(module: CryptoModule) -> None:
    pair(module, Curve.P256, AGREEMENT)
    public = raw(ec.generate_private_key(ec.SECP256R1()).public_key())
    first = Agree(Use.AGREE_KEY, AGREEMENT, public, b"info", FRESH, 16, unlike=(GUEK, GAK))
    module.execute(first)
    again = first._replace(into=ref(KeyKind.GUEK, 2), unlike=(GUEK, FRESH))
    with pytest.raises(VerificationFailed, match="used before"):
        module.execute(again)
    with pytest.raises(KeyUnavailable):
        module.execute(Seal(Use.PROTECT_REQUEST, again.into, None, 0x30, TITLE, 1, b"payload"))
    module.execute(again._replace(other_info=b"other"))


def test_missing_keys(module: CryptoModule) -> None:
    public = raw(ec.generate_private_key(ec.SECP256R1()).public_key())
    missing: tuple[CryptoOp, ...] = (
        Sign(Use.PROTECT_REQUEST, SIGNING, b"message"),
        PublicKey(Use.CERTIFICATE, AGREEMENT),
        Agree(Use.AGREE_KEY, AGREEMENT, public, b"", FRESH, 16),
        Digest(Use.ASSOCIATION, HashFunction.MD5, (SECRET._replace(version=9),)),
        CertificateRequest(Use.CERTIFICATE, SIGNING, TITLE),
    )
    for op in missing:
        with pytest.raises(KeyUnavailable):
            module.execute(op)


# General-ciphering's additional data --------------------------------------------------------------


@pytest.mark.parametrize("control", [0x10, 0x30], ids=["authenticated", "both"])
def test_extra_is_authenticated_behind_the_authentication_key(
    module: CryptoModule, control: int
) -> None:
    """Table 38: SC ‖ AK ‖ header, and then the APDU if it is not encrypted."""
    seal = Seal(Use.PROTECT_REQUEST, GUEK, GAK, control, TITLE, 5, b"apdu", b"header")
    aad = bytes((control,)) + KEYS[GAK] + b"header"
    iv = TITLE + bytes((0, 0, 0, 5))
    sealed = module.execute(seal)
    if control == 0x30:
        assert sealed == AESGCM(KEYS[GUEK]).encrypt(iv, b"apdu", aad)[:-4]
        body = sealed
    else:
        assert sealed == AESGCM(KEYS[GUEK]).encrypt(iv, b"", aad + b"apdu")[:12]
        body = b"apdu" + sealed
    op = Open(Use.OPEN_REQUEST, GUEK, GAK, control, TITLE, 5, body, extra=b"header")
    assert module.execute(op) == b"apdu"
    for extra in (b"", b"headeR", b"header\0", b"heade"):
        with pytest.raises(VerificationFailed):
            module.execute(op._replace(extra=extra))


# Requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [SIGNING, AGREEMENT, ref(KeyKind.TLS_PRIVATE_KEY)], ids=str)
def test_certificate_request(module: CryptoModule, curve: Curve, key: KeyRef) -> None:
    """R-KEY-6, X_SUITE1_CSR."""
    public = pair(module, curve, key)
    der = module.execute(CertificateRequest(Use.CERTIFICATE, key, TITLE))
    request = x509.load_der_x509_csr(der)
    assert request.is_signature_valid
    found = request.public_key()
    assert isinstance(found, ec.EllipticCurvePublicKey)
    assert raw(found) == public
    (name,) = request.subject
    assert (name.oid, name.value) == (NameOID.COMMON_NAME, "4D4D4D0000BC614E")
    algorithm = request.signature_hash_algorithm
    assert algorithm is not None
    assert algorithm.name == DIGESTS[curve].name


# TLS ----------------------------------------------------------------------------------------------

TLS_KEY = ref(KeyKind.TLS_PRIVATE_KEY)
TLS_HASHES = (hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())


@pytest.mark.parametrize("function", TLS_HASHES, ids=lambda function: function.name)
def test_a_digest_of_tls_is_signed_as_it_is(
    module: Any, curve: Curve, function: hashes.HashAlgorithm
) -> None:
    """Also one that is longer than the order of the curve (FIPS 186-5, 6.4.1)."""
    public = pair(module, curve, TLS_KEY)
    digest = hashlib.new(function.name, b"handshake").digest()
    signature = module.tls_sign(TLS_KEY, digest)
    half = curve.value
    assert len(signature) == 2 * half
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    der = encode_dss_signature(r, s)
    cooked(curve, public).verify(der, b"handshake", ec.ECDSA(function))


def test_tls_is_for_tls_keys(module: Any) -> None:
    pair(module, Curve.P256, SIGNING)
    for key in (SIGNING, TLS_KEY, GUEK):
        with pytest.raises(KeyUnavailable):
            module.tls_sign(key, bytes(32))
    pair(module, Curve.P256, TLS_KEY)
    for length in (0, 31, 33, 65):
        with pytest.raises(ValueError, match=r"TLS 1\.2"):
            module.tls_sign(TLS_KEY, bytes(length))


# What the policy sees -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "keys"),
    [
        (Sign(Use.PROTECT_REQUEST, SIGNING, b""), (SIGNING,)),
        (Verify(Use.OPEN_REQUEST, Curve.P256, b"", b"", b""), ()),
        (GenerateKeyPair(Use.CERTIFICATE, SIGNING, Curve.P256), (SIGNING,)),
        (Agree(Use.AGREE_KEY, AGREEMENT, b"", b"", FRESH, 16, (GUEK,)), (AGREEMENT, FRESH, GUEK)),
        (Digest(Use.ASSOCIATION, HashFunction.MD5, (b"", SECRET)), (SECRET,)),
        (CertificateRequest(Use.CERTIFICATE, SIGNING, TITLE), (SIGNING,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_keys_of(op: CryptoOp, keys: tuple[KeyRef, ...]) -> None:
    assert keys_of(op) == keys


def test_no_key_shows() -> None:
    ring = KeyRing(b"fleet secret", lambda ref: 1)
    module = SoftwareModule(ring)
    ephemeral = KeyRef(TITLE, "a", KeyKind.EPHEMERAL, KeyLifetime.SINGLE_ASSOCIATION, 1)
    module.execute(GenerateKey(Use.TRANSFER_KEY, ephemeral, 16))
    module.execute(Sign(Use.PROTECT_REQUEST, SIGNING, b"message"))
    shown = f"{module!r} {ring!r} {module}".lower()
    for name in (SIGNING, SECRET, ephemeral):
        octets = ring.get(name)
        assert octets.hex() not in shown
        assert repr(octets)[2:-1].lower() not in shown
