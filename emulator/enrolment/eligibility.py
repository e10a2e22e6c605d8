"""Whether a meter may be enrolled: the SMETS1 Eligible Product Combinations (SEC F2.10A).

A combination is of the Device Models of a home and a communications service provider. Which other
devices stand beside a meter is not known here: its Device Model must be in some combination that is
on the list (assumed).
"""

from __future__ import annotations

from typing import Protocol

from devices.profile import Profile
from emulator.enrolment.inventory import device_type
from emulator.products.device_model import device_model
from emulator.products.register import Register


class Ineligible(Protocol):
    def __call__(self, profile: Profile, firmware: str) -> str:
        """Why a model with this firmware may not be enrolled; empty if it may."""
        ...


def any_product(profile: Profile, firmware: str) -> str:
    """For laboratories: everything that there is a profile of."""
    return ""


def by_register(register: Register) -> Ineligible:
    """By the DCC's own register, as it stands."""

    def ineligible(profile: Profile, firmware: str) -> str:
        kind, hardware = device_type(profile), profile.habits.hardware_version
        wanted = device_model(kind, profile.manufacturer, profile.model, hardware, firmware)
        having = [one for one in register.entries.values() if wanted in one.combination.models]
        if any(entry.listed for entry in having):
            return ""
        return f"{wanted}: no combination with it is on the Eligible list"

    return ineligible
