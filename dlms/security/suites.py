"""The security suites (GB Ed. 8, 9.2.3.7, Tables 29 and 30) and the names of their algorithms."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from dlms.security.ops import Curve

WRAPPING_OCTETS = 8
"""What RFC 3394 adds to the length of a key."""


class Algorithm(Enum):
    """What an agreed key will be used for; the value is the last arc of its identifier
    (``2.16.756.5.8.3.x``, GB Ed. 8, Table 76).
    """

    AES_GCM_128 = 0
    AES_GCM_256 = 1
    AES_WRAP_128 = 2
    AES_WRAP_256 = 3

    __hash__ = object.__hash__


class AlgorithmIdForm(Enum):
    """The octets in front of the last arc, where an AlgorithmID goes into a key derivation.

    ``REGISTERED`` is the encoding of the object identifier and what current clients use. Early
    prints of GB Ed. 8 (Table 18) have another octet in the middle, and there are stacks that follow
    them; the keys that come out differ.
    """

    REGISTERED = bytes.fromhex("608574050803")
    EARLY_PRINT = bytes.fromhex("608574060803")

    __hash__ = object.__hash__

    def encode(self, algorithm: Algorithm) -> bytes:
        """The seven octets of AlgorithmID."""
        return self.value + bytes((algorithm.value,))


class Suite(NamedTuple):
    """``key_length`` is octets of a symmetric key; ``curve`` that of signatures and agreement.

    ``cipher`` and ``wrap`` are what an agreed key is for. ``compression`` says whether V.44 may be
    used in the general APDUs (R-SC-3).
    """

    key_length: int
    curve: Curve | None
    cipher: Algorithm
    wrap: Algorithm
    compression: bool

    @property
    def wrapped_length(self) -> int:
        """Octets of a wrapped key."""
        return self.key_length + WRAPPING_OCTETS


SUITES = {
    0: Suite(16, None, Algorithm.AES_GCM_128, Algorithm.AES_WRAP_128, False),
    1: Suite(16, Curve.P256, Algorithm.AES_GCM_128, Algorithm.AES_WRAP_128, True),
    2: Suite(32, Curve.P384, Algorithm.AES_GCM_256, Algorithm.AES_WRAP_256, True),
}
"""By the number in bits 0 to 3 of the security control octet."""
