"""What the plug-in does to those who do not use it: nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

LOADED = """
import json
import sys

def test_nothing(): pass

def test_what_is_loaded():
    print("LOADED", json.dumps(sorted(sys.modules)))
"""
FOREIGN = {
    "conftest.py": """
import pytest

@pytest.fixture
def meter():
    return "my own"

@pytest.fixture
def sandbox():
    return "my own, too"
""",
    "test_foreign.py": """
import pytest

async def test_both(meter, sandbox, faults, head_end, ledger, virtual_clock, cosemlab_bench):
    assert (meter, sandbox) == ("my own", "my own, too")
    secure = cosemlab_bench.meter("secure")
    faults.set(secure, "overloaded")
    assert faults.active(secure)
    assert len(ledger) == 0

def test_live(live_meter, meter):
    assert meter == "my own"
    assert live_meter("secure").balance is not None
""",
}


def test_the_entry_point_is_there() -> None:
    point = PROJECT["entry-points"]["pytest11"]
    assert point == {"cosemlab": "emulator.pytest_plugin"}
    plugin = import_module(point["cosemlab"])
    assert plugin.pytest_addoption
    assert plugin.live_meter


def test_the_extra_is_what_it_needs() -> None:
    extra = {one.split(">")[0] for one in PROJECT["optional-dependencies"]["pytest"]}
    assert extra == {"pytest", "pytest-asyncio"}
    assert extra.isdisjoint(one.split(">")[0] for one in PROJECT["dependencies"])


def test_it_loads_next_to_nothing(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest({"test_loaded.py": LOADED}, "-s")
    result.assert_outcomes(passed=2)
    (line,) = (line for line in result.outlines if "LOADED" in line)
    loaded = set(json.loads(line.partition("LOADED ")[2].rpartition("]")[0] + "]"))
    ours = {name for name in loaded if name.split(".")[0] in ("emulator", "devices", "dlms", "tls")}
    assert ours == {
        "emulator",
        "emulator.pytest_plugin",
        "emulator.pytest_plugin.asynchronous",
        "emulator.pytest_plugin.fixtures",
        "emulator.pytest_plugin.hooks",
        "emulator.pytest_plugin.hookspecs",
        "emulator.pytest_plugin.loop_scope",
        "emulator.pytest_plugin.misuse",
    }
    assert loaded.isdisjoint({"cryptography", "sqlalchemy", "sqlite3"})


def test_everything_else_is_there_without_pytest() -> None:
    code = (
        "import sys\n"
        "for name in ('pytest', '_pytest', 'pytest_asyncio'): sys.modules[name] = None\n"
        "import emulator.cli.main, emulator.sandbox, emulator.conformance\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_names_of_others_stay_theirs(run_pytest: Callable[..., Any]) -> None:
    run_pytest(FOREIGN).assert_outcomes(passed=2)


def test_its_words_are_in_the_help(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest({}, "--help")
    result.stdout.fnmatch_lines(["*--cosem-target=URL|FILE*"])
    result = run_pytest({}, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.cosemlab(profiles=*"])
    result = run_pytest({}, "--fixtures")
    for name in ("sandbox", "meter", "fleet", "head_end", "virtual_clock", "ledger", "faults"):
        result.stdout.re_match_lines([f"{name}( --|$).*"])


@pytest.mark.parametrize("name", ["live_sandbox", "live_meter"])
def test_blocking_fixtures_are_in_the_help(run_pytest: Callable[..., Any], name: str) -> None:
    run_pytest({}, "--fixtures").stdout.re_match_lines([f"{name}( --|$).*"])
