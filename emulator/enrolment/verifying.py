"""The meter is the one that the papers say, and what was handed over opens it (step 4).

This is the first time that the DCC speaks to it, as the client that it knows. A meter that was
silent for years has counters of which nobody knows: it says itself what it accepts. What has piled
up in it, and how wrong its clock is, is noted.
"""

from __future__ import annotations

from typing import Any

from devices.firmware import VERSION_ROLE
from devices.profile import Profile
from dlms.axdr.datetimes import CosemDateTime
from dlms.client.refusals import AssociationRejected
from dlms.cosem import classes, obis
from dlms.errors import CodecError
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.enrolment.case import ACTORS, Case
from emulator.enrolment.steps import NotPossible
from emulator.head_end.party_association import PartyAssociation
from emulator.policy import Actor

NAME = AttributeDescriptor(classes.DATA.class_id, obis.parse("0-0:42.0.0.255"), 2)
SERIAL = AttributeDescriptor(classes.DATA.class_id, obis.parse("0-0:96.1.0.255"), 2)
TIME = AttributeDescriptor(classes.CLOCK.class_id, obis.parse("0-0:1.0.0.255"), 2)


class AnotherMeter(NotPossible):
    """The meter says that it is another, or runs other firmware, than the papers say."""


async def verify(case: Case) -> dict[str, Any]:
    """Associate with each handed-over key set and look. :class:`AnotherMeter` or
    :class:`~emulator.enrolment.steps.NotPossible` if it does not fit.
    """
    found: dict[str, Any] = {}
    for actor in ACTORS:
        try:
            async with case.session(actor, as_former=True) as session:
                await _look(case, session)
                if actor is Actor.S1SP:
                    found["firmware"] = await _firmware(case, session)
                    found["clock_off"] = await clock_off(case, session)
        except AssociationRejected as rejected:
            name = case.own(actor).row(case.profile).name
            raise NotPossible(
                f"the keys that were handed over do not open {name}: {rejected}"
            ) from rejected
    return found


async def clock_off(case: Case, session: PartyAssociation) -> float | None:
    """Seconds by which the meter's clock is ahead of true time; ``None`` if it has lost it."""
    value = (await session.get(TIME)).value
    try:
        shown = CosemDateTime.from_octets(value).to_datetime() if isinstance(value, bytes) else None
    except (CodecError, ValueError):
        return None
    if shown is None or shown.tzinfo is None:
        return None
    return round((shown - await case.true_time()).total_seconds(), 1)


async def _look(case: Case, session: PartyAssociation) -> None:
    serial = case.authorisation.serial
    for what, attribute, right in (
        ("logical device name", NAME, case.profile.logical_device_name(serial)),
        ("serial number", SERIAL, f"{serial:08d}"),
    ):
        said = (await session.get(attribute)).value
        if said != right:
            raise AnotherMeter(f"the meter says another {what} than the authorisation")


async def _firmware(case: Case, session: PartyAssociation) -> str:
    where = _version_object(case.profile)
    if where is None:
        return ""
    value = (await session.get(where)).value
    version = value.decode("ascii", "replace") if isinstance(value, bytes) else ""
    if version != case.authorisation.firmware:
        said = case.authorisation.firmware
        raise AnotherMeter(f"the meter runs firmware {version}, and the authorisation says {said}")
    return version


def _version_object(profile: Profile) -> AttributeDescriptor | None:
    for instance, row in profile.objects.items():
        if row.role == VERSION_ROLE and "s1sp" in row.rights:
            return AttributeDescriptor(row.interface_class.class_id, instance, 2)
    return None
