"""``cosemlab alerts`` beside ``cosemlab up``, each in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.failures import Exit
from emulator.cli.main import main, parser
from emulator.serving.pushing import Address, parse_address
from emulator.workspace import Workspace, WorkspaceError

PATIENCE = 60.0


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "emulator.cli.main", *arguments, "--workspace", str(workspace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def documents(out: str) -> list[Any]:
    return [json.loads(f"{text}}}") for text in out.split("\n}\n") if text]


def first_document(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            return json.loads("".join(lines))
    raise AssertionError(f"it ended: {''.join(lines)}")


SATURDAY = "2019-03-30T12:00:00+00:00"
"""Its supply stays for want of credit, and it tells so."""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Path]:
    """A sandbox with one meter, which has something to tell from its birth on."""
    workspace = tmp_path / "workspace"
    process = start(workspace, "up", "aclara", "--json", "--at", SATURDAY)
    first_document(process)
    yield workspace
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (Exit.DONE, "")


def test_alerts_come_when_the_listener_does_and_once(up: Path) -> None:
    listener = start(up, "alerts", "--json", "--count", "2")
    out, err = listener.communicate(timeout=PATIENCE)
    assert listener.returncode == Exit.DONE, err
    assert err.startswith("cosemlab: listening at 127.0.0.1:")
    came = documents(out)
    assert [alert["number"] for alert in came] == [1, 2]
    assert {alert["meter"] for alert in came} == {"aclara"}
    assert all(alert["code"][0] == "8" and alert["name"] for alert in came)
    assert Workspace(up).listener() is None
    again = start(up, "alerts", "--count", "1")
    out, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == Exit.DONE, err
    (line,) = out.splitlines()
    time, meter, device, what, _ = line.split("  ")
    assert (meter, device[:6], time[:2]) == ("aclara", "41434C", "20")
    assert what.split()[0] not in [alert["code"] for alert in came]
    recorded = start(up, "ledger", "list", "--json")
    out, err = recorded.communicate(timeout=PATIENCE)
    assert (recorded.returncode, err) == (Exit.DONE, "")
    # Each alert is opened and confirmed; a meter may be told once more what it asks again.
    opened = [entry for entry in json.loads(out) if entry["operation"] == "Open"]
    assert len(opened) >= 3
    assert {entry["purpose"] for entry in opened} == {"process a response or an alert"}


def test_it_ends_by_a_signal(tmp_path: Path) -> None:
    """Without a sandbox it listens, too: one may come."""
    listener = start(tmp_path / "workspace", "alerts")
    assert listener.stderr is not None
    first = listener.stderr.readline()
    port = int(first.rpartition(":")[2])
    assert Workspace(tmp_path / "workspace").listener() == Address("127.0.0.1", port)
    second = start(tmp_path / "workspace", "alerts")
    _, err = second.communicate(timeout=PATIENCE)
    assert second.returncode == Exit.USAGE
    assert "another process listens for alerts" in err
    assert len(err.splitlines()) == 1
    listener.send_signal(signal.SIGTERM)
    assert listener.wait(PATIENCE) == Exit.DONE
    listener.communicate()
    assert Workspace(tmp_path / "workspace").listener() is None


def test_enforced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = str(tmp_path / "workspace")
    status = main(["alerts", "--mode", "enforce", "--workspace", workspace])
    captured = capsys.readouterr()
    assert (status, captured.out) == (Exit.POLICY, "")
    assert "G2.44(b)" in captured.err
    assert Workspace(tmp_path / "workspace").listener() is None


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status = main(["alerts", "--port", port, "--workspace", str(tmp_path / "workspace")])
    assert status == Exit.CONNECTION
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["alerts", "--count", "0"],
        ["alerts", "--count", "many"],
        ["alerts", "--port", "65536"],
        ["up", "--alerts-to", "nowhere"],
        ["up", "--alerts-to", "host:0"],
        ["up", "--alerts-to", ":4059"],
    ],
)
def test_bad_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == Exit.USAGE
    assert arguments[1] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:4059", Address("127.0.0.1", 4059)),
        ("[::1]:1", Address("::1", 1)),
        ("head-end.example:65535", Address("head-end.example", 65535)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:-1", "host:x", "host:٣"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="no host:port"):
        parse_address(text)


def test_where_the_listener_is(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    assert workspace.listener() is None
    assert workspace.listening_since() == 0
    workspace.listen_at(Address("127.0.0.1", 5))
    since = workspace.listening_since()
    assert since
    assert workspace.listener() == Address("127.0.0.1", 5)
    workspace.listen_no_more()
    workspace.listen_no_more()
    assert workspace.listener() is None
    (workspace.path / "listener.json").write_text("{}")
    with pytest.raises(WorkspaceError, match=r"listener\.json is damaged: remove it"):
        workspace.listener()


def test_the_certificate_is_made_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    made = workspace.listener_credential()
    assert Workspace(tmp_path / "workspace").listener_credential() == made
    (workspace.path / "parties" / "s1sp-listener.pem").unlink()  # of one only half made
    assert workspace.listener_credential() != made
