"""A desk at which the register is kept: the command line on a database of its own."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from emulator.cli.main import parser

PARSER = parser()


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


class Desk:
    """``cosemlab products`` with its database and its published files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "products.db"
        self.url = f"sqlite:///{self.database}"
        self.lists = folder / "lists"

    def run(self, *arguments: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        where = ("--database", self.url)
        with redirect_stdout(out), redirect_stderr(err):
            try:
                args = PARSER.parse_args(["products", *arguments, *(where if arguments else ())])
                status = args.run(args)
            except SystemExit as ended:
                status = int(ended.code or 0)
        return Outcome(int(status), out.getvalue(), err.getvalue())

    def done(self, *arguments: str) -> str:
        """What a command prints that must succeed."""
        outcome = self.run(*arguments)
        assert outcome.status == 0, outcome
        assert outcome.err == ""
        return outcome.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.done(*arguments, "--json"))

    def request(self, maker: str, *more: str, participant: str = "Asker") -> str:
        """Ask for the combination of a maker; its number."""
        who = ("--participant", participant)
        answer = self.json("request", *who, *self.described(maker), *more)
        return str(answer["combination"])

    def progress(self, id: str, word: str, *more: str, participant: str = "Asker") -> None:
        self.done("progress", id, word, "--participant", participant, *more)

    def pending(self, maker: str, *more: str, participant: str = "Asker") -> str:
        id = self.request(maker, *more, participant=participant)
        self.progress(id, "testing", participant=participant)
        return id

    def publish(self, *more: str) -> dict[str, bytes]:
        """The files that are published."""
        self.done("publish", "--out", str(self.lists), *more)
        return self.files()

    def publish_again(self, day: str) -> dict[str, bytes]:
        self.done("publish", "--out", str(self.lists), "--as-of", day)
        return self.files()

    def files(self) -> dict[str, bytes]:
        if not self.lists.exists():
            return {}
        return {path.name: path.read_bytes() for path in sorted(self.lists.iterdir())}

    def on_list(self, which: str) -> list[str]:
        """The numbers on a published list, "Eligible" or "Pending"."""
        (found,) = (one for one in self.json("list")["lists"] if which in one["list"])
        return [row["combination"] for row in found["combinations"]]

    @staticmethod
    def described(maker: str, csp: str = "CSP North") -> tuple[str, ...]:
        models = (("ESME", "E1"), ("GSME", "G1"))
        given = (("--model", kind, maker, name, "1", "1.0.0") for kind, name in models)
        return ("--csp", csp, *(text for model in given for text in model))

    def everything(self) -> tuple[list[Any], dict[str, bytes]]:
        """Every row and every file, to see that nothing was changed."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = [
                connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in ("products_acts", "products_publications")
            ]
        return rows, self.files()


@pytest.fixture(scope="session")
def make_desk() -> Callable[[Path], Desk]:
    return Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
