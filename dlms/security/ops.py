"""Cryptography as an effect.

A step of the protocol that needs a key is a generator. It yields one of the operations below, which
name keys by reference, and is sent the result. Whoever drives the generator decides which
Cryptographic Module runs the operation; the core neither knows nor sees a key.

A driver that cannot get a result throws a :class:`CryptoFailure` into the step.
"""

from __future__ import annotations

import datetime as dt
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
    AGREE_KEY = "agree a key"
    CERTIFICATE = "make, check or replace a key pair or its certificate"


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
    authentication only the payload itself is not repeated. ``extra`` are the fields of a
    general-ciphering header, which are authenticated behind the authentication key (Table 38).
    """

    use: Use
    ek: KeyRef
    ak: KeyRef | None
    control: int
    title: bytes
    counter: int
    payload: bytes | tuple[bytes | KeyRef, ...]
    extra: bytes = b""


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
    extra: bytes = b""


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


class HashFunction(Enum):
    """Hash functions that the standard names (GB Ed. 8, 9.2.2.2.2.4 and 9.2.3.2)."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"

    __hash__ = object.__hash__


class Curve(Enum):
    """Elliptic curves of the suites; the value is the octets of one coordinate (NIST SP 800-186).

    Public keys are ``x ‖ y`` and signatures ``R ‖ S``, both of twice that length, without any tag
    (GB Ed. 8, 9.2.3.4.4). A signature hashes with SHA-256 on P-256 and SHA-384 on P-384.
    """

    P256 = 32
    P384 = 48

    __hash__ = object.__hash__


class Digest(NamedTuple):
    """Hash ``parts``, joined; a :class:`KeyRef` among them is an HLS secret, whose octets the
    module puts there (mechanisms 3, 4 and 6; GB Ed. 8, Table 42). Result: the digest.
    """

    use: Use
    function: HashFunction
    parts: tuple[bytes | KeyRef, ...]


class Sign(NamedTuple):
    """Sign ``message`` with ECDSA on the curve of ``key``. Result: ``R ‖ S``."""

    use: Use
    key: KeyRef
    message: bytes


class Verify(NamedTuple):
    """Check an ECDSA signature of the holder of ``public``. Result: None.

    :class:`VerificationFailed` if it is wrong, or ``public`` is no point of the curve.
    """

    use: Use
    curve: Curve
    public: bytes
    message: bytes
    signature: bytes


class GenerateKeyPair(NamedTuple):
    """Generate a key pair and keep the private key as ``into``. Result: the public key."""

    use: Use
    into: KeyRef
    curve: Curve


class PublicKey(NamedTuple):
    """Result: the public key of the pair whose private key is ``key``."""

    use: Use
    key: KeyRef


class Agree(NamedTuple):
    """Agree a key with ECDH and keep it as ``into`` (GB Ed. 8, 9.2.3.4.6; NIST SP 800-56A).

    Z comes from ``private`` and the peer's ``public`` and is destroyed. The key is the leftmost
    ``length`` octets of H(00000001 ‖ Z ‖ other_info), where H goes by the curve as in a signature.

    Result: None. :class:`VerificationFailed` if ``public`` is no point of the curve, or the key
    equals one of ``unlike`` (see :class:`Unwrap`).
    """

    use: Use
    private: KeyRef
    public: bytes
    other_info: bytes
    into: KeyRef
    length: int
    unlike: tuple[KeyRef, ...] = ()


class CertificateRequest(NamedTuple):
    """Make a PKCS #10 request for ``key``, signed with it, whose common name is the system
    ``title`` in hexadecimal (GB Ed. 8, 9.2.6.5). Result: DER.
    """

    use: Use
    key: KeyRef
    title: bytes


class CertificatePurpose(Enum):
    """What the key pair of a certificate is for; the value is certificate_type (Blue Book,
    Security setup, attribute 6)."""

    SIGNATURE = 0
    KEY_AGREEMENT = 1
    TLS = 2

    __hash__ = object.__hash__


class CertificateFacts(NamedTuple):
    """What the core wants to know of an X.509 certificate. Names and serial are DER."""

    public: bytes
    curve: Curve
    title: bytes
    serial: bytes
    issuer: bytes
    subject: bytes
    subject_alt_name: bytes


class CheckCertificate(NamedTuple):
    """Check an X.509 certificate (GB Ed. 8, 9.2.6.3.2): its syntax, the validity at ``now``, a path
    of signatures to one of the DER certificates ``anchors``, the key usage of ``purpose``, that no
    critical extension is unknown, and that it is for ``title``, if that is given.

    Result: :class:`CertificateFacts`. :class:`VerificationFailed` says which check failed.
    """

    use: Use
    certificate: bytes
    purpose: CertificatePurpose
    anchors: tuple[bytes, ...]
    now: dt.datetime
    title: bytes | None = None


class Random(NamedTuple):
    """Draw ``length`` octets from the module's random source. Result: the octets."""

    use: Use
    length: int


CryptoOp: TypeAlias = (
    Seal
    | Open
    | Mac
    | Wrap
    | Unwrap
    | GenerateKey
    | Discard
    | Present
    | Match
    | Random
    | Digest
    | Sign
    | Verify
    | GenerateKeyPair
    | PublicKey
    | Agree
    | CertificateRequest
    | CheckCertificate
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
        case GenerateKey(into=into) | GenerateKeyPair(into=into):
            return (into,)
        case Discard(key=key) | Sign(key=key) | PublicKey(key=key) | CertificateRequest(key=key):
            return (key,)
        case Agree(private=private, into=into, unlike=unlike):
            return (private, into, *unlike)
        case Digest(parts=parts):
            return tuple(part for part in parts if isinstance(part, KeyRef))
        case Present(secret=secret) | Match(secret=secret):
            return (secret,)
        case Random() | Verify() | CheckCertificate():
            return ()
