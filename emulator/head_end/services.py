"""What the head end does to a meter: read, add credit, send Instructions.

Add credit is the S1SP's Command. Critical Instructions go through the DCO: its association alone
has the rights, and its keys are not the S1SP's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from devices.profile import Profile
from devices.profile.model import InstructionRow, SetStep
from devices.supply import ControlState
from dlms.axdr.data import Data, integer
from dlms.client.refusals import MeterRefusal
from dlms.cosem import classes, obis
from dlms.security.keys import KeyKind
from dlms.words import words
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.client import ObjectList
from emulator.client.targets import Wanted
from emulator.head_end.adding_credit import TOKEN_CREDIT, TOKEN_GATEWAY, credit_units
from emulator.head_end.association import PartyAssociation, associate
from emulator.head_end.firmware import Firmware
from emulator.head_end.handing_over import BeingRotated, rotate
from emulator.head_end.party import ASSOCIATIONS, Party
from emulator.head_end.requesting import Means, ServiceRequests
from emulator.head_end.token_counters import TokenCounters
from emulator.meter_address import MeterAddress
from emulator.policy import Actor, Purpose
from emulator.requests.encoding import PAYMENT_MODES, clock_time, payment_mode
from emulator.requests.fitting import arguments_of, instruction_of
from emulator.requests.refusal import Unfit
from emulator.requests.variants import by_instruction
from tls.credentials import CertificateChain

__all__ = [
    "PAYMENT_MODES",
    "TOKEN_CREDIT",
    "TOKEN_GATEWAY",
    "HeadEnd",
    "InstructionRefused",
    "MeterStatus",
    "clock_time",
    "payment_mode",
]

ACCOUNT = obis.parse("0-0:19.0.0.255")
DISCONNECT_CONTROL = obis.parse("0-0:96.3.10.255")

_BALANCE = AttributeDescriptor(classes.ACCOUNT.class_id, ACCOUNT, 5)
_MODE = AttributeDescriptor(classes.ACCOUNT.class_id, ACCOUNT, 2)
_CURRENCY = AttributeDescriptor(classes.ACCOUNT.class_id, ACCOUNT, 15)
_SUPPLY = AttributeDescriptor(classes.DISCONNECT_CONTROL.class_id, DISCONNECT_CONTROL, 3)

_PUSH = 1
_UNASKED = Conformance.DATA_NOTIFICATION | Conformance.EVENT_NOTIFICATION
_TOP_UP, _ROTATE, _LISTEN, _ENROL = "2.2", "DCC.1", "DCC.2", "DCC.3"

SUPPLY: dict[int, str] = {
    ControlState.DISCONNECTED: "disconnected",
    ControlState.CONNECTED: "connected",
    ControlState.READY_FOR_RECONNECTION: "armed",
}


class MeterStatus(NamedTuple):
    """``balance`` is in pounds."""

    balance: Decimal
    payment_mode: str
    supply: str


class InstructionRefused(MeterRefusal):
    """The Instruction cannot be sent: unknown, or not this party's to send."""


