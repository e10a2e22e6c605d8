"""``cosemlab ledger`` and ``policy what-if``, and what the other commands record."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.profile import read
from emulator.cli.main import main
from emulator.database import Database, sqlite_url
from emulator.ledger import Entry, LedgerError
from emulator.ledger.store import LedgerStore
from emulator.workspace import DATABASE, Workspace


@pytest.fixture
def url(path: Path, sample: Callable[[int], list[Entry]]) -> str:
    """A ledger with three hundred entries of every kind."""
    store = LedgerStore(Database(sqlite_url(path)))
    store.append(sample(300))
    store.close()
    return str(sqlite_url(path))


@pytest.fixture
def run(url: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command on that ledger; exit status and what it printed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main([*arguments, "--database", url])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def shown(run: Any, *arguments: str) -> Any:
    status, out, err = run(*arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((), lambda e: True),
        (("--actor", "dco"), lambda e: e["actor"] == "DCO"),
        (("--device", "4c47424700000003"), lambda e: e["device"] == "4C47424700000003"),
        (("--category", "2"), lambda e: e["category"] == "Category 2"),
        (("--category", "not-smets1"), lambda e: e["category"] is None),
        (("--operation", "Open"), lambda e: e["operation"] == "Open"),
        (("--purpose", "transfer-key"), lambda e: e["purpose"].startswith("generate, wrap")),
        (("--class", "LEVEL_3"), lambda e: e["module_class"] == "LEVEL_3"),
        (("--clause", "G2.44(c)"), lambda e: e["clause"] == "G2.44(c)"),
        (("--module", "software"), lambda e: e["module"] == "software"),
        (("--outcome", "refused"), lambda e: e["outcome"] == "refused"),
        (("--insufficient",), lambda e: not e["sufficient"]),
        (("--since", "2026-03-01T00:01:00"), lambda e: e["number"] >= 60),
        (("--until", "2026-03-01T01:01:00+01:00"), lambda e: e["number"] < 60),
        (("--actor", "s1sp", "--outcome", "done"), lambda e: e["actor"] == "S1SP" and
         e["outcome"] == "done"),
    ],
)  # fmt: skip
def test_list(
    arguments: tuple[str, ...], wanted: Any, run: Any, sample: Callable[[int], list[Entry]]
) -> None:
    expected = [entry for one in sample(300) if wanted(entry := one.to_json())]
    assert expected
    assert shown(run, "ledger", "list", *arguments) == expected
    assert shown(run, "ledger", "list", *arguments, "--last", "2") == expected[-2:]
    counted = shown(run, "ledger", "summary", *arguments)
    assert counted["entries"] == len(expected)
    assert counted["insufficient"] == sum(not entry["sufficient"] for entry in expected)
    clauses: Counter[str] = Counter()
    for row in counted["rows"]:
        clauses[row["clause"]] += row["count"]
    assert clauses == Counter(entry["clause"] for entry in expected)


def test_for_people(run: Any) -> None:
    status, out, _ = run("ledger", "list", "--last", "2")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["299", "300"]
    assert "SoftHSM (ü) (emulated)" in run("ledger", "list")[1]
    assert run("ledger", "list", "--device", "FF")[1] == "no entries\n"
    assert run("ledger", "cost", "--device", "FF")[1] == "no entries\n"
    assert "300 operations: Level 3 " in run("ledger", "summary")[1]
    assert "saved by G2.44(c)(iii): keys of one association" in run("ledger", "cost")[1]
    assert "letter -> before-letter\n300 operations: " in run("policy", "what-if")[1]
    assert run("policy", "what-if", "--edition", "letter")[1] == (
        "letter -> letter\n"
        "300 operations: 0 change the class, 0 the clause only, 300 stay as they are\n"
    )


def test_verify_and_head(
    run: Any, path: Path, tmp_path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    head = shown(run, "ledger", "head")
    assert head["number"] == 300
    kept = tmp_path / "head.json"
    kept.write_text(json.dumps(head))
    status, out, _ = run("ledger", "verify")
    assert status == 0
    assert "entries 1 to 300 are as they were written" in out
    assert "cannot be told without a head" in out
    store = LedgerStore(Database(sqlite_url(path)))
    store.append(sample(5))
    store.close()
    verified = shown(run, "ledger", "verify", "--head", str(kept))
    assert (verified["number"], verified["known_head"]) == (305, head)
    assert "entries 301 to 305 are" in run("ledger", "verify", "--after", str(kept))[1]
    kept.write_text(json.dumps(shown(run, "ledger", "head")))
    assert "nothing after entry 305" in run("ledger", "verify", "--after", str(kept))[1]


def test_what_was_tampered_with(run: Any, path: Path) -> None:
    database = Database(sqlite_url(path))
    with database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_entries SET outcome = 'DONE' WHERE number = "
            "(SELECT min(number) FROM ledger_entries WHERE outcome = 'REFUSED' AND number > 100)"
        )
    database.close()
    status, out, err = run("ledger", "verify")
    assert (status, out) == (1, "")
    assert err.startswith("cosemlab: entry 1")
    assert err.endswith(": its hash is not that of what it says\n")


def test_export_and_back(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, table = tmp_path / "ledger.json", tmp_path / "ledger.csv"
    assert run("ledger", "export", "--json", str(file)) == (0, f"{file}: 300 entries\n", "")
    assert run("ledger", "export", "--csv", str(table)) == (0, f"{table}: 300 entries\n", "")
    assert len(table.read_text(encoding="utf-8").splitlines()) == 301
    listed = shown(run, "ledger", "list", "--actor", "dco")
    assert main(["ledger", "list", "--actor", "dco", "--json", "--file", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == listed
    status, _, err = run("ledger", "verify", "--file", str(file))
    assert (status, err) == (2, "cosemlab: --file and --database: a ledger is in one of them\n")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("verify", "--head", "nowhere"), 1, "nowhere: No such file or directory"),
        (("verify", "--file", "nowhere"), 1, "nowhere: No such file or directory"),
        (("export", "--csv", "no/such/file"), 2, "no/such/file: No such file or directory"),
    ],
)
def test_files_that_are_not_there(
    arguments: tuple[str, ...],
    status: int,
    says: str,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    more = () if "--file" in arguments else ("--database", url)
    assert main(["ledger", *arguments, *more]) == status
    assert capsys.readouterr().err == f"cosemlab: {says}\n"


def test_no_ledger_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To look at one makes none."""
    place = tmp_path / "workspace"
    for what in ("list", "verify", "head", "summary", "cost"):
        assert main(["ledger", what, "--workspace", str(place)]) == 1
        assert capsys.readouterr().err == (
            f"cosemlab: no ledger in {place}: the commands that talk to meters write one\n"
        )
    assert not place.exists()


