"""A meter that is well, and one with a planted defect."""

from __future__ import annotations

import pytest

from emulator.fuzz.actions import Plant
from emulator.fuzz.machine.settings import settings
from emulator.fuzz.setting import Setting

STALE = Plant(fault="careless", parameters=(("how", "stale-random"),))


@pytest.fixture
def clean() -> Setting:
    return settings()["shared"]


@pytest.fixture
def stale(clean: Setting) -> Setting:
    return Setting(clients=clean.clients, plants=(STALE,))
