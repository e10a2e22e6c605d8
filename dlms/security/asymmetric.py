"""Operations of security suites 1 and 2: hashes, signatures, key agreement and certificates."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import NamedTuple

from dlms.security.keys import KeyRef
from dlms.security.use import Use


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

    @property
    def hash_function(self) -> HashFunction:
        """The hash of signatures and key derivation that goes with the curve."""
        return HashFunction.SHA256 if self is Curve.P256 else HashFunction.SHA384


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
    can be guessed or equals one of ``unlike`` (see :class:`Unwrap`).
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
    Security setup, attribute 6), in which an authority's is "other"."""

    SIGNATURE = 0
    KEY_AGREEMENT = 1
    TLS = 2
    AUTHORITY = 3

    __hash__ = object.__hash__


class CertificateFacts(NamedTuple):
    """What the core wants to know of an X.509 certificate. Names and serial are DER. An authority
    has no system ``title``, and perhaps no ``subject_alt_name``: they are empty.
    """

    public: bytes
    curve: Curve
    title: bytes
    serial: bytes
    issuer: bytes
    subject: bytes
    subject_alt_name: bytes
    purpose: CertificatePurpose


class CheckCertificate(NamedTuple):
    """Check an X.509 certificate (GB Ed. 8, 9.2.6.3.2): its syntax, the validity at ``now``, a path
    of signatures to one of the DER certificates ``anchors``, the key usage of ``purpose``, that no
    critical extension is unknown, and that it is for ``title``, if that is given.

    The path may lead over some of ``intermediates``, which are DER as well and not trusted by
    themselves. Without a ``purpose`` it is that which the key usage says.

    Result: :class:`CertificateFacts`. :class:`VerificationFailed` says which check failed.
    """

    use: Use
    certificate: bytes
    purpose: CertificatePurpose | None
    anchors: tuple[bytes, ...]
    now: dt.datetime
    title: bytes | None = None
    intermediates: tuple[bytes, ...] = ()
