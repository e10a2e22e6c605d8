"""``--mqtt`` on the command line: a sandbox and commands that publish, and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.main import main
from emulator.cli.mqtt import add_mqtt, mqtt_options
from emulator.ledger.record import entry_of
from emulator.ledger.store import LedgerStore
from emulator.mqtt.topics import CHANNELS
from emulator.workspace import Workspace

PASSWORD = "a-word-that-passes"


class Up:
    """``cosemlab up`` as a process of its own."""

    def __init__(self, workspace: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "emulator.cli.main", "up", "aclara", *arguments),
                *("--workspace", str(workspace)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def is_up(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("Ctrl-C ends"):
                return
        assert self.process.stderr is not None
        raise AssertionError(self.process.stderr.read())

    def end(self, number: int | None = signal.SIGINT) -> tuple[int, str]:
        if number is not None:
            self.process.send_signal(number)
        _, err = self.process.communicate(timeout=120)
        return self.process.returncode, err


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    started: list[Up] = []

    def start(*arguments: str) -> Up:
        started.append(Up(tmp_path / "workspace", *arguments))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.end(signal.SIGKILL)


async def test_a_sandbox_and_a_command_that_publish(
    mosquitto: Any, listening: Any, start: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--mqtt", f"127.0.0.1:{mosquitto.port}", "--mqtt-base", "house/one"]
    up = start(*where, "--mqtt-name", "cellar", "--mqtt-period", "5")
    up.is_up()
    workspace = ["--workspace", str(tmp_path / "workspace")]
    command = [*where, "--mqtt-name", "cellar", "--json", "--ledger", *workspace]
    async with listening(mosquitto, "house/#") as listener:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "emulator.cli.main", "credit", "aclara", "1", *command],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        ledger = json.loads(done.stdout)["ledger"]
        said = await listener.wait_for("house/one/cellar/crypto", len(ledger))
        await listener.wait_for("house/one/cellar/meters/aclara/telemetry")
        assert up.end() == (0, "")
        await listener.wait(lambda: any("offline" in str(one) for one in listener.of("/status")))
    assert [one.json["operation"] for one in said] == [row["operation"] for row in ledger]


async def test_keys_are_rotated_by_a_control_topic(
    mosquitto: Any, listening: Any, asking: Any, start: Any, tmp_path: Path
) -> None:
    """What the head end of the sandbox does for it is in the ledger, too."""
    up = start("--mqtt", f"127.0.0.1:{mosquitto.port}")
    up.is_up()
    async with (
        listening(mosquitto, "#") as listener,
        asking(mosquitto, listener) as client,
    ):
        (actions,) = await listener.wait_for("lab/actions")
        rotate = {"party": "s1sp", "kind": "gak"}
        reply = await client.ask("keys.rotate", {"meter": "aclara", "arguments": rotate})
        assert "result" in reply, reply
        said = await listener.wait_for("lab/crypto")
    assert "keys.rotate" in [row["name"] for row in actions.json["actions"]]
    assert said[0].json["actor"] == "S1SP"
    assert up.end() == (0, "")
    with closing(LedgerStore(Workspace(tmp_path / "workspace").database())) as store:
        recorded = [entry_of(link.number, link.record).to_json() for link in store.links()]
    shown = [{key: value for key, value in row.items() if key != "time"} for row in recorded]
    # On MQTT a time has milliseconds.
    first = {key: value for key, value in said[0].json.items() if key != "time"}
    assert first == shown[0]
    assert "GenerateKey" in [row["operation"] for row in recorded]


async def test_a_sandbox_that_is_killed_leaves_its_last_will(
    mosquitto: Any, listening: Any, start: Any
) -> None:
    up = start("--mqtt", f"127.0.0.1:{mosquitto.port}")
    up.is_up()
    async with listening(mosquitto) as listener:
        await listener.wait_for("lab/status")
        up.end(signal.SIGKILL)
        *_, will = await listener.wait_for("lab/status", 2)
    assert will.json == {"state": "offline", "reason": "lost", "meters": ["aclara"], "dropped": {}}
    assert will.user["schema"] == "status/1"
    assert will.content_type == "application/json"
    async with listening(mosquitto) as listener:
        (status,) = await listener.wait_for("lab/status")
    assert status.json["reason"] == "lost"


def test_a_sandbox_outlives_its_broker(mosquitto: Any, start: Any) -> None:
    up = start("--mqtt", f"127.0.0.1:{mosquitto.port}", "--mqtt-period", "1")
    up.is_up()
    mosquitto.kill()
    assert up.process.stderr is not None
    lost = up.process.stderr.readline()
    assert lost == f"cosemlab: MQTT broker 127.0.0.1:{mosquitto.port} is lost\n"
    assert up.process.poll() is None
    mosquitto.start()
    assert up.process.stderr.readline().endswith(" is back\n")
    assert up.end() == (0, "")


def test_a_broker_that_is_not_there(mosquitto: Any, start: Any) -> None:
    mosquitto.kill()
    status, err = start("--mqtt", f"127.0.0.1:{mosquitto.port}").end(None)
    assert status == 3
    (line,) = err.splitlines()
    assert line.startswith(f"cosemlab: MQTT broker 127.0.0.1:{mosquitto.port}: ")
    assert "refused" in line


def test_a_command_does_nothing_if_it_cannot_publish(
    mosquitto: Any, start: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start().is_up()
    mosquitto.kill()
    workspace = ["--workspace", str(tmp_path / "workspace")]
    before = main(["read", "aclara", "--json", *workspace]), capsys.readouterr().out
    command = ["credit", "aclara", "1", "--mqtt", f"127.0.0.1:{mosquitto.port}", *workspace]
    assert main(command) == 3
    assert capsys.readouterr().err.startswith("cosemlab: MQTT broker ")
    assert (main(["read", "aclara", "--json", *workspace]), capsys.readouterr().out) == before


def test_mqtt_is_not_imported_unless_asked_for(tmp_path: Path) -> None:
    program = (
        "import sys; from emulator.cli.main import main; main(['mqtt', 'topics']);"
        "main(['read', 'x', '--workspace', sys.argv[1]]);"
        "print(*[name for name in sys.modules if name.split('.')[0] in ('aiomqtt', 'paho')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "w")], capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == ""


def test_topics(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mqtt", "topics", "--mqtt-base", "house", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(CHANNELS)
    assert rows[0]["topic"] == "house/lab/status"
    assert main(["mqtt", "topics"]) == 0
    shown = capsys.readouterr().out
    for row in rows:
        assert row["topic"].replace("house", "cosemlab") in shown
        assert row["summary"] in shown
    assert main(["mqtt", "asyncapi"]) == 0
    assert json.loads(capsys.readouterr().out)["asyncapi"] == "3.0.0"


# Options ------------------------------------------------------------------------------------------


def parsed(*arguments: str) -> Any:
    parser = ArgumentParser()
    add_mqtt(parser, period=True)
    return mqtt_options(parser.parse_args(arguments))


def test_off_unless_asked_for() -> None:
    assert parsed() is None


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("--mqtt", "broker"), ("broker", 1883)),
        (("--mqtt", "broker:1"), ("broker", 1)),
        (("--mqtt", "[::1]:65535"), ("::1", 65535)),
        (("--mqtt", "::1"), ("::1", 1883)),
        (("--mqtt", "broker", "--mqtt-tls", "ca"), ("broker", 8883)),
    ],
)
def test_where_the_broker_is(arguments: tuple[str, ...], place: tuple[str, int]) -> None:
    options = parsed(*arguments)
    assert (options.host, options.port) == place


BAD = [
    (("--mqtt", "broker:0"), "a port is a number from 1 to 65535"),
    (("--mqtt", "broker:x"), "a port is a number"),
    (("--mqtt", "broker:65536"), "a port is a number"),
    (("--mqtt", ""), "is no HOST or HOST:PORT"),
    (("--mqtt", "[::1]1"), "is no HOST or HOST:PORT"),
    (("--mqtt", "a b"), "is no HOST or HOST:PORT"),
    (("--mqtt-user", "u"), "--mqtt-user needs --mqtt"),
    (("--mqtt-tls", "ca"), "--mqtt-tls needs --mqtt"),
    (("--mqtt", "b", "--mqtt-password-file", "f"), "--mqtt-password-file needs --mqtt-user"),
    (("--mqtt", "b", "--mqtt-client-key", "k"), "go together"),
    (("--mqtt", "b", "--mqtt-client-key", "k", "--mqtt-client-cert", "c"), "needs --mqtt-tls"),
    (("--mqtt", "b", "--mqtt-user", "u", "--mqtt-password-file", "/nowhere"), "/nowhere: no pass"),
]


@pytest.mark.parametrize(("arguments", "text"), BAD)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parsed(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--mqtt-base", "a/+/b"),
        ("--mqtt-base", "/a"),
        ("--mqtt-base", ""),
        ("--mqtt-base", "$SYS"),
        ("--mqtt-base", "a" * 65),
        ("--mqtt-name", "a/b"),
        ("--mqtt-name", "a#"),
        ("--mqtt-period", "0.5"),
        ("--mqtt-period", "nan"),
        ("--mqtt-period", "86401"),
    ],
)
def test_options_that_are_no_such_thing(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed("--mqtt", "b", *arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_the_password_is_in_a_file_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    at = ("--mqtt", "127.0.0.1", "--mqtt-user", "u")
    assert parsed(*at).password is None
    assert parsed(*at, "--mqtt-password-file", str(file)).password == PASSWORD
    monkeypatch.setenv("COSEMLAB_MQTT_PASSWORD", "another")
    assert parsed(*at).password == "another"
    assert parsed(*at, "--mqtt-password-file", str(file)).password == PASSWORD
    file.write_text("\n")
    with pytest.raises(ValueError, match="the first line is empty"):
        parsed(*at, "--mqtt-password-file", str(file))
    assert "COSEMLAB_MQTT_PASSWORD" in os.environ


def test_a_password_goes_in_clear_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSEMLAB_MQTT_PASSWORD", PASSWORD)
    for host in ("127.0.0.1", "localhost", "[::1]:1883"):
        assert parsed("--mqtt", host, "--mqtt-user", "u").password == PASSWORD
    with pytest.raises(ValueError, match="only with --mqtt-tls") as caught:
        parsed("--mqtt", "broker.example", "--mqtt-user", "u")
    assert PASSWORD not in str(caught.value)
    assert parsed("--mqtt", "broker.example", "--mqtt-user", "u", "--mqtt-tls", "ca").password
