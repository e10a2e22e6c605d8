"""``cosemlab up`` as a process of its own, and the commands that talk to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from devices.profile import available, gas, load
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.axdr.datetimes import CosemDateTime
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.channel import Channel
from emulator.cli.main import main
from emulator.client import MeterClient
from emulator.counter_file import BLOCK
from emulator.memory import kept_counters
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.workspace import Workspace
from tls.contexts import client_context
from tls.plain import open_tcp_connection

PATIENCE = 120.0


class Up:
    """A running ``cosemlab up --json``."""

    def __init__(self, workspace: Path, *arguments: str) -> None:
        self.workspace = workspace
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "emulator.cli.main", "up", *arguments),
                *("--workspace", str(workspace), "--json"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def document(self) -> Any:
        """The next JSON document it prints; they end with a brace in the first column."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "}\n":
                return json.loads("".join(lines))
        assert self.process.stderr is not None
        raise AssertionError(f"it ended: {''.join(lines)} {self.process.stderr.read()}")

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Exit status and what was still printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("up") / "workspace")
    running.announced = running.document()  # type: ignore[attr-defined]
    yield running
    status, _, err = running.end()
    assert (status, err) == (0, "")


@pytest.fixture
def command(up: Up, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command against the sandbox; give its exit status and its JSON."""

    def command(*arguments: str) -> tuple[int, Any]:
        status = main([*arguments, "--workspace", str(up.workspace), "--json"])
        captured = capsys.readouterr()
        assert captured.err == ""
        return status, json.loads(captured.out)

    return command


@pytest.fixture
def failing(up: Up, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command that fails; give its exit status and its one line."""

    def command(*arguments: str) -> tuple[int, str]:
        status = main([*arguments, "--workspace", str(up.workspace), "--json"])
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith("cosemlab: ")
        return status, line.removeprefix("cosemlab: ")

    return command


# The sandbox --------------------------------------------------------------------------------------


def test_the_announcement_is_what_the_workspace_says(up: Any) -> None:
    assert up.announced["workspace"] == str(up.workspace)
    rows = up.announced["meters"]
    assert [row["name"] for row in rows] == list(available())
    assert {row["host"] for row in rows} == {"127.0.0.1"}
    meters = Workspace(up.workspace).meters()
    for row in rows:
        assert meters[row["name"]]._asdict() == {**row, "title": bytes.fromhex(row["title"])}


def test_gas_meters_are_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = tmp_path / "workspace"
    up = Up(workspace, "secure", "--all")
    try:
        assert [row["name"] for row in up.document()["meters"]] == ["secure", *gas()]
        for name in gas():
            where = ("--workspace", str(workspace), "--json")
            assert main(["read", name, "gas_volume_forward", *where]) == 0
            assert json.loads(capsys.readouterr().out)["unit"] == "m³"
            assert main(["credit", name, "10", *where]) == 0
            assert json.loads(capsys.readouterr().out)["added"] == "10"
    finally:
        status, _, err = up.end()
    assert (status, err) == (0, "")


def connects(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(number: int, tmp_path: Path) -> None:
    up = Up(tmp_path / "workspace", "secure", "itron")
    rows = up.document()["meters"]
    assert [row["name"] for row in rows] == ["secure", "itron"]
    ports = [row[key] for row in rows for key in ("plain_port", "tls_port")]
    assert all(connects(port) for port in ports)
    assert (tmp_path / "workspace" / "sandbox.json").exists()
    status, _, err = up.end(number)
    assert (status, err) == (0, "")
    assert not (tmp_path / "workspace" / "sandbox.json").exists()
    assert not any(connects(port) for port in ports)


def test_events_are_printed_as_json(tmp_path: Path) -> None:
    up = Up(tmp_path / "workspace", "secure")
    (row,) = up.document()["meters"]
    with socket.create_connection(("127.0.0.1", row["plain_port"]), timeout=PATIENCE) as sock:
        sock.sendall(b"\0\2")
        sock.sendall(bytes(6))
        assert sock.recv(1) == b""
    event = up.document()
    assert event["meter"] == "secure"
    assert event["kind"] == "wrapper-version"
    assert set(event) == {"meter", "kind", "peer", "association", "text"}
    assert up.end()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_same_keys_after_a_restart(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And counters that go on: the second sandbox takes what follows, on both sides (R-IC-7)."""
    path = tmp_path / "workspace"
    found = []
    for _ in range(2):
        up = Up(path, "itron")
        up.document()
        for arguments in (["keys", "itron", "s1sp"], ["read", "itron"]):
            assert main([*arguments, "--workspace", str(path), "--json"]) == 0
            found.append(json.loads(capsys.readouterr().out))
        up.end(number)
        with Workspace(path).memories() as memories:
            journal = memories.journal
            found.append({name: journal.value(name) for name in journal.names("")})
    assert found[0] == found[3]
    assert found[1] == found[4]
    (floor,) = (name for name in found[2] if name.startswith("floor") and "/s1sp/GUEK" in name)
    assert 0 < found[2][floor] <= BLOCK, "what one command needs"
    commands = json.loads((path / "counters.json").read_text())
    (ours,) = (name for name in commands if name.endswith("/s1sp/GUEK"))
    assert found[5][floor] == BLOCK + found[2][floor], "exactly where the second command ended"
    assert commands[ours] == 2 * BLOCK
    sent = floor.replace("floor", "send", 1)
    assert (found[2][sent], found[5][sent]) == (kept_counters.BLOCK, 2 * kept_counters.BLOCK)


def test_one_sandbox_per_workspace(up: Any, failing: Any) -> None:
    """Or two meters would count under one key; and the first one goes on."""
    before = (up.workspace / "sandbox.json").read_text()
    status, line = failing("up")
    assert (status, line.partition("is ")[2]) == (2, "in use by another process")
    assert (up.workspace / "sandbox.json").read_text() == before


@pytest.mark.parametrize("content", [None, b"", b"{}\n"], ids=["missing", "empty", "another"])
def test_a_sandbox_without_its_counters_is_none(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-IC-7, KL-IC-15: it does not begin at 0 again under the same keys."""
    path = tmp_path / "workspace"
    Workspace(path)
    journal = path / "meters.journal"
    journal.unlink()
    if content is not None:
        journal.write_bytes(content)
    assert main(["up", "secure", "--workspace", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cosemlab: {journal} is {'missing' if content is None else 'damaged'}")
    assert not (path / "sandbox.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "no such profile; there are: aclara"),
        (["--port", "70000"], "--port"),
        (["--port", "-1"], "--port"),
        (["--port", "x"], "--port"),
    ],
)
def test_up_with_wrong_arguments(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: Any = main(["up", *arguments, "--workspace", str(tmp_path / "w")])
    except SystemExit as error:
        status = error.code
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert words in captured.err


def test_up_on_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status = main(["up", "secure", "--port", port, "--workspace", str(tmp_path / "w")])
    captured = capsys.readouterr()
    assert status == 3
    assert "in use" in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not (tmp_path / "w" / "sandbox.json").exists()


# read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", available())
def test_read_the_account(name: str, command: Any) -> None:
    status, shown = command("read", name)
    assert status == 0
    assert shown["meter"] == name
    assert set(shown) == {"meter", "balance", "payment_mode", "supply"}
    assert Decimal(shown["balance"]).is_finite()
    assert shown["payment_mode"] in ("credit", "prepayment")


def test_read_one_object(command: Any) -> None:
    status, shown = command("read", "itron", "1-0:1.8.0.255")
    assert status == 0
    assert shown["object"] == "1-0:1.8.0.255"
    assert shown["name"] == "active_energy_import"
    assert Decimal(shown["value"]) >= 0
    assert shown["unit"] == "Wh"
    _, scaler = command("read", "itron", "1-0:1.8.0.255", "3")
    assert scaler["value"] == {"scaler": 0, "unit": "Wh"}
    _, name = command("read", "itron", "0-0:42.0.0.255")
    assert name["value"].startswith("ITR")
    _, serial = command("read", "itron", "0-0:96.1.0.255")
    assert serial["value"] == "00000003"
    _, clock = command("read", "itron", "0-0:1.0.0.255")
    assert clock["value"].startswith("20")


def test_read_by_name(command: Any) -> None:
    _, by_code = command("read", "itron", "1-0:32.7.0.255")
    status, by_name = command("read", "itron", "voltage_l1")
    assert status == 0
    assert by_name["object"] == by_code["object"] == "1-0:32.7.0.255"
    assert by_name["unit"] == "V"
    assert 200 < Decimal(by_name["value"]) < 260


def test_read_rows(command: Any) -> None:
    since = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)
    status, shown = command("read", "itron", "load_profile", "--since", since.isoformat())
    assert status == 0
    assert 5 <= len(shown["value"]) <= 6
    for row in shown["value"]:
        assert set(row) == {"clock", "active_energy_import"}
        assert row["active_energy_import"].endswith(" Wh")


def test_objects(command: Any) -> None:
    status, shown = command("objects", "itron")
    assert status == 0
    (register,) = (row for row in shown["objects"] if row["object"] == "1-0:1.8.0.255")
    assert register == {
        "object": "1-0:1.8.0.255",
        "class": 3,
        "version": 0,
        "name": "active_energy_import",
        "rights": "r1-3",
    }


def test_read_with_the_ledger(command: Any) -> None:
    status, shown = command("read", "secure", "1-0:1.8.0.255", "--ledger")
    assert status == 0
    operations = [entry["operation"] for entry in shown["ledger"]]
    assert operations[0] == "TLS handshake"
    assert operations.count("Seal") == 5  # AARQ, f(StoC), value, scaler_unit, RLRQ
    assert {entry["device"] for entry in shown["ledger"]} == {"45484C0100000005"}


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["read", "nobody"], 2, "no meter 'nobody'; there are: aclara, honeywell_elster, "),
        (["read", "itron", "junk"], 2, "'junk' is no OBIS code"),
        (["read", "itron", "1-0:300.8.0.255"], 2, "is no OBIS code and no name of one"),
        (["read", "itron", "1-0:99.98.97.255"], 2, "itron has no object 1-0:99.98.97.255"),
        (["read", "itron", "1-0:1.8.0.255", "99"], 1, "attribute 99: object-undefined"),
        (["read", "itron", "1-0:1.8.0.255", "300"], 2, ""),
        (["read", "itron", "0-0:43.1.2.255"], 1, "attribute 2 value: object-undefined"),
        (["read", "itron", "--mode", "enforce"], 5, "G2.44(b) needs FIPS 140-2 Level 3"),
        (["credit", "itron", "0"], 2, "0 pounds is no positive amount"),
        (["credit", "itron", "0.000001"], 2, "is no positive amount of whole units of 1E-5"),
        (["credit", "secure", "0.001"], 2, "is no positive amount of whole units of 1E-2"),
        (["credit", "secure", "82.50"], 2, "a token carries 1 to 8191 pence"),
        (["credit", "itron", "200.01"], 1, "action: other-reason"),
        (["credit", "secure", "201"], 1, "token not accepted: validation-failure"),
        (["credit", "itron", "1E+999999"], 2, "no positive amount"),
        (["credit", "itron", "5", "--mode", "enforce"], 5, "no module at hand is that"),
        (["instruct", "itron", "explode"], 1, "itron knows no 'explode'; it knows disable_supply"),
        (["instruct", "itron", "arm_supply", "now"], 2, "arm_supply takes no argument"),
        (["instruct", "itron", "set_clock"], 1, "set_clock needs an argument"),
        (["instruct", "itron", "set_clock", "yesterday"], 2, "Invalid isoformat string"),
        (["instruct", "itron", "set_payment_mode", "free"], 2, "'free' is not credit or prep"),
        (["instruct", "itron", "arm_supply", "--mode", "enforce"], 5, "G2.44(b)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_goes_wrong(arguments: list[str], status: int, line: str, failing: Any) -> None:
    found = failing(*arguments)
    assert found[0] == status
    assert line in found[1]


@pytest.mark.parametrize("amount", ["ten", "", "NaN", "£5", "Infinity"])
def test_a_bad_amount(amount: str, up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["credit", "itron", amount, "--workspace", str(up.workspace)])
    assert caught.value.code == 2
    assert f"{amount!r} is no amount of pounds" in capsys.readouterr().err


# credit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", available())
def test_credit(name: str, command: Any) -> None:
    _, before = command("read", name)
    status, shown = command("credit", name, "1.25")
    assert status == 0
    assert shown["added"] == "1.25"
    assert shown["by"] == load(name).top_up
    assert Decimal(shown["balance"]) - Decimal(before["balance"]) == Decimal("1.25")
    _, after = command("read", name)
    assert after["balance"] == shown["balance"]


def test_each_command_makes_another_token(command: Any) -> None:
    """The counters are in the workspace: what one command used, the next does not."""
    _, before = command("read", "landis_gyr")
    for _ in range(3):
        assert command("credit", "landis_gyr", "1")[0] == 0
    _, after = command("read", "landis_gyr")
    assert Decimal(after["balance"]) - Decimal(before["balance"]) == 3


# instruct -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", available())
def test_instruct(name: str, command: Any) -> None:
    for instruction, supply in (
        ("enable_supply", "connected"),
        ("disable_supply", "disconnected"),
        ("arm_supply", "armed"),
        ("disable_supply", "disconnected"),
    ):
        status, shown = command("instruct", name, instruction)
        assert status == 0
        assert shown["instruction"] == instruction
        assert shown["through"] == "DCO"
        assert shown["supply"] == supply


def test_set_payment_mode(command: Any) -> None:
    for mode in ("credit", "prepayment"):
        status, shown = command("instruct", "itron", "set_payment_mode", mode)
        assert status == 0
        assert shown["payment_mode"] == mode


def test_set_clock(command: Any) -> None:
    assert command("instruct", "aclara", "set_clock", "2035-05-06T07:08:09+00:00")[0] == 0
    _, shown = command("read", "aclara", "0-0:1.0.0.255")
    assert shown["value"].startswith("2035-05-06")
    assert command("instruct", "aclara", "set_clock", "now")[0] == 0
    _, shown = command("read", "aclara", "0-0:1.0.0.255")
    assert not shown["value"].startswith("2035")


# keys ---------------------------------------------------------------------------------------------

CONTEXTS = {context.name: context for context in ApplicationContext}
MECHANISMS = {mechanism.name: mechanism for mechanism in Mechanism}


async def read_clock(row: dict[str, Any], shown: dict[str, Any], protection: int) -> bytes:
    """Read a clock with what ``keys`` has printed, and nothing else, on the plain port."""
    title = bytes.fromhex(shown["server_system_title"])
    ring = KeyRing()
    keys = AssociationKeys(
        guek=KeyRef(title, "x", KeyKind.GUEK),
        gak=KeyRef(title, "x", KeyKind.GAK),
        secret=KeyRef(title, "x", KeyKind.LLS_SECRET),
    )
    for ref, name in ((keys.guek, "guek"), (keys.gak, "gak")):
        if name in shown:
            assert ref is not None
            ring.keep(ref, bytes.fromhex(shown[name]))
    if "password" in shown:
        assert keys.secret is not None
        ring.keep(keys.secret, shown["password"].encode())
    mechanism = MECHANISMS[shown["mechanism"]]
    own = shown.get("client_system_title")
    config = ClientConfig(
        client_sap=shown["client_sap"],
        server_sap=shown["server_sap"],
        context=CONTEXTS[shown["application_context"]],
        mechanism=mechanism,
        conformance=load(row["name"]).associations["public"].config.conformance,
        own_title=None if own is None else bytes.fromhex(own),
        protection=Protection(protection),
    )
    counters = InvocationCounters()
    assert keys.guek is not None
    counters.raise_to(keys.guek, 1_000_000)
    module = SoftwareModule(ring)

    async def runner(step: Any) -> Any:
        return run(step, module.execute)

    _, channel = await open_tcp_connection(Channel, row["host"], row["plain_port"])
    try:
        client = MeterClient(channel, ClientAssociation(config, keys, counters), runner)
        await client.open()
        value = await client.get(AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
        await client.release()
    finally:
        channel.close()
    assert isinstance(value.value, bytes)
    return value.value


@pytest.mark.parametrize("association", ["public", "reader", "dco"])
@pytest.mark.parametrize("name", ["honeywell_elster", "secure"])
def test_the_keys_that_are_printed_open_the_meter(
    name: str, association: str, up: Any, command: Any
) -> None:
    status, shown = command("keys", name, association)
    assert status == 0
    (row,) = (row for row in up.announced["meters"] if row["name"] == name)
    octets = asyncio.run(read_clock(row, shown, 0x30))
    assert CosemDateTime.from_octets(octets).to_datetime().year >= 2024


def test_keys_shows_what_belongs_to_the_association(command: Any) -> None:
    _, s1sp = command("keys", "itron", "s1sp")
    assert set(s1sp) == {
        "client_sap",
        "server_sap",
        "application_context",
        "mechanism",
        "server_system_title",
        "client_system_title",
        "invocation_counter_object",
        "guek",
        "gak",
        "kek",
    }
    assert s1sp["invocation_counter_object"] == "0-0:43.1.1.255"
    _, public = command("keys", "itron", "public")
    assert {"guek", "gak", "kek", "password"}.isdisjoint(public)
    _, reader = command("keys", "itron", "reader")
    assert len(reader["password"]) == 8


def test_keys_of_an_association_nobody_knows(failing: Any) -> None:
    assert failing("keys", "itron", "nobody") == (
        2,
        "itron has no association 'nobody': public, reader, s1sp, dco, alerts",
    )


# For people, and without a sandbox ----------------------------------------------------------------


def test_for_people(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--workspace", str(up.workspace)]
    assert main(["read", "secure", "--ledger", *at]) == 0
    out = capsys.readouterr().out
    assert out.startswith("balance       ")
    assert "operations, " in out
    assert "not strong enough" in out
    assert main(["read", "secure", "voltage_l1", *at]) == 0
    assert re.search(r"^value   2\d\d\.\d V$", capsys.readouterr().out, re.MULTILINE)
    assert main(["read", "secure", "load_profile", "--rows", *at]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["clock", "active_energy_import"]
    assert len(rows) > 10
    assert main(["objects", "secure", *at]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^1-0:1\.8\.0\.255 +3 +0 +active_energy_import +r1-3$", out, re.MULTILINE)
    assert main(["keys", "secure", "s1sp", *at]) == 0
    assert "invocation counter object  0-0:43.1.1.255" in capsys.readouterr().out


COMMANDS = [
    ["read", "itron"],
    ["credit", "itron", "5"],
    ["instruct", "itron", "arm_supply"],
    ["keys", "itron", "s1sp"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_no_sandbox_is_up(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--workspace", str(tmp_path / "w")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"cosemlab: no sandbox is up in {tmp_path / 'w'}: start one with 'cosemlab up'\n"
    )


@pytest.mark.parametrize("arguments", COMMANDS[:3], ids=lambda arguments: arguments[0])
def test_a_sandbox_that_is_gone(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], up: Up
) -> None:
    """Killed, so that it could not withdraw: nobody listens where it says."""
    workspace = Workspace(tmp_path / "w")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound but not listening: ours while the test runs
        port = sock.getsockname()[1]
        other = Workspace(up.workspace)
        meter = other.meters()["itron"]._replace(plain_port=port, tls_port=port)
        workspace.announce([meter], {"itron": other.document("itron")})
        assert main([*arguments, "--workspace", str(tmp_path / "w")]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1


def test_a_workspace_of_another_sandbox(tmp_path: Path, up: Up) -> None:
    """The meter is there, but the PKI is another: no TLS session.

    In a process of its own, for it ends without waiting for what TLS still has to say.
    """
    workspace = Workspace(tmp_path / "w")
    meters = Workspace(up.workspace).meters()
    documents = {name: Workspace(up.workspace).document(name) for name in meters}
    workspace.announce(meters.values(), documents)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "emulator.cli.main", "read", "itron"),
            *("--workspace", str(tmp_path / "w")),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "does not lead to a trusted root" in line


def test_a_workspace_that_others_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Workspace(tmp_path / "w")
    (tmp_path / "w").chmod(0o755)
    assert main(["read", "itron", "--workspace", str(tmp_path / "w")]) == 2
    assert "others must have no access" in capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as caught:
            main([option])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(("cosemlab ", "usage: cosemlab"))


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["read"], ["credit", "itron"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: cosemlab" in capsys.readouterr().err


# Time ---------------------------------------------------------------------------------------------


def test_a_frozen_sandbox_at_a_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "workspace"
    up = Up(path, "secure", "--clock", "frozen", "--at", "2019-02-28T23:00")
    up.document()
    where = ["--workspace", str(path), "--json"]
    for arguments, now in (
        (["clock"], "2019-02-28T23:00:00+00:00"),
        (["clock", "--advance", "2h"], "2019-03-01T01:00:00+00:00"),
    ):
        assert main([*arguments, *where]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["now"], shown["mode"]) == (now, "frozen")
    assert main(["read", "secure", "clock", *where]) == 0
    assert "2019-03-01 01:00:00" in json.loads(capsys.readouterr().out)["value"]
    # What it is set to as now is the time of the sandbox, not that of this machine.
    assert main(["instruct", "secure", "set_clock", "now", *where]) == 0
    capsys.readouterr()
    assert main(["read", "secure", "clock", *where]) == 0
    assert "2019-03-01 01:00:00" in json.loads(capsys.readouterr().out)["value"]
    assert up.end()[0] == 0
    assert not (path / "control.sock").exists()


def test_a_session_ends_with_its_lifetime(tmp_path: Path) -> None:
    up = Up(tmp_path / "workspace", "aclara", "--session-lifetime", "1")
    (address,) = up.document()["meters"]
    there = Workspace(up.workspace)
    context = client_context(there.credential(Actor.S1SP), there.pki.trust())
    with (
        socket.create_connection(("127.0.0.1", address["tls_port"]), timeout=PATIENCE) as plain,
        context.wrap_socket(plain) as tls,
    ):
        assert tls.recv(1) == b""
    assert up.document()["kind"] == "expired"
    assert up.end() == (0, "", "")


def test_a_sandbox_after_one_that_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "workspace"
    up = Up(path, "secure")
    up.document()
    up.end(signal.SIGKILL)
    assert (path / "control.sock").exists()
    assert main(["clock", "--workspace", str(path)]) == 2
    assert "no sandbox is up" in capsys.readouterr().err
    up = Up(path, "secure", "--clock", "60")
    up.document()
    assert main(["clock", "--workspace", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["factor"] == 60
    assert up.end()[0] == 0
