"""What the tests of firmware share: :mod:`images` beside this file, as a fixture."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


def _beside(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = spec_from_file_location(f"firmware_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_IMAGES = _beside("images")


@pytest.fixture(scope="session")
def images() -> ModuleType:
    return _IMAGES
