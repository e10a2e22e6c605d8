"""Cryptography as an effect.

A step of the protocol that needs a key is a generator. It yields one of the operations below, which
name keys by reference, and is sent the result. Whoever drives the generator decides which
Cryptographic Module runs the operation; the core neither knows nor sees a key.

A driver that cannot get a result throws a :class:`CryptoFailure` into the step.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import Any, NamedTuple, TypeAlias, TypeVar

from dlms.errors import DlmsError
from dlms.security.keys import KeyRef

IV_TITLE_LENGTH = 8
TAG_LENGTH = 12
"""Octets of an authentication tag: the first 12, in every suite (GB Ed. 8, 9.2.3.3.7.6)."""


class Use(Enum):
    """Which part of the protocol asks for the operation."""

    ASSOCIATION = "establish or release an Application Association"
    PROTECT_REQUEST = "protect a request"
    OPEN_REQUEST = "open a request"
    PROTECT_RESPONSE = "protect a response"
    OPEN_RESPONSE = "open a response"
    TRANSFER_KEY = "transfer a key"
    TOKEN = "make or check a credit token"


class CryptoFailure(DlmsError):
    """An operation gave no result."""


class VerificationFailed(CryptoFailure):
    """A tag, a wrapped key or a secret did not verify."""


class KeyUnavailable(CryptoFailure):
    """The module does not hold the key that was named."""


class OperationRefused(CryptoFailure):
    """The policy does not allow the operation on any module at hand."""


class Seal(NamedTuple):
    """Protect ``payload`` with AES-GCM (GB Ed. 8, 9.2.3.3.7 and Table 38).

    ``control`` is the security control octet; its bits 4 and 5 select authentication and
    encryption. The initialization vector is ``title`` ‖ ``counter``. A part of the payload may be
    a :class:`KeyRef`: the module puts the key's octets there, so that a dedicated key travels in an
    InitiateRequest without ever being seen by the core.

    Result: the ciphertext (if encrypted) followed by the 12-octet tag (if authenticated). For
    authentication only the payload itself is not repeated.
    """

    use: Use
    ek: KeyRef
    ak: KeyRef | None
    control: int
    title: bytes
    counter: int
    payload: bytes | tuple[bytes | KeyRef, ...]


class Open(NamedTuple):
    """Verify and decipher what :class:`Seal` made.

    ``body`` is what follows the security header: ciphertext, ciphertext ‖ tag, or plaintext ‖ tag.
    With ``lift``, a dedicated key inside an opened InitiateRequest is stored under that reference
    and blanked in the result.

    Result: the plaintext. :class:`VerificationFailed` if the tag is wrong.
    """

    use: Use
    ek: KeyRef
    ak: KeyRef | None
    control: int
    title: bytes
    counter: int
    body: bytes
    lift: KeyRef | None = None


class Mac(NamedTuple):
    """GMAC over control ‖ AK ‖ message (GB Ed. 8, 9.2.3.3.7.4; HLS mechanism 5, Table 42).

    Result: the 12-octet tag.
    """

    use: Use
    ek: KeyRef
    ak: KeyRef | None
    control: int
    title: bytes
    counter: int
    message: bytes


class Wrap(NamedTuple):
    """Wrap ``key`` under ``kek`` (RFC 3394). Result: the wrapped key, 8 octets longer."""

    use: Use
    kek: KeyRef
    key: KeyRef


class Unwrap(NamedTuple):
    """Unwrap ``wrapped`` under ``kek`` (RFC 3394) and keep the key as ``into``. Result: None.

    :class:`VerificationFailed` if it does not verify, is all zeros, or equals one of ``unlike``: a
    key must not serve two purposes (GB Ed. 8, 9.2.3.4.1), and an old key that came back would
    start its counters again and so repeat its initialization vectors (KL-KT-15, 16, 17).
    """

    use: Use
    kek: KeyRef
    wrapped: bytes
    into: KeyRef
    unlike: tuple[KeyRef, ...] = ()


class GenerateKey(NamedTuple):
    """Generate a symmetric key of ``length`` octets and keep it as ``into``. Result: None."""

    use: Use
    into: KeyRef
    length: int


class Discard(NamedTuple):
    """Destroy a key that has reached the end of its life. Result: None, also if it is unknown."""

    use: Use
    key: KeyRef


class Present(NamedTuple):
    """Hand out a low level security secret. Result: its octets."""

    use: Use
    secret: KeyRef


class Match(NamedTuple):
    """Compare ``presented`` with a low level security secret in constant time. Result: bool."""

    use: Use
    secret: KeyRef
    presented: bytes

    def __repr__(self) -> str:
        return f"Match(use={self.use}, secret={self.secret}, presented=<not shown>)"


class Random(NamedTuple):
    """Draw ``length`` octets from the module's random source. Result: the octets."""

    use: Use
    length: int


CryptoOp: TypeAlias = (
    Seal | Open | Mac | Wrap | Unwrap | GenerateKey | Discard | Present | Match | Random
)

T = TypeVar("T")
Step: TypeAlias = Generator[CryptoOp, Any, T]
"""A step of the protocol: yields operations, is sent their results, returns ``T``."""


def keys_of(op: CryptoOp) -> tuple[KeyRef, ...]:
    """Every key that ``op`` touches, the encryption or wrapping key first."""
    match op:
        case Seal(ek=ek, ak=ak, payload=payload):
            embedded = (
                tuple(part for part in payload if isinstance(part, KeyRef))
                if isinstance(payload, tuple)
                else ()
            )
            return ((ek,) if ak is None else (ek, ak)) + embedded
        case Open(ek=ek, ak=ak) | Mac(ek=ek, ak=ak):
            return (ek,) if ak is None else (ek, ak)
        case Wrap(kek=kek, key=key):
            return (kek, key)
        case Unwrap(kek=kek, into=into, unlike=unlike):
            return (kek, into, *unlike)
        case GenerateKey(into=into):
            return (into,)
        case Discard(key=key):
            return (key,)
        case Present(secret=secret) | Match(secret=secret):
            return (secret,)
        case Random():
            return ()
