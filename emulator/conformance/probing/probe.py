"""A client of the tester's: it does all that a client does, one thing at a time, and any of it
wrongly.

What is malformed is made of a correct message: ``alter`` changes an operation before it is carried
out (what is sealed, under which key, with which counter), ``change`` an AARQ before it is encoded,
``after`` the octets of the finished APDU.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ReleaseRequestReason
from dlms.acse.release import Rlrq
from dlms.association import authenticating, proposal
from dlms.association.config import CURRENT_ASSOCIATION, AssociationKeys, ClientConfig
from dlms.association.contexts import Freshness, general_context
from dlms.association.shapes import request_shape
from dlms.axdr.data import Data
from dlms.errors import CodecError, DlmsError, RemoteProtocolError
from dlms.security import hls
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run as drive
from dlms.security.general_context import GeneralContext
from dlms.security.layers import is_layer, open_layers, protect_layers
from dlms.security.ops import CryptoOp, Seal, Step, Use
from dlms.security.protect import Shape
from dlms.security.spent_keys import SpentKeys
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import (
    CONFIRMED,
    AttributeDescriptor,
    MethodDescriptor,
    SelectiveAccess,
)
from dlms.xdlms.get import GetRequest
from dlms.xdlms.registry import AnyRequest
from dlms.xdlms.set import SetRequest
from emulator.conformance.probing.decoding import decoded
from emulator.conformance.probing.line import Line, visible_counter
from emulator.conformance.probing.record import Direction, Level, Recorder
from emulator.conformance.probing.seen import Seen, What

T = TypeVar("T")

Alter: TypeAlias = Callable[[CryptoOp], CryptoOp]
Change: TypeAlias = Callable[[Aarq], Aarq]
After: TypeAlias = Callable[[bytes], bytes]

LOGICAL_NAME = AttributeDescriptor(15, CURRENT_ASSOCIATION, 1)
"""What every association by logical names may read."""

_USUAL: Any = object()


class Probe:
    """One client SAP at one server SAP, on one line. Not bound to any state: it sends what it is
    told to. ``execute`` carries out operations; ``answer`` is how long an answer may take, in
    seconds. ``today`` (aware) is what certificates are checked against.
    """

    def __init__(
        self,
        line: Line,
        config: ClientConfig,
        keys: AssociationKeys,
        counters: InvocationCounters,
        execute: Callable[[CryptoOp], Any],
        recorder: Recorder,
        *,
        answer: float,
        today: dt.datetime,
        label: str,
    ) -> None:
        self.line = line
        self.config = config
        self.keys = keys
        self.counters = counters
        self.answer = answer
        self.conformance = Conformance(0)
        self.server_max_pdu = 0
        titles = config.own_title, config.server_title
        self.general = general_context(
            config, keys, Freshness(counters, SpentKeys()), titles, label
        )
        self.proposed = proposal.Proposed(b"", b"", b"")
        self.accepted = proposal.Accepted()
        self.is_open = False
        self._execute = execute
        self._recorder = recorder
        self._today = today
        self._invoke = 0

    @property
    def pair(self) -> tuple[int, int]:
        return self.config.client_sap, self.config.server_sap

    def run(self, step: Step[T], alter: Alter | None = None) -> T:
        """Carry a step out, with every operation altered if that is asked for."""
        if alter is None:
            return drive(step, self._execute)
        return drive(step, lambda op: self._execute(alter(op)))

    # Octets ---------------------------------------------------------------------------------------

    async def exchange(self, apdu: bytes, within: float | None = None) -> Seen:
        """Send any octets as an APDU, and hear what comes back."""
        self.line.say(self.pair, apdu)
        return await self.hear(within)

    async def hear(self, within: float | None = None) -> Seen:
        """The next APDU for this client, opened and decoded as far as it can be."""
        seen = await self.line.hear(self.pair, self.answer if within is None else within)
        return self.understood(seen) if seen.what is What.APDU else seen

    def understood(self, seen: Seen) -> Seen:
        """What an APDU is, beneath its protection. Of one that opens and cannot be decoded what was
        opened is there.
        """
        try:
            if seen.octets and is_layer(seen.octets[0]):
                if self.general is None:
                    return seen.having(why="it is ciphered, and this client has no keys")
                seen = self._opened(self.general, seen)
            return seen.having(message=decoded(seen))
        except (DlmsError, ValueError) as error:
            fault = error.offset if isinstance(error, CodecError) else None
            return seen.having(why=f"{type(error).__name__}: {error}", fault=fault)

    def _opened(self, context: GeneralContext, seen: Seen) -> Seen:
        peeled = self.run(open_layers(context, seen.octets, Use.OPEN_RESPONSE))
        ciphering = peeled.ciphering
        entry = self._recorder.add(
            Direction.RECEIVED, Level.PLAIN, peeled.apdu, line=self.line.number, pair=self.pair
        )
        return seen.having(
            plain=peeled.apdu,
            protection=peeled.protection,
            counter=None if ciphering is None else visible_counter(seen.octets)[1],
            facts={**seen.facts, "ciphering": ciphering},
            entry=entry,
            carrier=seen.entry,
        )

    # The association ------------------------------------------------------------------------------

    def aarq(
        self,
        change: Change | None = None,
        initiate: After | None = None,
        alter: Alter | None = None,
    ) -> bytes:
        """A correct AARQ, or one with fields ``change``\\d. ``initiate`` changes the octets of its
        InitiateRequest, before they are protected where they are.
        """
        ciphered = self.config.context.ciphered

        def altered(op: CryptoOp) -> CryptoOp:
            if initiate is not None and isinstance(op, Seal) and isinstance(op.payload, bytes):
                op = op._replace(payload=initiate(op.payload))
            return op if alter is None else alter(op)

        self.proposed = self.run(proposal.make_aarq(self.config, self.keys, self.general), altered)
        octets = self.proposed.aarq
        if change is None and (initiate is None or ciphered):
            return octets
        aarq = Aarq.decode(octets)
        if initiate is not None and not ciphered:
            aarq = aarq._replace(user_information=initiate(aarq.user_information or b""))
        return (aarq if change is None else change(aarq)).encode()

    async def associate(
        self,
        change: Change | None = None,
        initiate: After | None = None,
        alter: Alter | None = None,
        after: After | None = None,
    ) -> Seen:
        """Send an AARQ. An AARE that accepts is taken, as far as it can be: ``facts`` then has
        ``initiate``, the negotiated InitiateResponse; ``problems`` what a client must not accept.
        """
        octets = self.aarq(change, initiate, alter)
        seen = await self.exchange(octets if after is None else after(octets))
        return self.taken(seen)

    def taken(self, seen: Seen) -> Seen:
        """Take an AARE that accepts."""
        aare = seen.message
        if not isinstance(aare, Aare) or aare.result is not AssociationResult.ACCEPTED:
            return seen
        step = proposal.judge_acceptance(
            aare, self.config, self.keys, self.general, self.proposed, self._today
        )
        try:
            accepted = self.run(step)
        except (DlmsError, ValueError) as error:
            return seen.having(problems=(*seen.problems, str(error)))
        self.accepted = accepted
        self.conformance = accepted.conformance
        self.server_max_pdu = accepted.server_max_pdu
        self.is_open = not self.config.mechanism.is_hls
        return seen.having(facts={**seen.facts, "accepted": accepted})

    def f_of_challenge(self) -> bytes:
        """The right f(StoC)."""
        return self.run(hls.answer(self._hls()))

    async def authenticate(self, f: bytes | None = None, after: After | None = None) -> Seen:
        """Pass 3, with the right f(StoC) or another. ``problems`` says if f(CtoS) is not right."""
        f = self.f_of_challenge() if f is None else f
        request = authenticating.pass_3(f, short_names=self.config.short_names)
        seen = await self.exchange(self.protected(request.encode(), after=after))
        if seen.message is None:
            return seen
        ciphering, inner = seen.facts.get("ciphering"), self.config.knobs.inner_counter
        step = authenticating.judge_pass_4(seen.message, ciphering, self._hls(), inner)
        try:
            problem = self.run(step)
        except (DlmsError, ValueError) as error:
            problem = str(error)
        self.is_open = not problem
        return seen.having(problems=(problem,) if problem else ())

    async def establish(self) -> Seen:
        """The whole way into the association: what came last, which is what refused it if
        :attr:`is_open` is not set.
        """
        seen = await self.associate()
        if seen.problems or not isinstance(seen.message, Aare):
            return seen
        if seen.message.result is not AssociationResult.ACCEPTED:
            return seen
        return await self.authenticate() if self.config.mechanism.is_hls else seen

    async def release(self, after: After | None = None) -> Seen:
        """RLRQ, as it was configured."""
        octets = self.rlrq()
        return await self.exchange(octets if after is None else after(octets))

    def rlrq(self) -> bytes:
        user = self.run(proposal.release_information(self.general, self.config))
        return Rlrq(reason=ReleaseRequestReason.NORMAL, user_information=user).encode()

    def _hls(self) -> hls.Exchange:
        return authenticating.exchange(
            self.config,
            self.keys,
            titles=(self.config.own_title, self.accepted.title),
            challenges=(self.proposed.challenge, self.accepted.challenge),
            context=None if self.general is None else self.general.security,
            peer_public=self.accepted.public,
        )

    # Services -------------------------------------------------------------------------------------

    def protected(
        self,
        apdu: bytes,
        shape: Shape | None = _USUAL,
        *,
        alter: Alter | None = None,
        after: After | None = None,
        use: Use = Use.PROTECT_REQUEST,
    ) -> bytes:
        """A plain APDU as this association protects it, or in another ``shape``; ``None`` is
        plain.
        """
        self._recorder.add(Direction.SENT, Level.PLAIN, apdu, line=self.line.number, pair=self.pair)
        if shape is _USUAL:
            shape = request_shape(self.general, self.config, apdu[0] if apdu else 0)
        octets = apdu
        if shape is not None:
            if self.general is None:
                raise RemoteProtocolError("this client has no keys to protect with")
            octets = self.run(protect_layers(self.general, apdu, shape, use), alter)
        return octets if after is None else after(octets)

    async def request(
        self,
        request: AnyRequest | bytes,
        shape: Shape | None = _USUAL,
        *,
        alter: Alter | None = None,
        after: After | None = None,
    ) -> Seen:
        """Send a service request, or any plain octets in the place of one."""
        apdu = request if isinstance(request, bytes) else request.encode()
        return await self.exchange(self.protected(apdu, shape, alter=alter, after=after))

    def invoke(self, *, confirmed: bool = True) -> int:
        """The next invoke-id-and-priority."""
        self._invoke = (self._invoke + 1) % 16
        return (CONFIRMED if confirmed else 0) | self._invoke

    def get_request(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> GetRequest:
        return GetRequest(self.invoke(), attribute, selection)

    async def get(
        self,
        attribute: AttributeDescriptor = LOGICAL_NAME,
        selection: SelectiveAccess | None = None,
        shape: Shape | None = _USUAL,
        **how: Any,
    ) -> Seen:
        """Read an attribute, in one APDU: a first block is shown as it is."""
        return await self.request(self.get_request(attribute, selection), shape, **how)

    async def set(
        self, attribute: AttributeDescriptor, value: Data, shape: Shape | None = _USUAL, **how: Any
    ) -> Seen:
        return await self.request(SetRequest(self.invoke(), attribute, value), shape, **how)

    async def act(
        self,
        method: MethodDescriptor,
        parameter: Data | None = None,
        shape: Shape | None = _USUAL,
        **how: Any,
    ) -> Seen:
        return await self.request(ActionRequest(self.invoke(), method, parameter), shape, **how)
