"""Keys for what is stored: they are functions of the fleet secret, and are for nothing else."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_WRAPPING_LENGTH = 32
_SEAL_LENGTH = 16


def wrapping_key(fleet_secret: bytes, title: bytes) -> bytes:
    """The AES key that wraps the keys of the meter ``title``."""
    return _derive(fleet_secret, b"cosemlab storage\0" + title, _WRAPPING_LENGTH)


def fingerprint(fleet_secret: bytes) -> bytes:
    """What tells a fleet from another, and nothing of its secret."""
    return _derive(fleet_secret, b"cosemlab storage of a fleet", _SEAL_LENGTH)


class Sealing:
    """Seals rows, so that none is taken that has been damaged, or stands in another's place."""

    def __init__(self, fleet_secret: bytes) -> None:
        self._key = _derive(fleet_secret, b"cosemlab storage seals", 32)

    def seal(self, *row: bytes | str | int) -> bytes:
        # The repr of a tuple of these can be read in one way only.
        return hmac.digest(self._key, repr(row).encode(), "sha256")[:_SEAL_LENGTH]

    def fits(self, seal: object, *row: bytes | str | int) -> bool:
        return isinstance(seal, bytes) and hmac.compare_digest(seal, self.seal(*row))


def _derive(fleet_secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(fleet_secret)
