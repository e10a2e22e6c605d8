"""What befalls a meter without anybody saying anything to it: one frozen value each."""

from __future__ import annotations

from dataclasses import dataclass

from dlms.xdlms.descriptors import AttributeDescriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTls:
    """``what``: ``new certificate`` of the meter's, ``revoke client``: all that have come so far,
    ``revoke meter``: the certificate that the meter shows.
    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Time passes, for everybody."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """The meter's clock jumps, forward or back; true time does not."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """The meter tells of an attribute, unasked, whoever is associated and may know of it."""

    attribute: AttributeDescriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCycle:
    """The meter loses its power and comes back with what it has kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMeterCounter:
    """What the meter would have come to after many messages: its next counter to send, or its
    floor, for a key of an association.
    """

    association: str
    key: str = "GUEK"
    send: int | None = None
    floor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What the meter keeps is damaged while it is off. ``what`` is ``counters``: what it had sent
    and taken is gone back to ``to``; ``store``: an older image of all but counters, that of the
    step ``to``; ``journal``: the counters cannot be read.
    """

    what: str
    to: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A defect of the meter's, by the name of a fault in the emulator, from now on."""

    fault: str
    parameters: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        given = " ".join(f"{name}={value}" for name, value in self.parameters)
        return f"{self.fault} {given}".rstrip()
