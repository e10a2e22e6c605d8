"""Is called by the device over TLS.

The tester listens on a free port of loopback, or where the setting ``tls.listen`` (``host:port``)
says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tlslite.constants import HandshakeType
from tlslite.handshakesettings import HandshakeSettings

from emulator.bent_tls.bend import Bend
from emulator.bent_tls.wire import Wire
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.tls_peer import papers as paper
from emulator.conformance.tls_peer.client import Talk, everything
from emulator.conformance.tls_peer.outcome import Outcome
from emulator.conformance.tls_peer.papers import Papers
from emulator.conformance.tls_peer.triggering import trigger
from emulator.conformance.trying.trial import Trial
from emulator.serving.pushing import parse_address

LOOPBACK = "127.0.0.1"


@dataclass(kw_only=True)
class Manner:
    """How the tester is a server: ``papers`` it shows, ``settings`` changes those of tlslite,
    ``bend`` makes what is sent otherwise, ``cache`` has sessions to resume.
    """

    papers: Callable[[Trial], Papers] = paper.own_server
    settings: Callable[[HandshakeSettings], None] | None = None
    bend: Callable[[], Bend] = Bend
    cache: Any = None
    version: tuple[int, int] = (3, 3)


@dataclass(frozen=True, kw_only=True)
class Called:
    """A call of the device: ``hello`` is its ClientHello, ``None`` if none came."""

    talk: Talk
    outcome: Outcome
    hello: Any = field(default=None)


class Door:
    """Where the device calls; each call is a talk, which the trial closes."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._calls: asyncio.Queue[Talk] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self.host, self.port = LOOPBACK, 0

    async def open(self) -> None:
        written = self._trial.declaration.settings.get("tls.listen", "")
        if written:
            try:
                self.host, self.port = parse_address(written)
            except ValueError as error:
                raise Unjudged(f"tls.listen: {error}") from None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._answered, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _answered(self) -> Wire:
        talk = self._trial.adopt(lambda number: Talk(self._trial, number, Bend()))
        self._calls.put_nowait(talk)
        return talk.wire

    async def call(self) -> Talk:
        """The next call. :class:`Unjudged` if the device does not call in the time that an answer
        may take.
        """
        while not self._calls.empty():
            self._calls.get_nowait()  # of another time
        triggered = await trigger(self._trial, self.host, self.port)
        try:
            async with asyncio.timeout(self._trial.timing.answer):
                return await self._calls.get()
        except TimeoutError:
            await triggered.end()
            raise Unjudged("the device does not call") from None

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()


async def door(trial: Trial) -> Door:
    """Open, and closed with the trial."""
    opened = trial.adopt(lambda number: Door(trial))
    await opened.open()
    return opened


async def answer(trial: Trial, manner: Manner | None = None, at: Door | None = None) -> Called:
    """Let the device call once. After a handshake it is waited for what it does with the session:
    one that the device ends before any data was none (:class:`~.outcome.Ended`).
    """
    manner = Manner() if manner is None else manner
    chain, key = manner.papers(trial).shown()
    at = await door(trial) if at is None else at
    talk = await at.call()
    bend = manner.bend()
    talk.connection.bend.outgoing, talk.connection.bend.heard = bend.outgoing, bend.heard
    settings = everything(manner.version)
    if manner.settings is not None:
        manner.settings(settings)
    work = talk.connection.handshakeServerAsync(
        certChain=chain, privateKey=key, reqCert=True, sessionCache=manner.cache, settings=settings
    )
    outcome = await talk.conclude(work)
    if outcome.has_session:
        after = await talk.comes(trial.timing.answer)
        if after.data:
            outcome = outcome.having(data=True)
        elif not after.has_session:
            why = f"after the handshake, before any data: {after.why or after.alert}"
            outcome = after.having(why=why)
    hello = talk.connection.message(HandshakeType.client_hello)
    return Called(talk=talk, outcome=outcome, hello=hello)