class HeadEnd:
    """Both parties, and what is common to their errands.

    To add credit, and all that is the DCO's, takes a Service Request: here one of ``means.user``.
    """

    def __init__(
        self, s1sp: Party, dco: Party, means: Means, tokens: TokenCounters | None = None
    ) -> None:
        self._parties = {Actor.S1SP: s1sp, Actor.DCO: dco}
        self._means = means
        self.firmware = Firmware(
            lambda meter, profile: associate(s1sp, meter, profile), self._request, asyncio.sleep
        )
        tokens = TokenCounters() if tokens is None else tokens
        self.requests = ServiceRequests(means, s1sp, dco, tokens, self.firmware.carry_out)

    def party(self, actor: Actor) -> Party:
        """One of the two."""
        return self._parties[actor]

    def going_by(self, title: bytes, credential: CertificateChain) -> HeadEnd:
        """The same hands with their own keys, as the client ``title``, which a meter knows until it
        has changed hands. The S1SP's TLS is by ``credential``; the DCO has none then, either.
        """
        s1sp, dco = self._parties[Actor.S1SP], self._parties[Actor.DCO]
        return HeadEnd(
            replace(s1sp, credential=credential, going_by=title),
            replace(dco, going_by=title),
            self._means,
        )

    def enrolling(
        self, actor: Actor, meter: MeterAddress, profile: Profile
    ) -> AbstractAsyncContextManager[PartyAssociation]:
        """A party's association for its part of an enrolment; the DCO's by an order of the DCC."""
        return self._party_session(actor, _ENROL, meter, profile)

    async def _request(
        self, number: str, meter: MeterAddress, profile: Profile, **given: object
    ) -> dict[str, Any]:
        signed = self.requests.user.request(number, meter.title, profile, given)
        return await self.requests.perform(signed.to_octets(), meter, profile)

    @asynccontextmanager
    async def _party_session(
        self, actor: Actor, order: str, meter: MeterAddress, profile: Profile, **given: str
    ) -> AsyncIterator[PartyAssociation]:
        """The S1SP's association; the DCO's by an order of the DCC."""
        if actor is Actor.DCO:
            async with self.requests.ordered(order, given, meter, profile) as session:
                yield session
        else:
            async with associate(self._parties[actor], meter, profile) as session:
                yield session

    async def status(self, meter: MeterAddress, profile: Profile) -> MeterStatus:
        """Read balance, payment mode and supply state as the S1SP."""
        async with associate(self._parties[Actor.S1SP], meter, profile) as session:
            balance = await _read_balance(session)
            mode = _element(await session.get(_MODE), 0)
            supply = _integer(await session.get(_SUPPLY))
        modes = {number: name for name, number in PAYMENT_MODES.items()}
        return MeterStatus(balance, modes.get(mode, "unknown"), SUPPLY.get(supply, "unknown"))

    async def read(self, meter: MeterAddress, profile: Profile, wanted: Wanted) -> Any:
        """Read one attribute as the S1SP, as :meth:`emulator.client.Association.get` gives it."""
        async with associate(self._parties[Actor.S1SP], meter, profile) as session:
            return await session.read(wanted)

    async def objects(self, meter: MeterAddress, profile: Profile) -> ObjectList:
        """The objects that the S1SP's association sees."""
        async with associate(self._parties[Actor.S1SP], meter, profile) as session:
            return await session.objects()

    @asynccontextmanager
    async def listening(
        self, meter: MeterAddress, profile: Profile, push: bytes | None = None
    ) -> AsyncIterator[PartyAssociation]:
        """An association of a party that the meter may tell things unasked.

        ``push`` is the logical name of a Push setup that is invoked first.
        :class:`InstructionRefused` if no party's association offers notifications.
        """
        actor = next(
            (
                actor
                for name, actor in ASSOCIATIONS.items()
                if name in profile.associations
                and profile.associations[name].config.conformance & _UNASKED
            ),
            None,
        )
        if actor is None:
            raise InstructionRefused(f"{profile.name} says nothing unasked to S1SP or DCO")
        async with self._party_session(actor, _LISTEN, meter, profile) as session:
            if push is not None:
                method = MethodDescriptor(classes.PUSH_SETUP.class_id, push, _PUSH)
                await session.action(method, integer(0), Purpose.GENERATE_INSTRUCTION)
            yield session

    async def top_up(self, meter: MeterAddress, profile: Profile, pounds: Decimal) -> str:
        """Add credit the way the profile takes it; returns that way, ``credit`` or ``token``.

        :class:`~dlms.client.refusals.MeterRefusal` if the meter does not take it, ``ValueError``
        if the amount cannot be expressed.
        """
        credit_units(profile, pounds)
        await self._request(_TOP_UP, meter, profile, amount=str(pounds))
        return profile.top_up

    async def rotate(
        self,
        meter: MeterAddress,
        profile: Profile,
        actor: Actor,
        kinds: Sequence[KeyKind],
        *,
        beyond: int | None = None,
    ) -> None:
        """Replace keys of a party's own association, all or none. With ``beyond`` only those whose
        version is not above that number: who was interrupted does not do it twice.

        :class:`~emulator.head_end.handing_over.NotRotated` if the meter does not take them,
        :class:`~emulator.head_end.handing_over.BeingRotated` if somebody else is about it. If its
        answer is lost, the next association or transfer finds out which keys it has.
        """
        party = self._parties[actor]
        row, known = party.row(profile), party.known
        names = words(KeyKind)
        named = ",".join(name for name, kind in names.items() if kind in kinds)
        with known.sole(meter.title, row.name) as sole:
            if not sole:
                raise BeingRotated(f"{meter.name}: its keys are being rotated by another command")
            async with self._party_session(actor, _ROTATE, meter, profile, kinds=named) as session:
                wanted = [
                    kind
                    for kind in kinds
                    if beyond is None or known.key(meter.title, row.name, kind).version <= beyond
                ]
                if wanted:
                    await rotate(session, party, meter, row, wanted)

    async def instruct(
        self, meter: MeterAddress, profile: Profile, name: str, argument: Data | None = None
    ) -> Actor:
        """Send an Instruction through the party that the profile gives it to; returns the party.

        :class:`InstructionRefused` if there is no such Instruction or its argument is missing,
        :class:`~dlms.client.refusals.MeterRefusal` if the meter does not carry it out.
        """
        row = profile.instructions.get(name)
        if row is None:
            known = ", ".join(profile.instructions)
            raise InstructionRefused(f"{profile.name} knows no {name!r}; it knows {known}")
        if _needs_argument(row) and argument is None:
            raise InstructionRefused(f"{name} needs an argument")
        variant = by_instruction(name)
        if variant is None:
            raise InstructionRefused(f"no Service Request becomes {name!r}")
        try:
            instruction_of(variant, profile)
        except Unfit as error:
            raise InstructionRefused(str(error)) from None
        await self._request(variant.number, meter, profile, **arguments_of(variant, argument))
        return Actor.DCO if row.association == "dco" else Actor.S1SP


def _needs_argument(row: InstructionRow) -> bool:
    return any(isinstance(step, SetStep) and step.value is None for step in row.steps)


async def _read_balance(session: PartyAssociation) -> Decimal:
    amount = _integer(await session.get(_BALANCE))
    return Decimal(amount).scaleb(_element(await session.get(_CURRENCY), 1))


def _element(data: Data, number: int) -> int:
    """An integer inside a structure."""
    if not isinstance(data.value, tuple) or len(data.value) <= number:
        raise MeterRefusal(f"structure expected, meter gives {data.type.label}")
    return _integer(data.value[number])


def _integer(data: Data) -> int:
    if not isinstance(data.value, int):
        raise MeterRefusal(f"integer expected, meter gives {data.type.label}")
    return data.value
