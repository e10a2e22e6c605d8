"""Ratios compare contestants round by round; what only computes runs on the processor's clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _bench_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    from measure import COSEM, GURUX, OURS, Result, Row

    row = Row(group="", name="", contestants={}, least={COSEM: 2.0, GURUX: 1.0})
    # The machine wanders: by the medians of the rates, 30 over 50, we would seem to be slower.
    result = Result(row=row, rounds={OURS: [100.0, 10.0, 30.0], COSEM: [49.0, 4.0, 60.0]})
    assert result.ratio(COSEM) == 100.0 / 49.0
    assert result.rate(OURS) == 30.0
    assert result.missed == {}
    even = Result(row=row, rounds={OURS: [20.0, 300.0, 2.0], COSEM: [10.0, 150.0, 1.0]})
    assert even.missed == {COSEM: 2.0}
    assert result.ratio(GURUX) is None


def test_an_aim_that_is_not_reached_is_told_and_no_failure() -> None:
    from measure import FLOOR, OURS, Result, Row
    from table import as_json, verdict

    row = Row(group="", name="GET", contestants={}, least={FLOOR: 0.1}, aim={FLOOR: 0.6})
    short = Result(row=row, rounds={OURS: [2.0], FLOOR: [10.0]})
    assert (short.missed, short.short_of) == ({}, {FLOOR: 0.6})
    assert "short of the aim: GET: 0.20 times floor, 0.6 aimed at" in verdict([short])
    assert as_json([short])["rows"][0]["short_of"] == {FLOOR: 0.6}
    reached = Result(row=row, rounds={OURS: [7.0], FLOOR: [10.0]})
    assert reached.short_of == {}
    assert "short" not in verdict([reached])


def test_computing_takes_no_time_to_wait() -> None:
    from measure import Clocked, Computing, repeat

    calls: list[int] = []
    batch = Computing(lambda: calls.append(1))
    assert isinstance(batch, Clocked)
    batch.prepare(3)
    batch(3)
    assert len(calls) == 3
    before = time.process_time()
    assert before <= batch.clock() <= time.process_time()
    assert not isinstance(repeat(lambda: None), Clocked)
