"""The guard before OpenSSL is called directly: what was not verified is refused, in words."""

from __future__ import annotations

import ctypes
import math
import re
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.bindings import _rust
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tls import external_key, key_check, key_method, openssl
from tls.certificates import new_key
from tls.contexts import client_context, server_context
from tls.credentials import Credential, ExternalCredential
from tls.key_check import check, raw_signature
from tls.key_method import KeyMethod
from tls.openssl import Platform, library, objection, this_platform
from tls.pki import TestPki
from tls.signing import ExternalKeyError

HERE = this_platform()
GOOD = Platform(
    implementation="CPython",
    python=(3, 11),
    free_threaded=False,
    extension="/usr/lib/python3/_ssl.so",
    openssl="OpenSSL 3.0.19 27 Jan 2026",
    runs_on=(3, 0, 0, 19, 0),
    built_for=(3, 0, 0, 19, 0),
)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As in a process that has not tried yet."""
    monkeypatch.setattr(external_key, "_outcome", None)
    return monkeypatch


# What the guard says ------------------------------------------------------------------------------


def test_this_platform_is_known() -> None:
    assert objection(HERE) is None
    assert library(HERE).OpenSSL_version_num() == ssl.OPENSSL_VERSION_NUMBER


@pytest.mark.parametrize("python", [(3, 11), (3, 12), (3, 13)])
def test_what_was_verified(python: tuple[int, int]) -> None:
    assert objection(GOOD._replace(python=python)) is None


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"implementation": "PyPy"}, "PyPy is not CPython"),
        ({"python": (3, 10)}, "Python 3.10 is not verified, only 3.11 to 3.13"),
        ({"python": (3, 14)}, "Python 3.14 is not verified"),
        ({"python": (4, 12)}, "Python 4.12 is not verified"),
        ({"python": ()}, "is not verified"),
        ({"free_threaded": True}, "without the global interpreter lock"),
        ({"extension": None}, "built into this Python"),
        ({"extension": ""}, "built into this Python"),
        ({"openssl": "LibreSSL 3.8.2"}, "LibreSSL 3.8.2, not on OpenSSL"),
        ({"openssl": "AWS-LC 1.30"}, "AWS-LC 1.30, not on OpenSSL"),
        ({"openssl": "OpenSSL 1.1.1w", "runs_on": (1, 1, 1, 23, 15)}, "1.1.1w, not on OpenSSL 3"),
        ({"openssl": "OpenSSL 4.0.3", "runs_on": (4, 0, 0, 3, 0)}, "4.0.3, not on OpenSSL 3"),
        ({"built_for": (1, 1, 1, 23, 15)}, "built for OpenSSL 1.1.1, not for OpenSSL 3"),
        ({"built_for": ()}, "built for OpenSSL an unknown version"),
    ],
)
def test_what_was_not(other: dict[str, Any], why: str) -> None:
    seen = GOOD._replace(**other)
    assert why in (objection(seen) or "")
    with pytest.raises(ExternalKeyError, match=re.escape(why)):
        library(seen)


numbers = st.lists(st.integers(0, 20), max_size=5).map(tuple)
platforms = st.builds(
    Platform,
    implementation=st.sampled_from(["CPython", "PyPy", "GraalVM", ""]),
    python=st.one_of(numbers, st.tuples(st.just(3), st.integers(8, 20))),
    free_threaded=st.booleans(),
    extension=st.one_of(st.none(), st.just(""), st.just(GOOD.extension)),
    openssl=st.one_of(st.text(max_size=20), st.sampled_from([GOOD.openssl, "LibreSSL 3.9.0"])),
    runs_on=st.one_of(numbers, st.just(GOOD.runs_on)),
    built_for=st.one_of(numbers, st.just(GOOD.built_for)),
)


@given(platforms)
def test_any_platform_is_either_verified_or_refused(seen: Platform) -> None:
    known = (
        seen.implementation == "CPython"
        and seen.python[:2] in ((3, 11), (3, 12), (3, 13))
        and not seen.free_threaded
        and bool(seen.extension)
        and seen.openssl.split(" ")[0] == "OpenSSL"
        and seen.runs_on[:1] == (3,)
        and seen.built_for[:1] == (3,)
    )
    why = objection(seen)
    assert (why is None) is known
    assert why is None or (why and "\n" not in why.replace(seen.openssl, ""))


# The library --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extension",
    ["/nowhere/_ssl.so", math.__file__, _rust.__file__, __file__],
    ids=["nothing there", "without OpenSSL", "with one that it hides", "no library"],
)
def test_a_library_that_is_another(extension: str) -> None:
    with pytest.raises(ExternalKeyError, match="cannot be reached"):
        library(HERE._replace(extension=extension))


def test_a_library_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "OPENSSL_VERSION_NUMBER", 0x30200010)
    with pytest.raises(ExternalKeyError, match="that of ssl is 0x30200010"):
        library(HERE)


@pytest.mark.parametrize("name", openssl._FUNCTIONS)
def test_every_function_is_looked_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    row = openssl._FUNCTIONS[name]
    functions = {**openssl._FUNCTIONS, name + "_of_the_future": row}
    monkeypatch.setattr(openssl, "_FUNCTIONS", functions)
    with pytest.raises(ExternalKeyError, match=f"{name}_of_the_future"):
        library(HERE)


# The context --------------------------------------------------------------------------------------


class Spy:
    """The library with some functions replaced; remembers which were called."""

    def __init__(self, real: Any, **replaced: Any) -> None:
        self._real = real
        self._replaced = replaced
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.called.append(name)
        return self._replaced.get(name) or getattr(self._real, name)


WRITES = {"SSL_CTX_use_certificate_chain_file", "SSL_CTX_use_PrivateKey"}


@pytest.fixture
def method() -> KeyMethod:
    return KeyMethod(HERE)


def _same(_: KeyMethod) -> Callable[[int], ssl.SSLContext]:
    kept = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return lambda protocol: kept


def _two(_: KeyMethod) -> Callable[[int], ssl.SSLContext]:
    return lambda protocol: (ssl.SSLContext(protocol), ssl.SSLContext(protocol))[0]


def _another(_: KeyMethod) -> Callable[[int], ssl.SSLContext]:
    kept = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lost = []

    def make(protocol: int) -> ssl.SSLContext:
        lost.append(ssl.SSLContext(protocol))
        return kept

    return make


def _at_nothing(method: KeyMethod) -> Callable[[int], ssl.SSLContext]:
    def make(protocol: int) -> ssl.SSLContext:
        kept = ssl.SSLContext(protocol)
        method._born.addresses = [None]
        return kept

    return make


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_same, "for one context OpenSSL made 0"),
        (_two, "for one context OpenSSL made 2"),
        (_another, "is not that of ssl"),
        (_at_nothing, "for one context OpenSSL made 1"),
    ],
)
def test_a_context_that_is_not_where_it_should_be(
    monkeypatch: pytest.MonkeyPatch, method: KeyMethod, make: Any, why: str
) -> None:
    """And nothing was written to it."""
    spy = Spy(method._openssl)
    method._openssl = spy
    monkeypatch.setattr(key_method, "ExternalKeyContext", make(method))
    with pytest.raises(ExternalKeyError, match=why):
        method.new_context(ssl.PROTOCOL_TLS_CLIENT)
    assert WRITES.isdisjoint(spy.called)
    assert method._born.addresses is None


@pytest.mark.parametrize(
    ("function", "result", "why"),
    [
        ("SSL_CTX_use_certificate_chain_file", 0, "certificate chain"),
        ("EC_KEY_set_method", 0, "method of keys"),
        ("EC_KEY_oct2key", 0, "public key"),
        ("EVP_PKEY_set1_EC_KEY", 0, "makes no key"),
        ("SSL_CTX_use_PrivateKey", 0, "key of the certificate"),
        ("SSL_CTX_get0_privatekey", 1, "key of the certificate"),
        ("SSL_CTX_check_private_key", 0, "key of the certificate"),
        ("EC_KEY_METHOD_new", None, "makes no method"),
        ("CRYPTO_get_ex_new_index", -1, "does not tell of its contexts"),
        ("EC_KEY_new_by_curve_name", None, "no curve P-256"),
        ("EVP_PKEY_new", None, "makes no key"),
        ("SSL_CTX_get_options", 0, "is not that of ssl"),
    ],
)
def test_whatever_openssl_fails_in_is_a_reason(
    anew: pytest.MonkeyPatch,
    pki: TestPki,
    client: Credential,
    function: str,
    result: int | None,
    why: str,
) -> None:
    made: list[Any] = []

    def spied(seen: Platform) -> Any:
        made.append(Spy(library(seen), **{function: lambda *arguments: result}))
        return made[0]

    anew.setattr(key_method, "library", spied)
    assert why in (external_key.why_not() or "")
    credential = ExternalCredential(chain_pem=client.chain_pem, sign=bytes)
    with pytest.raises(ExternalKeyError, match=why):
        client_context(credential, pki.trust())
    assert external_key.keys_in_use() == 0
    assert len(made) == 1  # it is not tried again


def test_the_public_key_must_be_the_certificates(
    method: KeyMethod, client: Credential, tmp_path: Path
) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(client.chain_pem)
    _, address = method.new_context(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ValueError, match="key of the certificate"):
        method.load(address, chain, new_key().public_key(), bytes)
    assert method.keys == 0


# The trial ----------------------------------------------------------------------------------------


def test_another_platform_is_not_tried(
    anew: pytest.MonkeyPatch, pki: TestPki, device: Credential
) -> None:
    anew.setattr(openssl, "this_platform", lambda: GOOD._replace(python=(3, 99)))
    anew.setattr(openssl, "CDLL", None)  # would fail in another way
    why = "Python 3.99 is not verified, only 3.11 to 3.13"
    assert external_key.why_not() == why
    with pytest.raises(ExternalKeyError, match=r"Python 3\.99"):
        server_context(ExternalCredential(chain_pem=device.chain_pem, sign=bytes), pki.trust())


def test_a_python_without_ctypes(anew: pytest.MonkeyPatch) -> None:
    for name in ("tls.openssl", "tls.key_method"):
        anew.delitem(sys.modules, name)
    anew.setitem(sys.modules, "ctypes", None)
    assert "cannot be called from here" in (external_key.why_not() or "")


def test_whatever_goes_wrong_is_a_reason(anew: pytest.MonkeyPatch) -> None:
    def broken(_: KeyMethod) -> None:
        raise ZeroDivisionError

    anew.setattr(key_check, "check", broken)
    assert external_key.why_not() == "ZeroDivisionError"


class _Ignoring(KeyMethod):
    """A platform on which OpenSSL does not ask who it was told to ask."""

    def load(self, address: int, chain: Any, public: ec.EllipticCurvePublicKey, sign: Any) -> None:
        super().load(address, chain, public, self.replaced(sign))

    def replaced(self, sign: Any) -> Any:
        own = new_key()
        return lambda digest: raw_signature(own, digest)


class _Twice(_Ignoring):
    def replaced(self, sign: Any) -> Any:
        return lambda digest: (sign(digest), sign(digest))[0]


class _Swallowing(_Ignoring):
    """An error of the holder is told as something else."""

    def replaced(self, sign: Any) -> Any:
        def signed(digest: bytes) -> bytes:
            try:
                octets: bytes = sign(digest)
                return octets
            except Exception:
                raise ArithmeticError from None

        return signed


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (_Ignoring, "a handshake on trial failed: .*does not verify"),
        (_Twice, "asked for 4 signatures"),
        (_Swallowing, "a refusal on trial was told as ArithmeticError"),
    ],
)
def test_the_trial_notices(kind: type[KeyMethod], why: str) -> None:
    with pytest.raises(ExternalKeyError, match=why):
        check(kind(HERE))


def test_the_trial_leaves_nothing(method: KeyMethod) -> None:
    check(method)
    assert method.keys == 0


def test_a_key_that_openssl_asks_for_and_nobody_knows(method: KeyMethod) -> None:
    """Not a crash, but no signature."""
    room = ctypes.create_string_buffer(72)
    assert method._sign(0, 0, 0, ctypes.addressof(room), None, None, None, 12345) == 0
    assert room.raw == bytes(72)


def test_a_weak_digest_is_not_signed() -> None:
    signer = key_method._Signer(sign=bytes, public=new_key().public_key())
    with pytest.raises(ValueError, match="20 octets is too weak"):
        key_method._signature(signer, bytes(20))


@pytest.mark.parametrize(
    "hashed", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda one: one.name
)
def test_a_longer_digest_is_asked_for_in_32_octets(hashed: hashes.HashAlgorithm) -> None:
    """And the signature is one over the whole message, as the peer sees it."""
    key = new_key()
    asked: list[int] = []

    def sign(digest: bytes) -> bytes:
        asked.append(len(digest))
        return raw_signature(key, digest)

    digest = hashes.Hash(hashed)
    digest.update(b"message")
    signer = key_method._Signer(sign=sign, public=key.public_key())
    der = key_method._signature(signer, digest.finalize())
    key.public_key().verify(der, b"message", ec.ECDSA(hashed))
    assert asked == [32]
