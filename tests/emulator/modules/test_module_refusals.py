"""What a Cryptographic Module must refuse although the mathematics would allow it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    Curve,
    GenerateKey,
    GenerateKeyPair,
    KeyUnavailable,
    Mac,
    Match,
    Open,
    Present,
    Seal,
    Sign,
    Unwrap,
    Use,
    VerificationFailed,
    Verify,
    Wrap,
)
from emulator.modules.module import CryptoModule

HOLDER = bytes.fromhex("4D4D4D0000BC614E")
KEK, GUEK, SIGNING = (
    KeyRef(HOLDER, "a", kind) for kind in (KeyKind.KEK, KeyKind.GUEK, KeyKind.SIGNING_KEY)
)
NEW = GUEK._replace(version=1)
MASTER = bytes(range(16))


@pytest.fixture
def module(make: Callable[..., CryptoModule]) -> CryptoModule:
    return make({KEK: MASTER, GUEK: bytes(range(16, 32))})


@pytest.mark.parametrize("curve", Curve, ids=lambda curve: curve.name)
def test_a_signature_has_one_length(module: CryptoModule, curve: Curve) -> None:
    """R ‖ S, each as long as a coordinate: zeros more or less leave the numbers as they are."""
    public = module.execute(GenerateKeyPair(Use.CERTIFICATE, SIGNING, curve))
    length = curve.value
    for number in range(2000):
        message = number.to_bytes(2, "big")
        signature = module.execute(Sign(Use.PROTECT_REQUEST, SIGNING, message))
        if not signature[length]:
            break
    else:
        raise AssertionError("one S in 256 begins with a zero")

    def verify(octets: bytes) -> None:
        module.execute(Verify(Use.OPEN_REQUEST, curve, public, message, octets))

    r, s = signature[:length], signature[length:]
    verify(r + s)
    for other in (r + b"\0" + s, r + s[1:], b"\0" + r + s, r + s + b"\0", r, b""):
        with pytest.raises(VerificationFailed):
            verify(other)


def test_a_key_of_zeros_is_none(module: CryptoModule) -> None:
    """KL-KT-17: what a meter has that was never given a key."""
    for length in (16, 32):
        wrapped = aes_key_wrap(MASTER, bytes(length))
        with pytest.raises(VerificationFailed, match="zeros"):
            module.execute(Unwrap(Use.TRANSFER_KEY, KEK, wrapped, NEW))
        with pytest.raises(KeyUnavailable):
            module.execute(Wrap(Use.TRANSFER_KEY, KEK, NEW))


@pytest.mark.parametrize(
    "made",
    ["{0}{0}", "{0}{1}", "{1}{0}", "{0}{2}", "{2}{0}"],
    ids=["again", "title-00", "00-title", "title-FF", "FF-title"],
)
@pytest.mark.parametrize("length", [16, 32])
def test_a_key_made_of_the_system_title_is_none(
    module: CryptoModule, made: str, length: int
) -> None:
    """KL-KT-17: a system title is no secret."""
    title, rest = HOLDER.hex(), length - len(HOLDER)
    if made == "{0}{0}":
        key = HOLDER * (length // len(HOLDER))
    else:
        key = bytes.fromhex(made.format(title, "00" * rest, "FF" * rest))
    with pytest.raises(VerificationFailed, match="made of the system title"):
        module.execute(Unwrap(Use.TRANSFER_KEY, KEK, aes_key_wrap(MASTER, key), NEW))
    with pytest.raises(KeyUnavailable):
        module.execute(Wrap(Use.TRANSFER_KEY, KEK, NEW))
    # An octet of it is not made of it, nor is the title of somebody else.
    for good in (key[:-1] + b"\x5a", HOLDER[::-1] * (length // len(HOLDER))):
        module.execute(Unwrap(Use.TRANSFER_KEY, KEK, aes_key_wrap(MASTER, good), NEW))
        assert module.execute(Wrap(Use.TRANSFER_KEY, KEK, NEW)) == aes_key_wrap(MASTER, good)


@pytest.mark.parametrize(
    "kind", [kind for kind in KeyKind if kind.is_symmetric or kind is KeyKind.HLS_SECRET]
)
def test_no_pair_in_the_place_of_another_key(
    make: Callable[..., CryptoModule], kind: KeyKind
) -> None:
    """Refused before anything is replaced: a scalar is as long as an AES-256 key."""
    into = KeyRef(HOLDER, "b", kind)
    module = make({KEK: MASTER, into: bytes(range(16, 32))})
    with pytest.raises(KeyUnavailable):
        module.execute(GenerateKeyPair(Use.CERTIFICATE, into, Curve.P256))
    wrapped = module.execute(Wrap(Use.TRANSFER_KEY, KEK, into))
    assert wrapped == aes_key_wrap(MASTER, bytes(range(16, 32)))


def test_a_private_key_is_no_secret_key(module: CryptoModule) -> None:
    """Nor is it wrapped, though a scalar is as long as a key of AES-256."""
    module.execute(GenerateKeyPair(Use.CERTIFICATE, SIGNING, Curve.P256))
    wrapped = aes_key_wrap(MASTER, bytes(range(1, 33)))
    for op in (
        Wrap(Use.TRANSFER_KEY, KEK, SIGNING),
        Unwrap(Use.TRANSFER_KEY, KEK, wrapped, SIGNING),
        GenerateKey(Use.TRANSFER_KEY, SIGNING, 32),
    ):
        with pytest.raises(KeyUnavailable, match="not a key for this"):
            module.execute(op)
    module.execute(Sign(Use.PROTECT_REQUEST, SIGNING, b"message"))


def test_a_master_key_protects_no_message(module: CryptoModule) -> None:
    """What deciphers and unwraps would tell the octets of every key that was wrapped."""
    for op in (
        Seal(Use.PROTECT_REQUEST, KEK, None, 0x30, HOLDER, 1, b"payload"),
        Open(Use.OPEN_REQUEST, KEK, None, 0x20, HOLDER, 1, b"payload"),
        Mac(Use.ASSOCIATION, KEK, None, 0x10, HOLDER, 1, b"payload"),
    ):
        with pytest.raises(KeyUnavailable, match="not a key for this"):
            module.execute(op)


def test_a_key_is_no_password(module: CryptoModule) -> None:
    """What is presented leaves the module as it is."""
    for op in (Present(Use.ASSOCIATION, GUEK), Match(Use.ASSOCIATION, GUEK, bytes(16))):
        with pytest.raises(KeyUnavailable, match="not a key for this"):
            module.execute(op)
