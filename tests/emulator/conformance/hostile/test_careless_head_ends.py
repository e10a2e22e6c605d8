"""Every check of X_CLI can fail: with a head end that does not look at the one thing, and only
those that are declared fail with it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from emulator.conformance.running.result import Verdict

ROWS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("careless.toml").read_text())
WAITING = {"X_CLI_SLOW", "X_CLI_TIMEOUT_REUSE", "X_CLI_BLOCK_ENDLESS", "X_CLI_DROP_ACK_KEY"}
"""Checks that take time: run where they are to fail, and with a head end that looks at all."""
TASKS = {
    "naive": frozenset({"read", "block-read"}),
    "own": frozenset({"clock", "profile", "image", "rotate-keys", "change-secret"}),
}
"""What the careless ones do: the naive head end can do no more, and ours leaves out nothing of the
rest.
"""


def test_each_check_has_a_head_end_that_fails_it(x_cli: Any) -> None:
    assert {id for row in ROWS.values() for id in row["checks"]} == {check.id for check in x_cli}


@pytest.mark.parametrize("name", ["naive", "own"])
async def test_a_head_end_that_looks_at_all(
    name: str, head_ends: Any, run_on: Any, x_cli: Any
) -> None:
    runner = run_on(head_ends[name](), tasks=TASKS[name] if name == "naive" else frozenset())
    found = {result.id: result async for result in runner.run(x_cli)}
    wrong = {id: one.reasons for id, one in found.items() if one.verdict is not Verdict.PASSED}
    if name == "naive":
        tasks = {id for id, reasons in wrong.items() if "does not do the task" in reasons[0]}
        wrong = {id: reasons for id, reasons in wrong.items() if id not in tasks}
    assert not wrong


@pytest.mark.parametrize("row", ROWS)
async def test_careless(row: str, head_ends: Any, run_on: Any, x_cli: Any) -> None:
    said = ROWS[row]
    call = head_ends[said["head_end"]](*said.get("careless", [row]))
    runner = run_on(call, tasks=TASKS[said["head_end"]])
    checks = [check for check in x_cli if check.id not in WAITING or check.id in said["checks"]]
    failed = {result.id async for result in runner.run(checks) if result.verdict is Verdict.FAILED}
    assert set(said["checks"]) <= failed <= {*said["checks"], *said.get("also", [])}
