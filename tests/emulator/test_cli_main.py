"""The command line as a whole: what registers which command, and what is imported for it."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser

import pytest

from emulator.cli import failures
from emulator.cli.main import COMMANDS, parser


def commands(whole: ArgumentParser) -> list[str]:
    (found,) = (one.choices for one in whole._actions if isinstance(one.choices, dict))
    return list(found)


def test_the_table_is_what_the_modules_register() -> None:
    assert sorted(commands(parser())) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_registered_by_the_module_in_its_row(command: str) -> None:
    alone = commands(parser(command))
    assert command in alone
    assert {COMMANDS[one] for one in alone} == {COMMANDS[command]}


def test_what_is_no_command_is_answered_with_all_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser("nonsense").parse_args(["nonsense"])
    assert ended.value.code == failures.Exit.USAGE
    assert "machines" in capsys.readouterr().err


def test_only_what_a_command_needs_is_imported() -> None:
    code = (
        "import sys; from emulator.cli.main import main; main(['machines']);"
        "sys.exit(any(one in sys.modules for one in ('sqlalchemy', 'emulator.sandbox')))"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


def defect() -> int:
    raise ZeroDivisionError("one of ours")


def test_a_defect_of_ours_is_not_said_to_be_expected() -> None:
    with pytest.raises(ZeroDivisionError):
        failures.guard(defect)
