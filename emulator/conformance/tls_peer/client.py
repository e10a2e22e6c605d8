"""Calls the device over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from tlslite.errors import TLSAbruptCloseError, TLSLocalAlert, TLSRemoteAlert
from tlslite.handshakesettings import (
    ALL_CIPHER_NAMES,
    ALL_CURVE_NAMES,
    ALL_MAC_NAMES,
    ALL_RSA_SIGNATURE_HASHES,
    HandshakeSettings,
)
from tlslite.messages import ClientHello

from emulator.bent_tls.bend import Bend, Message
from emulator.bent_tls.connection import BentConnection
from emulator.bent_tls.wire import Told, Wire
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.tls_peer import hello as hellos
from emulator.conformance.tls_peer import papers as paper
from emulator.conformance.tls_peer.outcome import CLOSE_NOTIFY, Ended, Outcome
from emulator.conformance.tls_peer.papers import Papers
from emulator.conformance.trying.trial import Trial

PATIENCE = 5.0
"""Seconds for a TCP connection to come about."""

FATAL = 2

P = TypeVar("P", bound=asyncio.Protocol)


class Talk:
    """A TLS connection of the tester; the trial closes it."""

    def __init__(self, trial: Trial, number: int, bend: Bend) -> None:
        self.trial = trial
        self.number = number
        self.wire = Wire(told_to(trial, number))
        self.connection = BentConnection(self.wire, bend)

    async def conclude(self, work: Iterator[Any], within: float | None = None) -> Outcome:
        """Run a handshake, or what comes after it, to its end, whatever that is."""
        ended, alert, why = Ended.SESSION, None, ""
        try:
            async with asyncio.timeout(self.trial.timing.answer if within is None else within):
                await self.wire.drive(work)
        except TLSRemoteAlert as error:
            fatal = error.level == FATAL and error.description != CLOSE_NOTIFY
            ended = Ended.ALERT if fatal else Ended.CLOSED
            alert = error.description if fatal else None
            why = "" if fatal else str(error)
        except TLSLocalAlert as error:
            ended, why = Ended.BROKEN_OFF, str(error)
        except TimeoutError:
            ended, why = Ended.SILENCE, "no answer in time"
        except (TLSAbruptCloseError, OSError) as error:
            ended, why = Ended.CLOSED, self.wire.ended or str(error) or type(error).__name__
            alert = await self._left_behind()
            if alert is not None:
                ended = Ended.ALERT
        except (ValueError, AssertionError, SyntaxError, TypeError, AttributeError) as error:
            # tlslite stumbles in many ways over what no peer should say; if none has said anything,
            # the tester has stumbled over itself.
            if not self.connection.seen:
                raise Unjudged(f"the tester's TLS: {type(error).__name__}: {error}") from error
            ended, why = Ended.BROKEN_OFF, f"{type(error).__name__}: {error}"
        log = self.trial.target.key_log
        log += [line for line in self.connection.key_log if line not in log]
        outcome = Outcome(ended=ended, connection=self.connection, alert=alert, why=why)
        entry = self.trial.record.note(f"line {self.number}: {outcome.seen()}")
        return outcome.having(entry=entry)

    async def _left_behind(self) -> int | None:
        """A fatal alert that the device had sent before it hung up on us."""
        with suppress(Exception):
            while self.wire.has_news:
                kind, octets = await self.wire.drive(self.connection.next_record())
                if kind == 21 and octets[0] == FATAL:
                    return int(octets[1])
        return None

    async def say(self, work: Iterator[Any]) -> None:
        """Send what a generator of tlslite sends; a device that has hung up does not hear it."""
        with suppress(OSError):
            await self.wire.drive(work)

    async def comes(self, within: float) -> Outcome:
        """What the device does by itself: ends the session, or nothing (a session still)."""

        outcome = await self.conclude(self.connection.readAsync(max=1 << 14, min=1), within)
        if outcome.ended is Ended.SILENCE:
            return outcome.having(ended=Ended.SESSION, why="")
        if outcome.ended is Ended.SESSION and self.connection.closed:
            return outcome.having(ended=Ended.CLOSED, why="close_notify")
        return outcome.having(data=outcome.ended is Ended.SESSION)

    async def close(self) -> None:
        """Take leave in order, where there is somebody to take it of."""
        with suppress(Exception):
            if not self.connection.closed:
                self.connection.closeSocket = False
                for result in self.connection.closeAsync():
                    if result == 0:
                        break  # its close_notify is not waited for
        self.wire.close()


def told_to(trial: Trial, number: int) -> Told:
    def told(sent: bool, octets: bytes) -> None:
        direction = Direction.SENT if sent else Direction.RECEIVED
        trial.record.add(direction, Level.OCTETS, octets, line=number)

    return told


def everything(version: tuple[int, int] = (3, 3)) -> HandshakeSettings:
    """Settings that go on with whatever a device picks: it is the tester that judges, not tlslite.

    One version; :func:`~.hello.as_declared` narrows down what a ClientHello offers.
    """
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = version
    settings.versions = [version]
    settings.cipherNames = list(ALL_CIPHER_NAMES)
    settings.macNames = list(ALL_MAC_NAMES)
    settings.rsaSigHashes = list(ALL_RSA_SIGNATURE_HASHES)
    settings.minKeySize = 512
    settings.certificate_compression_send = settings.certificate_compression_receive = []
    settings.eccCurves = list(ALL_CURVE_NAMES)
    settings.use_heartbeat_extension = False
    if version > (3, 3):
        settings.eccCurves = ["secp256r1", "secp384r1", "secp521r1", "x25519", "x448"]
        settings.keyShares = ["secp256r1", "x25519"]
        settings.macNames = ["sha", "sha256", "sha384", "aead"]
    return settings


def address(trial: Trial) -> tuple[str, int]:
    route = trial.target.route
    if route.port is None or route.udp or route.hdlc is not None:
        raise Unjudged("the device is not reached over TLS: there is no TCP port")
    if route.tls is None:
        raise Unjudged("the device is not reached over TLS: the way is plain")
    return route.host, route.port


async def connect(trial: Trial, bend: Bend | None = None) -> Talk:
    """A TCP connection to the TLS port. ``OSError`` if there is none."""
    host, port = address(trial)
    talk = trial.adopt(lambda number: Talk(trial, number, Bend() if bend is None else bend))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        await loop.create_connection(lambda: talk.wire, host, port)
    return talk


async def call(
    trial: Trial,
    *,
    papers: Callable[[Trial], Papers] | Papers = paper.own,
    hello: hellos.Change | None = None,
    bend: Bend | None = None,
    version: tuple[int, int] = (3, 3),
    settings: Callable[[HandshakeSettings], None] | None = None,
    session: Any = None,
) -> tuple[Talk, Outcome]:
    """A handshake. ``hello`` changes the ClientHello, which offers what the device declares."""
    shown = papers if isinstance(papers, Papers) else papers(trial)
    bend = Bend() if bend is None else bend
    bend.outgoing = _with_hello(trial, bend, hello)
    talk = await connect(trial, bend)
    taken = everything(version)
    if settings is not None:
        settings(taken)
    talk.connection.psk_configs = taken.pskConfigs
    chain, key = shown.shown()
    work = talk.connection.handshakeClientCert(
        chain, key, session=session, settings=taken, async_=True
    )
    outcome = await talk.conclude(work)
    if outcome.has_session and version > (3, 3):
        # In TLS 1.3 the client is ready before the server has looked at its certificate.
        late = await talk.comes(trial.timing.silence)
        outcome = outcome if late.has_session else late
    return talk, outcome


def _with_hello(
    trial: Trial, bend: Bend, change: hellos.Change | None
) -> Callable[[BentConnection, Message], Iterable[Message]]:
    inner = bend.outgoing
    is_first = True

    def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
        nonlocal is_first
        if is_first and isinstance(message, ClientHello):
            is_first = False
            hellos.as_declared(trial)(message)
            if change is not None:
                change(message)
        return inner(connection, message)

    return outgoing
