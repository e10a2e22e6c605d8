"""A careless TLS client in the place of a meter's, when it calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tlslite.constants import ExtensionType, SignatureScheme
from tlslite.extensions import SignatureAlgorithmsCertExtension, TLSExtension
from tlslite.handshakesettings import HandshakeSettings
from tlslite.messages import ClientHello

from emulator.bent_tls.bend import Bend, Message
from emulator.bent_tls.connection import BentConnection
from emulator.bent_tls.inside import Inside
from emulator.bent_tls.showing import chain_of, key_of
from emulator.bent_tls.wire import Wire
from emulator.faults.careless.connection import CarelessConnection, Examine
from emulator.faults.careless.traits import SHORT, settle
from emulator.faults.presented import Presented
from tls.identity import IdentityError, system_title_of

_PATIENCE = 10.0
_ALL = 1 << 16
_TRUNCATED_HMAC, _DEFLATE = 4, 1


class CarelessClient:
    """Opens sessions with whoever is called."""

    def __init__(self, presented: Presented, flaws: frozenset[str], examine: Examine) -> None:
        self._presented = presented
        self._flaws = flaws
        self._examine = examine
        self._session: Any = None

    async def __call__(
        self, protocol: asyncio.Protocol, host: str, port: int, title: bytes
    ) -> None:
        """``OSError`` if there is no session."""
        wire = Wire()
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.get_running_loop().create_connection(lambda: wire, host, port)
                connection = await self._known(wire, title)
        except BaseException:
            wire.close()
            raise
        inside = Inside(connection, protocol)
        protocol.connection_made(inside)
        if "short-sessions" in self._flaws:
            asyncio.get_running_loop().call_later(SHORT, inside.close)

    async def _known(self, wire: Wire, title: bytes) -> CarelessConnection:
        """A session with who it should be, as far as that is looked at."""
        try:
            connection = await self._shaken(wire)
        except Exception as error:  # tlslite says in many ways that it does not go on
            while "hangs" in self._flaws and not wire.ended:
                await wire.news()
                with suppress(BlockingIOError):
                    wire.recv(_ALL)
            raise ConnectionError(type(error).__name__) from error
        is_known = connection.resumed or "psk" in self._flaws or _is_of(connection, title)
        if "any-title" not in self._flaws and not is_known:
            raise ConnectionError("the peer is not who it should be")
        return connection

    async def _shaken(self, wire: Wire) -> CarelessConnection:
        bend = Bend(outgoing=self._outgoing)
        connection = CarelessConnection(wire, bend, self._flaws, self._examine)
        connection.closeSocket = "hangs" not in self._flaws
        title = self._presented.title
        credential = self._presented.pki.issue_client(title, title.hex().upper())
        shown = x509.load_pem_x509_certificates(credential.chain_pem)
        settings = self._settings()
        connection.psk_configs = settings.pskConfigs
        work = connection.handshakeClientCert(
            chain_of(tuple(one.public_bytes(Encoding.DER) for one in shown)),
            key_of(credential.private_key_pem),
            session=self._session,
            settings=settings,
            async_=True,
        )
        await wire.drive(work)
        if "resumes" in self._flaws:
            self._session = connection.session
            self._session.resumable = True
        return connection

    def _settings(self) -> HandshakeSettings:
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 3)
        settings.versions = [(3, 3)]
        settings.cipherNames = ["aes256gcm", "aes128gcm"]
        settings.keyExchangeNames = ["ecdhe_ecdsa"]
        settings.eccCurves, settings.keyShares = ["secp256r1"], ["secp256r1"]
        if "short-curve" in self._flaws:
            settings.eccCurves += ["secp224r1"]
        settings.use_heartbeat_extension = "heartbeat" in self._flaws
        settle(settings, self._flaws)
        return settings

    def _outgoing(self, connection: BentConnection, message: Message) -> Iterable[Message]:
        if isinstance(message, ClientHello):
            if "tickets" not in self._flaws:
                message.extensions = [
                    one for one in message.extensions if one.extType != ExtensionType.session_ticket
                ]
            if "algorithms-of-certificates" in self._flaws:
                schemes = [SignatureScheme.ecdsa_secp256r1_sha256]
                extension = SignatureAlgorithmsCertExtension().create(schemes)
                message.extensions = [extension, *message.extensions]
            if "compression" in self._flaws:
                message.compression_methods = [_DEFLATE, 0]
            if "truncated-hmac" in self._flaws:
                extension = TLSExtension(extType=_TRUNCATED_HMAC).create(bytearray())
                message.extensions = [extension, *message.extensions]
            if "time-of-day" in self._flaws:
                now = int(time.time()).to_bytes(4, "big")
                message.random = bytearray(now) + message.random[4:]
        return (message,)


def _is_of(connection: BentConnection, title: bytes) -> bool:
    try:
        return system_title_of(b"".join(connection.certificates[:1])) == title
    except IdentityError:
        return False
