"""A meter that takes firmware without taking time, images for it, and how the S1SP associates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from devices.firmware import SEALS, target
from devices.image import make_image
from devices.profile import Profile, load_text
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from emulator.client import Keys
from emulator.head_end.party import TITLES
from emulator.key_suites import suites_of
from emulator.meter_address import Way
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.sandbox import RunningMeter

PROFILE = """
extends = "{name}"
name = "{name}"
[habits]
image_verification = {{ value = {verification}, assumed = "for the test" }}
image_activation = {{ value = {activation}, assumed = "for the test" }}
"""


@pytest.fixture(scope="session")
def updatable() -> Callable[..., Profile]:
    """``updatable(name, verification, activation)``: a profile that takes so many seconds."""

    def make(name: str = "secure", verification: int = 0, activation: int = 0) -> Profile:
        text = PROFILE.format(name=name, verification=verification, activation=activation)
        return load_text(text, f"{name}.toml")

    return make


@pytest.fixture
async def meter(run_meter: Any, updatable: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter(updatable(), ways=Way) as meter:
        yield meter


@pytest.fixture(scope="session")
def image_for(fleet_secret: bytes) -> Callable[..., bytes]:
    """``image_for(meter, body, version)``"""

    def make(meter: RunningMeter, body: bytes = bytes(5000), version: str = "2.0.0") -> bytes:
        profile = meter.device.profile
        module = SoftwareModule(KeyRing(fleet_secret, suites_of(profile)))
        seal = SEALS[profile.habits.image_seal]
        return run(make_image(target(meter.device), version, body, seal), module.execute)

    return make


@pytest.fixture
def party_of(ring: Any) -> Callable[..., dict[str, Any]]:
    """``party_of(meter, name)``: how the S1SP or the DCO associates."""

    def find(meter: RunningMeter, name: str = "s1sp") -> dict[str, Any]:
        row = meter.device.profile.associations[name]
        keys = Keys(
            guek=ring.get(meter.device.key(name, KeyKind.GUEK)),
            gak=ring.get(meter.device.key(name, KeyKind.GAK)),
        )
        return {
            "client_sap": row.config.client_sap,
            "mechanism": "hls-gmac",
            "keys": keys,
            "own_title": TITLES[Actor(name.upper())],
            "counter_from": f"0-0:43.1.{row.security_setup}.255",
        }

    return find


@pytest.fixture
def s1sp_at(route_to: Any, associated: Any, party_of: Any) -> Callable[..., Any]:
    """``async with s1sp_at(meter) as a``"""
    return lambda meter: associated("asyncio", route_to(meter, "tcp"), **party_of(meter))
