"""Meters that others wrote, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from emulator.cli.main import main

HERE = Path(__file__).parent
FRAMINGS = {"tcp": "wrapper", "hdlc": "hdlc"}


class Foreign(NamedTuple):
    way: str
    port: int

    def draft(self, folder: Path, *options: str) -> Path:
        path = folder / "dut.toml"
        to = ("--host", "127.0.0.1", "--port", str(self.port), "--way", self.way, *options)
        assert main(["conform", "declare", *to, "-o", str(path)]) == 0
        return path

    def run(self, path: Path, *checks: str) -> tuple[int, dict[str, Any]]:
        """Exit status and report of a run on the declaration at ``path``."""
        report = path.with_suffix(".json")
        files = ("--junit", str(path.with_suffix(".xml")), "--html", str(path.with_suffix(".html")))
        status = main(["conform", "run", "-t", str(path), "-o", str(report), *files, *checks])
        return status, json.loads(report.read_text("utf-8"))


@pytest.fixture
def foreign() -> Iterator[Callable[..., Foreign]]:
    """``foreign(program, way, *options)``. It ends with its standard input."""
    with ExitStack() as stack:

        def start(program: str, way: str, *options: str) -> Foreign:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(HERE / program), FRAMINGS[way], *options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            assert process.stdout is not None
            return Foreign(way, int(process.stdout.readline()))

        yield start
