"""AES-GCM of suite 0, authenticated and encrypted (security control 30), 12-octet tags.

Two comparisons. "Module alone" is like for like: one operation of our software module against
``security.encrypt``/``decrypt`` of dlms-cosem. "The whole way" is to our disadvantage: the step
makes and reads a glo- APDU, burns and checks counters, and a driver has the module do the
cryptography, while dlms-cosem still does the bare operation only. (Taken by itself, opening the
whole way is as fast as its bare ``decrypt``, a few percent this way or that; protecting is faster.)

gurux does AES in pure Python; ``GXCiphering.encrypt``/``decrypt`` makes and reads the APDU as well.
The floor is ``AESGCM`` of the cryptography package with its key set up before; it has 16-octet
tags, for it cannot check shorter ones. Its two calls are less than can be had: to open an APDU with
a tag of 12 octets takes two, so that three are the least, and two thirds of the floor would be
reached by a program that does nothing else. A GET the whole way is aimed at 0.6, and promises what
is reached safely.

"AARQ ciphered" makes and reads the AARQ of the s1sp association, whose InitiateRequest is sealed:
ours the whole way, dlms-cosem with its bare operation again. gurux draws a challenge of its own for
each, so that it would not do the same.
"""

from __future__ import annotations

from collections.abc import Callable

import samples
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from dlms_cosem import enumerations, security
from dlms_cosem.protocol import acse, xdlms
from dlms_cosem.protocol.xdlms.conformance import Conformance as CosemConformance
from gurux_dlms import AesGcmParameter, GXByteBuffer, GXCiphering, GXDLMSSettings
from gurux_dlms.enums import Command, Security
from measure import COSEM, FASTER, FLOOR, GURUX, OURS, Computing, Row

from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Open, Seal, Use
from dlms.security.protect import SecurityContext, Shape, open_ciphered, protect
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateRequest
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

GROUP = "ciphering"

_METER = bytes.fromhex("4D4D4D0000000002")
_EK = bytes(range(16))
_AK = bytes(range(0xD0, 0xE0))
_GUEK = KeyRef(_METER, "bench", KeyKind.GUEK)
_GAK = KeyRef(_METER, "bench", KeyKind.GAK)
_CONTROL = 0x30
_SHAPE = Shape(Family.GLOBAL, Form.SERVICE, Protection.BOTH)
_COUNTER = 7
_REACHED = 0.1
_AIM = 0.6
_CHALLENGE = bytes(range(0x40, 0x50))
_CONFORMANCE = Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.SELECTIVE_ACCESS
_COSEM_CONFORMANCE = CosemConformance(get=True, set=True, action=True, selective_access=True)
_HEADER = 1 + 1 + 5
"""Octets of a short glo- APDU before its body: tag, length, security control, counter."""


def rows() -> list[Row]:
    request = GetRequest(samples.INVOKE, samples.REGISTER).encode()
    buffer = GetResponse(samples.INVOKE, samples.profile_buffer()).encode()
    whole = _both("GET request, both, the whole way", request, Command.GLO_GET_REQUEST)
    whole.least[FLOOR] = _REACHED
    whole.aim[FLOOR] = _AIM
    return [
        _seal("GET request, seal, module alone", request),
        _open("GET request, open, module alone", request),
        whole,
        _both("1.3 KiB response, both, the whole way", buffer, Command.GLO_GET_RESPONSE),
        *_aarq(),
    ]


def _row(
    name: str, operations: dict[str, Callable[[], object]], least: dict[str, float] | None = None
) -> Row:
    return Row(
        group=GROUP,
        name=name,
        contestants={who: Computing(operation) for who, operation in operations.items()},
        least={**FASTER, **(least or {})},
    )


def _seal(name: str, apdu: bytes) -> Row:
    ours, cosem, gurux, floor = _Ours(), _Cosem(), _Gurux(Command.GLO_GET_REQUEST), _Floor()
    seal = Seal(Use.PROTECT_REQUEST, _GUEK, _GAK, _CONTROL, samples.TITLE, _COUNTER, apdu)
    _same(ours.execute(seal), cosem.seal(apdu), gurux.seal(apdu)[_HEADER:])
    return _row(
        name,
        {
            OURS: lambda: ours.execute(seal),
            GURUX: lambda: gurux.seal(apdu),
            COSEM: lambda: cosem.seal(apdu),
            FLOOR: lambda: floor.seal(apdu),
        },
    )


def _open(name: str, apdu: bytes) -> Row:
    ours, cosem, gurux, floor = _Ours(), _Cosem(), _Gurux(Command.GLO_GET_REQUEST), _Floor()
    body, octets, bare = cosem.seal(apdu), gurux.seal(apdu), floor.seal(apdu)
    operation = Open(Use.OPEN_REQUEST, _GUEK, _GAK, _CONTROL, samples.TITLE, _COUNTER, body)
    _same(apdu, ours.execute(operation), cosem.open(body), gurux.open(octets))
    return _row(
        name,
        {
            OURS: lambda: ours.execute(operation),
            GURUX: lambda: gurux.open(octets),
            COSEM: lambda: cosem.open(body),
            FLOOR: lambda: floor.open(bare),
        },
    )


def _both(name: str, apdu: bytes, command: Command) -> Row:
    ours, cosem, gurux, floor = _Ours(), _Cosem(), _Gurux(command), _Floor()
    _same(apdu, ours.open(ours.protect(apdu)), gurux.open(gurux.seal(apdu)))
    return _row(
        name,
        {
            OURS: lambda: ours.open(ours.protect(apdu)),
            GURUX: lambda: gurux.open(gurux.seal(apdu)),
            COSEM: lambda: cosem.open(cosem.seal(apdu)),
            FLOOR: lambda: floor.open(floor.seal(apdu)),
        },
    )


