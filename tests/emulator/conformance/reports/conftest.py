"""Runs to make reports of, and what is read in them."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis.strategies import SearchStrategy

from emulator.conformance import built_in
from emulator.conformance.reports import Document, to_json
from emulator.conformance.running.result import RunResult


def _fabricated() -> ModuleType:
    spec = spec_from_file_location("fabricated_runs", Path(__file__).with_name("fabricated.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fabricated() -> ModuleType:
    return _fabricated()


@pytest.fixture(scope="session")
def runs(fabricated: ModuleType) -> SearchStrategy[RunResult]:
    """Any run."""
    found: SearchStrategy[RunResult] = fabricated.runs()
    return found


@pytest.fixture
def rich(fabricated: ModuleType) -> Document:
    """The document of a run with a case of each verdict and standing."""
    return to_json(fabricated.rich_run(), built_in())


@pytest.fixture
def rich_strict(fabricated: ModuleType) -> Document:
    return to_json(fabricated.rich_run(strict=True), built_in())
