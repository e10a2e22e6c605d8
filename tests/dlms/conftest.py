"""A client and a server that talk, and the means to send either of them something else."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import PASS_3, AssociationKeys, ClientConfig, ServerConfig
from dlms.association.events import (
    AssociationOpened,
    AuthenticationPending,
    Event,
    RequestReceived,
    ResponseReceived,
)
from dlms.association.offer import Offer
from dlms.association.server import ServerAssociation
from dlms.association.state import State
from dlms.axdr.data import octet_string
from dlms.errors import RemoteProtocolError
from dlms.security.ciphered import Family, Form, encode_ciphered
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    CertificateFacts,
    CheckCertificate,
    CryptoOp,
    Curve,
    Digest,
    Mac,
    Seal,
    Sign,
    Step,
    Use,
    VerificationFailed,
    Verify,
)
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateRequest
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

CLIENT_TITLE = b"S1S\0\0\0\0\1"
SERVER_TITLE = b"MTR\0\0\0\0\1"
GUEK = KeyRef(SERVER_TITLE, "s1sp", KeyKind.GUEK)
GAK = KeyRef(SERVER_TITLE, "s1sp", KeyKind.GAK)
SECRET = KeyRef(SERVER_TITLE, "reader", KeyKind.LLS_SECRET)
DEDICATED = KeyRef(SERVER_TITLE, "s1sp#", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION)
HLS_SECRET = KeyRef(SERVER_TITLE, "s1sp", KeyKind.HLS_SECRET)
GBEK = KeyRef(SERVER_TITLE, "s1sp", KeyKind.GBEK)
CLIENT_SIGNING = KeyRef(CLIENT_TITLE, "s1sp", KeyKind.SIGNING_KEY)
SERVER_SIGNING = KeyRef(SERVER_TITLE, "s1sp", KeyKind.SIGNING_KEY)
KEY_OCTETS = {
    GUEK: bytes(range(16)),
    GAK: bytes(range(0xD0, 0xE0)),
    SECRET: b"12345678",
    HLS_SECRET: b"a secret for HLS",
    GBEK: bytes(range(0x20, 0x30)),
}
SIGNING_KEYS = {
    (CLIENT_SIGNING, Curve.P256): ec.derive_private_key(0xC256, ec.SECP256R1()),
    (SERVER_SIGNING, Curve.P256): ec.derive_private_key(0x5256, ec.SECP256R1()),
    (CLIENT_SIGNING, Curve.P384): ec.derive_private_key(0xC384, ec.SECP384R1()),
    (SERVER_SIGNING, Curve.P384): ec.derive_private_key(0x5384, ec.SECP384R1()),
}


PUBLIC_KEYS = {
    name: key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    for name, key in SIGNING_KEYS.items()
}
"""x ‖ y by the reference of the private key, and curve."""

SERVICES = Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.GENERAL_PROTECTION
CLOCK_TIME = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
CHALLENGE = b"K56iVagY"


class Recorder:
    """A module that remembers what it was asked for. ``random`` replaces its random source."""

    def __init__(self, random: Callable[[int], bytes] | None = None) -> None:
        self.keys = KeyRing()
        for ref, octets in KEY_OCTETS.items():
            self.keys.keep(ref, octets)
        self._module = (
            SoftwareModule(self.keys) if random is None else SoftwareModule(self.keys, random)
        )
        self.curve = Curve.P256
        self.certificates: dict[bytes, CertificateFacts] = {}
        """What CheckCertificate finds right, and its facts."""
        self.ops: list[CryptoOp] = []
        self.vectors: list[tuple[bytes, bytes, int]] = []
        """(key octets, title, counter) of each Seal and Mac: what must not be used twice."""

    def execute(self, op: CryptoOp) -> Any:
        self.ops.append(op)
        if isinstance(op, Seal | Mac):
            self.vectors.append((self.keys.get(op.ek), op.title, op.counter))
        match op:
            case Digest():
                octets = (
                    part if isinstance(part, bytes) else self.keys.get(part) for part in op.parts
                )
                return hashlib.new(op.function.value, b"".join(octets)).digest()
            case Sign():
                return self._sign(op)
            case Verify():
                return self._verify(op)
            case CheckCertificate():
                facts = self.certificates.get(op.certificate)
                if facts is None or op.title not in (None, facts.title):
                    raise VerificationFailed("certificate is not right")
                return facts
        return self._module.execute(op)

    def _sign(self, op: Sign) -> bytes:
        signature = SIGNING_KEYS[op.key, self.curve].sign(op.message, _ecdsa(self.curve))
        return b"".join(
            number.to_bytes(self.curve.value, "big") for number in decode_dss_signature(signature)
        )

    def _verify(self, op: Verify) -> None:
        half = op.curve.value
        curve = ec.SECP256R1() if op.curve is Curve.P256 else ec.SECP384R1()
        numbers = (op.signature[:half], op.signature[half:])
        signature = encode_dss_signature(*(int.from_bytes(number, "big") for number in numbers))
        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + op.public)
            public.verify(signature, op.message, _ecdsa(op.curve))
        except (InvalidSignature, ValueError):
            raise VerificationFailed("signature does not verify") from None


def _ecdsa(curve: Curve) -> ec.ECDSA:
    return ec.ECDSA(hashes.SHA256() if curve is Curve.P256 else hashes.SHA384())


class Hit(NamedTuple):
    """What the server made of one APDU: an event or an error, and the reply in either case."""

    event: Event | None
    error: RemoteProtocolError | None
    reply: bytes | None


class Bench:
    """Both ends of an association, each with its own module and counters.

    ``connect`` builds new ends on the same counters, as a new connection would.
    """

    def __init__(self, **changes: Any) -> None:
        take = changes.pop
        random = take("server_random", None)
        client_random = take("client_random", None)
        dedicated = DEDICATED if take("dedicated", False) else None
        client_config: dict[str, Any] = take("client", {})
        server_config: dict[str, Any] = take("server", {})
        self.channel_title: bytes | None = take("channel_title", None)
        self.label = take("label", "c1")
        self.now: dt.datetime | None = None
        context = take("context", ApplicationContext.LN_CIPHERED)
        mechanism = take("mechanism", Mechanism.HLS_GMAC)
        self.server_module, self.client_module = Recorder(random), Recorder(client_random)
        self.server_counters, self.client_counters = InvocationCounters(), InvocationCounters()
        self.keys = AssociationKeys(GUEK, GAK, SECRET)._replace(**take("keys", {}))
        self.server_keys: dict[str, Any] = take("server_keys", {})
        self.client_keys: dict[str, Any] = take("client_keys", {})
        assert not changes, changes
        common = {
            "client_sap": 2,
            "server_sap": 1,
            "context": context,
            "mechanism": mechanism,
            "conformance": SERVICES,
        }
        self.server_config = ServerConfig(**{**common, **server_config})
        self.client_config = ClientConfig(
            **{**common, "own_title": CLIENT_TITLE, "dedicated": dedicated, **client_config}
        )
        self.renew()

    def renew(self) -> None:
        """Fresh ends in state IDLE; the counters stay."""
        self.server = ServerAssociation(
            Offer(
                self.server_config,
                self.keys._replace(**self.server_keys),
                SERVER_TITLE,
                self.server_counters,
                self.channel_title,
            ),
            self.label,
        )
        keys = self.keys._replace(**self.client_keys)
        self.client = ClientAssociation(self.client_config, keys, self.client_counters)

    # Driving the two ends

    def serve(self, step: Step[Any]) -> Any:
        return run(step, self.server_module.execute)

    def ask(self, step: Step[Any]) -> Any:
        return run(step, self.client_module.execute)

    def hit(self, apdu: bytes) -> Hit:
        """Give the server ``apdu``; anything but an event or a RemoteProtocolError escapes."""
        try:
            event = self.serve(self.server.receive(apdu, self.now))
        except RemoteProtocolError as error:
            return Hit(None, error, error.reply)
        return Hit(event, None, getattr(event, "reply", None))

    def begin(self) -> None:
        """AARQ and AARE. With HLS both ends are then AUTHENTICATING."""
        event = self.serve(self.server.receive(self.ask(self.client.open()), self.now))
        answer = self.ask(self.client.receive(event.reply, self.now))
        expected = (
            AuthenticationPending if self.server_config.mechanism.is_hls else AssociationOpened
        )
        assert isinstance(event, expected), event
        assert isinstance(answer, expected), answer

    def finish(self) -> None:
        """Passes 3 and 4 of HLS."""
        event = self.serve(self.server.receive(self.ask(self.client.authenticate())))
        assert isinstance(event, AssociationOpened), event
        assert isinstance(self.ask(self.client.receive(event.reply)), AssociationOpened)

    def connect(self) -> Bench:
        """Open an association on a new connection."""
        self.renew()
        self.begin()
        if self.server_config.mechanism.is_hls:
            self.finish()
        assert self.server.state is self.client.state is State.ASSOCIATED
        return self

    def get(self, invoke: int = 0x41) -> bytes:
        """One GET, there and back; returns the octets of the request."""
        octets: bytes = self.ask(self.client.request(GetRequest(invoke, CLOCK_TIME)))
        event = self.serve(self.server.receive(octets))
        assert isinstance(event, RequestReceived), event
        reply = self.serve(self.server.send(GetResponse(invoke, octet_string(bytes(12)))))
        assert isinstance(self.ask(self.client.receive(reply)), ResponseReceived)
        return octets

    def works(self) -> None:
        """A good association can be opened and used."""
        self.connect()
        self.get()

    def digest(self) -> object:
        """All that a refused message must leave as it was."""
        counters, server, aa = self.server_counters, self.server, self.server.admitted
        return (
            server.state,
            None if aa is None else (aa.conformance, aa.client_max_pdu, aa.client_title, aa.user),
            dict(counters._next),
            dict(counters._floor),
            {ref: self.server_module.keys.get(ref) for ref in self.server_module.keys.refs},
        )

    def client_digest(self) -> object:
        counters = self.client_counters
        return self.client.state, dict(counters._next), dict(counters._floor)

    # Making what no client of ours would send

    def sealed(
        self,
        apdu: bytes,
        *,
        control: int = 0x30,
        counter: int | None = None,
        title: bytes = CLIENT_TITLE,
        ek: KeyRef = GUEK,
        ak: KeyRef = GAK,
        family: Family = Family.GLOBAL,
        form: Form = Form.SERVICE,
        shown_title: bytes | None = None,
        plain_tag: int | None = None,
    ) -> bytes:
        """Protect ``apdu`` with the client's module exactly as told, right or wrong.

        ``counter`` is the client's next one unless given.
        """
        number = self.client_counters.burn(ek) if counter is None else counter
        body: bytes = self.client_module.execute(
            Seal(
                Use.PROTECT_REQUEST,
                ek,
                ak if control & Protection.AUTHENTICATED else None,
                control,
                title,
                number,
                apdu,
            )
        )
        if not control & Protection.ENCRYPTED:
            body = apdu + body
        return encode_ciphered(
            apdu[0] if plain_tag is None else plain_tag,
            family,
            form,
            control,
            number,
            body,
            title if shown_title is None else shown_title,
        )

    def from_server(
        self,
        apdu: bytes,
        *,
        control: int = 0x30,
        counter: int | None = None,
        title: bytes = SERVER_TITLE,
        form: Form = Form.SERVICE,
    ) -> bytes:
        """``apdu``, protected under the GUEK as a server with the right keys would, or as told."""
        number = self.server_counters.burn(GUEK) if counter is None else counter
        ak = GAK if control & Protection.AUTHENTICATED else None
        seal = Seal(Use.PROTECT_RESPONSE, GUEK, ak, control, title, number, apdu)
        body: bytes = self.server_module.execute(seal)
        if not control & Protection.ENCRYPTED:
            body = apdu + body
        return encode_ciphered(apdu[0], Family.GLOBAL, form, control, number, body, title)

    def f(
        self,
        challenge: bytes,
        counter: int,
        *,
        control: int = 0x10,
        title: bytes = CLIENT_TITLE,
        ek: KeyRef = GUEK,
    ) -> bytes:
        """f(challenge) as 17 octets."""
        tag: bytes = self.client_module.execute(
            Mac(Use.ASSOCIATION, ek, GAK, control, title, counter, challenge)
        )
        return bytes((control,)) + counter.to_bytes(4, "big") + tag

    def pass_3(self, f: bytes) -> bytes:
        """The plain reply_to_HLS_authentication request with ``f``."""
        return ActionRequest(0x41, PASS_3, octet_string(f)).encode()

    @property
    def initiate(self) -> InitiateRequest:
        return InitiateRequest(conformance=SERVICES, client_max_receive_pdu_size=0xFFFF)

    def aarq(self, initiate: bytes | None = None, **changes: Any) -> Aarq:
        """A right AARQ for the server's configuration, with ``changes``.

        ``initiate`` replaces the user-information, protected or not as it stands.
        """
        config = self.server_config
        value = {
            Mechanism.NONE: None,
            Mechanism.LLS: AuthenticationValue(KEY_OCTETS[SECRET]),
            Mechanism.HLS_ECDSA: AuthenticationValue(CHALLENGE * 4),
        }.get(config.mechanism, AuthenticationValue(CHALLENGE))
        user = initiate
        if user is None:
            user = self.initiate.encode()
            if config.context.ciphered:
                user = self.sealed(user)
        authenticated = config.mechanism is not Mechanism.NONE
        aarq = Aarq(
            application_context_name=config.context.oid,
            calling_ap_title=CLIENT_TITLE if config.needs_title else None,
            sender_acse_requirements=True if authenticated else None,
            mechanism_name=config.mechanism.oid if authenticated else None,
            calling_authentication_value=value,
            user_information=user,
        )
        return aarq._replace(**changes)


@pytest.fixture(scope="session")
def bench() -> type[Bench]:
    """``bench(**changes)`` builds a :class:`Bench`; session-wide, for it holds nothing itself."""
    return Bench


@pytest.fixture(scope="session")
def names() -> dict[str, Any]:
    """The constants of this file, for tests that cannot import it."""
    return {key: value for key, value in globals().items() if key.isupper()}
