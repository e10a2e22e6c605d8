"""One association of ours as a meter, without a socket, for every mechanism."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import AssociationKeys, ServerConfig
from dlms.association.events import RequestReceived
from dlms.association.offer import Offer
from dlms.association.server import ServerAssociation
from dlms.axdr.data import octet_string
from dlms.errors import RemoteProtocolError
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.hls import Exchange, ManufacturerSteps
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Step, VerificationFailed
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.read import ReadRequest, ReadResponse
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

METER = b"MMM\x00\x00\xbc\x61\x4e"
CLIENT = b"MMM\x00\x00\x00\x00\x01"
GUEK, GAK, SECRET, HLS_SECRET, SIGNING = (
    KeyRef(METER, "lab", kind)
    for kind in (
        KeyKind.GUEK,
        KeyKind.GAK,
        KeyKind.LLS_SECRET,
        KeyKind.HLS_SECRET,
        KeyKind.SIGNING_KEY,
    )
)
OCTETS = {
    GUEK: bytes(range(16)),
    GAK: bytes(range(0xD0, 0xE0)),
    SECRET: b"sixteen octets!!",
    HLS_SECRET: b"sixteen octets!!",
    SIGNING: (0x5EC2E7).to_bytes(32, "big"),
}
CLIENT_SCALAR = (0xC11E27).to_bytes(32, "big")
VALUE = b"logical device"
SERVICES = Conformance.GET | Conformance.ACTION | Conformance.READ | Conformance.GENERAL_PROTECTION


def public(scalar: bytes) -> bytes:
    """x ‖ y on P-256."""
    key = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 16)


def _aes(challenge: bytes) -> bytes:
    """Mechanism 2 as it is commonly deployed: the challenge under the secret, AES-128 in ECB."""
    encryptor = Cipher(algorithms.AES(_padded(OCTETS[HLS_SECRET])), modes.ECB()).encryptor()
    return encryptor.update(_padded(challenge)) + encryptor.finalize()


def _answer(exchange: Exchange) -> Step[bytes]:
    return _aes(exchange.peer_challenge)
    yield  # a step that needs no operation


def _verify(exchange: Exchange, result: bytes) -> Step[None]:
    if result != _aes(exchange.own_challenge):
        raise VerificationFailed("not the challenge under the secret")
    return
    yield


class Meter:
    """``talk`` takes an APDU and gives the answer, as a meter's."""

    def __init__(
        self,
        mechanism: Mechanism,
        *,
        context: ApplicationContext = ApplicationContext.LN,
        suite: int = 0,
        **changes: Any,
    ) -> None:
        ring = KeyRing()
        for ref, octets in OCTETS.items():
            ring.keep(ref, octets)
        self.execute = SoftwareModule(ring).execute
        config = ServerConfig(
            client_sap=1,
            server_sap=1,
            context=context,
            mechanism=mechanism,
            conformance=SERVICES,
            suite=suite,
            manufacturer=ManufacturerSteps(_answer, _verify),
            **changes,
        )
        keys = AssociationKeys(GUEK, GAK, SECRET, HLS_SECRET, SIGNING, public(CLIENT_SCALAR))
        offer = Offer(config, keys, METER, InvocationCounters(), None)
        self.association = ServerAssociation(offer)
        self.events: list[Any] = []

    def talk(self, apdu: bytes) -> bytes:
        try:
            event = run(self.association.receive(apdu), self.execute)
        except RemoteProtocolError as error:
            self.events.append(error)
            return error.reply or b""
        self.events.append(event)
        if not isinstance(event, RequestReceived):
            reply: bytes = event.reply  # type: ignore[union-attr, assignment]
            return reply
        value = octet_string(VALUE)
        response: Any = ReadResponse((value,))
        if not isinstance(event.request, ReadRequest):
            assert isinstance(event.request, GetRequest)
            response = GetResponse(event.request.invoke, value)
        octets: bytes = run(self.association.send(response), self.execute)
        return octets


@pytest.fixture
def lab() -> Callable[..., Meter]:
    """``lab(mechanism, **options)``: a meter in a drawer."""
    return Meter


@pytest.fixture
def facts() -> dict[str, Any]:
    """What a client of it must know."""
    return {
        "client_title": CLIENT,
        "meter_title": METER,
        "guek": OCTETS[GUEK],
        "gak": OCTETS[GAK],
        "password": OCTETS[SECRET],
        "client_scalar": CLIENT_SCALAR,
        "meter_public": public(OCTETS[SIGNING]),
        "hls_secret": OCTETS[HLS_SECRET],
        "value": VALUE,
    }
