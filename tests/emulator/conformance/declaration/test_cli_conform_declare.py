"""``cosemlab conform declare``: of a meter of the sandbox, and of any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.failures import Exit
from emulator.cli.main import main
from emulator.client import Client
from emulator.conformance.declaration import Declaration, key_file, load
from emulator.conformance.declaration.opening import options
from emulator.conformance.declaration.routes import route

Command = Callable[..., tuple[int, str, str]]
METERS = ("laboratory", "secure")
PATIENCE = 120.0


@pytest.fixture(scope="module")
def workspace(announced: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with announced(tmp_path_factory.mktemp("declare") / "workspace", *METERS) as path:
        yield path


@pytest.fixture
def command(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> Command:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["conform", "declare", *arguments, "--workspace", str(workspace)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


async def opened(declaration: Declaration) -> list[str]:
    keys, found = key_file.of(declaration), []
    where = route(declaration.way, declaration.hdlc, declaration.timing)
    async with Client(where, PATIENCE) as client:
        for one in declaration.associations:
            async with client.associate(**options(declaration, one, keys[one.name])):
                found.append(one.name)
    return found


def plain_port(workspace: Path, name: str) -> str:
    rows = json.loads((workspace / "sandbox.json").read_text())["meters"]
    return next(str(row["plain_port"]) for row in rows if row["name"] == name)


@pytest.mark.parametrize("way", ["tcp", "tls"])
async def test_a_meter_of_the_sandbox(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    path = tmp_path / "dut.toml"
    arguments = ["conform", "declare", "secure", "--way", way, "-o", str(path), "--json"]
    arguments += ["--workspace", str(workspace)]
    assert await asyncio.to_thread(main, arguments) == Exit.DONE
    captured = capsys.readouterr()
    assert captured.err == ""
    shown = json.loads(captured.out)
    assert shown["declaration"] == str(path)
    assert shown["key_file"] == str(tmp_path / "dut.keys.toml")
    assert shown["to_fill_in"] == 0
    assert (tmp_path / "dut.keys.toml").stat().st_mode & 0o777 == 0o600
    declaration = load(path)
    assert [one.name for one in declaration.associations] == shown["associations"]
    assert await opened(declaration) == ["public", "reader", "s1sp", "dco"]
    text = path.read_text()
    assert 'key_file = "dut.keys.toml"' in text
    assert "# left out, as no AARQ asks for them: alerts" in text
    keys = (tmp_path / "dut.keys.toml").read_text()
    for line in keys.splitlines():
        octets = line.partition(' = "')[2].strip('"')
        assert not octets or octets not in text + captured.out


async def test_keys_that_were_rotated(workspace: Path, tmp_path: Path) -> None:
    """The key file has those that are in force."""
    at = ["--workspace", str(workspace)]
    keys = []
    for name in ("before", "after"):
        path = tmp_path / f"{name}.toml"
        arguments = ["conform", "declare", "laboratory", "-o", str(path), *at]
        assert await asyncio.to_thread(main, arguments) == Exit.DONE
        declaration = load(path)
        keys.append(key_file.of(declaration))
        if name == "before":
            assert (
                await asyncio.to_thread(main, ["rotate", "laboratory", "guek", "gak", *at])
                == Exit.DONE
            )
    before, after = (one["s1sp"] for one in keys)
    assert before.guek != after.guek
    assert before.gak != after.gak
    assert keys[0]["dco"] == keys[1]["dco"]
    assert "s1sp" in await opened(declaration)


def test_for_people(command: Command) -> None:
    status, out, err = command("secure")
    assert (status, err) == (Exit.DONE, "")
    lines = dict(line.split("  ", 1) for line in out.splitlines())
    assert lines["declaration"].strip() == "declaration.toml"
    assert lines["associations"].strip() == "public, reader, s1sp, dco"
    assert lines["to fill in"].strip() == "nothing"


def test_nothing_is_written_over(command: Command, tmp_path: Path) -> None:
    (tmp_path / "declaration.toml").write_text("mine")
    status, _, err = command("secure")
    assert status == Exit.USAGE
    assert err == (
        "cosemlab: declaration.toml is there already: a declaration is not written over\n"
    )
    (tmp_path / "other.keys.toml").write_text("mine")
    status, _, err = command("secure", "-o", "other.toml")
    assert status == Exit.USAGE
    assert err == f"cosemlab: {tmp_path}/other.keys.toml is there already: keys may be in it\n"
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name a meter of the sandbox, or say --host"),
        (("secure", "--host", "x"), "one of the two"),
        (("secured",), "no meter 'secured'"),
        (("secure", "--way", "udp"), "secure has no way 'udp': 'cosemlab up --udp' opens it"),
        (("--host", "x", "--way", "tls"), "TLS takes certificates: --ca, --certificate, --key"),
        (("--host", "x", "--ca", "x"), "certificates go with --way tls"),
        (("--host", "x", "--keys", "x"), "--keys is an entry of a --key-file"),
        (("--host", "x", "--mechanism", "hls-gmak"), "hls-gmak"),
        (("--host", "x", "--own-title", "00"), "8 octets"),
        (("--host", "x", "--mechanism", "lls"), "LLS with LN needs password: --key-file has it"),
    ],
)
def test_usage(command: Command, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    status, out, err = command(*arguments)
    assert says in err
    assert (status, out) == (Exit.USAGE, "")
    assert list(tmp_path.iterdir()) == []


def test_nobody_there(command: Command, tmp_path: Path) -> None:
    status, _, err = command("--host", str(tmp_path / "tty"), "--way", "serial")
    assert status == Exit.CONNECTION
    assert len(err.splitlines()) == 1


def test_a_draft_as_the_public_client(command: Command, workspace: Path, tmp_path: Path) -> None:
    port = plain_port(workspace, "secure")
    status, out, err = command("--host", "127.0.0.1", "--port", port, "-o", "draft.toml")
    assert (status, err) == (Exit.DONE, "")
    declaration = load(tmp_path / "draft.toml")
    assert [one.name for one in declaration.associations] == ["public"]
    text = (tmp_path / "draft.toml").read_text()
    assert text.count("fill in: ") == int(out.rsplit("to fill in", 1)[1])
    assert text.splitlines()[0] == 'name = "127.0.0.1"  # fill in: what it is, and its firmware'


def test_a_draft_with_keys(command: Command, workspace: Path, tmp_path: Path) -> None:
    assert command("laboratory", "-o", "whole.toml")[0] == Exit.DONE
    whole = load(tmp_path / "whole.toml")
    port = plain_port(workspace, "laboratory")
    for name in ("dco", "reader", "suite2", "ecdsa1", "sn_ciphered", "md5"):
        one = whole.association(name)
        more = ["--own-title", one.own_title.hex()] if one.own_title else []
        if one.counter_from:
            setup = one.counter_from[4]
            more += ["--counter-from", f"0-0:43.1.{setup}.255"]
        status, _, err = command(
            *("--host", "127.0.0.1", "--port", port, "-o", f"{name}.toml", "--association", name),
            *("--client-sap", str(one.client_sap), "--suite", str(one.suite)),
            *("--mechanism", one.mechanism.name.lower().replace("_", "-")),
            *("--key-file", "whole.keys.toml", "--keys", name),
            *(["--short-names"] if name.startswith("sn") else []),
            *more,
        )
        assert (status, err) == (Exit.DONE, "")
        found = load(tmp_path / f"{name}.toml")
        row = found.association(name)
        assert row.conformance == one.conformance
        assert row.context is one.context
        assert key_file.of(found)[name] == key_file.of(whole)[name]


def test_a_refusal(command: Command, workspace: Path, tmp_path: Path) -> None:
    port = plain_port(workspace, "laboratory")
    status, _, err = command("--host", "127.0.0.1", "--port", port, "--client-sap", "3")
    assert status == Exit.FAILED
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
