"""Operations with symmetric keys, secrets and random octets."""

from __future__ import annotations

from typing import NamedTuple

from dlms.security.keys import KeyRef
from dlms.security.use import Use

IV_TITLE_LENGTH = 8
TAG_LENGTH = 12
"""Octets of an authentication tag: the first 12, in every suite (GB Ed. 8, 9.2.3.3.7.6)."""


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

    Result: the plaintext. :class:`VerificationFailed` if the tag is wrong, or if that key is one
    that protects its own message: its counters begin anew, and so would initialization vectors
    that were used (KL-PR-13).
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

    :class:`VerificationFailed` if it does not verify, can be guessed (it is all zeros, or the
    system title of ``into`` repeated or filled up), or equals one of ``unlike``: a key must not
    serve two purposes (GB Ed. 8, 9.2.3.4.1), and an old key that came back would start its counters
    again and so repeat its initialization vectors (KL-KT-15, 16, 17).
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
