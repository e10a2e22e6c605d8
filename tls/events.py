"""What a handshake leaves behind: an event for the log, and an error for who asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from tls.alerts import Alert


class Side(StrEnum):
    """Which end of the handshake we were."""

    SERVER = "server"
    CLIENT = "client"


class Reason(StrEnum):
    """Why there is no session. The values are stable: reports and tests quote them."""

    PROTOCOL_VERSION = "protocol-version"
    NO_CLIENT_CERTIFICATE = "no-client-certificate"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_YET_VALID = "certificate-not-yet-valid"
    UNKNOWN_CA = "unknown-ca"
    CERTIFICATE_REVOKED = "certificate-revoked"
    UNSUPPORTED_CERTIFICATE = "unsupported-certificate"
    BAD_CERTIFICATE = "bad-certificate"
    NO_SHARED_CIPHER = "no-shared-cipher"
    NOT_TLS = "not-tls"
    PEER_CLOSED = "peer-closed"
    TIMEOUT = "timeout"
    WRONG_IDENTITY = "wrong-identity"
    OWN_KEY = "own-key"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    TOO_MANY_HANDSHAKES = "too-many-handshakes"
    CLOSING = "closing"
    PAUSED = "paused"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeDone:
    """A session stands. ``peer`` is the address, ``system_title`` 8 octets or ``None``.

    ``key_used`` is whether our private key has signed for it; ``None`` if OpenSSL has the key, and
    does not tell.
    """

    side: Side
    peer: str
    version: str
    cipher: str
    system_title: bytes | None
    resumed: bool
    key_used: bool | None = None

    @property
    def took_key(self) -> bool:
        """Whether it took our private key: a session that is resumed does not (RFC 5246, F.1.4)."""
        return not self.resumed if self.key_used is None else self.key_used


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeFailed:
    """No session came about.

    ``alert`` is the alert that ended the handshake, as far as it was seen, and ``alert_sent``
    whether we sent it (``False``: the peer did). ``message`` is one line to read. ``cause`` is the
    error of whoever has our private key, if that was it; ``key_used`` as in :class:`HandshakeDone`.
    """

    side: Side
    peer: str
    reason: Reason
    alert: Alert | None
    alert_sent: bool
    message: str
    key_used: bool | None = None
    cause: BaseException | None = field(default=None, repr=False, compare=False)


HandshakeEvent: TypeAlias = HandshakeDone | HandshakeFailed
OnEvent: TypeAlias = Callable[[HandshakeEvent], None]


class HandshakeError(ConnectionError):
    """The connection that was asked for has no session; ``event`` tells what happened."""

    def __init__(self, event: HandshakeFailed) -> None:
        super().__init__(event.message)
        self.event = event
        self.__cause__ = event.cause

    @property
    def reason(self) -> Reason:
        return self.event.reason


def format_address(address: object) -> str:
    """Return a socket address as ``host:port``, with brackets around an IPv6 host."""
    match address:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case None:
            return "unknown"
        case _:
            return str(address)
