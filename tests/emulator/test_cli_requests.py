"""``request``, ``requests variants`` and ``anomaly`` against a running sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.profile import available, gas
from emulator.cli.main import main
from emulator.requests.variants import variants

METERS = ("secure", "itron")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, announced: Any) -> Iterator[Path]:
    with announced(tmp_path_factory.mktemp("requests") / "workspace", *METERS) as path:
        yield path


@pytest.fixture
def command(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Exit status and JSON of a command, or its one line of error."""

    def command(*arguments: str) -> tuple[int, Any]:
        status = main([*arguments, "--workspace", str(workspace), "--json"])
        captured = capsys.readouterr()
        if captured.err:
            assert captured.out == ""
            (line,) = captured.err.splitlines()
            return status, line.removeprefix("cosemlab: ")
        return status, json.loads(captured.out)

    return command


def test_a_critical_request(command: Any) -> None:
    status, shown = command("request", "secure", "7.3", "--ledger")
    assert status == 0
    assert (shown["result"], shown["from"], shown["name"]) == ("success", "Device", "Arm Supply")
    assert {entry["actor"] for entry in shown["ledger"]} == {"DCC", "S1SP", "DCO"}
    handshakes = [e for e in shown["ledger"] if e["operation"] == "TLS handshake"]
    assert [entry["actor"] for entry in handshakes] == ["S1SP"]
    _, shown = command("request", "secure", "7.4")
    assert shown["values"]["connected"] is False
    assert "ready" in str(shown["values"]["state"]).lower()


def test_counters_go_on_from_command_to_command(command: Any) -> None:
    counters = [
        int(command("request", "itron", "11.2")[1]["request_id"].rpartition(":")[2])
        for _ in range(3)
    ]
    assert counters[0] < counters[1] < counters[2]


def test_values_have_their_units(command: Any) -> None:
    status, shown = command("request", "itron", "4.1.1", "--as", "network-operator")
    assert status == 0
    assert shown["values"]["import_energy"]["unit"] == "Wh"
    assert shown["request_id"].startswith("020000FFFE000003:")


def test_who_may_not(command: Any) -> None:
    status, shown = command("request", "secure", "7.2", "--as", "network-operator")
    assert (status, shown["result"], shown["from"]) == (1, "refused", "DSP")
    assert shown["error"]["reason"] == "not-eligible"
    status, shown = command("request", "secure", "7.2", "--as", "other-supplier")
    assert shown["error"]["reason"] == "not-responsible"


def test_a_meter_that_refuses(command: Any) -> None:
    status, shown = command("request", "secure", "2.2", "amount=201")
    assert (status, shown["result"]) == (1, "refused-by-meter")


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("9.9",), 1, "cosemlab refuses the request: there is no variant '9.9'"),
        (("2.2",), 2, "2.2 needs an argument amount"),
        (("2.2", "amount"), 2, "'amount' is not written ARG=VALUE"),
        (("2.2", "amount=1", "amount=2"), 2, "argument amount comes twice"),
        (("2.2", "amount=x"), 2, "argument amount is 'x', no amount of GBP"),
        (("6.6", "calorific_value=1"), 2, "6.6 is not for electricity meters such as secure"),
        (("7.2", "now=1"), 2, "7.2 takes no argument 'now'; it takes none"),
    ],
)
def test_bad_input(command: Any, arguments: tuple[str, ...], status: int, line: str) -> None:
    assert command("request", "secure", *arguments) == (status, line)


def test_enforced(command: Any) -> None:
    status, shown = command("request", "secure", "7.3", "--mode", "enforce")
    assert (status, shown["result"], shown["from"]) == (5, "refused", "policy")


def test_quarantine(command: Any, tmp_path: Path) -> None:
    file = tmp_path / "thresholds.toml"
    file.write_text("[[s1sp.volume]]\nvariant = '7.1'\ncount = 0\nperiod = 60\n")
    status, shown = command("anomaly", "set", str(file))
    assert (status, shown["thresholds"]["DCO"]) == (0, [])
    assert shown["thresholds"]["S1SP"] == ["0 of 7.1 in 60 s by all Users together"]
    for _ in range(2):
        status, shown = command("request", "secure", "7.1")
        assert (status, shown["result"]) == (1, "quarantined")
    _, held = command("anomaly", "quarantine", "list")
    assert [row["variant"] for row in held] == ["7.1", "7.1"]
    first, second = (str(row["number"]) for row in held)
    status, shown = command("anomaly", "quarantine", "release", first)
    assert (status, shown["result"]) == (0, "success")
    assert command("request", "secure", "7.4")[1]["values"]["connected"] is True
    status, shown = command("anomaly", "quarantine", "delete", second)
    assert shown["deleted"]["request_id"] == held[1]["request_id"]
    for do in ("release", "delete"):
        status, line = command("anomaly", "quarantine", do, second)
        assert (status, line) == (2, f"no request {second} is in quarantine")
    _, shown = command("anomaly", "show")
    assert [one["request_id"] for one in shown["notices"]] == [held[1]["request_id"]]
    file.write_text("")
    command("anomaly", "set", str(file))


def test_a_file_that_is_not_right(command: Any, tmp_path: Path) -> None:
    file = tmp_path / "thresholds.toml"
    status, line = command("anomaly", "set", str(file))
    assert (status, line) == (2, f"{file}: no such file")
    file.write_text("[[dsp.volume]]")
    status, line = command("anomaly", "set", str(file))
    assert (status, line) == (2, f"{file}: 'dsp' is no party: s1sp, dco")


def test_variants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "variants", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["number"] for row in shown] == list(variants())
    for row in shown:
        assert set(row["profiles"]) == {*available(), *gas()}
        for said in row["profiles"].values():
            assert bool(said["becomes"]) is not bool(said["why_not"])
            if row["critical"] and said["becomes"]:
                assert said["through"] == "DCO"
    assert main(["requests", "variants", "--profile", "secure"]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith("7.3 ")]
    assert "Instruction arm_supply: set 0-0:96.3.10.255 4, action 0-0:96.3.10.255 2" in line
