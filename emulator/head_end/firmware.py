"""Firmware of a meter: the S1SP distributes, the DCO activates.

11.1 Update Firmware and 11.2 Read Firmware Version are the S1SP's. 11.3 Activate Firmware is
critical (DUIS request matrix), so the profile has it as an Instruction of the DCO. What they are
made of at the meter, an Image transfer object, is assumed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, TypeAlias

from devices.firmware import HASH_ROLE, VERSION_ROLE
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
from emulator.policy import Actor
from emulator.sandbox import MeterAddress

ACTIVATE = "activate_firmware"
"""The Instruction."""

Associate: TypeAlias = Callable[
    [Actor, MeterAddress, Profile], AbstractAsyncContextManager[PartyAssociation]
]


class FirmwareStatus(NamedTuple):
    """``version`` is what runs, ``to_activate`` the identifications of what could."""

    version: str
    status: Status
    progress: Progress
    to_activate: tuple[bytes, ...]
    verified_hash: bytes


class Firmware:
    """``sleep`` lets seconds pass between two questions to a meter that is at work."""

    def __init__(self, associate: Associate, sleep: Callable[[float], Awaitable[object]]) -> None:
        self._associate = associate
        self.sleep = sleep

    async def send(self, meter: MeterAddress, profile: Profile, transfer: Transfer) -> None:
        """Send an image and have it verified; over as many associations as it takes while each
        brings blocks there. :class:`~emulator.client.ImageRefused` if the meter does not take it.
        """

        @asynccontextmanager
        async def holding() -> AsyncIterator[Hold]:
            async with self._associate(Actor.S1SP, meter, profile) as session:
                yield session.hold

        await deliver(holding, transfer, sleep=self.sleep)

    async def activate(self, meter: MeterAddress, profile: Profile) -> FirmwareStatus:
        """Activate the verified image, and look what runs then.

        :class:`~emulator.client.ImageRefused` if the meter does not, another
        :class:`~dlms.client.refusals.MeterRefusal` if the profile has no such Instruction.
        """
        row = profile.instructions.get(ACTIVATE)
        if row is None:
            raise MeterRefusal(f"{profile.name} knows no {ACTIVATE!r}")
        where = _image_transfer(profile)
        actor = Actor.DCO if row.association == "dco" else Actor.S1SP
        async with self._associate(actor, meter, profile) as session:
            reached = await follow(activated(where), session.hold, self.sleep)
        if reached is not Status.ACTIVATED:
            async with self._associate(actor, meter, profile) as session:
                reached = await follow(settled(where), session.hold, self.sleep)
            if reached is not Status.ACTIVATED:
                raise ImageRefused("it is not activated", reached)
        return await self.status(meter, profile)

    async def status(self, meter: MeterAddress, profile: Profile) -> FirmwareStatus:
        """What runs, and what is there of an image, as the S1SP sees it."""
        async with self._associate(Actor.S1SP, meter, profile) as session:
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
