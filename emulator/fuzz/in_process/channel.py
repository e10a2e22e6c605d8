"""TLS between a client and the meter, in memory: what sockets would carry is handed over.

The contexts are those of the emulator: the meter's as at its TLS port, the client's as of a head
end. Time is that of the machine, for OpenSSL knows no other.
"""

from __future__ import annotations

import datetime as dt
import ssl
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from emulator.faults.presented import Presented
from tls.contexts import client_context
from tls.credentials import Credential, Trust
from tls.identity import IdentityError, peer_system_title
from tls.pki import TestPki

MAX_TURNS = 16
"""Of a handshake: TLS 1.2 takes four at the most."""
_DAY = dt.timedelta(days=1)


class Shaken(NamedTuple):
    """How a handshake has ended. ``by_client`` is whether it is the client that does not go on."""

    why: str
    by_client: bool = False
    resumed: bool = False
    title: bytes | None = None
    session: ssl.SSLSession | None = None


@cache
def pki() -> TestPki:
    """Made once in a process: its keys are drawn, so octets of TLS differ between runs."""
    return TestPki.create(now=dt.datetime.now(dt.UTC))


class TlsPort:
    """The meter's TLS port, and the credentials of those who come to it."""

    def __init__(self, title: bytes) -> None:
        self._title = title
        self._revoked: list[Credential] = []
        self._client_crl: bytes | None = None
        self.presented = Presented(pki(), title, None, self._trust)
        self._open: dict[str, _Pair] = {}
        self._credentials: dict[str, Credential] = {}
        self.sessions: dict[str, ssl.SSLSession] = {}
        """By client, the one that it may resume."""
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.show_new()

    def _trust(self) -> Trust:
        return pki().trust(pki().issue_crl(self._revoked) if self._revoked else None)

    def show_new(self) -> None:
        """The meter has a new certificate."""
        self._shown = pki().issue_device(self._title)
        self.presented.show(self._shown)

    def revoke_client(self) -> None:
        """Whoever has come so far is let in no more."""
        self._revoked += self._credentials.values()

    def revoke_meter(self) -> None:
        """The client knows that the meter's certificate was revoked."""
        self._client_crl = pki().issue_crl([self._shown])
        self._contexts.clear()

    def connect(
        self, client: str, title: bytes, *, resume: bool, days: int | None, garbage: bytes
    ) -> Shaken:
        """A handshake of ``client``, with its session of before if that is to be resumed."""
        before = self._open.pop(client, None)
        if before is not None:
            before.close()
        here, there = _bios(), _bios()
        server = self.presented.context().wrap_bio(*there, server_side=True)
        if garbage:
            there[0].write(garbage)
            there[0].write_eof()
            return _one_sided(server)
        context = self.context(client, title, days)
        session = self.sessions.get(client) if resume else None
        pair = _Pair(context.wrap_bio(*here, session=session), server, here, there)
        shaken = pair.shake()
        if shaken.session is not None:
            self.sessions[client] = shaken.session
            self._open[client] = pair
        return shaken

    def context(self, name: str, title: bytes, days: int | None) -> ssl.SSLContext:
        """With which that client shakes hands. ``days`` makes it a new certificate."""
        if days is not None or name not in self._contexts:
            credential = self._credentials.get(name)
            if credential is None or days is not None:
                until = None if days is None else pki().created + (days + 0.5) * _DAY
                since = None if days is None or days > 0 else pki().created - 30 * _DAY
                credential = pki().issue_client(title, name, not_before=since, not_after=until)
                self._credentials[name] = credential
            trust = pki().trust(self._client_crl)
            self.sessions.pop(name, None)  # a session is resumed by the context that made it
            self._contexts[name] = client_context(credential, trust)
        return self._contexts[name]


def _one_sided(server: ssl.SSLObject) -> Shaken:
    try:
        server.do_handshake()
    except ssl.SSLError as error:
        return Shaken(error.reason or type(error).__name__)
    return Shaken("")


def _bios() -> tuple[ssl.MemoryBIO, ssl.MemoryBIO]:
    return ssl.MemoryBIO(), ssl.MemoryBIO()


class _Pair(NamedTuple):
    """Both ends of a channel, and what each has to read and has written."""

    client: ssl.SSLObject
    server: ssl.SSLObject
    here: tuple[ssl.MemoryBIO, ssl.MemoryBIO]
    there: tuple[ssl.MemoryBIO, ssl.MemoryBIO]

    def carry(self) -> None:
        self.there[0].write(self.here[1].read())
        self.here[0].write(self.there[1].read())

    def close(self) -> None:
        """In order: OpenSSL resumes no session that just broke off."""
        for side in (self.client, self.server, self.client):
            with suppress(ssl.SSLError):
                side.unwrap()
            self.carry()

    def shake(self) -> Shaken:
        done = {self.client: False, self.server: False}
        for _ in range(MAX_TURNS):
            for side in done:
                try:
                    with suppress(ssl.SSLWantReadError):
                        if not done[side]:
                            side.do_handshake()
                            done[side] = True
                except ssl.SSLError as error:
                    return Shaken(error.reason or "refused", side is self.client)
                self.carry()
            if all(done.values()):
                return self._identified()
        return Shaken("no end of the handshake")

    def _identified(self) -> Shaken:
        try:
            title = peer_system_title(self.server)
        except IdentityError as error:
            return Shaken(str(error))
        return Shaken("", False, bool(self.server.session_reused), title, self.client.session)
