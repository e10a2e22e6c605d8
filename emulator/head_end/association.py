"""An association of a party with a meter, over TLS, with everything tagged."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.axdr.data import Data
from dlms.client.effects import Dialogue
from dlms.client.new_keys import discard
from dlms.client.refusals import AccessRefused, AssociationRejected
from dlms.cosem import classes, obis
from dlms.cosem.security_setup import keys_data
from dlms.errors import DlmsError
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoOp, GenerateKey, Step, Use, Wrap
from dlms.security.suites import SUITES
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from emulator.channel import Channel
from emulator.client import MeterClient, Notice, ObjectList
from emulator.client.noticing import understand
from emulator.client.reading import read_one
from emulator.client.session import Session
from emulator.client.targets import Wanted
from emulator.head_end.handed_keys import Run
from emulator.head_end.party import Party
from emulator.policy import Purpose
from emulator.sandbox import MeterAddress
from tls.identity import exactly
from tls.transport import open_tls_connection

T = TypeVar("T")

_dedicated_numbers = itertools.count(1)

PUBLIC = "public"
_KEY_TRANSFER, _GAK = 2, 2
"""The method of Security setup, and the key_id in its parameter."""


class PartyAssociation:
    """What a party can do on its association; every call says what it is for."""

    def __init__(self, client: MeterClient, party: Party, profile: Profile, device: str) -> None:
        self._client = client
        self._session = Session(client.dialogues, client.association)
        self._party = party
        self._profile = profile
        self._device = device
        self.be_about(Purpose.ESTABLISH_ASSOCIATION)

    @classmethod
    def on(
        cls,
        channel: Channel,
        config: ClientConfig,
        keys: AssociationKeys,
        party: Party,
        profile: Profile,
        meter: MeterAddress,
    ) -> PartyAssociation:
        """One that is not open yet."""

        async def runner(step: Step[Any]) -> Any:
            return await session.run(step)

        client = MeterClient(channel, ClientAssociation(config, keys, party.counters), runner)
        session = cls(client, party, profile, meter.title.hex().upper())
        return session

    async def open(self) -> None:
        """:class:`~dlms.client.refusals.AssociationRejected`, and whatever there may be instead of
        an answer. What has been made for an association that does not come about is let go of.
        """
        try:
            await self._client.open()
        except BaseException:
            await self._client.close()
            raise

    async def end(self) -> None:
        """Release it; it ends with the connection in any case (R-AA-8)."""
        self.be_about(Purpose.ESTABLISH_ASSOCIATION)
        with suppress(DlmsError, OSError, TimeoutError):
            await self._client.release()
        await self._client.close()
        gak = self._client.association.keys.gak
        if gak is not None and gak.lifetime is KeyLifetime.SINGLE_ASSOCIATION:
            await self.run(discard(Use.ASSOCIATION, (gak,)))

    async def run(self, step: Step[Any]) -> Any:
        return await self._party.custody.run(step, self.errand)

    async def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> Data:
        """Read. To make a meter give its data is an Instruction (SEC: Equivalent Steps (b))."""
        self.be_about(Purpose.GENERATE_INSTRUCTION)
        return await self._client.get(attribute, selection)

    async def read(self, wanted: Wanted) -> Any:
        """Read as people want it, with names and units; several requests if need be."""
        self.be_about(Purpose.GENERATE_INSTRUCTION)
        return await self._client.hold(read_one(self._session, wanted))

    async def hold(self, dialogue: Callable[[Session], Dialogue[T]]) -> T:
        """A dialogue of :mod:`emulator.client`, as an Instruction."""
        self.be_about(Purpose.GENERATE_INSTRUCTION)
        return await self._client.hold(dialogue(self._session))

    async def objects(self) -> ObjectList:
        """The objects that the association sees."""
        self.be_about(Purpose.GENERATE_INSTRUCTION)
        return await self._client.hold(self._session.objects())

    async def notification(self, within: float) -> Notice:
        """The next thing that the meter says unasked; what names and units it takes is read.
        :class:`~emulator.client.NothingSaid` if that is nothing within ``within`` seconds.
        """
        self.be_about(Purpose.GENERATE_INSTRUCTION)
        told = await self._client.notification(within)
        return await self._client.hold(understand(self._session, told, self._client.pair))

    async def set(self, attribute: AttributeDescriptor, value: Data) -> None:
        self.be_about(Purpose.GENERATE_INSTRUCTION)
        await self._client.set(attribute, value)

    async def action(
        self, method: MethodDescriptor, parameter: Data | None, purpose: Purpose
    ) -> Data | None:
        self.be_about(purpose)
        return await self._client.action(method, parameter)

    def be_about(self, purpose: Purpose) -> None:
        """Say what the operations to come are for."""
        self.errand = self._party.errand(self._device, self._profile.category, purpose)


@asynccontextmanager
async def associate(
    party: Party, meter: MeterAddress, profile: Profile
) -> AsyncIterator[PartyAssociation]:
    """Open TLS and the party's association with ``meter``; release both at the end.

    Raises :class:`tls.events.HandshakeError`, ``OSError``, :class:`~dlms.errors.DlmsError` or
    ``TimeoutError`` if there is no association.
    """
    row = party.row(profile)
    channel = await _connect(party, meter, profile)
    try:
        await _move_counter_forward(party, channel, meter, profile, row)
        session, channel = await _open(party, channel, meter, profile, row)
        try:
            if row.single_key:
                await _hand_over(session, party, meter, row)
            yield session
        finally:
            await session.end()
    finally:
        channel.close()
        await channel.wait_closed()


async def _open(
    party: Party, channel: Channel, meter: MeterAddress, profile: Profile, row: AssociationRow
) -> tuple[PartyAssociation, Channel]:
    """An association that stands, under the authentication key that the meter awaits. One that was
    refused has cost its connection, so the next key is tried on another.
    """
    run = _running(party, meter, profile)
    offered = await party.handed.offered(meter.title, row.name, run) if row.single_key else ()
    for gak in (*offered, None):
        config, keys = _plan(party, meter, profile, row, gak)
        session = PartyAssociation.on(channel, config, keys, party, profile, meter)
        try:
            await session.open()
        except AssociationRejected:
            if gak is None:
                raise
            # A key that the meter never got, or has used up.
            await run(discard(Use.TRANSFER_KEY, (gak,)))
            await channel.wait_closed()
            channel = await _connect(party, meter, profile)
        else:
            party.handed.settle(meter.title, row.name)
            return session, channel
    raise AssertionError("the long-lived key was tried")


async def _hand_over(
    session: PartyAssociation, party: Party, meter: MeterAddress, row: AssociationRow
) -> None:
    """Give the meter the authentication key of the next association.

    If it does not take it, or the answer is lost, this association goes on all the same: what is to
    be tried the next time has been noted.
    """
    new = party.handed.successor(meter.title, row.name)
    kek = KeyRef(meter.title, row.name, KeyKind.KEK)
    session.be_about(Purpose.GENERATE_INSTRUCTION)
    wrapped = await session.run(_make(new, kek, SUITES[row.config.suite].key_length))
    await party.handed.offer(new, session.run)
    setup = bytes((0, 0, 43, 0, row.security_setup or 0, 255))
    method = MethodDescriptor(classes.SECURITY_SETUP.class_id, setup, _KEY_TRANSFER)
    try:
        await session.action(method, keys_data({_GAK: wrapped}), Purpose.GENERATE_INSTRUCTION)
    except AccessRefused:
        await session.run(discard(Use.TRANSFER_KEY, (new,)))
        party.handed.settle(meter.title, row.name)


def _make(new: KeyRef, kek: KeyRef, length: int) -> Step[bytes]:
    yield GenerateKey(Use.TRANSFER_KEY, new, length)
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, new)
    return wrapped


def _running(party: Party, meter: MeterAddress, profile: Profile) -> Run:
    """Runs what is done about an association outside of it."""
    errand = party.errand(
        meter.title.hex().upper(), profile.category, Purpose.ESTABLISH_ASSOCIATION
    )
    return lambda step: party.custody.run(step, errand)


async def _connect(party: Party, meter: MeterAddress, profile: Profile) -> Channel:
    """TLS to exactly this meter, with the DCC Private Key of the party (G2.44(b))."""

    async def connect() -> Channel:
        _, channel = await open_tls_connection(
            Channel,
            meter.host,
            meter.tls_port,
            party.tls_context(),
            accept=exactly(meter.title),
        )
        return channel

    errand = party.errand(meter.title.hex().upper(), profile.category, Purpose.ESTABLISH_TLS)
    return await party.custody.establish_tls(party.tls_key, errand, connect)


def _plan(
    party: Party,
    meter: MeterAddress,
    profile: Profile,
    row: AssociationRow,
    gak: KeyRef | None = None,
) -> tuple[ClientConfig, AssociationKeys]:
    """From the profile to what the protocol core needs; without ``gak`` the long-lived one."""
    keys = AssociationKeys(
        guek=KeyRef(meter.title, row.name, KeyKind.GUEK),
        gak=KeyRef(meter.title, row.name, KeyKind.GAK) if gak is None else gak,
        hls_secret=KeyRef(meter.title, row.name, KeyKind.HLS_SECRET),
    )
    dedicated = None
    if row.dedicated:
        dedicated = KeyRef(
            meter.title,
            row.name,
            KeyKind.DEDICATED,
            KeyLifetime.SINGLE_ASSOCIATION,
            next(_dedicated_numbers),
        )
    config = ClientConfig(
        client_sap=row.config.client_sap,
        server_sap=row.config.server_sap,
        context=row.config.context,
        mechanism=row.config.mechanism,
        conformance=row.config.conformance,
        suite=row.config.suite,
        knobs=row.config.knobs,
        own_title=party.title,
        server_title=meter.title,
        protection=Protection(row.protection),
        dedicated=dedicated,
    )
    return config, keys


async def _move_counter_forward(
    party: Party,
    channel: Channel,
    meter: MeterAddress,
    profile: Profile,
    row: AssociationRow,
) -> None:
    """Before the first use of a key, ask the public client what counter the meter accepts.

    The value is not protected, so it can move ours forward only (KL-IC-17).
    """
    key = KeyRef(meter.title, row.name, KeyKind.GUEK)
    public = profile.associations.get(PUBLIC)
    if party.counters.next_to_send(key) or row.security_setup is None or public is None:
        return
    counter = obis.parse(f"0-0:43.1.{row.security_setup}.255")
    config = ClientConfig(
        client_sap=public.config.client_sap,
        server_sap=public.config.server_sap,
        context=ApplicationContext.LN,
        mechanism=Mechanism.NONE,
        conformance=Conformance.GET,
    )

    async def runner(step: Step[Any]) -> Any:
        return run(step, _no_crypto)

    association = ClientAssociation(config, AssociationKeys(), InvocationCounters())
    client = MeterClient(channel, association, runner)
    await client.open()
    value = await client.get(AttributeDescriptor(classes.DATA.class_id, counter, 2))
    await client.release()
    if isinstance(value.value, int):
        party.counters.raise_to(key, value.value)


def _no_crypto(op: CryptoOp) -> None:
    """A plain association uses no key; to be asked for one would be a mistake of ours."""
    raise AssertionError(f"{type(op).__name__} in a plain association")
