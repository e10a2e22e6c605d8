"""What a Cryptographic Module is to us (SEC Section A; letter, paragraphs 7 and 8)."""

from __future__ import annotations

from typing import Any, Protocol

from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoOp
from emulator.policy import ModuleClass


class CryptoModule(Protocol):
    """A backend that holds keys and carries out operations on them."""

    @property
    def name(self) -> str:
        """Short name for the ledger."""
        ...

    @property
    def module_class(self) -> ModuleClass:
        """The strictest class this module honestly satisfies."""
        ...

    @property
    def emulated(self) -> bool:
        """Whether it only plays a module of that class: what SoftHSM is to a FIPS 140-2 Level 3
        module. Every report says so.
        """
        ...

    @property
    def blocks(self) -> bool:
        """Whether :meth:`execute` may wait, and so belongs in a thread."""
        ...

    def execute(self, op: CryptoOp) -> Any:
        """Carry out ``op``; results as the operation's own docstring says.

        :class:`~dlms.security.ops.VerificationFailed` or
        :class:`~dlms.security.ops.KeyUnavailable` if there is no result.
        """
        ...


class TlsSigner(Protocol):
    """What has the DCC Private Keys that establish TLS (G2.44(b))."""

    def tls_sign(self, key: KeyRef, digest: bytes) -> bytes:
        """Sign ``digest``, 32 octets made by the caller, by ECDSA on P-256; gives ``r ‖ s``.

        It is called in the middle of a handshake, in the thread of the event loop, which stands
        still until it returns: a module with a thread of its own waits for that one, and never for
        the loop.

        Only keys of kind TLS_PRIVATE_KEY: :class:`~dlms.security.ops.KeyUnavailable` for others,
        and if there is none.
        """
        ...


class TlsModule(CryptoModule, TlsSigner, Protocol):
    """A Cryptographic Module that can have such keys."""
