"""``cosemlab listen`` against a sandbox in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.failures import Exit
from emulator.cli.listen import MAX_SECONDS
from emulator.cli.main import main

PATIENCE = 120.0
VALUES = {
    "push_setup.logical_name",
    "clock",
    "active_energy_import",
    "active_energy_import.scaler_unit[2]",
    "load_profile_period_2",
}


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "emulator.cli.main", *arguments, "--workspace", str(workspace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def document(process: subprocess.Popen[str]) -> Any:
    """The next JSON document that it prints."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            return json.loads("".join(lines))
    raise AssertionError(f"it ended: {''.join(lines)}")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("listen") / "workspace"
    up = start(path, "up", "laboratory", "aclara", "--json")
    document(up)
    yield path
    up.send_signal(signal.SIGINT)
    _, err = up.communicate(timeout=PATIENCE)
    assert (up.returncode, err) == (Exit.DONE, "")


@pytest.fixture
def command(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; give its exit status and what it prints."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main([*arguments, "--workspace", str(workspace)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_push_that_is_asked_for(command: Any) -> None:
    status, out, err = command("listen", "laboratory", "--push", "--count", "1", "--json")
    assert (status, err) == (Exit.DONE, "")
    told = json.loads(out)
    assert (told["meter"], told["kind"]) == ("laboratory", "data-notification")
    assert told["time"]
    assert told["values"].keys() == VALUES
    assert told["values"]["active_energy_import"].endswith(" Wh")


def test_a_line_for_people(command: Any) -> None:
    status, out, _ = command("listen", "laboratory", "--push", "0-1:25.9.0.255", "--count", "1")
    assert status is Exit.DONE
    (line,) = out.splitlines()
    time, kind, values = line.split("  ")
    assert kind == "data-notification"
    assert time[:2] == "20"
    assert values.startswith("1 07")  # a Push setup that does not say its name: octets
    assert ", 2 " in values


def test_what_somebody_else_has_done(workspace: Path, command: Any) -> None:
    """Its own push says that it is associated; then the supply is armed by another process."""
    listening = start(workspace, "listen", "laboratory", "--push", "--count", "2", "--json")
    assert document(listening)["kind"] == "data-notification"
    status, _, err = command("instruct", "laboratory", "arm_supply")
    assert (status, err) == (Exit.DONE, "")
    event = document(listening)
    assert event["kind"] == "event-notification"
    assert event["values"] == {"disconnect_control.control_state": "ready for reconnection"}
    assert listening.wait(PATIENCE) == Exit.DONE
    listening.communicate()


def test_fewer_than_were_to_be_counted(command: Any) -> None:
    status, out, err = command(
        "listen", "laboratory", "--push", "--count", "2", "--seconds", "3", "--json"
    )
    assert status is Exit.FAILED
    assert json.loads(out)["kind"] == "data-notification"
    assert err == "cosemlab: 1 of 2 notifications came\n"


def test_nothing_at_all(command: Any) -> None:
    assert command("listen", "laboratory", "--seconds", "0.1") == (Exit.DONE, "", "")


def test_until_ctrl_c(workspace: Path) -> None:
    listening = start(workspace, "listen", "laboratory", "--push", "--json")
    document(listening)
    listening.send_signal(signal.SIGINT)
    listening.communicate(timeout=PATIENCE)
    assert listening.returncode == Exit.INTERRUPTED


def test_a_meter_that_says_nothing_unasked(command: Any) -> None:
    status, out, err = command("listen", "aclara")
    assert (status, out) == (Exit.FAILED, "")
    assert err == "cosemlab: aclara says nothing unasked to S1SP or DCO\n"


def test_no_such_push_setup(command: Any) -> None:
    status, _, err = command("listen", "laboratory", "--push", "0-9:25.9.0.255")
    assert status is Exit.FAILED
    assert "object-undefined" in err
    status, _, err = command("listen", "laboratory", "--push", "no such name")
    assert status is Exit.USAGE


@pytest.mark.parametrize(
    "arguments",
    [("--seconds", "0"), ("--seconds", f"{MAX_SECONDS + 1}"), ("--count", "0"), ("--count", "1e9")],
)
def test_bounds(command: Any, arguments: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command("listen", "laboratory", *arguments)
    assert ended.value.code == Exit.USAGE
