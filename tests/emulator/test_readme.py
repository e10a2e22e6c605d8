"""What the README shows works as shown."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.cli.main import parser
from emulator.sandbox import Sandbox

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"(?:`|\$ )cosemlab ([a-z]+)", README)))


async def test_the_client_from_python(sandbox: Sandbox) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    address = sandbox.meters["aclara"].address
    here = code.replace("4059", str(address.plain_port))
    assert here != code
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", here],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "ACL0000000000001" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert f"cosemlab {command}" in capsys.readouterr().out


def test_the_commands_are_found() -> None:
    shown = ["credit", "demo", "instruct", "keys", "machines", "objects", "policy", "read", "up"]
    assert shown == COMMANDS
