"""Names of keys. The protocol core never holds key octets, only these references.

Green Book Ed. 8, 9.2.3.4 (key types) and Table 20 (how each is established).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

KEY_LENGTH = 16
"""Octets of a symmetric key in suites 0 and 1, which use AES-128."""


class KeyKind(Enum):
    """What a key is for."""

    GUEK = "global unicast encryption key"
    GBEK = "global broadcast encryption key"
    GAK = "global authentication key"
    DEDICATED = "dedicated key"
    KEK = "key encrypting key (master key)"
    EPHEMERAL = "key of a single message"
    LLS_SECRET = "low level security secret"
    HLS_SECRET = "high level security secret"
    TOKEN = "token key"
    STORAGE = "storage key"
    SIGNING_KEY = "digital signature private key"
    AGREEMENT_KEY = "key agreement private key"
    TLS_PRIVATE_KEY = "TLS private key"

    # Members are singletons; Enum's own hash goes by name, in Python, on every key look-up.
    __hash__ = object.__hash__

    @property
    def is_symmetric(self) -> bool:
        """Whether this is a symmetric key in the sense of a SMETS1 Symmetric Key.

        A secret of low or high level security is a password: it is presented or hashed with a
        challenge, it does not process a message. Nor does a storage key: it wraps what is stored.
        """
        return self not in _NOT_SYMMETRIC


_NOT_SYMMETRIC = (
    KeyKind.LLS_SECRET,
    KeyKind.HLS_SECRET,
    KeyKind.STORAGE,
    KeyKind.SIGNING_KEY,
    KeyKind.AGREEMENT_KEY,
    KeyKind.TLS_PRIVATE_KEY,
)


class KeyLifetime(Enum):
    """How long a key is valid."""

    LONG_LIVED = "long-lived"
    SINGLE_ASSOCIATION = "valid for a single Application Association"

    __hash__ = object.__hash__


class KeyRef(NamedTuple):
    """A name under which a Cryptographic Module knows a key.

    ``holder`` is the system title of the device the key belongs to, ``scope`` the security context
    inside it (one per Application Association that has its own keys), ``version`` counts
    rotations.
    """

    holder: bytes
    scope: str
    kind: KeyKind
    lifetime: KeyLifetime = KeyLifetime.LONG_LIVED
    version: int = 0

    def __str__(self) -> str:
        version = f" v{self.version}" if self.version else ""
        return f"{self.holder.hex().upper()}/{self.scope}/{self.kind.name}{version}"
