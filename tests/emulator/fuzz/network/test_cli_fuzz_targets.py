"""``fuzz`` on other targets than a meter in this process, and on a head end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.main import main
from emulator.client.keys import Keys
from emulator.conformance.declaration.key_file import save
from emulator.conformance.hostile import own
from emulator.fuzz import actions
from emulator.fuzz.network.makes import DeclaredMake
from emulator.fuzz.target import Outcome

FOREIGN = Path(__file__).parents[2] / "conformance" / "foreign" / "gurux_meter.py"
ADAPTER = Path(__file__).parents[2] / "conformance" / "hostile" / "clients" / "gurux_adapter.py"


@pytest.mark.parametrize("target", ["tcp", "tls"])
def test_scenarios_over_sockets(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "scenarios", "--target", target, "KL-KT-12"]) == 0
    assert "0 failed" in capsys.readouterr().out


def test_a_search_over_tcp(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["fuzz", "run", "--target", "tcp", "--steps", "60", "--processes", "1", "--json"]
    assert main(run) == 0
    assert json.loads(capsys.readouterr().out)["target"] == "tcp"


def test_a_search_over_tcp_finds_what_is_planted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = [
        "fuzz", "run", "--target", "tcp", "--steps", "4000", "--processes", "1", "--first",
        "--plant", "same-challenge", "--out", str(tmp_path),
    ]  # fmt: skip
    assert main(run) == 1
    assert "R-HLS-4" in capsys.readouterr().out
    (found,) = [one for one in tmp_path.glob("*.json") if one.name != "run.json"]
    assert main(["fuzz", "replay", "--target", "tcp", str(found)]) == 1


def test_a_search_on_another_meter(elsewhere: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(elsewhere().declaration)
    assert main(["fuzz", "run", "--target", path, "--steps", "60", "--json"]) == 0
    said = capsys.readouterr()
    assert "will not: cut the meter's power" in said.err
    assert "for it must not be spoiled" in said.err
    assert json.loads(said.out)["steps"] >= 60


def test_a_search_on_another_meter_finds_a_defect_of_its(
    elsewhere: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    there = elsewhere()
    there.meter.faults.set("same-challenge", {})
    run = ["fuzz", "run", "--target", str(there.declaration), "--steps", "300", "--first"]
    assert main([*run, "--destructive"]) == 1
    assert "R-HLS-4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "nowhere.toml"], "no target 'nowhere.toml'"),
        (["--head-end", "cat"], "{material} is missing"),
    ],
)
def test_what_is_wrong_is_said(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", "run", "--steps", "1", *options]) == 2
    assert said in capsys.readouterr().err


def test_defects_cannot_be_planted_in_another_meter(
    elsewhere: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["fuzz", "run", "--target", str(elsewhere().declaration), "--steps", "1"]
    assert main([*run, "--plant", "same-challenge"]) == 2
    assert "another's" in capsys.readouterr().err
    assert main([*run, "--processes", "2"]) == 2
    assert "counters are in order" in capsys.readouterr().err


def test_a_head_end_is_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counters = tmp_path / "counters"
    command = f"{sys.executable} -m {own.__name__} {{task}} {{material}} {counters}"
    run = ["fuzz", "run", "--head-end", command, "--steps", "1", "--answer", "1", "--json"]
    assert main(run) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["encounters"], said["found"]) == (1, [])


# A meter that others wrote ------------------------------------------------------------------------


@pytest.fixture
def gurux(tmp_path: Path) -> Iterator[Callable[[str, str], Path]]:
    """``gurux(server, way)``: the declaration of a stock gurux meter, with the password of one
    association. It ends with its standard input.
    """
    with ExitStack() as stack:

        def start(interface: str, way: str) -> Path:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(FOREIGN), interface],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    text=True,
                )
            )  # fmt: skip
            assert process.stdout is not None
            path, port = tmp_path / f"{way}.toml", process.stdout.readline().strip()
            to = ["--host", "127.0.0.1", "--port", port, "--way", way]
            assert main(["conform", "declare", *to, "-o", str(path)]) == 0
            keys = tmp_path / f"{way}.keys.toml"
            save(keys, {"reader": Keys(password=b"12345678")})
            text = path.read_text("utf-8")
            head, reader = text.split("[associations.client1_server1]\n")
            reader, ciphered = reader.split("[associations.client2_server1]\n")
            tail = ciphered[ciphered.index("# fill in: [[writes]]") :]
            head = head.replace("[way]\n", f'key_file = "{keys}"\n\n[way]\n', 1)
            times = "[timing]\nanswer = 0.3\nsilence = 0.05\npatience = 1.0\n\n"
            head = head.replace("[logical_devices]\n", f"{times}[logical_devices]\n", 1)
            reader = '[associations.client1_server1]\nkeys = "reader"\n' + reader
            path.write_text(head + reader + tail, "utf-8")
            return path

        yield start


@pytest.mark.parametrize(("interface", "way"), [("wrapper", "tcp"), ("hdlc", "hdlc")])
def test_a_meter_that_others_wrote(
    interface: str, way: str, gurux: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be searched; what it does wrong is not our business here."""
    path = gurux(interface, way)
    make = DeclaredMake(path=path)
    target = make(make.setting())
    outcomes = [target.do(actions.Open(client=one)).outcome for one in list(target.bench.kinds)]
    assert outcomes == [Outcome.ACCEPTED] * 2
    target.close()
    run = ["fuzz", "run", "--target", str(path), "--steps", "30", "--json"]
    assert main(run) in (0, 1)
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["steps"] >= 30
