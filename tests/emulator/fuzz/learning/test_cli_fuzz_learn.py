"""``cosemlab fuzz learn``: of our own meter, and of any by its declaration."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.main import main
from emulator.conformance.declaration import key_file, render
from emulator.conformance.declaration.of_profile import Circumstances, declare, keys_of
from emulator.profiles import load
from emulator.sandbox import Sandbox


def test_machine_and_verdict_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "learn", "reader", "--extra", "0"]) == 0
    said = capsys.readouterr().out
    assert "  AARQ: AARE accepted, then 2: associated" in said
    assert "reader: as the table has it (3 states" in said


def test_planted_fault_fails_with_the_shortest_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "learn", "reader", "--extra", "0", "--plant", "any-password"]) == 1
    said = capsys.readouterr().out
    assert (
        "reader: AARQ with a wrong password is answered by 'AARE accepted', and the table says"
        " 'AARE rejected'" in said
    )


def test_machine_as_json_and_as_a_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "learn", "public", "--extra", "0", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["difference"] is None
    assert len(found["states"]) == 3
    assert {row["letter"] for row in found["explained"]} == {
        "AARQ with a wrong password",
        "AARQ of another HLS",
    }
    assert main(["fuzz", "learn", "public", "--extra", "0", "--dot"]) == 0
    assert capsys.readouterr().out.startswith('digraph "public" {')


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["dco", "--most", "10"], "dco: 10 words were asked, and that is the limit"),
        (["nobody"], "laboratory has no association nobody"),
        (["--against", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_learned_is_one_line(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", "learn", *arguments]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


async def test_any_meter_is_learned_by_its_declaration(
    tmp_path: Path, pki: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ours, as one that nothing but its declaration is known of: over TCP, with its counter asked
    of the public client."""
    profile = load("laboratory")
    sandbox = Sandbox([profile], pki=pki, fleet_secret=bytes(32), client_titles={})
    async with sandbox:
        meter = sandbox.meters[profile.name]
        keys = keys_of(profile, meter.device.title, meter.ring, {})
        key_path, path = tmp_path / "meter.keys.toml", tmp_path / "meter.toml"
        how = Circumstances(titles={}, key_file=str(key_path))
        key_file.save(key_path, keys, "Keys of a laboratory meter.")
        declared = declare(profile, meter.address, how)
        path.write_text(render(declared, folder=tmp_path))
        command = ["fuzz", "learn", "suite2", "--against", str(path), "--extra", "0"]
        status = await asyncio.to_thread(main, command)
    assert "suite2: as the table has it (4 states" in capsys.readouterr().out
    assert status == 0