def test_no_such_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.db"
    assert main(["ledger", "head", "--database", str(sqlite_url(path))]) == 1
    assert capsys.readouterr().err == f"cosemlab: no ledger in {path}\n"
    assert not path.exists()
    assert main(["ledger", "head", "--database", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("cosemlab: cannot use the database: ")


def test_no_database(capsys: pytest.CaptureFixture[str]) -> None:
    url = "postgresql+psycopg://me:hidden@127.0.0.1:1/nowhere"
    assert main(["ledger", "head", "--database", url]) == 2
    err = capsys.readouterr().err
    assert err.startswith("cosemlab: postgresql+psycopg://me:***@127.0.0.1:1/nowhere: ")
    assert "hidden" not in err


def test_the_demo_into_postgresql(postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--json", "--ledger", postgres_url]) == 0
    printed = json.loads(capsys.readouterr().out)["ledger"]
    assert main(["ledger", "list", "--json", "--database", postgres_url]) == 0
    assert json.loads(capsys.readouterr().out) == printed
    assert len(printed) == 403
    assert main(["ledger", "verify", "--database", postgres_url]) == 0
    assert "entries 1 to 403 are" in capsys.readouterr().out


def test_a_demo_that_cannot_record_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--ledger", f"sqlite:///{tmp_path}/no/demo.db"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("cosemlab: cannot use the database: ")


# The commands -------------------------------------------------------------------------------------


async def test_a_head_end_flushes_before_it_answers(
    place: Any, make_head_end: Any, ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each dialogue, also one that fails; if that is not possible, it says so."""
    flushed: list[int] = []

    async def note() -> None:
        await asyncio.sleep(0)
        flushed.append(len(ledger))

    monkeypatch.setattr(ledger, "flushed", note)
    meter, head_end = place("secure"), make_head_end()
    await head_end.status(meter.address, meter.profile)
    assert flushed == [len(ledger)]
    gone = meter.address._replace(tls_port=1)
    with pytest.raises(ConnectionRefusedError):
        await head_end.status(gone, meter.profile)
    assert flushed == [len(ledger) - 1, len(ledger)]

    async def fail() -> None:
        raise LedgerError("no room")

    monkeypatch.setattr(ledger, "flushed", fail)
    with pytest.raises(LedgerError, match="no room"):
        await head_end.status(meter.address, meter.profile)


async def test_commands_record_into_the_workspace(
    sandbox: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pki: Any,
    fleet_secret: bytes,
    credentials: Any,
) -> None:
    """One ledger for all of them, and --database for another one."""
    place = tmp_path / "workspace"
    workspace = Workspace(place)
    monkeypatch.setattr(Workspace, "credential", lambda self, actor: credentials[actor])
    monkeypatch.setattr(Workspace, "__init__", init_with(workspace, pki, fleet_secret))
    workspace.announce(
        [meter.address for meter in sandbox.meters.values()],
        {name: read(name) for name in sandbox.meters},
    )
    at = ["--workspace", str(place)]
    elsewhere = str(sqlite_url(tmp_path / "other.db"))

    async def command(*arguments: str) -> str:
        assert await asyncio.to_thread(main, [*arguments]) == 0
        return capsys.readouterr().out

    credited = json.loads(await command("credit", "secure", "5", "--json", "--ledger", *at))
    await command("read", "itron", *at)
    listed = json.loads(await command("ledger", "list", "--json", *at))
    assert [one["number"] for one in listed] == list(range(1, len(listed) + 1))
    assert credited["ledger"] == listed[: len(credited["ledger"])]
    assert len({one["device"] for one in listed}) == 2
    await command("read", "itron", "--database", elsewhere, *at)
    assert json.loads(await command("ledger", "list", "--json", *at)) == listed
    others = json.loads(await command("ledger", "list", "--json", "--database", elsewhere))
    assert len({one["device"] for one in others}) == 1
    assert (place / DATABASE).stat().st_mode & 0o077 == 0
    await command("ledger", "verify", *at)


def init_with(workspace: Workspace, pki: Any, fleet_secret: bytes) -> Any:
    """A workspace of the sandbox that is up in the tests."""
    path = workspace.path

    def init(self: Workspace, at: Path) -> None:
        assert at == path
        self.path, self.fleet_secret, self.pki = path, fleet_secret, pki

    return init
