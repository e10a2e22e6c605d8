"""The commands that do something to a running sandbox, as a user has them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from emulator.cli.main import main
from emulator.control.server import serve
from emulator.sandbox import Sandbox
from emulator.virtual_clock import VirtualClock
from emulator.workspace import CONTROL


class Ended(NamedTuple):
    status: int
    out: str
    err: str


Command: TypeAlias = Callable[..., Awaitable[Ended]]


@pytest.fixture
async def command(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Command]:
    async def run(*arguments: str) -> Ended:
        capsys.readouterr()
        given = [*arguments, "--workspace", str(tmp_path)]
        status = await asyncio.to_thread(main, given)
        return Ended(status, *capsys.readouterr())

    async with serve(sandbox.control, tmp_path / CONTROL):
        yield run


async def test_clock(command: Command, clock: VirtualClock) -> None:
    assert await command("clock") == (
        0,
        "now     2019-03-26T12:00:00+00:00\nmode    frozen\nfactor  0.0\n",
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "now", "mode", "factor"),
    [
        (("--advance", "1d12h"), "2019-03-28T00:00:00", "frozen", 0),
        (("--to", "2019-04-01T12:30"), "2019-04-01T12:30:00", "frozen", 0),
        (("--freeze",), "2019-03-26T12:00:00", "frozen", 0),
        (("--real",), "2019-03-26T12:0", "real", 1),
        (("--factor", "2.5"), "2019-03-26T12:0", "factor", 2.5),
        (("--factor", "2", "--advance", "1d"), "2019-03-27T12:0", "factor", 2),
    ],
)
async def test_clock_is_set(
    arguments: tuple[str, ...], now: str, mode: str, factor: float, command: Command
) -> None:
    status, out, err = await command("clock", *arguments, "--json")
    shown = json.loads(out)
    assert (status, err) == (0, "")
    assert shown["now"].startswith(now)
    assert (shown["mode"], shown["factor"]) == (mode, factor)


async def test_power_and_status(command: Command, sandbox: Sandbox) -> None:
    assert await command("power", "itron", "off") == (0, "power  off\nback   -\n", "")
    status, out, _ = await command("status")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["now", "2019-03-26T12:00:00+00:00"]
    header = ["meter", "power", "back", "relay", "balance", "prepayment", "connections"]
    assert lines[4].split() == header
    rows = {line.split()[0]: line.split() for line in lines[6:]}
    assert list(rows) == list(sandbox.meters)
    assert rows["itron"][1:3] == ["off", "-"]
    assert rows["aclara"][1:3] == ["on", "-"]
    assert rows["aclara"][5] in ("yes", "no")
    assert await command("power", "itron", "on") == (0, "power  on\nback   -\n", "")


@pytest.mark.parametrize("seconds", ["90", "1m30s"])
async def test_a_cut(seconds: str, command: Command, sandbox: Sandbox) -> None:
    status, out, _ = await command("power", "itron", "cut", seconds, "--json")
    assert (status, json.loads(out)) == (
        0,
        {"power": "off", "back": "2019-03-26T12:01:30+00:00"},
    )
    assert not sandbox.meters["itron"].mains.are_on


async def test_status_of_one_as_json(command: Command) -> None:
    _, out, _ = await command("status", "secure", "--json")
    shown = json.loads(out)
    assert list(shown) == ["clock", "meters"]
    assert list(shown["meters"]) == ["secure"]


async def test_reboot_and_tamper(command: Command, events: Any) -> None:
    assert (await command("reboot", "secure")).status == 0
    assert await command("tamper", "secure", "magnet") == (0, "tampered  magnet\n", "")
    assert [event.meter for event in events.of("rebooted")] == ["secure"]


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (
            ("clock", "--to", "2019-03-26"),
            1,
            "time does not go back: it is 2019-03-26T12:00:00+00:00, later than"
            " 2019-03-26T00:00:00+00:00",
        ),
        (("clock", "--to", "2035-01-01"), 1, "a step is 400 days at most: take several"),
        (
            ("clock", "--advance", "soon"),
            2,
            "advance is a duration, as 1d12h or 90s, or a number of seconds (at least 0s, at most"
            " 400d), not 'soon'",
        ),
        (("power", "itron", "cut"), 2, "cut needs seconds"),
        (("power", "itron", "off", "5"), 2, "off has no seconds"),
        (
            ("status", "x"),
            2,
            "no meter 'x'; there are: aclara, honeywell_elster, itron, landis_gyr, secure",
        ),
    ],
)
async def test_what_fails_says_why_in_a_line(
    arguments: tuple[str, ...], status: int, line: str, command: Command
) -> None:
    assert await command(*arguments) == (status, "", f"cosemlab: {line}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("clock", "--real", "--freeze"), "not allowed with argument --real"),
        (("clock", "--advance", "1d", "--to", "now"), "not allowed with argument --advance"),
        (("clock", "--factor", "fast"), "'fast' is no number"),
        (("power", "itron", "of"), "invalid choice: 'of'"),
        (("tamper", "itron", "hammer"), "invalid choice: 'hammer'"),
        (("up", "--clock", "slow"), "'slow' is no number"),
        (("clock", "--factor", "nan"), "nan is no factor: it is above 0 and at most 1000000"),
        (("clock", "--factor", "0"), "0.0 is no factor: it is above 0 and at most 1000000"),
        (("up", "--clock", "0"), "0.0 is no factor: it is above 0 and at most 1000000"),
        (("up", "--clock", "2000000"), "2000000.0 is no factor"),
        (("up", "--at", "tomorrow"), "'tomorrow' is no time in ISO 8601"),
    ],
)
def test_usage(arguments: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*arguments])
    assert caught.value.code == 2
    assert line in capsys.readouterr().err


def test_without_a_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is made: a workspace begins with a sandbox."""
    path = tmp_path / "workspace"
    for arguments in (["clock"], ["status"], ["power", "itron", "on"]):
        assert main([*arguments, "--workspace", str(path)]) == 2
        line = f"cosemlab: no sandbox is up in {path}: start one with 'cosemlab up'\n"
        assert capsys.readouterr().err == line
    assert not path.exists()


def test_up_at_a_time_that_never_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "workspace"
    assert main(["up", "--at", "1999-12-31", "--workspace", str(path)]) == 2
    assert "1999-12-31T00:00:00+00:00 is out of range" in capsys.readouterr().err
    assert not path.exists()
