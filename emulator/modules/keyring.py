"""Keys of the software module: derived from a fleet secret until they are rotated.

A fleet of a million meters needs no store of keys: the first version of each key is a function of
the fleet secret and the key's name. What has been transferred or generated since is kept beside.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dlms.security.keys import KEY_LENGTH, KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import KeyUnavailable

SECRET_LENGTH = 8
"""Octets of a derived low level security secret, written as that many hexadecimal digits."""


class KeyRing:
    """Key octets by reference. Its ``repr`` shows none of them."""

    def __init__(self, fleet_secret: bytes | None = None) -> None:
        self._fleet_secret = fleet_secret
        self._kept: dict[KeyRef, bytes] = {}

    def __repr__(self) -> str:
        return f"<KeyRing, {len(self._kept)} keys kept>"

    def keep(self, ref: KeyRef, key: bytes) -> None:
        self._kept[ref] = key

    def discard(self, ref: KeyRef) -> None:
        self._kept.pop(ref, None)

    def get(self, ref: KeyRef) -> bytes:
        """The key's octets. :class:`KeyUnavailable` if it is neither kept nor derivable."""
        key = self._kept.get(ref)
        if key is not None:
            return key
        derivable = (
            self._fleet_secret is not None
            and ref.version == 0
            and ref.lifetime is KeyLifetime.LONG_LIVED
        )
        if not derivable:
            raise KeyUnavailable(f"no key {ref}")
        key = self._derive(ref)
        self._kept[ref] = key
        return key

    def _derive(self, ref: KeyRef) -> bytes:
        assert self._fleet_secret is not None  # get() has checked
        length = SECRET_LENGTH // 2 if ref.kind is KeyKind.LLS_SECRET else KEY_LENGTH
        key = HKDF(
            algorithm=hashes.SHA256(),
            length=length,
            salt=None,
            info=b"cosemlab key\0" + f"{ref.scope}\0{ref.kind.name}\0".encode() + ref.holder,
        ).derive(self._fleet_secret)
        # A password is typed by people and shown by client programs: printable.
        return key.hex().encode() if ref.kind is KeyKind.LLS_SECRET else key
