"""Our client core as a machine, with us as the meter: what it says when it is told to, and what it
takes when it hears it.

The letters are the inputs of the table themselves, each as a call of the client's or as an APDU of
the meter's, which is right for the client's last AARQ and pass 3 if there have been any, and of an
earlier association if not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.release import Rlre
from dlms.association import authenticating
from dlms.association.client import ClientAssociation
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.association.state import TRANSITIONS, Input, State
from dlms.axdr.data import octet_string
from dlms.errors import DlmsError, LocalProtocolError
from dlms.security import hls
from dlms.security.drive import run as drive
from dlms.security.ops import CryptoOp
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.codes import ActionResult, ServiceErrorCode, StateError
from dlms.xdlms.descriptors import CONFIRMED, AttributeDescriptor
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateResponse
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.learning.aalpy_needed import SUL, run_KV
from emulator.fuzz.learning.learner import Deeper, machine_of
from emulator.fuzz.learning.mealy import Edge, Machine, unfolded

INVOKE = CONFIRMED | 1
CHALLENGE = bytes(range(32, 48))
"""Ours, as the meter: whoever has it twice is not told apart here."""
SENT, NOT_NOW, NOT_TAKEN = "sent", "not now", "not taken"
CALLS = {
    Input.AARQ,
    Input.HLS_PASS_3,
    Input.REQUEST,
    Input.RLRQ,
    Input.CLOSED,
}
HLS = {
    Input.AARE_AUTHENTICATION_REQUIRED,
    Input.HLS_PASS_3,
    Input.HLS_PASS_4,
    Input.HLS_REFUSED,
}
WAITS = ", a response awaited"
ENDS_WAITING = {Input.RESPONSE, Input.EXCEPTION, Input.AARQ}
_LOGICAL_NAME = AttributeDescriptor(15, CURRENT_ASSOCIATION, 1)
_EXCEPTION = ExceptionResponse(
    state_error=StateError.SERVICE_NOT_ALLOWED, service_error=ServiceErrorCode.OTHER_REASON
)
LEFT_OUT = {Input.AARE_WITHHELD, Input.NOTIFICATION, Input.CONFIRMATION}
"""Of associations without responses, and services that nobody has negotiated here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSubject:
    """``make`` gives a client that has said nothing yet; ``execute`` is for both ends."""

    make: Callable[[], ClientAssociation]
    execute: Callable[[CryptoOp], Any]
    title: bytes

    @property
    def letters(self) -> tuple[Input, ...]:
        without = LEFT_OUT | ({Input.AARE_ACCEPTED} if self.make().config.mechanism.is_hls else HLS)
        return tuple(one for one in Input if one not in without)


def client_of(association: str) -> ClientSubject:
    """The client of a plain association of the laboratory's. ``ValueError`` if it ciphers."""
    client = InProcess().world.client(association)
    if client.config.context.ciphered:
        raise ValueError(f"{association} is ciphered: nobody answers for its meter here")

    def make() -> ClientAssociation:
        client.renew()
        return client.association

    return ClientSubject(make=make, execute=client.party.module.carry_out, title=client.meter)


