"""Driving a head end: commands and callables, the ways, what is told, and what is judged."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.keys import Keys
from emulator.conformance import built_in
from emulator.conformance.declaration import parse
from emulator.conformance.declaration.model import DeclaredAssociation, WayKind
from emulator.conformance.hostile import own
from emulator.conformance.hostile.head_end import CommandHeadEnd, Outcome
from emulator.conformance.hostile.material import Material
from emulator.conformance.hostile.rows import VICES, kinds
from emulator.conformance.running.result import Verdict

NAME = AttributeDescriptor(1, bytes((0, 0, 42, 0, 0, 255)), 2)
SECRET = bytes(range(16))


def material(**changes: Any) -> Material:
    told: dict[str, Any] = {
        "host": "127.0.0.1", "port": 4059, "way": "tcp", "client_sap": 1, "server_sap": 1,
        "context": "LN_CIPHERED", "mechanism": "HLS_GMAC", "suite": 0, "own_title": b"CSM00001",
        "server_title": b"LAB00001", "secrets": {"guek": SECRET}, "counter_from": "",
        "timeout": 1.0, "limit": 5.0, "read": (NAME,), "block_read": NAME, "clock": NAME,
    }  # fmt: skip
    return Material(**{**told, **changes})


def by_id(x_cli: Any, *ids: str) -> list[Any]:
    return [check for check in x_cli if check.id in ids]


# What it is told --------------------------------------------------------------------------------


def test_material_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "material.json"
    material().write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text())
    assert told["keys"] == {"guek": SECRET.hex()}
    assert told["read"] == [{"class_id": 1, "instance": "0-0:42.0.0.255", "attribute": 2}]
    with pytest.raises(FileExistsError):
        material().write(file)


def test_no_key_is_shown() -> None:
    assert SECRET.hex() not in repr(material())
    assert str(SECRET) not in repr(material())


# Commands ---------------------------------------------------------------------------------------


def python(code: str) -> CommandHeadEnd:
    return CommandHeadEnd((sys.executable, "-c", code, "{host}:{port}", "{task}", "{material}"))


async def test_a_command_is_told_all() -> None:
    code = "import sys, json; print('noise'); print(json.dumps(sys.argv[1:3]), flush=True)"
    outcome = await python(code.replace("{", "{{").replace("}", "}}")).do("read", material(), 5)
    assert outcome.ok
    assert outcome.value == ["127.0.0.1:4059", "read"]


@pytest.mark.parametrize(
    ("code", "value"), [("print('done')", "done"), ("pass", None), ("print(1)", 1)]
)
async def test_what_a_command_believes(code: str, value: object) -> None:
    assert (await python(code).do("read", material(), 5)).value == value


async def test_a_command_that_fails_says_why() -> None:
    outcome = await python("raise SystemExit('no such meter')").do("read", material(), 5)
    assert not outcome.ok
    assert outcome.is_over
    assert outcome.why == "exit status 1: no such meter"


async def test_a_command_that_does_not_end_is_ended() -> None:
    outcome = await python("import time; time.sleep(60)").do("read", material(), 0.3)
    assert not outcome.is_over
    assert not outcome.ok


async def test_a_command_has_bounded_memory() -> None:
    head_end = CommandHeadEnd(
        (sys.executable, "-c", "bytearray(1 << 30); print(1)"), memory=1 << 28
    )
    outcome = await head_end.do("read", material(), 10)
    assert not outcome.ok
    assert outcome.is_over
    assert "MemoryError" in outcome.why


async def test_a_command_that_there_is_not(run_on: Any, x_cli: Any) -> None:
    (check,) = by_id(x_cli, "X_CLI_TAG")
    result = await run_on(command=("/nonexistent/head-end", "{port}")).run_one(check)
    assert result.verdict is Verdict.ERROR
    assert "cannot be started" in result.reasons[0]


async def test_no_command(run_on: Any, x_cli: Any) -> None:
    (check,) = by_id(x_cli, "X_CLI_TAG")
    result = await run_on().run_one(check)
    assert result.verdict is Verdict.ERROR
    assert "no command is declared" in result.reasons[0]


# Judging ----------------------------------------------------------------------------------------


async def test_one_that_always_fails_is_not_passed(run_on: Any, x_cli: Any) -> None:
    """To refuse everything is no conformance."""

    async def refusing(task: str, host: str, port: int, told: Material) -> Outcome:
        return Outcome(ok=False, why="no")

    async for result in run_on(refusing).run(x_cli):
        assert result.verdict is Verdict.ERROR, result.id


async def test_one_that_only_reads_is_inconclusive_elsewhere(run_on: Any, x_cli: Any) -> None:
    async def reading(task: str, host: str, port: int, told: Material) -> Outcome:
        if task == "read":
            return await own.do(task, host, port, told)
        return Outcome(ok=False, why="no such task")

    async for result in run_on(reading).run(by_id(x_cli, "X_CLI_CLOCK", "X_CLI_DROP_ACK_KEY")):
        assert result.verdict is Verdict.INCONCLUSIVE
        assert "no such task" in result.reasons[0]


async def test_a_head_end_that_makes_values_up(run_on: Any, x_cli: Any) -> None:
    async def inventing(task: str, host: str, port: int, told: Material) -> Outcome:
        return Outcome(ok=True, value=["00", "01"])

    (check,) = by_id(x_cli, "X_CLI_IC0")
    result = await run_on(inventing).run_one(check)
    assert result.verdict is Verdict.ERROR
    assert "value 1 is" in result.reasons[0]


async def test_the_record_has_both_sides_and_no_key(run_on: Any, x_cli: Any) -> None:
    told_keys: list[bytes] = []

    async def watching(task: str, host: str, port: int, told: Material) -> Outcome:
        told_keys.extend(told.secrets.values())
        return await own.do(task, host, port, told)

    (check,) = by_id(x_cli, "X_CLI_TAG")
    result = await run_on(watching).run_one(check)
    assert result.verdict is Verdict.PASSED
    record = b"".join(entry.octets for entry in result.record)
    assert record
    assert told_keys
    assert not any(key in record for key in told_keys)
    assert any("misbehaves" in entry.text for entry in result.record)
    assert not any(key.hex() in str(result) for key in told_keys)


@pytest.mark.parametrize("way", [WayKind.TLS, WayKind.UDP, WayKind.HDLC, WayKind.SERIAL])
async def test_the_ways(way: WayKind, run_on: Any, x_cli: Any) -> None:
    checks = by_id(x_cli, "X_CLI_TAG", "X_CLI_STOC_EQ", "X_CLI_BLOCK_NUMBER", "X_CLI_DROP_ACK_KEY")
    async for result in run_on(own.do, way=way).run(checks):
        assert result.verdict is Verdict.PASSED, (result.id, result.reasons)


async def test_keys_that_last(run_on: Any, x_cli: Any) -> None:
    """Declared keys and titles are those of the meter, and its counters only grow."""
    title, key = bytes.fromhex("4C41420000000777"), bytes(range(32, 48))
    row = DeclaredAssociation(
        name="dco", client_sap=1, server_sap=1, context=ApplicationContext.LN_CIPHERED,
        mechanism=Mechanism.HLS_GMAC, conformance=Conformance.GET, keys="dco",
        own_title=b"HES\0\0\0\0\x09",
    )  # fmt: skip
    keys = {"dco": Keys(guek=key, gak=key[::-1])}
    seen: list[Material] = []

    async def watching(task: str, host: str, port: int, told: Material) -> Outcome:
        seen.append(told)
        return await own.do(task, host, port, told)

    runner = run_on(watching, keys=keys, title=title, associations=(row,))
    counters: list[int] = []
    async for result in runner.run(by_id(x_cli, "X_CLI_TAG", "X_CLI_IC_BACK", "X_CLI_IC0")):
        expected = {"X_CLI_IC0": Verdict.INCONCLUSIVE}.get(result.id, Verdict.PASSED)
        assert result.verdict is expected, (result.id, result.reasons)
        sent = (one for one in result.record if one.direction.value == "->" and one.counter)
        counters.append(max(one.counter or 0 for one in sent))
    assert counters == sorted(set(counters))
    assert {told.server_title for told in seen} == {title}
    assert {told.secrets["guek"] for told in seen} == {key}
    assert {told.own_title for told in seen} == {b"HES\0\0\0\0\x09"}


# Vices ------------------------------------------------------------------------------------------


def test_each_kind_of_vice_has_a_row() -> None:
    assert {row.vice.kind for row in VICES.values()} == set(kinds()) - {"numbered"}


# Ours ------------------------------------------------------------------------------------------


async def test_ours_as_a_command(run_on: Any, x_cli: Any) -> None:
    command = (sys.executable, "-m", own.__name__, "{task}", "{material}")
    runner = run_on(command=command, answer=2.0)
    checks = by_id(x_cli, "X_CLI_TAG", "X_CLI_DROP_ACK_SECRET")
    async for result in runner.run(checks):
        assert result.verdict is Verdict.PASSED, result.reasons


def test_the_example_on_the_page() -> None:
    """docs/conformance.md: a head end is declared by its tasks, and little besides."""
    page = (Path(__file__).parents[4] / "docs" / "conformance.md").read_text("utf-8")
    text = page.split("## Testing a head end")[1].split("```toml\n")[1].split("```")[0]
    found = parse(text)
    unmet = {check.id: check.applies.unmet(found.features) for check in built_in()}
    runs = {id for id, reasons in unmet.items() if id.startswith("X_CLI_") and not reasons}
    assert runs == {check.id for check in built_in() if check.group == "x-cli"}
    assert not found.features.get("server")
