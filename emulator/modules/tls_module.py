"""A Cryptographic Module that has DCC Private Keys for TLS, and what it keeps to."""

from __future__ import annotations

from typing import Protocol

from emulator.modules.module import CryptoModule, TlsSigner


class TlsModule(CryptoModule, TlsSigner, Protocol):
    """``tls_sign`` is called in the middle of a handshake, in the thread of the event loop, which
    stands still until it returns: a module with a thread of its own waits for that one, for a time
    that it bounds itself, and never for the loop.

    The digest has 32 octets, and the key is one of P-256 (:data:`tls.credentials.Sign`).
    """
