"""Application contexts and authentication mechanisms (GB Ed. 8, 9.4.2.2, Tables 74 and 75)."""

from __future__ import annotations

from enum import Enum

_CONTEXT = bytes.fromhex("608574050801")
_MECHANISM = bytes.fromhex("608574050802")


class Referencing(Enum):
    """How attributes and methods are named; it decides which services there are (R-CTX-2)."""

    LOGICAL_NAME = "LN"
    SHORT_NAME = "SN"


class ApplicationContext(Enum):
    """COSEM application contexts, joint-iso-ccitt 16.756.5.8.1.x."""

    LN = 1
    SN = 2
    LN_CIPHERED = 3
    SN_CIPHERED = 4

    __hash__ = object.__hash__

    @property
    def ciphered(self) -> bool:
        return self in _CIPHERED

    @property
    def referencing(self) -> Referencing:
        if self in _LOGICAL_NAMES:
            return Referencing.LOGICAL_NAME
        return Referencing.SHORT_NAME

    @property
    def oid(self) -> bytes:
        """Content octets of the OBJECT IDENTIFIER."""
        return _CONTEXT_OIDS[self]

    @classmethod
    def from_oid(cls, oid: bytes) -> ApplicationContext | None:
        """``None`` if the name is not of a COSEM context."""
        return _CONTEXTS.get(oid)


class Mechanism(Enum):
    """COSEM authentication mechanisms, joint-iso-ccitt 16.756.5.8.2.x."""

    NONE = 0
    LLS = 1
    HLS = 2
    HLS_MD5 = 3
    HLS_SHA1 = 4
    HLS_GMAC = 5
    HLS_SHA256 = 6
    HLS_ECDSA = 7

    __hash__ = object.__hash__

    @property
    def is_hls(self) -> bool:
        """Whether four passes are needed."""
        return self.value >= 2

    @property
    def oid(self) -> bytes:
        """Content octets of the OBJECT IDENTIFIER."""
        return _MECHANISM_OIDS[self]

    @classmethod
    def from_oid(cls, oid: bytes) -> Mechanism | None:
        """``None`` if the name is not of a COSEM mechanism."""
        return _MECHANISMS.get(oid)


_CONTEXT_OIDS = {context: _CONTEXT + bytes((context.value,)) for context in ApplicationContext}
_MECHANISM_OIDS = {mechanism: _MECHANISM + bytes((mechanism.value,)) for mechanism in Mechanism}
_CONTEXTS = {oid: context for context, oid in _CONTEXT_OIDS.items()}
_MECHANISMS = {oid: mechanism for mechanism, oid in _MECHANISM_OIDS.items()}
_CIPHERED = (ApplicationContext.LN_CIPHERED, ApplicationContext.SN_CIPHERED)
_LOGICAL_NAMES = (ApplicationContext.LN, ApplicationContext.LN_CIPHERED)
