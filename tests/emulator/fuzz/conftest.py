"""The scenarios of the repository, and a meter in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.reading import read_all

FOLDER = Path(__file__).parents[3] / "fixtures" / "scenarios"
OBJECT = AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2)
"""An octet-string that the management client reads and writes."""


@pytest.fixture(scope="session")
def scenario_folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def every_scenario() -> dict[str, Scenario]:
    return {one.id: one for one in read_all(sorted(FOLDER.glob("*.json")))}


@pytest.fixture
def note() -> AttributeDescriptor:
    return OBJECT


@pytest.fixture
def target() -> Callable[..., InProcess]:
    return InProcess
