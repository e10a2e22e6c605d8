"""A meter's firmware: what it runs, what it was given, and whether it takes that.

Blocks of an image are kept in ``state.image`` by their numbers, what else is known of a transfer
in the figures and values named here. A meter has one place for an image.
"""

from __future__ import annotations

from enum import IntEnum

from devices.image import (
    ImageFormatError,
    Seal,
    Target,
    is_sealed,
    is_whole,
    read_image,
)
from devices.meter import Meter
from devices.profile.model import ObjectRow
from dlms.axdr.data import Data, DataType
from dlms.security.ops import Step

VERSION_ROLE = "firmware-version"
"""Role of the object that shows the version that runs."""

HASH_ROLE = "verified-image-hash"
"""Role of the object that shows the hash of the image that was verified last."""

SEALS = {"signature": Seal.SIGNATURE, "gmac": Seal.GMAC}
"""Seals by the words of profiles."""


class Flaw(IntEnum):
    """What is wrong with an image; the number goes with the event (assumed)."""

    INCOMPLETE = 1
    NO_IMAGE = 2
    NOT_FOR_THIS_METER = 3
    DAMAGED = 4
    NOT_FROM_THE_MANUFACTURER = 5


def target(meter: Meter) -> Target:
    """What images for this meter say that they are for."""
    profile = meter.profile
    return Target(profile.flag_id, profile.model, profile.habits.hardware_version)


def judge(meter: Meter, octets: bytes) -> Step[Flaw | None]:
    """What is wrong with the image; ``None`` if nothing.

    An image with the other kind of seal is refused as one that nobody has sealed: else whoever can
    make the weaker one could do without the stronger.
    """
    try:
        image = read_image(octets)
    except ImageFormatError:
        return Flaw.NO_IMAGE
    if not is_whole(image):
        return Flaw.DAMAGED
    if image.target != target(meter):
        return Flaw.NOT_FOR_THIS_METER
    if image.kind is not SEALS[meter.profile.habits.image_seal]:
        return Flaw.NOT_FROM_THE_MANUFACTURER
    if not (yield from is_sealed(image)):
        return Flaw.NOT_FROM_THE_MANUFACTURER
    return None


def run(meter: Meter, octets: bytes) -> bool:
    """Go over to a verified image; false if it cannot be read any more."""
    try:
        image = read_image(octets)
    except ImageFormatError:
        return False
    if not is_whole(image):
        return False
    _show(meter, VERSION_ROLE, image.version.encode("ascii"))
    return True


def note_verified(meter: Meter, octets: bytes) -> None:
    """Show the hash of an image that has been verified."""
    _show(meter, HASH_ROLE, read_image(octets).digest)


def shown(meter: Meter, row: ObjectRow) -> Data | None:
    """The value of an object with one of the roles."""
    return meter.value(row, 2)


def _show(meter: Meter, role: str, octets: bytes) -> None:
    for row in meter.profile.objects.values():
        if row.role == role:
            meter.store(row, 2, Data(DataType.OCTET_STRING, octets))
