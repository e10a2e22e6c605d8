"""The parties of the commands, with the Cryptographic Modules that ``--modules`` names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.failures import Exit
from emulator.cli.main import main

METERS = ("secure", "landis_gyr")
MIXED = ("--modules", "mixed", "--mode", "enforce")


@pytest.fixture(scope="module")
def workspace(
    tmp_path_factory: pytest.TempPathFactory, announced: Any, softhsm_folder: Path
) -> Iterator[Path]:
    with announced(tmp_path_factory.mktemp("parties") / "workspace", *METERS) as path:
        yield path


@pytest.fixture
def command(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Exit status and JSON of a command, or what it says of an error."""

    def command(*arguments: str) -> tuple[int, Any]:
        status = main([*arguments, "--workspace", str(workspace), "--json"])
        captured = capsys.readouterr()
        return status, captured.err or json.loads(captured.out)

    return command


@pytest.fixture(scope="module")
def tokens(workspace: Path) -> None:
    assert main(["module", "init", "--workspace", str(workspace)]) == Exit.DONE


def test_without_tokens(tmp_path: Path, announced: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, with what to do, and nothing is done."""
    with announced(tmp_path / "workspace", "secure") as path:
        assert main(["credit", "secure", "1", *MIXED, "--workspace", str(path)]) == Exit.USAGE
    assert capsys.readouterr().err == (
        "cosemlab: S1SP has no token: 'cosemlab module init' makes one\n"
    )


def in_tokens(ledger: list[dict[str, Any]]) -> None:
    """Level 3 is in a token, by whatever party; the rest is not."""
    for entry in ledger:
        token = entry["module"].startswith("SoftHSM")
        level_3 = entry["module_class"] == "LEVEL_3"
        # What is made at Level 3 stays there, and goes there that is to be used there.
        stays = token and entry["operation"] in ("Import", "Wrap", "Unwrap", "Discard")
        assert token is level_3 or stays, entry
        assert (entry["sufficient"], entry["emulated"]) == (True, token)


@pytest.mark.parametrize("meter", METERS)
def test_enforced_and_not_refused(tokens: None, command: Any, meter: str) -> None:
    status, shown = command("credit", meter, "5", *MIXED, "--ledger")
    assert (status, shown["added"]) == (Exit.DONE, "5")
    in_tokens(shown["ledger"])
    (handshake,) = {e["module"] for e in shown["ledger"] if e["operation"] == "TLS handshake"}
    assert handshake.startswith("SoftHSM (cosemlab s1sp ")
    status, shown = command("instruct", meter, "arm_supply", *MIXED, "--ledger")
    assert (status, shown["supply"]) == (Exit.DONE, "armed")
    in_tokens(shown["ledger"])
    dco = {entry["module"] for entry in shown["ledger"] if entry["actor"] == "DCO"}
    assert any(module.startswith("SoftHSM (cosemlab dco ") for module in dco)


def test_rotated_keys_are_in_the_token_from_command_to_command(tokens: None, command: Any) -> None:
    """Those of the S1SP of Secure are used for Commands afterwards, which software could be used
    for: it has no such key.
    """
    assert command("rotate", "secure", "guek", "gak", "kek", *MIXED)[0] == Exit.DONE
    for which in ("mixed", "tokens"):
        arguments = ("credit", "secure", "1", "--modules", which, "--mode", "enforce", "--ledger")
        status, shown = command(*arguments)
        assert status == Exit.DONE
        commands = [entry for entry in shown["ledger"] if "add credit" in entry["purpose"]]
        seals = [entry["module"] for entry in commands if entry["operation"] == "Seal"]
        assert len(seals) == 1
        assert seals[0].startswith("SoftHSM")
    assert command("credit", "secure", "1")[0] == Exit.DONE  # software unwraps what is stored


def test_a_file_of_ones_own(tokens: None, command: Any, tmp_path: Path) -> None:
    path = tmp_path / "custody.toml"
    path.write_text(
        """
        [modules.software]
        kind = "software"
        [modules.vault]
        kind = "token"
        [[routes]]
        actors = ["dco"]
        modules = ["vault"]
        [[routes]]
        modules = ["software"]
        """
    )
    status, shown = command(
        "instruct", "secure", "disable_supply", "--modules", str(path), "--ledger"
    )
    assert status == Exit.DONE
    by_actor = {(e["actor"], e["module"].split(" ")[0]) for e in shown["ledger"]}
    assert ("DCO", "SoftHSM") in by_actor
    assert ("S1SP", "SoftHSM") not in by_actor
    enforced = command("read", "secure", "--modules", str(path), "--mode", "enforce")
    assert enforced[0] == Exit.POLICY
