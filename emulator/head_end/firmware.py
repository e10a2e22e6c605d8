"""Firmware of a meter: the S1SP distributes, the DCO activates.

11.1 Update Firmware and 11.2 Read Firmware Version are the S1SP's. 11.3 Activate Firmware is
critical (DUIS request matrix), so the profile has it as an Instruction of the DCO. What they are
made of at the meter, an Image transfer object, is assumed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple, TypeAlias

from devices.firmware import HASH_ROLE, VERSION_ROLE
from devices.image import ImageFormatError, read_image
from devices.profile import Profile
from dlms.client.refusals import MeterRefusal
from dlms.cosem import classes
from dlms.cosem.image_transfer import Status
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.image_courses import activated, looked, settled
from emulator.client.image_look import ImageRefused, Look
from emulator.client.image_transfer import Progress, Transfer
from emulator.client.images import deliver, follow
from emulator.client.security_setup import Hold
from emulator.head_end.association import PartyAssociation
from emulator.meter_address import MeterAddress

ACTIVATE = "activate_firmware"
"""The Instruction."""

Associate: TypeAlias = Callable[
    [MeterAddress, Profile], AbstractAsyncContextManager[PartyAssociation]
]
Sessions: TypeAlias = Callable[[], AbstractAsyncContextManager[PartyAssociation]]
Request: TypeAlias = Callable[[str, MeterAddress, Profile], Awaitable[dict[str, Any]]]
_ACTIVATE_FIRMWARE = "11.3"


class FirmwareStatus(NamedTuple):
    """``version`` is what runs, ``to_activate`` the identifications of what could."""

    version: str
    status: Status
    progress: Progress
    to_activate: tuple[bytes, ...]
    verified_hash: bytes


class Firmware:
    """``associate`` opens the S1SP's association, ``request`` makes a Service Request and has it
    carried out; ``sleep`` lets seconds pass between two questions to a meter that is at work.
    """

    def __init__(
        self,
        associate: Associate,
        request: Request,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._associate = associate
        self._request = request
        self.sleep = sleep

    async def send(self, meter: MeterAddress, profile: Profile, transfer: Transfer) -> None:
        """Send an image and have it verified; over as many associations as it takes while each
        brings blocks there. :class:`~emulator.client.ImageRefused` if the meter does not take it.
        """

        await self._deliver(lambda: self._associate(meter, profile), transfer)

    async def activate(self, meter: MeterAddress, profile: Profile) -> FirmwareStatus:
        """Activate the verified image, and look what runs then.

        :class:`~emulator.client.ImageRefused` if the meter does not, another
        :class:`~dlms.client.refusals.MeterRefusal` if the profile has no such Instruction.
        """
        if ACTIVATE not in profile.instructions:
            raise MeterRefusal(f"{profile.name} knows no {ACTIVATE!r}")
        await self._request(_ACTIVATE_FIRMWARE, meter, profile)
        return await self.status(meter, profile)

    async def carry_out(
        self,
        what: str,
        sessions: Sessions,
        meter: MeterAddress,
        profile: Profile,
        payload: bytes | None,
    ) -> dict[str, Any]:
        """What a Service Request of firmware becomes: ``send``, ``version`` or ``activate``."""
        if what == "version":
            async with sessions() as session:
                version = await _octets(session, profile, VERSION_ROLE)
            return {"version": version.decode("ascii", "replace")}
        if what == "send":
            assert payload is not None  # the S1SP has compared it with its hash
            try:
                identifier = read_image(payload).digest
            except ImageFormatError as error:
                raise ValueError(f"no image: {error}") from None
            transfer = Transfer(image=payload, identifier=identifier)
            await self._deliver(sessions, transfer)
            return {"blocks_sent": transfer.blocks_sent}
        await self._activate(sessions, _image_transfer(profile))
        return {}

    async def _activate(self, sessions: Sessions, where: bytes) -> None:
        async with sessions() as session:
            reached = await follow(activated(where), session.hold, self.sleep)
        if reached is not Status.ACTIVATED:
            async with sessions() as session:
                reached = await follow(settled(where), session.hold, self.sleep)
            if reached is not Status.ACTIVATED:
                raise ImageRefused("it is not activated", reached)

    async def _deliver(self, sessions: Sessions, transfer: Transfer) -> None:
        @asynccontextmanager
        async def holding() -> AsyncIterator[Hold]:
            async with sessions() as session:
                yield session.hold

        await deliver(holding, transfer, sleep=self.sleep)

    async def status(self, meter: MeterAddress, profile: Profile) -> FirmwareStatus:
        """What runs, and what is there of an image, as the S1SP sees it."""
        async with self._associate(meter, profile) as session:
            look = await follow(looked(_image_transfer(profile)), session.hold, self.sleep)
            version = await _octets(session, profile, VERSION_ROLE)
            verified_hash = await _octets(session, profile, HASH_ROLE)
        return FirmwareStatus(
            version.decode("ascii", "replace"),
            look.status,
            _progress(look),
            tuple(one.identification for one in look.to_activate),
            verified_hash,
        )


def _progress(look: Look) -> Progress:
    bits = look.bits or ""
    return Progress(bits.count("1"), len(bits))


def _image_transfer(profile: Profile) -> bytes:
    for instance, row in profile.objects.items():
        if row.interface_class.class_id == classes.IMAGE_TRANSFER.class_id:
            return instance
    raise MeterRefusal(f"{profile.name} takes no firmware")


async def _octets(session: PartyAssociation, profile: Profile, role: str) -> bytes:
    """The value of the object with a role; nothing where the profile has none."""
    for instance, row in profile.objects.items():
        if row.role == role:
            class_id = row.interface_class.class_id
            value = (await session.get(AttributeDescriptor(class_id, instance, 2))).value
            return value if isinstance(value, bytes) else b""
    return b""
