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

    def holds(self, key: KeyRef) -> bool:
        """Whether an operation with this key can be carried out here."""
        ...

    @property
    def gives(self) -> bool:
        """Whether it gives keys away, to modules of no lower class."""
        ...

    def export(self, key: KeyRef) -> bytes:
        """The octets of a key; only where :attr:`gives` says so.

        :class:`~dlms.security.ops.KeyUnavailable` if there is no such key.
        """
        ...

    def admit(self, key: KeyRef, octets: bytes) -> None:
        """Take in a key of a module of no higher class, under its name."""
        ...

    def close(self) -> None:
        """Let go of what it holds open outside this process, if anything."""
        ...

    def execute(self, op: CryptoOp) -> Any:
        """Carry out ``op``; results as the operation's own docstring says.

        :class:`~dlms.security.ops.VerificationFailed` or
        :class:`~dlms.security.ops.KeyUnavailable` if there is no result.
        """
        ...


class TlsSigner(Protocol):
    """A module with whose private keys TLS can be established (G2.44(b)): they stay where they
    are, and whoever does the handshake asks for one signature.
    """

    def tls_sign(self, key: KeyRef, digest: bytes) -> bytes:
        """ECDSA over a ``digest`` that was computed by the caller: ``R ‖ S``, each as long as a
        coordinate. It may wait, where the module does.

        :class:`~dlms.security.ops.KeyUnavailable` if ``key`` is no TLS private key of the module.
        """
        ...