class AskedClient(SUL):  # type: ignore[misc]  # the package has no types
    """The client as AALpy asks it; each word is another association."""

    def __init__(self, subject: ClientSubject) -> None:
        super().__init__()
        self._subject = subject
        self._began()

    def _began(self) -> None:
        self._client = self._subject.make()
        self._aarq = b""

    def pre(self) -> None:
        self._began()

    def post(self) -> None:
        """Nothing: :meth:`pre` begins anew."""

    def step(self, letter: Input) -> str:
        if letter in CALLS:
            return self._call(letter)
        try:
            event = self._run(self._client.receive(self._heard(letter)))
        except DlmsError:
            return NOT_TAKEN
        return type(event).__name__

    def _call(self, letter: Input) -> str:
        client = self._client
        try:
            match letter:
                case Input.AARQ:
                    self._aarq = self._run(client.open())
                case Input.HLS_PASS_3:
                    self._run(client.authenticate())
                case Input.REQUEST:
                    self._run(client.request(GetRequest(INVOKE, _LOGICAL_NAME)))
                case Input.RLRQ:
                    self._run(client.release())
                case _:
                    self._run(client.close())
        except LocalProtocolError:
            return NOT_NOW
        except DlmsError:
            return NOT_TAKEN
        return SENT

    def _heard(self, letter: Input) -> bytes:
        match letter:
            case Input.RESPONSE:
                return GetResponse(INVOKE, octet_string(CURRENT_ASSOCIATION)).encode()
            case Input.EXCEPTION:
                return _EXCEPTION.encode()
            case Input.RLRE:
                return Rlre().encode()
            case Input.HLS_PASS_4 | Input.HLS_REFUSED:
                f = self._f() if letter is Input.HLS_PASS_4 else bytes(16)
                return ActionResponse(INVOKE, ActionResult.SUCCESS, octet_string(f)).encode()
        return self._aare(letter)

    def _aare(self, letter: Input) -> bytes:
        config = self._client.config
        accepted = letter is not Input.AARE_REFUSED
        aare = Aare(
            application_context_name=config.context.oid,
            result=AssociationResult.ACCEPTED if accepted else AssociationResult.REJECTED_PERMANENT,
            diagnostic=UserDiagnostic.NULL if accepted else UserDiagnostic.NO_REASON_GIVEN,
            user_information=InitiateResponse(config.conformance, 1024).encode(),
        )
        if letter is Input.AARE_AUTHENTICATION_REQUIRED:
            aare = aare._replace(
                diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED,
                responder_acse_requirements=True,
                mechanism_name=config.mechanism.oid,
                responding_authentication_value=AuthenticationValue(CHALLENGE),
            )
        return aare.encode()

    def _f(self) -> bytes:
        """f(CtoS) of the last AARQ; of none it is of 16 zeros."""
        value = Aarq.decode(self._aarq).calling_authentication_value if self._aarq else None
        client = self._client
        exchange = authenticating.exchange(
            client.config,
            client.keys,
            titles=(self._subject.title, client.config.own_title),
            challenges=(CHALLENGE, bytes(16) if value is None else value.octets),
            context=None,
            peer_public=None,
        )
        f: bytes = self._run(hls.answer(exchange))
        return f

    def _run(self, step: Any) -> Any:
        return drive(step, self._subject.execute)


def learned_client(subject: ClientSubject, *, extra: int = 1) -> Machine[Input]:
    """What our client core is, as it behaves."""
    letters = subject.letters
    asked = AskedClient(subject)
    found = run_KV(list(letters), asked, Deeper(letters, asked, extra), "mealy", print_level=0)
    return machine_of(found, letters)


def tabled_client(subject: ClientSubject) -> Machine[Input]:
    """What the table says it is, and that one confirmed request waits for its response at a time:
    the table does not count. It waits no more when any answer has come, or when a new association
    begins. And what the table calls a failure on either side is here a wrong pass 4, which nobody
    awaits before pass 3; behind it every response is one, so one of another service is wrong.
    """
    said = {
        Input.AARE_ACCEPTED: "AssociationOpened",
        Input.AARE_AUTHENTICATION_REQUIRED: "AuthenticationPending",
        Input.AARE_REFUSED: "AssociationRefused",
        Input.HLS_PASS_4: "AssociationOpened",
        Input.HLS_REFUSED: "AuthenticationFailed",
        Input.RESPONSE: "ResponseReceived",
        Input.EXCEPTION: "ExceptionReceived",
        Input.RLRE: "AssociationReleased",
    }
    places = {f"{state.value}{waits}": (state, waits) for state in State for waits in ("", WAITS)}

    def step(name: str, letter: Input) -> Edge:
        state, waits = places[name]
        if state is State.VERIFYING and letter is Input.RESPONSE:
            letter = Input.HLS_REFUSED
        after = TRANSITIONS.get((state, letter))
        early = letter is Input.HLS_REFUSED and state is not State.VERIFYING
        if after is None or early or (letter is Input.RESPONSE and not waits):
            return Edge(NOT_NOW if letter in CALLS else NOT_TAKEN, name)
        if letter is Input.REQUEST and waits:
            return Edge(NOT_NOW, name)
        if letter is Input.REQUEST:
            waits = WAITS
        elif letter in ENDS_WAITING or after is State.IDLE:
            waits = ""
        return Edge(said.get(letter, SENT), f"{after.value}{waits}")

    return unfolded(subject.letters, State.IDLE.value, step)
