"""``fault.list``, ``fault.set``, ``fault.clear``: by the control, and what is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.main import main
from emulator.control import ControlError
from emulator.control.server import serve
from emulator.faults import KINDS, Catalogue, built_in
from emulator.faults.kind import Kind
from emulator.faults.on_meter import MAX_ACTIVE
from emulator.sandbox import Sandbox
from emulator.serving.makes import is_bent
from emulator.serving.taps import Place
from emulator.virtual_clock import LATEST
from emulator.workspace import CONTROL


async def call(sandbox: Sandbox, action: str, meter: str | None = "itron", **given: Any) -> Any:
    """What comes back, by way of JSON."""
    return json.loads(json.dumps(await sandbox.control.call(action, meter, given)))


async def refused(sandbox: Sandbox, action: str, **given: Any) -> str:
    with pytest.raises(ControlError) as caught:
        await sandbox.control.call(action, "itron", given)
    return f"{caught.value.code}: {caught.value.text}"


async def test_set_list_and_clear(sandbox: Sandbox, events: Any) -> None:
    listed = await call(sandbox, "fault.list", None)
    assert [row["name"] for row in listed["catalogue"]] == list(built_in().rows)
    assert [row["kind"] for row in listed["kinds"]] == list(KINDS)
    assert listed["active"] == {name: [] for name in sandbox.meters}
    given = {"name": "slow", "parameters": {"jitter": "1m"}, "way": "tls", "count": 3}
    row = {
        "id": "f1",
        "name": "slow",
        "kind": "latency",
        "parameters": {"direction": "out", "fixed": 2.0, "jitter": 60.0},
        "ways": ["tls"],
        "acted": 0,
        "left": 3,
        "until": "2019-03-26T13:00:00+00:00",
    }
    assert await call(sandbox, "fault.set", **given, for_seconds="1h") == {**row, "over": False}
    assert (await call(sandbox, "fault.list"))["active"] == {"itron": [row]}
    assert (await call(sandbox, "fault.list", "secure"))["active"] == {"secure": []}
    assert await call(sandbox, "fault.clear", id="f1") == {"cleared": ["f1"]}
    assert (await call(sandbox, "fault.list"))["active"] == {"itron": []}
    await call(sandbox, "fault.set", name="noisy")
    await call(sandbox, "fault.set", name="silent")
    assert await call(sandbox, "fault.clear", id="all") == {"cleared": ["f2", "f3"]}
    assert await call(sandbox, "fault.clear", id="all") == {"cleared": []}
    assert {event.meter for event in events.of("fault")} == {"itron"}


async def test_what_is_done_once_is_over(sandbox: Sandbox) -> None:
    done = await call(sandbox, "fault.set", name="cover-opened")
    assert (done["id"], done["over"]) == ("f1", True)
    assert (await call(sandbox, "fault.list"))["active"] == {"itron": []}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "bad-argument: name is missing: text"),
        ({"name": "slwo"}, "bad-argument: no fault 'slwo' (did you mean 'slow'?)"),
        (
            {"name": "slow", "parameters": {"fixd": 1}},
            "bad-argument: latency has no parameter 'fixd'; it has: direction, fixed, jitter",
        ),
        (
            {"name": "slow", "parameters": {"fixed": 3601}},
            "bad-argument: fixed is a duration, as 1d12h or 90s, or a number of seconds (at least"
            " 0s, at most 3600s), not 3601",
        ),
        (
            {"name": "slow", "parameters": {"fixed": True}},
            "bad-argument: fixed is a duration, as 1d12h or 90s, or a number of seconds (at least"
            " 0s, at most 3600s), not True",
        ),
        (
            {"name": "slow", "parameters": {"direction": "up"}},
            "bad-argument: direction is one of in, out, not 'up'",
        ),
        (
            {"name": "slow", "parameters": [1]},
            "bad-argument: parameters is an object of names with values, not list",
        ),
        (
            {"name": "slow", "parameters": {"": 1}},
            "bad-argument: parameters is an object of names with values, not dict",
        ),
        (
            {"name": "expired-certificate", "way": "tcp"},
            "bad-argument: expired-certificate acts on tls, not on tcp",
        ),
        (
            {"name": "corruption", "parameters": {"part": "wrapper-header"}, "way": "hdlc"},
            "bad-argument: corruption acts on tcp, tls, udp, not on hdlc",
        ),
        ({"name": "slow", "way": "udp"}, "refused: itron has no way udp; it has: tcp, tls"),
        ({"name": "slow", "way": "air"}, "bad-argument: way is one of tcp, tls, udp, hdlc, line"),
        (
            {"name": "restart", "count": 1},
            "bad-argument: restart is done once: it has neither a duration nor a count",
        ),
        (
            {"name": "restart", "for_seconds": 1},
            "bad-argument: restart is done once: it has neither a duration nor a count",
        ),
        (
            {"name": "silent", "count": 1},
            "bad-argument: silent has no count: it acts as long as it is there",
        ),
        ({"name": "slow", "count": 0}, "bad-argument: count is a whole number (at least 1, at"),
        ({"name": "slow", "for_seconds": "long"}, "bad-argument: for_seconds is a duration, as"),
        ({"name": "slow", "for_seconds": -1}, "bad-argument: for_seconds is a duration, as"),
        (
            {"name": "slow", "for_seconds": "5200w"},
            f"refused: time ends before, at {LATEST.isoformat()}",
        ),
    ],
)
async def test_what_cannot_be_set(given: Any, expected: str, sandbox: Sandbox, events: Any) -> None:
    assert (await refused(sandbox, "fault.set", **given)).startswith(expected)
    assert not sandbox.meters["itron"].faults.active
    assert not events.of("fault")


async def test_a_way_that_no_fault_of_this_kind_can_act_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        KINDS, "loss", KINDS["loss"]._replace(ways=lambda parameters: ("udp", "hdlc"))
    )
    assert await refused(sandbox, "fault.set", name="loss") == (
        "bad-argument: loss acts on udp, hdlc; the meter has tcp, tls"
    )


async def test_what_is_not_there_cannot_be_cleared(sandbox: Sandbox) -> None:
    assert await refused(sandbox, "fault.clear", id="f1") == (
        "bad-argument: no fault 'f1'; there are none"
    )
    await call(sandbox, "fault.set", name="slow")
    assert await refused(sandbox, "fault.clear", id="f2") == (
        "bad-argument: no fault 'f2'; there are: f1"
    )


async def test_there_are_not_too_many(sandbox: Sandbox) -> None:
    for _ in range(MAX_ACTIVE):
        await call(sandbox, "fault.set", name="slow")
    assert await refused(sandbox, "fault.set", name="slow") == (
        "refused: there are 64 faults already: clear some"
    )
    await call(sandbox, "fault.clear", id="f1")
    assert (await call(sandbox, "fault.set", name="slow"))["id"] == "f65"


async def test_a_fault_ends_when_its_time_is_over(
    sandbox: Sandbox, events: Any, clock: Any
) -> None:
    await call(sandbox, "fault.set", name="slow", for_seconds=90)
    await sandbox.living.advance(clock.now() + dt.timedelta(seconds=89))
    assert sandbox.meters["itron"].faults.active
    await sandbox.living.advance(clock.now() + dt.timedelta(seconds=1))
    await events.wait("fault", 2)
    assert not sandbox.meters["itron"].faults.active
    assert events.of("fault")[-1].text == "f1 slow: over, its time is over"


async def test_nothing_is_left_on_the_way(sandbox: Sandbox) -> None:
    """Whatever was set, cleared it is gone."""
    faults = sandbox.meters["itron"].faults
    names = [
        name
        for name, row in built_in().rows.items()
        if row.kind.lasts
        and {"tcp", "tls"} & set(row.kind.ways(row.kind.taken({}, row.parameters)))
        and name != "restored-keys"
    ]
    for some in (names[:MAX_ACTIVE], names[MAX_ACTIVE:]):
        for name in some:
            await call(sandbox, "fault.set", name=name)
        reach = faults.active[0].reach
        ways, device = reach.ways, reach.mains.host.device
        assert any(taps.at[place] for taps in ways.values() for place in Place)
        assert some != names[:MAX_ACTIVE] or all(
            taps.on_apdus and taps.answers for taps in ways.values()
        )
        assert is_bent(device)
        await call(sandbox, "fault.clear", id="all")
        assert not any(taps.at[place] for taps in ways.values() for place in Place)
        assert not any(taps.on_apdus or taps.answers for taps in ways.values())
        state = device.state
        parts = (device, state.counters, state.used_tokens, state.key_versions, reach.presented)
        assert not any(map(is_bent, parts))
        assert not device.odd_methods


async def test_a_fault_that_acts_often_is_told_of_less_and_less(
    sandbox: Sandbox, events: Any
) -> None:
    fault = sandbox.meters["itron"].faults.set("slow", {})
    for _ in range(1234):
        fault.has_acted("again")
    told = [event.text for event in events.of("fault")[1:]]
    assert told[:2] == ["f1 slow: again", "f1 slow: again (2 times)"]
    counts = [*range(2, 11), *range(20, 101, 10), *range(200, 1001, 100)]
    assert told[1:] == [f"f1 slow: again ({count} times)" for count in counts]


async def test_a_kind_of_ones_own(run_meter: Any, events: Any) -> None:
    """A row and a function: nothing else has to know."""
    seen: list[object] = []

    def begin(fault: Any) -> None:
        seen.append(fault["what"])
        fault.at_end(lambda: seen.append("undone"))

    kind = Kind("odd", "device", "h", "s", begin, KINDS["certificate"].parameters)
    row = built_in().find("slow")._replace(name="odd-one", kind=kind, parameters={}, times=2)
    async with run_meter("itron", catalogue=Catalogue({"odd-one": row})) as meter:
        fault = meter.faults.set("odd-one", {"what": "expired"})
        assert seen == ["expired"]
        fault.has_acted("once")
        assert fault.left == 1
        fault.has_acted("twice")
        assert (fault.is_over, seen) == (True, ["expired", "undone"])
        meter.faults.set("odd-one", {}, count=5)
    assert seen == ["expired", "undone", "expired", "undone"]


async def test_what_cannot_begin_leaves_nothing(run_meter: Any, events: Any) -> None:
    def begin(fault: Any) -> None:
        fault.tap(Place.APDU_IN, lambda parcel: ())
        raise ControlError("refused", "not now")

    kind = Kind("odd", "device", "h", "s", begin)
    row = built_in().find("slow")._replace(name="odd-one", kind=kind, parameters={})
    async with run_meter("itron", catalogue=Catalogue({"odd-one": row})) as meter:
        with pytest.raises(ControlError, match="not now"):
            meter.faults.set("odd-one", {})
        assert not meter.faults.active
        assert not meter.faults.set("latency", {}).reach.ways["tcp"].on_apdus
    assert not [event for event in events.of("fault") if "odd" in event.text]


# The commands -----------------------------------------------------------------------------------

Command = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def command(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Command]:
    async def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        given = ["fault", *arguments, "--workspace", str(tmp_path)]
        status = await asyncio.to_thread(main, given)
        out, err = capsys.readouterr()
        return status, out, err

    async with serve(sandbox.control, tmp_path / CONTROL):
        yield run


async def test_commands(command: Command, sandbox: Sandbox) -> None:
    assert await command("set", "itron", "slow", "fixed=0.5", "jitter=2s") == (
        0,
        "f1  on tcp, tls\n",
        "",
    )
    (fault,) = sandbox.meters["itron"].faults.active
    assert (fault["fixed"], fault["jitter"]) == (
        dt.timedelta(seconds=0.5),
        dt.timedelta(seconds=2),
    )
    assert await command("set", "secure", "lossy", "--for", "90", "--count", "7") == (
        0,
        "f1  on tcp, tls\n",
        "",
    )
    (other,) = sandbox.meters["secure"].faults.active
    assert (other.left, other.until) == (7, sandbox.clock.now() + dt.timedelta(seconds=90))
    status, out, err = await command("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert any(line.split()[:3] == ["slow", "latency", "fixed=2"] for line in lines)
    active = [line.split()[:3] for line in lines if line.split()[1:2] == ["f1"]]
    assert sorted(active) == [["itron", "f1", "slow"], ["secure", "f1", "lossy"]]
    assert await command("set", "itron", "magnet") == (0, "magnet is done\n", "")
    assert await command("clear", "itron", "f1") == (0, "cleared: f1\n", "")
    assert await command("clear", "itron") == (0, "cleared: none was set\n", "")
    status, out, err = await command("clear", "secure", "all", "--json")
    assert (status, json.loads(out), err) == (0, {"cleared": ["f1"]}, "")
    assert (await command("list", "itron"))[1].endswith("No fault is set.\n")
    status, out, _ = await command("set", "itron", "slow", "--way", "tls", "--json")
    assert json.loads(out)["ways"] == ["tls"]
    status, out, _ = await command("list", "itron", "--json")
    assert [one["id"] for one in json.loads(out)["active"]["itron"]] == ["f3"]


@pytest.mark.parametrize(
    ("arguments", "status", "err"),
    [
        (("set", "itron", "slwo"), 2, "no fault 'slwo' (did you mean 'slow'?)"),
        (("set", "nobody", "slow"), 2, "no meter 'nobody'; there are: "),
        (("set", "itron", "slow", "fixed"), 2, "a parameter is written as name=value, not 'fixed'"),
        (("set", "itron", "slow", "=3"), 2, "a parameter is written as name=value, not '=3'"),
        (("set", "itron", "slow", "fixed=1", "fixed=2"), 2, "fixed is given twice"),
        (("set", "itron", "slow", "fixed=nan"), 2, "fixed is a duration"),
        (("set", "itron", "slow", "fixed=1e999"), 2, "fixed is a duration"),
        (("set", "itron", "loss", "every=1.5"), 2, "every is a whole number"),
        (("set", "itron", "slow", "--way", "udp"), 1, "itron has no way udp; it has: tcp, tls"),
        (("clear", "itron", "f9"), 2, "no fault 'f9'; there are none"),
    ],
)
async def test_commands_that_are_refused(
    arguments: tuple[str, ...], status: int, err: str, command: Command
) -> None:
    ended = await command(*arguments)
    assert ended[:2] == (status, "")
    assert ended[2].startswith(f"cosemlab: {err}")
    assert ended[2].count("\n") == 1


def test_without_a_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fault", "list", "--workspace", str(tmp_path)]) == 2
    assert "no sandbox is up" in capsys.readouterr().err


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fault", "table"]) == 0
    table = capsys.readouterr().out
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- faults: catalogue -->\n<!-- end of faults -->\nafter\n")
    assert main(["fault", "table", "--into", str(page)]) == 0
    assert page.read_text() == (
        f"before\n<!-- faults: catalogue -->\n\n{table}\n<!-- end of faults -->\nafter\n"
    )


def test_up_refuses_a_file_that_is_not_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[x]\nkind = 'latncy'\nhelp = 'h'\n")
    assert main(["up", "--faults", str(own), "--workspace", str(tmp_path / "w")]) == 2
    assert capsys.readouterr().err.startswith(f"cosemlab: {own}:2: x.kind: 'latncy' is no kind")
    assert not (tmp_path / "w").exists()
