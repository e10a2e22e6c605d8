"""The secret keys that live in a token for good: those of scopes, and the one that wraps the rest.

From the secret of a scope all keys of version 0 are derived on demand (HKDF-Expand, RFC 5869), each
HMAC of it inside the token. Its result is the key's octets: they pass through the memory of this
process on their way into the token. The secret itself never leaves.
"""

from __future__ import annotations

from typing import Any

from pkcs11 import Mechanism

from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.failures import TokenUnavailable

STORAGE = "cosemlab storage key"
"""Label of the key that wraps the keys that are kept beside the token."""

_HASH_LENGTH = 32
_MAX_LENGTH = 255 * _HASH_LENGTH
"""Of what HKDF-Expand gives (RFC 5869, 2.3)."""


def scope_label(scope: str) -> str:
    return f"cosemlab scope {scope}"


def hmac_sha256(secret: Any, message: bytes) -> bytes:
    """By a secret key inside the token."""
    tag: bytes = secret.sign(message, mechanism=Mechanism.SHA256_HMAC)
    return tag


class Residents:
    """Those of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._known = connection.resident

    def derives(self, scope: str) -> bool:
        return scope_label(scope) in self._known

    def expand(self, scope: str, info: bytes, length: int) -> bytes:
        """HKDF-Expand with the secret of a scope, which is there."""
        if length > _MAX_LENGTH:
            raise ValueError(f"HKDF gives {_MAX_LENGTH} octets at the most, not {length}")
        secret = self._known[scope_label(scope)]
        octets = block = b""
        number = 0
        while len(octets) < length:
            number += 1
            block = hmac_sha256(secret, block + info + number.to_bytes(1, "big"))
            octets += block
        return octets[:length]

    @property
    def storage(self) -> Any:
        """The key that wraps what is kept. :class:`TokenUnavailable` if it was never made."""
        storage = self._known.get(STORAGE)
        if storage is None:
            raise TokenUnavailable("the token has no storage key: it was not prepared for this")
        return storage