def _aarq() -> list[Row]:
    ours, cosem = _Ours(), _Cosem()
    aarq, theirs = ours.aarq(_COUNTER), cosem.aarq()
    _same(aarq, theirs)
    _same(ours.read_aarq(aarq), cosem.read_aarq(aarq))
    again = _Ours()
    return [
        _row("AARQ ciphered, encode", {OURS: ours.aarq, COSEM: cosem.aarq}, {COSEM: 2.0}),
        _row(
            "AARQ ciphered, decode",
            {OURS: lambda: again.read_aarq(aarq), COSEM: lambda: cosem.read_aarq(aarq)},
            {COSEM: 2.0},
        ),
    ]


def _same(*octets: bytes) -> None:
    first, *others = (bytes(each) for each in octets)
    if any(other != first for other in others):
        raise AssertionError("contestants disagree: " + " ".join(each.hex() for each in octets))


class _Ours:
    """A client that protects and a meter that opens, each with its own counters."""

    def __init__(self) -> None:
        ring = KeyRing()
        ring.keep(_GUEK, _EK)
        ring.keep(_GAK, _AK)
        self.execute = SoftwareModule(ring).execute
        self._client = self._context(samples.TITLE, _METER)
        self._meter = self._context(_METER, samples.TITLE)

    @staticmethod
    def _context(own: bytes, peer: bytes) -> SecurityContext:
        return SecurityContext(
            suite=0,
            own_title=own,
            peer_title=peer,
            counters=InvocationCounters(),
            guek=_GUEK,
            gak=_GAK,
        )

    def protect(self, apdu: bytes) -> bytes:
        return run(protect(self._client, apdu, _SHAPE, Use.PROTECT_REQUEST), self.execute)

    def open(self, octets: bytes) -> bytes:
        step = open_ciphered(self._meter, octets, Use.OPEN_REQUEST, required=Protection.BOTH)
        return run(step, self.execute).apdu

    def aarq(self, counter: int | None = None) -> bytes:
        if counter is not None:
            self._client.counters.raise_to(_GUEK, counter)
        return Aarq(
            application_context_name=ApplicationContext.LN_CIPHERED.oid,
            calling_ap_title=samples.TITLE,
            sender_acse_requirements=True,
            mechanism_name=Mechanism.HLS_GMAC.oid,
            calling_authentication_value=AuthenticationValue(_CHALLENGE),
            user_information=self.protect(
                InitiateRequest(
                    conformance=_CONFORMANCE, client_max_receive_pdu_size=samples.PDU_SIZE
                ).encode()
            ),
        ).encode()

    def read_aarq(self, octets: bytes) -> bytes:
        """Read the same one again and again: its counter is accepted anew each time."""
        self._meter.counters.establish(_GUEK)
        opened = self.open(Aarq.decode(octets).user_information or b"")
        InitiateRequest.decode(opened)
        return opened


class _Cosem:
    def __init__(self) -> None:
        self._control = security.SecurityControlField(0, authenticated=True, encrypted=True)

    def seal(self, apdu: bytes) -> bytes:
        octets: bytes = security.encrypt(self._control, samples.TITLE, _COUNTER, _EK, apdu, _AK)
        return octets

    def open(self, body: bytes) -> bytes:
        octets: bytes = security.decrypt(self._control, samples.TITLE, _COUNTER, _EK, body, _AK)
        return octets

    def aarq(self) -> bytes:
        initiate = xdlms.InitiateRequest(
            proposed_conformance=_COSEM_CONFORMANCE, client_max_receive_pdu_size=samples.PDU_SIZE
        )
        content = xdlms.GlobalCipherInitiateRequest(
            self._control, _COUNTER, self.seal(initiate.to_bytes())
        )
        octets: bytes = acse.ApplicationAssociationRequest(
            ciphered=True,
            system_title=samples.TITLE,
            authentication=enumerations.AuthenticationMechanism.HLS_GMAC,
            authentication_value=_CHALLENGE,
            user_information=acse.UserInformation(content=content),
        ).to_bytes()
        return octets

    def read_aarq(self, octets: bytes) -> bytes:
        request = acse.ApplicationAssociationRequest.from_bytes(octets)
        opened = self.open(request.user_information.content.ciphered_text)
        xdlms.InitiateRequest.from_bytes(opened)
        return opened


class _Gurux:
    def __init__(self, command: Command) -> None:
        self._command = command
        self._settings = GXDLMSSettings(False, None)
        self._settings.cipher = GXCiphering(samples.TITLE)

    def seal(self, apdu: bytes) -> bytes:
        """The glo- APDU, header and all."""
        parameters = AesGcmParameter(self._command, samples.TITLE, _EK, _AK)
        parameters.security = Security.AUTHENTICATION_ENCRYPTION
        parameters.invocationCounter = _COUNTER
        octets: bytes = GXCiphering.encrypt(parameters, apdu)
        return octets

    def open(self, octets: bytes) -> bytes:
        parameters = AesGcmParameter(0, samples.TITLE, _EK, _AK)
        opened: bytes = GXCiphering.decrypt(self._settings, parameters, GXByteBuffer(octets))
        return opened


class _Floor:
    def __init__(self) -> None:
        self._cipher = AESGCM(_EK)
        self._iv = samples.TITLE + _COUNTER.to_bytes(4, "big")
        self._aad = bytes((_CONTROL,)) + _AK

    def seal(self, apdu: bytes) -> bytes:
        return self._cipher.encrypt(self._iv, apdu, self._aad)

    def open(self, body: bytes) -> bytes:
        return self._cipher.decrypt(self._iv, body, self._aad)
