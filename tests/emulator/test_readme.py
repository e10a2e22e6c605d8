"""What the README shows works as shown."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from devices.profile import load
from dlms.security.keys import KeyKind
from emulator.cli.main import parser
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.provisioning import CLIENT_TITLE, client_keys
from emulator.sandbox import Sandbox

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(set(re.findall(r"(?:`|\$ )cosemlab ([a-z]+(?:-[a-z]+)*)", README)))


async def execute(code: str) -> str:
    """What the program prints; it is to end well."""
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_client_from_python(sandbox: Sandbox, ring: Any) -> None:
    first, second, *_ = PROGRAMS
    meter = sandbox.meters["aclara"]
    texts = {
        "4059": str(meter.address.plain_port),
        "<guek>": ring.get(meter.device.key("s1sp", KeyKind.GUEK)).hex(),
        "<gak>": ring.get(meter.device.key("s1sp", KeyKind.GAK)).hex(),
    }
    for there, here in texts.items():
        assert there in second
        first, second = first.replace(there, here), second.replace(there, here)
    shown = await execute(first)
    assert "ACL0000000000001" in shown
    assert "0-0:1.0.0.255 clock" in shown
    summary, *rows = (await execute(second)).splitlines()
    assert re.fullmatch(r"\d+ Wh (2\d\d\.\d) V \1 V", summary)
    assert len(rows) == 3
    for row in rows:
        assert row.endswith(" Wh")


async def test_a_key_for_each_message_and_signatures(
    pki: Any, events: Any, clock: Any, fleet_secret: bytes
) -> None:
    profile = load("laboratory")
    (program,) = [text for text in PROGRAMS if "key_choice" in text]
    row = profile.associations["suite1"]
    sandbox = Sandbox(
        [profile],
        pki=pki,
        fleet_secret=fleet_secret,
        client_titles={},
        on_event=events,
        clock=clock,
        trace=True,
    )
    async with sandbox:
        address = sandbox.meters["laboratory"].address
        ring = KeyRing(fleet_secret, suites_of(profile))
        keys = client_keys(row, address.title, CLIENT_TITLE, ring)
        named = 'f"<{name}>"'
        assert named in program
        there = {f.name: getattr(keys, f.name) for f in fields(keys)}
        digits = {name: octets.hex() for name, octets in there.items() if octets is not None}
        program = program.replace(named, f"{digits!r}[name]")
        program = program.replace("4059", str(address.plain_port))
        assert await execute(program) == "b'\\x06'\n"
    assert "general-ciphering" in events.texts()
    assert "key=one-pass" in events.texts()


async def test_services_at_once_and_without_responses(
    pki: Any, clock: Any, ring: Any, fleet_secret: bytes
) -> None:
    (program,) = [text for text in PROGRAMS if ".access(" in text]
    async with Sandbox(
        [load("laboratory")],
        pki=pki,
        fleet_secret=fleet_secret,
        client_titles=client_titles(),
        clock=clock,
    ) as sandbox:
        meter = sandbox.meters["laboratory"]
        texts = {
            "4059": str(meter.address.plain_port),
            "<guek>": ring.get(meter.device.key("dco", KeyKind.GUEK)).hex(),
            "<gak>": ring.get(meter.device.key("dco", KeyKind.GAK)).hex(),
        }
        for there, here in texts.items():
            assert there in program
            program = program.replace(there, here)
        shown = await execute(program)
    assert re.fullmatch(r"\d+ Wh b'told to nobody'\n", shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert f"cosemlab {command}" in capsys.readouterr().out


def test_the_commands_are_found() -> None:
    """Every command is there, and no other."""
    (commands,) = (one for one in parser()._actions if isinstance(one.choices, dict))
    assert isinstance(commands.choices, dict)
    assert sorted(commands.choices) == COMMANDS
