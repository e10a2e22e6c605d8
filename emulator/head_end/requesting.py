"""The whole way of a Service Request: User, DSP, S1SP, if need be DCO, meter, and back.

Here all of them are in one process, and each has what is its own: who passes a document on passes
octets.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from devices.profile import Profile
from dlms.client.refusals import MeterRefusal
from dlms.errors import DlmsError
from dlms.security.ops import OperationRefused
from emulator.anomaly.quarantine import Held, Quarantine
from emulator.anomaly.watch import Watch
from emulator.custody import Custody
from emulator.database import Database
from emulator.head_end.adding_credit import add_credit, credit_units
from emulator.head_end.carrying_out import read_values, send_steps
from emulator.head_end.dco_desk import DCO, Admitted, DcoDesk
from emulator.head_end.dsp import DSP, Dsp
from emulator.head_end.party import Party
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.s1sp_desk import S1SP, Checked, Deleted, Quarantined, S1spDesk
from emulator.head_end.token_counters import TokenCounters
from emulator.meter_address import MeterAddress
from emulator.policy import Actor
from emulator.requests.documents import CountersignedRequest, ServiceRequest, SignedRequest
from emulator.requests.enrolment import Enrolment
from emulator.requests.refusal import RequestRefused
from emulator.requests.replay import ExecutionCounters
from emulator.requests.response import Response, Result
from emulator.requests.user import User
from emulator.requests.variants import variants

Sessions: TypeAlias = Callable[[], AbstractAsyncContextManager[PartyAssociation]]
"""Opens the association of whoever carries the request out, as often as it takes."""

FirmwareWork: TypeAlias = Callable[
    [str, Sessions, MeterAddress, Profile, bytes | None], Awaitable[dict[str, Any]]
]


class Means(NamedTuple):
    """What requests need besides both parties: the ``dsp``'s custody, each party's ``enrolment``
    and ``database`` by party, a ``user`` of the laboratory, and the DCC's clock (aware times).
    Databases are in memory unless there are others, and then of the thread that makes the head end.
    """

    dsp: Custody
    enrolment: Callable[[], Enrolment]
    user: User
    database: Callable[[Actor], Database] = lambda actor: Database("sqlite://")
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)


class ServiceRequests:
    """``firmware`` does what variants of firmware are."""

    def __init__(
        self, means: Means, s1sp: Party, dco: Party, tokens: TokenCounters, firmware: FirmwareWork
    ) -> None:
        databases = {actor: means.database(actor) for actor in (Actor.DCC, Actor.S1SP, Actor.DCO)}

        def counters(actor: Actor, name: str) -> ExecutionCounters:
            return ExecutionCounters(databases[actor], name)

        self.user = means.user
        self.watches = {
            actor: Watch(databases[actor], actor.value.lower(), means.now)
            for actor in (Actor.S1SP, Actor.DCO)
        }
        self.quarantine = Quarantine(databases[Actor.S1SP], means.now)
        self.dsp = Dsp(means.dsp, means.enrolment(), counters(Actor.DCC, DSP))
        self.s1sp = S1spDesk(
            s1sp,
            means.enrolment(),
            counters(Actor.S1SP, S1SP),
            self.watches[Actor.S1SP],
            self.quarantine,
            dco.association or "dco",
        )
        self.dco = DcoDesk(
            dco, means.enrolment(), counters(Actor.DCO, DCO), self.watches[Actor.DCO]
        )
        self._tokens = tokens
        self._known = s1sp.known
        self._firmware = firmware

    async def submit(
        self,
        signed: SignedRequest,
        meter: MeterAddress,
        profile: Profile,
        payload: bytes | None = None,
    ) -> Response:
        """A request as a User sends it; the SMETS1 Response, whatever became of it."""
        return await _answered(
            signed.request, self.perform(signed.to_octets(), meter, profile, payload)
        )

    async def perform(
        self, signed: bytes, meter: MeterAddress, profile: Profile, payload: bytes | None = None
    ) -> dict[str, Any]:
        """The same; values by name, and an exception for what did not go well.

        ``payload`` is a firmware image, which goes beside the request that has its hash.
        """
        countersigned = await self.dsp.countersign(signed, meter, profile)
        checked = await self.s1sp.take(countersigned, meter, profile)
        return await self._carry_out(checked, meter, profile, payload)

    async def release(self, held: Held, meter: MeterAddress, profile: Profile) -> Response:
        """Go on with a request that was taken out of quarantine."""

        async def going_on() -> dict[str, Any]:
            checked = await self.s1sp.release(held, meter, profile)
            return await self._carry_out(checked, meter, profile, None)

        return await _answered(_request_of(held), going_on())

    @asynccontextmanager
    async def ordered(
        self, number: str, arguments: Mapping[str, str], meter: MeterAddress, profile: Profile
    ) -> AsyncIterator[PartyAssociation]:
        """The DCO's association, for what the DCC orders on its own account."""
        octets = await self.dsp.order(number, arguments, meter, profile)
        checked = await self.s1sp.take(octets, meter, profile)
        try:
            async with (await self._sessions(checked, meter, profile))() as session:
                yield session
        finally:
            checked.closed = True

    async def _carry_out(
        self, checked: Checked, meter: MeterAddress, profile: Profile, payload: bytes | None
    ) -> dict[str, Any]:
        request, work = checked.document.request, checked.work
        variant = variants()[request.variant]
        amount = None
        if variant.top_up:
            amount = credit_units(profile, Decimal(request.arguments["amount"]))
        if "image_hash" in request.arguments:
            _check_payload(payload, str(request.arguments["image_hash"]))
        try:
            sessions = await self._sessions(checked, meter, profile)
            if variant.firmware:
                return await self._firmware(variant.firmware, sessions, meter, profile, payload)
            async with sessions() as session:
                if amount is not None:
                    await add_credit(
                        session, meter.title, profile, amount, self._tokens, self._known
                    )
                await send_steps(session, work.steps)
                return await read_values(session, work)
        finally:
            checked.closed = True

    async def _sessions(self, checked: Checked, meter: MeterAddress, profile: Profile) -> Sessions:
        """The S1SP's association, or the DCO's if the request is the DCO's to carry out and the
        DCO admits it.
        """
        if checked.work.actor is Actor.S1SP:
            return lambda: self.s1sp.session(checked, meter, profile)
        authorisation = await self.s1sp.authorise(checked, profile)
        octets = checked.document.to_octets()
        admitted = await self.dco.admit(octets, authorisation, meter, profile)
        return lambda: self._relayed(checked, admitted, meter, profile)

    def _relayed(
        self, checked: Checked, admitted: Admitted, meter: MeterAddress, profile: Profile
    ) -> AbstractAsyncContextManager[PartyAssociation]:
        way = self.s1sp.relay(checked, meter, profile)
        return self.dco.session(admitted, meter, profile, way)


