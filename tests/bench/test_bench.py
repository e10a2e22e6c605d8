"""The benchmark runs, whatever its figures are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")
GROUPS = {"codec": 11, "ciphering": 6, "loopback": 14, "server": 3, "custody": 4}
"""Rows of each group."""


@pytest.fixture(scope="module")
def report() -> dict[str, list[dict[str, object]]]:
    done = subprocess.run(
        [sys.executable, str(RUN), "--quick", "--json"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    # 1: a promise was missed, which is not our question.
    assert done.returncode in (0, 1), done.stderr
    loaded: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return loaded


def test_every_row_is_there(report: dict[str, list[dict[str, object]]]) -> None:
    rows = report["rows"]
    assert {group: sum(row["group"] == group for row in rows) for group in GROUPS} == GROUPS
    assert len({row["name"] for row in rows}) == len(rows) == sum(GROUPS.values())


def test_every_figure_is_positive(report: dict[str, list[dict[str, object]]]) -> None:
    for row in report["rows"]:
        for figures in (row["rates"], row["ratios"]):
            assert isinstance(figures, dict)
            assert all(figure > 0 for figure in figures.values()), row["name"]
        rates = row["rates"]
        assert isinstance(rates, dict)
        assert "ours" in rates


def test_both_peers_take_part_where_a_promise_is_made(
    report: dict[str, list[dict[str, object]]],
) -> None:
    rows = {str(row["name"]): row["rates"] for row in report["rows"] if row["least"]}
    for name, rates in rows.items():
        assert isinstance(rates, dict)
        if "blocking" in name or "at once" in name or "alone" in name or "whole way" in name:
            assert {"ours", "gurux", "dlms-cosem", "floor"} <= rates.keys(), name


def test_a_promise_is_missed_only_where_one_is_made(
    report: dict[str, list[dict[str, object]]],
) -> None:
    for row in report["rows"]:
        least, missed, ratios = row["least"], row["missed"], row["ratios"]
        assert isinstance(least, dict)
        assert isinstance(missed, dict)
        assert isinstance(ratios, dict)
        assert missed == {
            who: ratio for who, ratio in least.items() if who in ratios and ratios[who] <= ratio
        }
