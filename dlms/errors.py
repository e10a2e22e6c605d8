"""Every exception of the protocol core.

Codecs raise :class:`CodecError`, which blames nobody: it says what is wrong and where. At one
boundary, the association, it becomes a :class:`LocalProtocolError` (our caller asked for something
the protocol forbids) or a :class:`RemoteProtocolError` (the peer did), and the latter carries the
reply that the standard asks for.
"""

from __future__ import annotations


class DlmsError(Exception):
    """Base of all errors of this package."""


class CodecError(DlmsError):
    """Octets that are not what they claim to be, or a value that cannot be encoded.

    ``offset`` is the octet position from the start of the buffer being decoded (``None`` while
    encoding); ``field`` names the element in the words of the standard.
    """

    def __init__(self, message: str, *, offset: int | None = None, field: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.field = field

    def __str__(self) -> str:
        where = "" if self.offset is None else f" at octet {self.offset}"
        what = f"{self.field}: " if self.field else ""
        return f"{what}{super().__str__()}{where}"


class ProtocolError(DlmsError):
    """Base of the two errors that say which side broke the rules."""


class LocalProtocolError(ProtocolError):
    """Our own side asked for something the protocol does not allow in this state."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules.

    ``reply`` is the APDU (unframed octets) with which the standard has us answer, or ``None`` where
    silence is the answer. ``reason`` is a short stable identifier for events and reports.
    """

    def __init__(
        self, message: str, *, reply: bytes | None = None, reason: str = "protocol-error"
    ) -> None:
        super().__init__(message)
        self.reply = reply
        self.reason = reason
