"""What a party can do on its association with a meter, with everything tagged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from devices.profile import Profile
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.axdr.data import Data
from dlms.client.effects import Dialogue
from dlms.client.new_keys import discard
from dlms.client.refusals import AssociationRejected
from dlms.errors import DlmsError
from dlms.security.keys import KeyLifetime
from dlms.security.ops import Step, Use
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from emulator.channel import ApduLink
from emulator.client import MeterClient, Notice, ObjectList
from emulator.client.noticing import understand
from emulator.client.reading import read_one
from emulator.client.session import Session
from emulator.client.targets import Wanted
from emulator.head_end.party import Party
from emulator.meter_address import MeterAddress
from emulator.policy import Purpose

T = TypeVar("T")


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
        channel: ApduLink,
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
        except AssociationRejected:
            raise  # the connection is good for another try
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

    @property
    def keys(self) -> AssociationKeys:
        """The keys that it goes by."""
        return self._client.association.keys

    def adopt(self, keys: AssociationKeys) -> None:
        """Go on under other keys, from the next APDU on."""
        self._client.association.adopt(keys)
