"""A careless TLS server in the place of a meter's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tlslite.constants import ExtensionType, GroupName
from tlslite.extensions import TLSExtension
from tlslite.handshakesettings import HandshakeSettings
from tlslite.messages import ClientHello, ServerHello
from tlslite.sessioncache import SessionCache

from emulator.bent_tls.bend import Bend, Message
from emulator.bent_tls.connection import BentConnection
from emulator.bent_tls.inside import Inside
from emulator.bent_tls.showing import chain_of, key_of
from emulator.bent_tls.wire import Wire
from emulator.faults.careless.connection import CarelessConnection, Examine
from emulator.faults.careless.piecing import piecing
from emulator.faults.careless.traits import SHORT, credential_of, settle
from emulator.faults.presented import Presented

HANDSHAKE_TIMEOUT = 10.0
_TRUNCATED_HMAC = 4
_DEFLATE = 1
_LONG = 7200
_SHA512_WITH_ECDSA = (6, 3)
_TLS_RECORD = 0x16


class CarelessServer:
    """Makes a protocol for each connection; sessions are remembered among them."""

    def __init__(self, presented: Presented, flaws: frozenset[str], examine: Examine) -> None:
        credential = credential_of(presented, flaws)
        shown = x509.load_pem_x509_certificates(credential.chain_pem)
        self.chain = chain_of(tuple(one.public_bytes(Encoding.DER) for one in shown))
        self.key = key_of(credential.private_key_pem)
        self.serve = presented.serve
        self.flaws = flaws
        self.examine = examine
        age = SHORT if "short-sessions" in flaws else _LONG
        self.cache = None if "no-sessions" in flaws else SessionCache(maxAge=age)

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self)

    def settings(self) -> HandshakeSettings:
        """As a meter has them, but for its flaws."""
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 3)
        settings.versions = [(3, 3)]
        settings.cipherNames = ["aes256gcm", "aes128gcm"]
        settings.keyExchangeNames = ["ecdhe_ecdsa"]
        settings.eccCurves, settings.keyShares = ["secp256r1"], ["secp256r1"]
        settings.ecdsaSigHashes = ["sha256"]
        settings.rsaSigHashes, settings.more_sig_schemes = [], []
        settings.use_heartbeat_extension = "heartbeat" in self.flaws
        settings.useExtendedMasterSecret = True
        if self.flaws & {"any-curve", "any-group"}:
            settings.eccCurves += ["secp384r1"]
            settings.ecdsaSigHashes += ["sha384"]
        if "any-proof" in self.flaws or "signs-otherwise" in self.flaws:
            settings.ecdsaSigHashes += ["sha384", "sha512"]
        settle(settings, self.flaws)
        return settings


class _Connection(Wire):
    """A connection to the careless server: a handshake, and then what is inside."""

    def __init__(self, server: CarelessServer) -> None:
        super().__init__()
        self._server = server
        self._task: asyncio.Task[None] | None = None
        self._plain: asyncio.Protocol | None = None
        self._inside: Inside | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if "plain" not in self._server.flaws:
            self._task = asyncio.ensure_future(self._serve())

    def data_received(self, data: bytes) -> None:
        if self._plain is not None:
            self._plain.data_received(data)
            return
        if self._task is None:
            if data[0] != _TLS_RECORD:
                self._plain = self._server.serve()
                self._plain.connection_made(self.transport)
                self._plain.data_received(data)
                return
            self._task = asyncio.ensure_future(self._serve())
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._plain is not None:
            self._plain.connection_lost(exc)

    async def _serve(self) -> None:
        server = self._server
        bend = Bend(outgoing=self._outgoing, heard=self._heard)
        connection = CarelessConnection(self, bend, server.flaws, server.examine)
        work = connection.handshakeServerAsync(
            certChain=server.chain,
            privateKey=server.key,
            reqCert="no-psk" not in server.flaws,
            sessionCache=server.cache,
            settings=server.settings(),
        )
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT):
                await self.drive(work)
        except Exception:
            self.close()  # tlslite says in many ways that it does not go on
            return
        protocol = piecing(server.flaws, server.serve())
        self._inside = Inside(connection, protocol)
        protocol.connection_made(self._inside)
        if "short-sessions" in server.flaws:
            asyncio.get_running_loop().call_later(SHORT, self._inside.close)

    # Flaws in messages ------------------------------------------------------------------------

    def _outgoing(self, connection: BentConnection, message: Message) -> Iterable[Message]:
        flaws = self._server.flaws
        if isinstance(message, ServerHello):
            if "compression" in flaws and _has(connection, _offers_compression):
                message.compression_method = _DEFLATE
            if "truncated-hmac" in flaws and _has(connection, _offers_truncated_hmac):
                chosen = TLSExtension(extType=_TRUNCATED_HMAC).create(bytearray())
                message.extensions = [*(message.extensions or []), chosen]
        return (message,)

    def _heard(self, connection: BentConnection, message: Message) -> None:
        flaws = self._server.flaws
        if not isinstance(message, ClientHello):
            return
        groups = message.getExtension(ExtensionType.supported_groups)
        if "any-group" in flaws and groups is not None:
            groups.groups = [*groups.groups, GroupName.secp256r1]
        if "signs-otherwise" in flaws:
            schemes = message.getExtension(ExtensionType.signature_algorithms)
            if schemes is not None:
                schemes.sigalgs = [_SHA512_WITH_ECDSA]
        cache = self._server.cache if "resumes-without-ems" in flaws else None
        ems = message.getExtension(ExtensionType.extended_master_secret)
        if cache is not None and ems is None:
            with suppress(KeyError):
                cache[message.session_id].extendedMasterSecret = False


def _has(connection: BentConnection, what: Callable[[Any], bool]) -> bool:
    return any(isinstance(one, ClientHello) and what(one) for one in connection.seen)


def _offers_compression(hello: Any) -> bool:
    return any(hello.compression_methods)


def _offers_truncated_hmac(hello: Any) -> bool:
    return hello.getExtension(_TRUNCATED_HMAC) is not None
