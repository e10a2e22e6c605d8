"""How a general-ciphering message gets its key (GB Ed. 8, 9.2.7.2.4.8, Table 21)."""

from __future__ import annotations

from enum import Enum


class KeyChoice(Enum):
    """How the originator gives its message a key."""

    NONE = "no key, for a message without protection"
    UNICAST = "the global unicast encryption key"
    BROADCAST = "the global broadcast encryption key"
    WRAPPED = "a random key, wrapped under the master key"
    ONE_PASS = "agreed, C(1e, 1s)"
    STATIC = "agreed, C(0e, 2s)"

    __hash__ = object.__hash__
