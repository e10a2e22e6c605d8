"""``cosemlab firmware``, against a sandbox in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.image import read_image
from devices.profile import read
from emulator.cli.main import main
from emulator.head_end.party import client_titles
from emulator.sandbox import Sandbox
from emulator.workspace import Workspace

PATIENCE = 120.0
Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def workspace(tmp_path: Path, updatable: Any) -> Iterator[Path]:
    """Of a sandbox with a meter that signs and one that does not, both without delay."""
    workspace = Workspace(tmp_path / "workspace")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE)

    sandbox = Sandbox(
        [updatable("secure"), updatable("aclara")],
        pki=workspace.pki,
        fleet_secret=workspace.fleet_secret,
        client_titles=client_titles(),
    )
    run(sandbox.__aenter__())
    try:
        addresses = [meter.address for meter in sandbox.meters.values()]
        workspace.announce(addresses, {name: read(name) for name in sandbox.meters})
        yield workspace.path
    finally:
        run(sandbox.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@pytest.fixture
def command(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def command(*arguments: str, shown: bool = False) -> tuple[int, Any]:
        form = () if shown else ("--json",)
        status = main(["firmware", *arguments, "--workspace", str(workspace), *form])
        out, err = capsys.readouterr()
        if status:
            return status, err
        return status, out if shown else json.loads(out)

    return command


@pytest.mark.parametrize("name", ["secure", "aclara"])
def test_made_sent_activated(command: Command, tmp_path: Path, name: str) -> None:
    file = str(tmp_path / "new.image")
    status, made = command("make", "--profile", name, "--version", "2.1", "--size", "3000", file)
    assert status == 0
    assert made["octets"] == Path(file).stat().st_size > 3000
    assert made["seal"] == {"secure": "signature", "aclara": "gmac"}[name]

    status, before = command("status", name)
    assert (status, before["version"], before["status"]) == (0, "1.0.0", "not-initiated")

    status, sent = command("send", name, file, "--ledger")
    assert status == 0
    assert sent["status"] == "verified"
    assert sent["to_activate"] == [sent["verified_image_hash"]] == [made["hash"]]
    assert sent["blocks"] == f"{sent['blocks_sent']} of {sent['blocks_sent']}"
    assert {entry["actor"] for entry in sent["ledger"]} == {"S1SP"}

    status, activated = command("activate", name, "--ledger")
    assert (status, activated["version"], activated["status"]) == (0, "2.1", "activated")
    assert "DCO" in {entry["actor"] for entry in activated["ledger"]}

    status, text = command("status", name, shown=True)
    assert status == 0
    assert "version              2.1" in text


def test_what_is_in_it(command: Command, tmp_path: Path) -> None:
    body, file = tmp_path / "body", tmp_path / "image"
    body.write_bytes(b"something")
    arguments = ("--profile", "itron", "--version", "7", "--hardware", "3", "--body", str(body))
    status, made = command("make", *arguments, str(file))
    assert (status, made["for"]) == (0, "ITR EM425, hardware 3")
    image = read_image(file.read_bytes())
    assert (image.body, image.version, image.target.hardware) == (b"something", "7", "3")


def test_made_up_bodies_are_the_same_each_time(command: Command, tmp_path: Path) -> None:
    bodies = []
    for number, version in enumerate(["1", "1", "2"]):
        file = tmp_path / f"{number}"
        command("make", "--profile", "secure", "--version", version, str(file))
        bodies.append(read_image(file.read_bytes()).body)
    assert bodies[0] == bodies[1] != bodies[2]
    assert len(bodies[0]) == 16384


def test_bad_input_is_one_line(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(b"no image")
    cases = {
        ("send", "secure", str(file)): (2, "no image of this format"),
        ("send", "secure", str(tmp_path / "none")): (2, "No such file"),
        ("send", "nobody", str(file)): (2, "no meter 'nobody'"),
        ("make", "--profile", "secure", "--version", "1", str(tmp_path)): (2, "Is a directory"),
        ("activate", "secure"): (1, "it is not activated"),
        ("make", "--profile", "nobody", "--version", "1", str(file)): (2, "no such profile"),
        ("make", "--profile", "secure", "--version", "", str(file)): (2, "printable"),
        ("make", "--profile", "secure", "--version", "1", "--size", "0", str(file)): (2, "--size"),
    }
    for arguments, (wanted, words) in cases.items():
        status, err = command(*arguments)
        assert (status, words in err, err.count("\n")) == (wanted, True, 1), (arguments, err)
    assert file.read_bytes() == b"no image"


def test_for_another_meter(command: Command, tmp_path: Path) -> None:
    file = str(tmp_path / "image")
    command("make", "--profile", "aclara", "--version", "2", file)
    status, err = command("send", "secure", file)
    assert (status, "does not verify" in err) == (1, True)
    status, after = command("status", "secure")
    assert after["status"] == "verification-failed"


def test_sent_again_nothing_is_sent(command: Command, tmp_path: Path) -> None:
    file = str(tmp_path / "image")
    command("make", "--profile", "secure", "--version", "2", file)
    first = command("send", "secure", file, "--window", "4")[1]["blocks_sent"]
    assert first == -(-Path(file).stat().st_size // 512)
    assert command("send", "secure", file)[1]["blocks_sent"] == 0
