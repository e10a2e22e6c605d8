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
LIMIT = 12.0
"""Seconds for a task: what is slow because the machine is busy is not without end."""


@pytest.fixture
def own() -> HeadEndUnderTest:
    return HeadEndUnderTest(keeping(InvocationCounters()), answer=ANSWER, limit=LIMIT)


@pytest.fixture(scope="session")
def naive() -> Callable[..., HeadEndUnderTest]:
    """``naive(*careless, limit=...)``: it has hand-made cryptography, and keeps no counters."""
    spec = importlib.util.spec_from_file_location("naive_head_end_to_fuzz", NAIVE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(*careless: str, limit: float = LIMIT) -> HeadEndUnderTest:
        return HeadEndUnderTest(module.naive(*careless), answer=ANSWER, limit=limit, keeps=False)

    return make
