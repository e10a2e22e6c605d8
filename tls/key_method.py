"""An elliptic curve key of OpenSSL that has no private part and asks a function for signatures.

There is one EC_KEY_METHOD for the whole process, and one pair of callbacks that OpenSSL may call as
long as it lasts. Which function a key asks is looked up by the key's address; the entry is made
before OpenSSL knows the key and goes when OpenSSL frees it, so it lives exactly as long as the key.

A context is not written to before OpenSSL itself has said where it is: a callback of OpenSSL's
"ex data" tells the address of each SSL_CTX that is made (CRYPTO_get_ex_new_index(3)).
"""

from __future__ import annotations

import atexit
import ssl
import threading
from ctypes import memmove, string_at
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tls.credentials import DIGEST_LENGTH, SIGNATURE_LENGTH, Sign
from tls.openssl import EX_NEW, FINISH, SIGN, Platform, library
from tls.signing import ExternalKeyContext, ExternalKeyError, key_used, signing_failed

_EX_SSL_CTX = 1
"""CRYPTO_EX_INDEX_SSL_CTX of OpenSSL's crypto.h."""

_P256 = 415
"""NID_X9_62_prime256v1 of OpenSSL's obj_mac.h."""

_MAX_DER = 72
"""Octets of the longest ECDSA-Sig-Value on P-256: what OpenSSL makes room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    sign: Sign = field(repr=False)
    public: ec.EllipticCurvePublicKey


class KeyMethod:
    """The method, in one library. Make one for a process; it is never freed."""

    def __init__(self, seen: Platform) -> None:
        self._openssl = library(seen)
        self._signers: dict[int, _Signer] = {}
        self._born = threading.local()
        # OpenSSL keeps the addresses of these: they must not go before it lets go of them.
        self._callbacks = SIGN(self._sign), FINISH(self._finish), EX_NEW(self._context_made)
        sign, finish, made = self._callbacks
        method = self._openssl.EC_KEY_METHOD_new(self._openssl.EC_KEY_OpenSSL())
        if not method:
            raise self._failure("makes no method of keys")
        self._method = method
        self._openssl.EC_KEY_METHOD_set_sign(method, sign, None, None)
        self._openssl.EC_KEY_METHOD_set_init(method, None, finish, None, None, None, None)
        self._index = self._openssl.CRYPTO_get_ex_new_index(_EX_SSL_CTX, 0, None, made, None, None)
        if self._index < 0:
            raise self._failure("does not tell of its contexts")
        atexit.register(self._retire)

    @property
    def keys(self) -> int:
        """How many keys of this kind OpenSSL has."""
        return len(self._signers)

    def new_context(self, protocol: int) -> tuple[ssl.SSLContext, int]:
        """A context of ``ssl`` and where OpenSSL has it. :class:`ExternalKeyError` unless both
        agree that it is the same one.
        """
        self._born.addresses = []
        try:
            context = ExternalKeyContext(protocol)
            addresses = self._born.addresses
        finally:
            self._born.addresses = None
        if len(addresses) != 1 or not addresses[0]:
            raise ExternalKeyError(f"for one context OpenSSL made {len(addresses)}")
        (address,) = addresses
        # An option that is of no consequence for a moment: seen from both sides, on and off.
        for _ in range(2):
            context.options ^= ssl.OP_NO_TICKET
            if self._openssl.SSL_CTX_get_options(address) != context.options & (2**64 - 1):
                raise ExternalKeyError("the context that OpenSSL made is not that of ssl")
        return context, address

    def load(
        self, address: int, chain: Path, public: ec.EllipticCurvePublicKey, sign: Sign
    ) -> None:
        """Give a context the certificates of a PEM file, and a key that asks ``sign``.
        ``ValueError`` if OpenSSL does not take them.
        """
        openssl = self._openssl
        if openssl.SSL_CTX_use_certificate_chain_file(address, str(chain).encode()) != 1:
            raise self._refusal("the certificate chain")
        ec_key = openssl.EC_KEY_new_by_curve_name(_P256)
        if not ec_key:
            raise self._failure("has no curve P-256")
        # From here on the callback of the end takes the entry away, in whatever way the key ends.
        self._signers[ec_key] = _Signer(sign=sign, public=public)
        pkey = None
        try:
            point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            if openssl.EC_KEY_set_method(ec_key, self._method) != 1:
                del self._signers[ec_key]
                raise self._failure("does not take the method of keys")
            if openssl.EC_KEY_oct2key(ec_key, point, len(point), None) != 1:
                raise self._refusal("the public key")
            pkey = openssl.EVP_PKEY_new()
            if not pkey or openssl.EVP_PKEY_set1_EC_KEY(pkey, ec_key) != 1:
                raise self._failure("makes no key")
            if openssl.SSL_CTX_use_PrivateKey(address, pkey) != 1:
                raise self._refusal("the key of the certificate")
            if (
                openssl.SSL_CTX_get0_privatekey(address) != pkey
                or openssl.SSL_CTX_check_private_key(address) != 1
            ):
                raise self._refusal("the key of the certificate")
        finally:
            # The context has its own references.
            openssl.EVP_PKEY_free(pkey)
            openssl.EC_KEY_free(ec_key)

    # What OpenSSL calls. An exception that left one of these would be lost. -----------------------

    def _sign(
        self,
        _type: int,
        digest: int,
        length: int,
        room: int,
        written: Any,
        _inverse: int | None,
        _r: int | None,
        ec_key: int,
    ) -> int:
        try:
            signer = self._signers[ec_key]
            der = _signature(signer, string_at(digest, length))
            memmove(room, der, len(der))
            written[0] = len(der)
            return 1
        except BaseException as failure:
            signing_failed(failure)
            return 0

    def _finish(self, ec_key: int) -> None:
        self._signers.pop(ec_key, None)

    def _context_made(self, address: int | None, *_: Any) -> None:
        addresses = getattr(self._born, "addresses", None)
        if addresses is not None:
            addresses.append(address)

    def _retire(self) -> None:
        """Python ends: OpenSSL must not call it any more. Keys that still live do not sign."""
        openssl, method = self._openssl, self._method
        openssl.CRYPTO_free_ex_index(_EX_SSL_CTX, self._index)
        openssl.EC_KEY_METHOD_set_sign(method, SIGN(), None, None)
        openssl.EC_KEY_METHOD_set_init(method, None, FINISH(), None, None, None, None)

    def _failure(self, what: str) -> ExternalKeyError:
        self._openssl.ERR_clear_error()
        return ExternalKeyError(f"OpenSSL {what}")

    def _refusal(self, what: str) -> ValueError:
        self._openssl.ERR_clear_error()
        return ValueError(f"OpenSSL does not take {what}")


def _signature(signer: _Signer, digest: bytes) -> bytes:
    """Ask for a signature over ``digest``; in DER, and verified: what is wrong is to be told here,
    not by the peer.
    """
    if len(digest) < DIGEST_LENGTH:
        raise ValueError(f"a digest of {len(digest)} octets is too weak for P-256")
    digest = digest[:DIGEST_LENGTH]  # ECDSA uses no more of it (FIPS 186-5, 6.4.1)
    signature = signer.sign(digest)
    key_used()
    if not isinstance(signature, bytes):
        raise TypeError(f"the signature is {type(signature).__name__}, not bytes")
    if len(signature) != SIGNATURE_LENGTH:
        raise ValueError(f"the signature has {len(signature)} octets, not {SIGNATURE_LENGTH}")
    half = SIGNATURE_LENGTH // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    der = encode_dss_signature(r, s)
    if len(der) > _MAX_DER:
        raise ValueError(f"the signature has {len(der)} octets in DER, more than {_MAX_DER}")
    try:
        signer.public.verify(der, digest, ec.ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        raise ValueError("the signature does not verify under the certificate") from None
    return der
