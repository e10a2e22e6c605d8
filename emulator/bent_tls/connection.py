"""A connection of tlslite that does what it should not, and keeps what came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tlslite.constants import HandshakeType, HashAlgorithm, SignatureAlgorithm
from tlslite.handshakehelpers import HandshakeHelpers
from tlslite.messages import CertificateRequest, ClientHello, Finished, Message
from tlslite.recordlayer import RecordSocket
from tlslite.tlsconnection import TLSConnection

from emulator.bent_tls.bend import Bend
from emulator.bent_tls.wire import Wire


class _BentRecords(RecordSocket):  # type: ignore[misc]  # tlslite has no types
    """Records as they leave, protected."""

    def __init__(self, sock: Any, bend: Bend) -> None:
        super().__init__(sock)
        self._bend = bend

    def send(self, msg: Any, padding: int = 0) -> Iterator[int]:
        body = self._bend.record(msg.contentType, bytes(msg.write()))
        yield from super().send(Message(msg.contentType, bytearray(body)), padding)


class BentConnection(TLSConnection):  # type: ignore[misc]  # tlslite has no types
    """``seen`` are the messages of the peer in their order, those that could be read.

    ``key_log`` are the lines of the NSS key log for what was agreed upon in TLS 1.2.
    """

    def __init__(self, wire: Wire, bend: Bend | None = None) -> None:
        super().__init__(wire)
        self.wire = wire
        self.bend = Bend() if bend is None else bend
        self.seen: list[Any] = []
        self.key_log: list[str] = []
        self.psk_configs: list[Any] = []
        """Those of the settings: what is changed in a ClientHello is bound to them anew."""
        self.verify_data = b""
        """Of the Finished that was sent, which a renegotiation has to name (RFC 5746, 3.5)."""
        self.ignoreAbruptClose = False
        layer = self._recordLayer
        layer._recordSocket = _BentRecords(self.sock, self.bend)

    # Of tlslite -----------------------------------------------------------------------------------

    def _sendMsg(
        self, msg: Any, randomizeFirstBlock: bool = True, update_hashes: bool = True
    ) -> Iterator[int]:
        for one in self.bend.outgoing(self, msg):
            if isinstance(one, ClientHello) and self.psk_configs:
                HandshakeHelpers.update_binders(one, self._handshake_hash, self.psk_configs)
            if isinstance(one, Finished):
                self.verify_data = bytes(one.verify_data)
            yield from super()._sendMsg(one, randomizeFirstBlock, update_hashes)

    def _getMsg(
        self, expectedType: Any, secondaryType: Any = None, constructorType: Any = None
    ) -> Iterator[Any]:
        for result in super()._getMsg(expectedType, secondaryType, constructorType):
            if not isinstance(result, int):
                self._saw(result)
            yield result

    def _calcPendingStates(
        self,
        cipherSuite: int,
        masterSecret: bytes,
        clientRandom: bytes,
        serverRandom: bytes,
        implementations: Any,
    ) -> None:
        line = f"CLIENT_RANDOM {bytes(clientRandom).hex()} {bytes(masterSecret).hex()}"
        self.key_log.append(line)
        super()._calcPendingStates(
            cipherSuite, masterSecret, clientRandom, serverRandom, implementations
        )

    def _saw(self, message: Any) -> None:
        self.seen.append(message)
        self.bend.heard(self, message)
        if isinstance(message, CertificateRequest):
            # tlslite goes no further with a peer that takes ECDSA alone.
            rsa = HashAlgorithm.sha256, SignatureAlgorithm.rsa
            if not any(one[1] == rsa[1] for one in message.supported_signature_algs):
                message.supported_signature_algs.append(rsa)

    # What came ------------------------------------------------------------------------------------

    def message(self, kind: int) -> Any:
        """The last handshake message of that type, ``None`` if none came."""
        found = [one for one in self.seen if getattr(one, "handshakeType", None) == kind]
        return found[-1] if found else None

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """What the peer has shown, DER, its own first."""
        message = self.message(HandshakeType.certificate)
        chain = getattr(message, "cert_chain", None)
        return () if chain is None else tuple(bytes(one.bytes) for one in chain.x509List)

    # Raw ------------------------------------------------------------------------------------------

    def send_record(self, content_type: int, octets: bytes) -> Iterator[int]:
        """A record with that content, of any length, under the keys of now; no hash has it."""
        yield from self._recordLayer.sendRecord(Message(content_type, bytearray(octets)))

    def next_record(self) -> Iterator[Any]:
        """The next record of the peer as its type and its plain octets, whatever it is."""
        for result in self._recordLayer.recvRecord():
            if isinstance(result, int):
                yield result
            else:
                header, parser = result
                yield int(header.type), bytes(parser.bytes)
                return
