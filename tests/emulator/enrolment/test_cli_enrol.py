"""``cosemlab up --supplier``, ``enrol``, ``inventory`` and ``supplier``, as a user has them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.main import main

PATIENCE = 60.0


class Up:
    """A running ``cosemlab up --json``."""

    def __init__(self, workspace: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "emulator.cli.main", "up", *arguments]
        self.process = subprocess.Popen(
            [*command, "--workspace", str(workspace), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == "}\n":
                return
        assert self.process.stderr is not None
        raise AssertionError(self.process.stderr.read())

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, err) == (0, "")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def up(workspace: Path) -> Iterator[Any]:
    running: list[Up] = []

    def start(*arguments: str) -> Up:
        if running:
            running.pop().end()
        running.append(Up(workspace, *arguments))
        return running[0]

    yield start
    running.pop().end()


@pytest.fixture
def command(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Exit status, and its JSON or its one line."""

    def command(*arguments: str) -> tuple[int, Any]:
        status = main([*arguments, "--workspace", str(workspace), "--json"])
        captured = capsys.readouterr()
        if captured.err:
            (line,) = captured.err.splitlines()
            return status, line.removeprefix("cosemlab: ")
        return status, json.loads(captured.out)

    return command


def states(answer: Any) -> dict[str, str]:
    return {row["meter"]: row["state"] for row in answer["enrolments"]}


def test_from_installation_to_the_next_supplier(up: Any, command: Any, workspace: Path) -> None:
    up("aclara", "secure_gas", "--supplier", "brightco")
    status, why = command("read", "aclara")
    assert (status, "calling-ap-title" in why) == (1, True)
    assert command("enrol", "run")[0] == 1
    assert command("enrol", "status", "aclara") == (1, "aclara: its enrolment is not planned")
    _, tried = command("supplier", "try", "aclara")
    assert sum(row["succeeded"] for row in tried["attempts"]) == 6
    _, before = command("keys", "aclara", "s1sp")
    assert before["client_system_title"].startswith("534D4F")  # SMO

    status, planned = command("enrol", "plan")
    assert (status, states(planned)) == (0, {"aclara": "planned", "secure_gas": "planned"})
    # Nothing is on the Eligible list yet.
    status, refused = command("enrol", "run", "aclara")
    assert (status, states(refused)) == (1, {"aclara": "rolled back"})
    why = "no combination with it is on the Eligible list"
    assert refused["enrolments"][0]["error"].endswith(why)
    assert command("products", "seed")[0] == 0
    command("enrol", "plan", "aclara")
    status, done = command("enrol", "run", "aclara", "--ledger")
    assert (status, states(done)) == (0, {"aclara": "enrolled"})
    assert {entry["actor"] for entry in done["ledger"]} == {"S1SP", "DCO", "DCC"}
    _, kept = command("ledger", "list")
    assert len(kept) >= len(done["ledger"])
    assert command("enrol", "plan", "aclara") == (1, "aclara: its enrolment is enrolled already")
    assert command("enrol", "resume")[0] == 1

    # The one that is not enrolled stays its supplier's; both over a restart of the meters.
    up("aclara", "secure_gas", "--supplier", "otherco")
    assert command("read", "aclara")[0] == 0
    assert command("read", "secure_gas")[0] == 1
    _, tried = command("supplier", "try", "aclara")
    assert not any(row["succeeded"] or row["let_in"] for row in tried["attempts"])
    assert tried["supplier"] == "brightco"
    _, after = command("keys", "aclara", "s1sp")
    assert after["client_system_title"] == "5331500000000001"  # S1P
    assert not {before[name] for name in ("guek", "gak", "kek")} & set(after.values())

    _, shown = command("enrol", "status", "aclara")
    assert (shown["step"], shown["point_of_no_return"]) == ("commissioned", True)
    assert shown["history"][0]["what"].startswith("planned by MA_brightco_41-43-4C-13-")
    _, listed = command("inventory", "list")
    assert {row["meter"]: row["status"] for row in listed["devices"]} == {
        "aclara": "Commissioned",
        "secure_gas": "Pending",
    }
    assert command("supplier", "change", "aclara", "newco") == (
        0,
        {"meter": "aclara", "from": "brightco", "to": "newco"},
    )
    _, entry = command("inventory", "show", "aclara")
    assert (entry["supplier"], entry["history"][-1]["supplier"]) == ("newco", "newco")
    # From then on the former supplier is refused; without a word the responsible one asks.
    for who, (status, reason) in {
        "brightco": (1, "not-responsible"),
        "supplier": (1, "not-responsible"),
        "newco": (0, ""),
    }.items():
        found, response = command("request", "aclara", "2.2", "amount=5", "--as", who)
        said = response.get("error", {"reason": ""})["reason"]
        assert (found, said) == (status, reason), who
    status, why = command("request", "aclara", "2.2", "amount=5", "--as", "nobody")
    assert (status, "no User 'nobody'" in why) == (2, True)
    assert command("credit", "aclara", "5")[0] == 0
    status, why = command("credit", "secure_gas", "5")
    assert (status, "Pending" in why) == (1, True)
    status, why = command("supplier", "change", "secure_gas", "newco")
    assert (status, "not the DCC's" in why) == (1, True)

    # The other one's supplier is gone; it becomes the next supplier's.
    assert command("supplier", "cease", "brightco")[0] == 0
    status, failed = command("enrol", "run", "--any-product")
    assert (status, states(failed)) == (1, {"secure_gas": "rolled back"})
    assert "plan it as dormant" in failed["enrolments"][0]["error"]
    command("enrol", "plan", "secure_gas", "--dormant", "--responsible", "newco")
    assert command("enrol", "run")[0] == 1  # no combination with it is on the list
    command("enrol", "plan", "secure_gas", "--dormant", "--responsible", "newco")
    assert command("enrol", "run", "--any-product")[0] == 0
    assert command("inventory", "show", "secure_gas")[1]["supplier"] == "newco"
    assert command("read", "secure_gas")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (("inventory", "show", "nobody"), 1, "not in the Smart Metering Inventory"),
        (("supplier", "cease", "nobody"), 2, "no supplier 'nobody'"),
        (("supplier", "cease", "../x"), 2, "is no name for a supplier"),
        (("enrol", "plan", "aclara"), 2, "no sandbox is up"),
        (("inventory", "list", "--database", "nonsense"), 2, "database"),
    ],
)
def test_what_cannot_be_done(
    arguments: tuple[str, ...], status: int, why: str, command: Any
) -> None:
    found, line = command(*arguments)
    assert (found, why in line) == (status, True), line


def test_meters_of_the_dccs_are_not_enrolled(up: Any, command: Any) -> None:
    up("aclara")
    assert command("enrol", "plan", "aclara") == (
        1,
        "aclara: no supplier has installed it; it is the DCC's already",
    )
    assert command("enrol", "plan") == (0, {"enrolments": []})
    assert command("supplier", "try", "aclara") == (1, "aclara: no supplier has installed it")


def test_a_supplier_that_nobody_knows_any_more(
    up: Any, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    up("aclara", "--supplier", "brightco")
    up("aclara").end()
    (workspace / "suppliers").rename(workspace / "elsewhere")
    assert main(["up", "aclara", "--workspace", str(workspace)]) == 2
    assert "aclara was installed by 'brightco'" in capsys.readouterr().err
    (workspace / "elsewhere").rename(workspace / "suppliers")
    up("aclara")
