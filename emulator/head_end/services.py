"""What the head end does to a meter: read, add credit, send Instructions.

Add credit is the S1SP's Command. Critical Instructions go through the DCO: its association alone
has the rights, and its keys are not the S1SP's.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from devices.objects.token_gateway import TOKEN_SCOPE, TokenStatus
from devices.profile import Profile
from devices.profile.model import InstructionRow, SetStep
from devices.supply import ControlState
from devices.token import make_token
from dlms.axdr.data import Data, double_long, enum, integer, octet_string, structure
from dlms.axdr.datetimes import CosemDateTime
from dlms.client.refusals import AccessRefused, MeterRefusal
from dlms.cosem import classes, obis
from dlms.security.keys import KeyKind
from dlms.words import word
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.client import ObjectList
from emulator.client.targets import Wanted
from emulator.head_end.association import PartyAssociation, associate
from emulator.head_end.firmware import Firmware
from emulator.head_end.handing_over import rotate
from emulator.head_end.party import ASSOCIATIONS, Party
from emulator.head_end.token_counters import TokenCounters
from emulator.policy import Actor, Purpose
from emulator.sandbox import MeterAddress

ACCOUNT = obis.parse("0-0:19.0.0.255")
TOKEN_CREDIT = obis.parse("0-0:19.10.0.255")
TOKEN_GATEWAY = obis.parse("0-0:19.40.0.255")
DISCONNECT_CONTROL = obis.parse("0-0:96.3.10.255")

_BALANCE = AttributeDescriptor(classes.ACCOUNT.class_id, ACCOUNT, 5)
_MODE = AttributeDescriptor(classes.ACCOUNT.class_id, ACCOUNT, 2)
_CURRENCY = AttributeDescriptor(classes.ACCOUNT.class_id, ACCOUNT, 15)
_SUPPLY = AttributeDescriptor(classes.DISCONNECT_CONTROL.class_id, DISCONNECT_CONTROL, 3)
_TOKEN_STATUS = AttributeDescriptor(classes.TOKEN_GATEWAY.class_id, TOKEN_GATEWAY, 6)
_UPDATE_AMOUNT = MethodDescriptor(classes.CREDIT.class_id, TOKEN_CREDIT, 1)
_ENTER = MethodDescriptor(classes.TOKEN_GATEWAY.class_id, TOKEN_GATEWAY, 1)

_PUSH = 1
_UNASKED = Conformance.DATA_NOTIFICATION | Conformance.EVENT_NOTIFICATION

PAYMENT_MODES = {"credit": 1, "prepayment": 2}
SUPPLY: dict[int, str] = {
    ControlState.DISCONNECTED: "disconnected",
    ControlState.CONNECTED: "connected",
    ControlState.READY_FOR_RECONNECTION: "armed",
}
_ACCOUNT_ACTIVE = 2
_TOO_MANY_POUNDS = 20_000
"""What a double-long of milli-pence can hold is 21474 pounds; no meter takes that much at once."""


class MeterStatus(NamedTuple):
    """``balance`` is in pounds."""

    balance: Decimal
    payment_mode: str
    supply: str


class InstructionRefused(MeterRefusal):
    """The Instruction cannot be sent: unknown, or not this party's to send."""


