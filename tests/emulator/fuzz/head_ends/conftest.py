"""Head ends to be met: ours, and one that can be told what not to look at."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from dlms.security.counters import InvocationCounters
from emulator.conformance.hostile.own import keeping
from emulator.fuzz.head_ends.scene import HeadEndUnderTest

NAIVE = Path(__file__).parents[2] / "conformance" / "hostile" / "naive_head_end.py"
ANSWER = 0.15
"""Seconds: all of it is in this process."""


@pytest.fixture
def own() -> HeadEndUnderTest:
    return HeadEndUnderTest(keeping(InvocationCounters()), answer=ANSWER)


@pytest.fixture(scope="session")
def naive() -> Callable[..., HeadEndUnderTest]:
    """``naive(*careless)``: it has hand-made cryptography, and keeps no counters."""
    spec = importlib.util.spec_from_file_location("naive_head_end_to_fuzz", NAIVE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(*careless: str) -> HeadEndUnderTest:
        return HeadEndUnderTest(module.naive(*careless), answer=ANSWER, keeps=False)

    return make
