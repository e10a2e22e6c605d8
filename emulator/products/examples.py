"""Example data from the profiles of the sandbox's meters.

What a profile says of a model has its source there or is assumed. What goes with what, who provides
the communications, who has asked and what came of it is invented; the names say so.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from devices.firmware import VERSION_ROLE
from devices.profile import Profile, load
from devices.profile.model import ObjectRow
from emulator.products.acts import Act, Listed, Progressed, Requested
from emulator.products.combination import Combination, combination
from emulator.products.device_model import DeviceModel, DeviceType, device_model
from emulator.products.store import Dated
from emulator.products.testing import ParticipantKind, Progress

_TYPES = {"electricity": DeviceType.ESME, "gas": DeviceType.GSME}
_NORTH, _SOUTH = "Assumed CSP North", "Assumed CSP South"
_PARTY = "Assumed Supplier"
_HARDWARE = "habits.hardware_version"


class Fact(NamedTuple):
    """A field of an example, and where it comes from."""

    combination: str
    what: str
    value: str
    origin: str


class Example(NamedTuple):
    """``profiles`` are those whose models make the combination. ``path`` is how far its tests have
    come; with none it is on the Eligible list, tested ``through`` another one of these or itself.
    """

    profiles: tuple[str, ...]
    csp: str = _NORTH
    participant: str = ""
    kind: ParticipantKind = ParticipantKind.PARTY
    path: tuple[Progress, ...] = ()
    confidential: bool = False
    through: int | None = None


EXAMPLES = (
    Example(("aclara",)),
    Example(("honeywell_elster", "honeywell_elster_gas")),
    Example(("itron", "itron_gas")),
    Example(("itron", "itron_gas"), csp=_SOUTH, through=2),
    Example(
        ("landis_gyr", "landis_gyr_gas"),
        participant="Assumed Supplier of Meters",
        kind=ParticipantKind.MANUFACTURER,
        path=(Progress.DEVELOPING, Progress.TESTING),
    ),
    Example(("aclara", "itron_gas"), participant=_PARTY, path=(Progress.DEVELOPING,)),
    Example(
        ("secure", "secure_gas"),
        participant="Assumed Confidential Party",
        path=(Progress.TESTING,),
        confidential=True,
    ),
    Example(
        ("landis_gyr", "secure_gas"),
        participant=_PARTY,
        path=(Progress.TESTING, Progress.FAILED),
    ),
)
"""The five manufacturers' electricity meters, with the gas meters that four of them have."""


def examples() -> list[Dated]:
    """The acts that write them into the register, all of the day on which they are written."""
    made = [_combination(example) for example in EXAMPLES]
    return [
        Dated(act)
        for example, one in zip(EXAMPLES, made, strict=True)
        for act in _acts(example, one, made)
    ]


def facts() -> list[Fact]:
    """Where each field of them comes from."""
    return [fact for example in EXAMPLES for fact in _facts(example, _combination(example).id)]


def _acts(example: Example, one: Combination, made: list[Combination]) -> list[Act]:
    if not example.path:
        through = None if example.through is None else made[example.through].id
        return [Listed(combination=one, through=through)]
    asked = Requested(
        combination=one,
        participant=example.participant,
        kind=example.kind,
        confidential=example.confidential,
    )
    return [
        asked,
        *(
            Progressed(id=one.id, participant=example.participant, progress=progress)
            for progress in example.path
        ),
    ]


def _combination(example: Example) -> Combination:
    return combination(map(_model, map(_profile, example.profiles)), example.csp)


@cache
def _profile(name: str) -> Profile:
    return load(name)


def _model(profile: Profile) -> DeviceModel:
    return device_model(
        _TYPES[profile.kind].value,
        profile.manufacturer,
        profile.model,
        profile.habits.hardware_version,
        _firmware(profile),
    )


def _version(profile: Profile) -> ObjectRow:
    (row,) = profile.of_role(VERSION_ROLE)
    return row


def _firmware(profile: Profile) -> str:
    version = _version(profile).values[2].value
    if not isinstance(version, bytes):
        raise TypeError(f"{profile.name}: its firmware version is no octet-string")
    return version.decode("ascii")


def _facts(example: Example, id: str) -> list[Fact]:
    found = [Fact(id, "combination, CSP and tests", example.csp, "assumed: invented")]
    for profile in map(_profile, example.profiles):
        model, origins = _model(profile), profile.provenance
        found += [
            Fact(id, "manufacturer", model.manufacturer, str(origins["manufacturer"])),
            Fact(id, "model", model.model, str(origins["model"])),
            Fact(id, "hardware version", model.hardware_version, str(origins[_HARDWARE])),
            Fact(id, "firmware version", model.firmware_version, str(_version(profile).provenance)),
        ]
    return found
