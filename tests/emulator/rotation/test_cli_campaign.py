"""``campaign`` and ``keystore``, as a user has them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from dlms.security.keys import KeyKind
from emulator.cli import campaign
from emulator.cli.main import main
from emulator.head_end.party import storage_key
from emulator.modules.keyring import KeyRing
from emulator.policy import Actor


class Ended(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Command: TypeAlias = Callable[..., Awaitable[Ended]]


@pytest.fixture
def command(up: Any, capsys: pytest.CaptureFixture[str]) -> Command:
    async def run(*arguments: str) -> Ended:
        capsys.readouterr()
        given = [*arguments, "--workspace", str(up.workspace.path)]
        status = await asyncio.to_thread(main, given)
        return Ended(status, *capsys.readouterr())

    return run


async def test_a_campaign(command: Command) -> None:
    started = await command("campaign", "start", "--kinds", "guek", "kek", "--meters", "secure")
    assert started == (0, "campaign 1: 4 done\n", "")
    assert await command("campaign", "status") == (0, "campaign 1: 4 done\n", "")
    assert (await command("read", "secure")).status == 0


async def test_each_change_is_a_line(command: Command) -> None:
    arguments = ("--kinds", "gak", "--meters", "landis_gyr", "--json")
    status, out, err = started = await command("campaign", "start", *arguments)
    assert (status, err) == (0, "")
    *changes, last = started.lines
    assert [(change["party"], change["state"]) for change in changes] == [
        ("dco", "sent"),
        ("dco", "done"),
    ]
    assert last["states"]["needless"] == last["states"]["done"] == 1
    shown = json.loads((await command("campaign", "status", "--json")).out)
    assert shown["done"]
    assert shown["steps"][0]["reason"] == "lives for one association anyhow"
    assert out


async def test_what_is_not_done_is_said_and_resumed(command: Command, up: Any) -> None:
    up.sandbox.meters["itron"].mains.cut()
    arguments = ("--kinds", "guek", "--meters", "itron", "--party", "dco", "--tries", "1")
    status, out, err = await command("campaign", "start", *arguments)
    assert (status, err) == (1, "")
    head, names, _, row = out.splitlines()
    assert head == "campaign 1: 1 planned"
    assert names.split() == ["meter", "party", "key", "state", "tries", "why"]
    assert row.split()[:5] == ["itron", "dco", "guek", "planned", "1"]
    refused = await command("campaign", "start")
    assert (refused.status, refused.err) == (
        2,
        "cosemlab: campaign 1 is not done (1 planned): resume it\n",
    )
    up.sandbox.meters["itron"].mains.restore()
    assert await command("campaign", "resume") == (0, "campaign 1: 1 done\n", "")


async def test_cancel(command: Command, up: Any) -> None:
    up.sandbox.meters["itron"].mains.cut()
    await command("campaign", "start", "--kinds", "guek", "--meters", "itron", "--tries", "1")
    cancelled = await command("campaign", "cancel")
    assert cancelled.out.startswith("campaign 1: 2 planned, cancelled\n")
    assert (await command("campaign", "resume")).err.startswith("cosemlab: campaign 1 was cancel")


async def test_on_a_terminal_one_line_changes(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "_is_terminal", lambda: True)
    arguments = ("--kinds", "guek", "--party", "dco", "--meters", "secure")
    _, out, err = await command("campaign", "start", *arguments)
    assert out == "campaign 1: 1 done\n"
    assert err == "\r\x1b[K1 sent\r\x1b[K1 done\n"


async def test_the_ledger_says_what_was_stored(command: Command) -> None:
    arguments = ("--kinds", "guek", "--party", "dco", "--meters", "secure", "--json", "--ledger")
    started = await command("campaign", "start", *arguments)
    entries = started.lines[-1]["ledger"]
    stored = [entry for entry in entries if entry["operation"] == "Store"]
    assert [(entry["purpose"], entry["module_class"]) for entry in stored] == [
        ("store an encrypted key", "NONE")
    ]
    assert stored[0]["keys"][0].endswith("/dco/GUEK v1")
    made = [e["operation"] for e in entries if e["purpose"].startswith("generate, wrap")]
    assert made == ["GenerateKey", "Wrap", "Wrap"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status",), "there is no campaign"),
        (("resume",), "there is no campaign"),
        (("start", "--meters", "nobody"), "no meter nobody; there are: aclara"),
    ],
)
async def test_mistakes(arguments: tuple[str, ...], said: str, command: Command) -> None:
    status, out, err = await command("campaign", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


async def test_one_runner_at_a_time(command: Command, up: Any) -> None:
    with up.workspace.holds.hold("campaign"):
        status, _, err = await command("campaign", "start")
    assert (status, err) == (
        2,
        "cosemlab: the campaign is being carried out by another command\n",
    )


async def test_the_store(command: Command, up: Any) -> None:
    assert (await command("keystore", "list")).out.startswith("no keys")
    for _ in range(2):
        await command("rotate", "secure", "guek")
    rows = json.loads((await command("keystore", "list", "--json")).out)["keys"]
    assert [(row["kind"], row["version"], row["state"]) for row in rows] == [
        ("GUEK", 1, "retired"),
        ("GUEK", 2, "in force"),
    ]
    assert not any("wrapped" in row for row in rows)
    rewrapped = await command("keystore", "rewrap")
    assert rewrapped.out.splitlines() == [
        "rewrapped  2",
        "under      5331500000000001/store of S1SP/STORAGE v1",
    ]
    assert (await command("keystore", "purge")).out == "destroyed  1\n"
    assert (await command("read", "secure")).status == 0
    listed = (await command("keystore", "list")).out
    assert "destroyed" in listed
    assert listed.count("in force") == 2


async def test_import(command: Command, up: Any, tmp_path: Any) -> None:
    """The meter has that key already, from whoever had it before."""
    meter = up.sandbox.meters["secure"]
    await command("rotate", "secure", "guek")
    theirs = meter.faults._reach.ring.get(meter.device.key("s1sp", KeyKind.GUEK))
    # A head end that never heard of it.
    up.workspace.path.joinpath("dcc.db").unlink()
    assert (await command("read", "secure")).status != 0
    root = KeyRing(up.workspace.scope_secrets(Actor.S1SP)).get(storage_key(Actor.S1SP))
    key = {"holder": meter.device.title.hex(), "scope": "s1sp", "kind": "GUEK", "version": 9}
    document = {
        "kek": "store of S1SP",
        "keys": [key | {"wrapped": aes_key_wrap(root, theirs).hex()}],
    }
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(document))
    assert await command("keystore", "import", str(file)) == (0, "imported  1\n", "")
    assert (await command("read", "secure")).status == 0
    again = await command("keystore", "import", str(file))
    assert again.status == 2
    assert "GUEK v9 already" in again.err