async def _answered(request: ServiceRequest, done: Awaitable[dict[str, Any]]) -> Response:
    def answer(result: Result, party: str, reason: str, error: Exception, text: str) -> Response:
        return Response(
            request=request, result=result, party=party, reason=reason, text=text, cause=error
        )

    try:
        values = await done
    except Quarantined as error:
        return answer(Result.QUARANTINED, error.party, error.reason, error, error.text)
    except Deleted as error:
        return answer(Result.DELETED, error.party, error.reason, error, error.text)
    except RequestRefused as error:
        return answer(Result.REFUSED, error.party, error.reason, error, error.text)
    except MeterRefusal as error:
        return answer(Result.METER_REFUSED, "Device", type(error).__name__, error, str(error))
    except OperationRefused as error:
        return answer(Result.REFUSED, "policy", "no-module", error, str(error))
    except (DlmsError, OSError, ValueError) as error:
        text = str(error) or type(error).__name__
        return answer(Result.FAILED, S1SP, type(error).__name__, error, text)
    return Response(request=request, result=Result.SUCCESS, party="Device", values=values)


def _check_payload(payload: bytes | None, image_hash: str) -> None:
    if payload is None or hashlib.sha256(payload).hexdigest().upper() != image_hash:
        text = "the image that goes beside it is not the one that it names"
        raise RequestRefused(S1SP, "another-image", text)


def _request_of(held: Held) -> ServiceRequest:
    return CountersignedRequest.from_octets(held.document).request
