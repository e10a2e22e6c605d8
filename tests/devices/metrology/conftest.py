"""The model computed by hand, for the tests here."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def by_hand() -> ModuleType:
    spec = spec_from_file_location("by_hand", Path(__file__).with_name("by_hand.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
