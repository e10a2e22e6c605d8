"""The drawings of the state machines, and what docs/protocol.md says."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest

from emulator.cli.machines import MACHINES, draw, drawn_into
from emulator.cli.main import main

ROOT = Path(__file__).parents[2]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text("utf-8")


class Lamp(Enum):
    OFF = "off: dark"
    ON = "on"


class Press(Enum):
    SHORT = "short"
    LONG = "long"


def test_a_small_machine() -> None:
    table = {
        (Lamp.OFF, Press.SHORT): Lamp.ON,
        (Lamp.OFF, Press.LONG): Lamp.ON,
        (Lamp.ON, Press.LONG): Lamp.OFF,
    }
    assert draw(table).splitlines() == [
        "stateDiagram-v2",
        '    state "off, dark" as OFF',
        '    state "on" as ON',
        "    [*] --> OFF",
        "    OFF --> ON: short / long",
        "    ON --> OFF: long",
    ]


@pytest.mark.parametrize("name", MACHINES)
def test_every_row_is_drawn(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["machines", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    for (before, event), after in MACHINES[name].items():
        arrow = f"{before.name} --> {after.name}: "
        (line,) = [line for line in lines if line.strip().startswith(arrow)]
        assert event.value in line


def test_the_document_shows_the_tables_of_today() -> None:
    """``make docs`` draws them."""
    assert PROTOCOL.count("```mermaid") == len(MACHINES)
    assert drawn_into(PROTOCOL) == PROTOCOL


def test_modules_and_tests_that_the_document_names_are_there() -> None:
    """A name without a folder is beside the one before it."""
    table = re.findall(r"^\|.*\|$", PROTOCOL, re.MULTILINE)[2:]
    assert len(table) > 25
    for row in table:
        folder = ROOT
        for name in re.findall(r"`([\w/.*]+)`", row):
            if "/" not in name and not name.endswith(".py"):
                continue
            path = ROOT / name if "/" in name else folder / name
            assert list(path.parent.glob(path.name)), name
            folder = path.parent
