"""How a handshake ended, and what was agreed upon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from tlslite.constants import (
    CipherSuite,
    ExtensionType,
    GroupName,
    HandshakeType,
    SignatureScheme,
)

from emulator.bent_tls.connection import BentConnection
from emulator.conformance.probing.seen import Seen
from tls.alerts import Alert

CLOSE_NOTIFY = 0


class Ended(Enum):
    SESSION = "session"
    """There is a session."""
    ALERT = "alert"
    """The device sent a fatal alert."""
    CLOSED = "closed"
    """The device ended the connection, with close_notify or without a word."""
    SILENCE = "silence"
    """The device said nothing more, in as long as an answer may take."""
    BROKEN_OFF = "broken off"
    """The tester could not go on with what the device said."""

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``alert`` is the number of a fatal alert, ``data`` whether application data came after the
    handshake, where that was waited for. ``why`` says more, for people.
    """

    ended: Ended
    connection: BentConnection
    alert: int | None = None
    why: str = ""
    data: bool = False
    entry: int | None = None

    @property
    def hello(self) -> Any:
        """The ServerHello that came, ``None`` if none did."""
        return self.connection.message(HandshakeType.server_hello)

    @property
    def has_session(self) -> bool:
        return self.ended is Ended.SESSION

    @property
    def is_refused(self) -> bool:
        return self.ended in (Ended.ALERT, Ended.CLOSED)

    def extension(self, number: int) -> Any:
        """Of the ServerHello."""
        hello = self.hello
        return None if hello is None else hello.getExtension(number)

    def having(self, **changes: Any) -> Outcome:
        return replace(self, **changes)

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"ended": self.ended.value}
        if self.alert is not None:
            facts["alert"] = alert_name(self.alert)
            facts["code"] = self.alert
        if self.why:
            facts["why"] = self.why
        hello = self.hello
        if hello is not None:
            facts["version"] = "{}.{}".format(*_version(hello))
            facts["suite"] = suite_name(hello.cipher_suite)
        exchange = self.connection.message(HandshakeType.server_key_exchange)
        if exchange is not None:
            if exchange.named_curve:
                facts["curve"] = curve_name(exchange.named_curve)
            if exchange.signAlg:
                facts["signature"] = scheme_name((exchange.hashAlg, exchange.signAlg))
        if self.has_session:
            facts["resumed"] = bool(self.connection.resumed)
        return facts

    def seen(
        self, problems: Iterable[str] = (), *, notes: Iterable[str] = (), **facts: Any
    ) -> Seen:
        """What an expecter judges."""
        seen = Seen.found(problems, notes=notes, **{**self.facts(), **facts})
        return seen.having(entry=self.entry)


def _version(hello: Any) -> tuple[int, int]:
    """The version of TLS, as people say it."""
    chosen = hello.getExtension(ExtensionType.supported_versions)
    _, minor = hello.server_version if chosen is None else chosen.version
    return (1, minor - 1) if minor else (3, 0)


def alert_name(number: int) -> str:
    try:
        return f"{Alert(number)} ({number})"
    except ValueError:
        return f"alert {number}"


def suite_name(number: int) -> str:
    return str(CipherSuite.ietfNames.get(number, f"suite {number:04X}"))


def curve_name(number: int) -> str:
    return str(GroupName.toStr(number))


def scheme_name(pair: tuple[int, int]) -> str:
    return str(SignatureScheme.toRepr(pair) or "signature algorithm {}.{}".format(*pair))
