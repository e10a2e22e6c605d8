"""Contexts of ``ssl`` whose private key is elsewhere, where the platform can do that.

Before the first of them the whole way is tried out: a handshake in memory with a key of the moment,
at both ends, and one in which the key gives no signature. Whether that went well holds for the
process.
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tls.credentials import ExternalCredential
from tls.signing import ExternalKeyError

if TYPE_CHECKING:
    from tls.key_method import KeyMethod

_lock = threading.Lock()
_outcome: KeyMethod | str | None = None


def why_not() -> str | None:
    """Say why private keys that are elsewhere cannot be used here; ``None`` if they can."""
    method = _method()
    return method if isinstance(method, str) else None


def new_context(protocol: int, credential: ExternalCredential, chain: Path) -> ssl.SSLContext:
    """A context with the certificates of ``chain``, a file of ``credential.chain_pem``, and its
    key.

    :class:`~tls.signing.ExternalKeyError` if the platform cannot do that, ``ValueError`` if OpenSSL
    does not take the certificates or the leaf's key is none of P-256.
    """
    public = public_key(credential.leaf)
    method = _method()
    if isinstance(method, str):
        raise ExternalKeyError(method)
    context, address = method.new_context(protocol)
    method.load(address, chain, public, credential.sign)
    return context


def public_key(leaf: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The key of a certificate. ``ValueError`` if it is none of P-256."""
    public = leaf.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise ValueError("the key of the certificate is none of P-256")
    return public


def keys_in_use() -> int:
    """How many such keys OpenSSL has at this moment: one for each context that lives."""
    method = _method()
    return 0 if isinstance(method, str) else method.keys


def _method() -> KeyMethod | str:
    """The way to such keys, or why there is none. Tried out once."""
    global _outcome
    with _lock:
        if _outcome is None:
            _outcome = _try_out()
        return _outcome


def _try_out() -> KeyMethod | str:
    try:
        from tls.key_check import check
        from tls.key_method import KeyMethod
        from tls.openssl import this_platform
    except ImportError as error:  # no ctypes
        return f"OpenSSL cannot be called from here: {error}"
    try:
        method = KeyMethod(this_platform())
        check(method)
    except Exception as error:
        # Whatever it is: a platform that fails its own trial is not used, and says why.
        return str(error) or type(error).__name__
    return method