class HeadEnd:
    """Both parties, and what is common to their errands."""

    def __init__(self, s1sp: Party, dco: Party, tokens: TokenCounters | None = None) -> None:
        self._parties = {Actor.S1SP: s1sp, Actor.DCO: dco}
        self._tokens = TokenCounters() if tokens is None else tokens
        self.firmware = Firmware(self._associate, asyncio.sleep)

    def party(self, actor: Actor) -> Party:
        """One of the two."""
        return self._parties[actor]

    def _associate(
        self, actor: Actor, meter: MeterAddress, profile: Profile
    ) -> AbstractAsyncContextManager[PartyAssociation]:
        return associate(self._parties[actor], meter, profile)

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
        async with associate(self._parties[actor], meter, profile) as session:
            if push is not None:
                method = MethodDescriptor(classes.PUSH_SETUP.class_id, push, _PUSH)
                await session.action(method, integer(0), Purpose.GENERATE_INSTRUCTION)
            yield session

    async def top_up(self, meter: MeterAddress, profile: Profile, pounds: Decimal) -> str:
        """Add credit the way the profile takes it; returns that way, ``credit`` or ``token``.

        :class:`~dlms.client.refusals.MeterRefusal` if the meter does not take it, ``ValueError``
        if the amount cannot be expressed.
        """
        async with associate(self._parties[Actor.S1SP], meter, profile) as session:
            if profile.top_up == "token":
                await self._enter_token(session, meter, pounds)
            else:
                amount = _in_units(pounds, profile.currency_scale)
                purpose = Purpose.GENERATE_ADD_CREDIT_COMMAND
                await session.action(_UPDATE_AMOUNT, double_long(amount), purpose)
        return profile.top_up

    async def _enter_token(
        self, session: PartyAssociation, meter: MeterAddress, pounds: Decimal
    ) -> None:
        known = self._parties[Actor.S1SP].known
        await known.recall(meter.title, TOKEN_SCOPE, session.run)
        key = known.key(meter.title, TOKEN_SCOPE, KeyKind.TOKEN)
        purpose = Purpose.GENERATE_ADD_CREDIT_COMMAND
        session.be_about(purpose)
        counter = self._tokens.burn(meter.title)
        digits = await session.run(make_token(_in_units(pounds, -2), counter, key, meter.title))
        try:
            await session.action(_ENTER, octet_string(digits.encode("ascii")), purpose)
        except AccessRefused as refusal:
            status = _element(await session.get(_TOKEN_STATUS), 0)
            raise MeterRefusal(f"token not accepted: {_status_name(status)}") from refusal

    async def rotate(
        self, meter: MeterAddress, profile: Profile, actor: Actor, kinds: Sequence[KeyKind]
    ) -> None:
        """Replace keys of a party's own association, all or none.

        :class:`~emulator.head_end.handing_over.NotRotated` if the meter does not take them. If its
        answer is lost, the next association finds out which keys it has.
        """
        party = self._parties[actor]
        async with associate(party, meter, profile) as session:
            await rotate(session, party, meter, party.row(profile), kinds)

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
        actor = Actor.DCO if row.association == "dco" else Actor.S1SP
        if row.critical and actor is not Actor.DCO:
            raise InstructionRefused(f"{name} is critical and belongs to the DCO")
        async with associate(self._parties[actor], meter, profile) as session:
            for step in row.steps:
                value = argument
                if isinstance(step, SetStep):
                    value = argument if step.value is None else step.value
                    assert value is not None  # _needs_argument() has been asked
                    await session.set(step.attribute, value)
                else:
                    await session.action(step.method, step.parameter, Purpose.GENERATE_INSTRUCTION)
        return actor


def payment_mode(name: str) -> Data:
    """Argument of set_payment_mode for an active account. ``ValueError`` for an unknown mode."""
    if name not in PAYMENT_MODES:
        raise ValueError(f"payment mode {name!r} is not credit or prepayment")
    return structure(enum(PAYMENT_MODES[name]), enum(_ACCOUNT_ACTIVE))


def clock_time(moment: dt.datetime) -> Data:
    """Argument of set_clock."""
    return octet_string(CosemDateTime.from_datetime(moment).to_octets())


def _needs_argument(row: InstructionRow) -> bool:
    return any(isinstance(step, SetStep) and step.value is None for step in row.steps)


async def _read_balance(session: PartyAssociation) -> Decimal:
    amount = _integer(await session.get(_BALANCE))
    return Decimal(amount).scaleb(_element(await session.get(_CURRENCY), 1))


def _status_name(status: int) -> str:
    try:
        return word(TokenStatus(status))
    except ValueError:
        return f"status {status}"


def _element(data: Data, number: int) -> int:
    """An integer inside a structure."""
    if not isinstance(data.value, tuple) or len(data.value) <= number:
        raise MeterRefusal(f"structure expected, meter gives {data.type.label}")
    return _integer(data.value[number])


def _integer(data: Data) -> int:
    if not isinstance(data.value, int):
        raise MeterRefusal(f"integer expected, meter gives {data.type.label}")
    return data.value


def _in_units(pounds: Decimal, scale: int) -> int:
    # What is no number, or has a million digits, is kept away from the arithmetic.
    if pounds.is_finite() and 0 < pounds < _TOO_MANY_POUNDS:
        units = pounds.scaleb(-scale)
        if units == units.to_integral_value():
            return int(units)
    raise ValueError(f"{pounds} pounds is no positive amount of whole units of 1E{scale}")
