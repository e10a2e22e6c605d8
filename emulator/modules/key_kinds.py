"""Which kinds of keys serve which operations: the same in every module.

A key serves one purpose (R-KEY-9; GB Ed. 8, 9.2.3.4.1), whatever else its octets could be used for.
"""

from __future__ import annotations

from collections.abc import Collection

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import KeyUnavailable

WRAPS = (KeyKind.KEK, KeyKind.STORAGE)
ENCIPHERS = tuple(kind for kind in KeyKind if kind.is_symmetric and kind not in WRAPS)
"""Also those that authenticate: GMAC is AES-GCM. Whoever could decipher with a key that wraps would
have the octets of the wrapped keys.
"""
AES = (*(kind for kind in KeyKind if kind.is_symmetric), KeyKind.STORAGE)
"""Of a length that the suite decides."""
AES_LENGTHS = (16, 24, 32)
"""Octets of a key of AES (FIPS 197)."""
SIGNS = (KeyKind.SIGNING_KEY, KeyKind.TLS_PRIVATE_KEY)
TLS = (KeyKind.TLS_PRIVATE_KEY,)
AGREES = (KeyKind.AGREEMENT_KEY,)
PAIRS = (*SIGNS, *AGREES)
"""Private keys, which belong to a public one."""
HASHED = (KeyKind.HLS_SECRET,)
"""A hash of chosen octets and a key of another kind could be its tag elsewhere."""
PRESENTED = (KeyKind.LLS_SECRET,)
"""What is handed out as it is."""


def check_kind(ref: KeyRef, kinds: Collection[KeyKind]) -> None:
    """:class:`KeyUnavailable` if ``ref`` is not of ``kinds``."""
    if ref.kind not in kinds:
        raise KeyUnavailable(f"{ref} is not a key for this")


def check_secret(ref: KeyRef) -> None:
    """:class:`KeyUnavailable` if ``ref`` is a private key, which is no secret key."""
    if ref.kind in PAIRS:
        raise KeyUnavailable(f"{ref} is not a key for this")
