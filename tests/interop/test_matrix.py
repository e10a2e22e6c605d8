"""The matrix of peers and features says neither more nor less than the tests show."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = runpy.run_path(str(HERE / "readme_table.py"))
STATUSES = {"works", "peer refuses", "meter refuses"}
KEYS = {"feature", "peer", "status", "test", "reason"}


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = README["rows"]()
    return found


def functions() -> set[str]:
    """Every test function of the peers' folders, as ``folder/file.py::name``."""
    found = set()
    for path in HERE.glob("*/test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if test and node.name.startswith("test_"):
                found.add(f"{path.parent.name}/{path.name}::{node.name}")
    return found


def test_rows_are_complete() -> None:
    for row in rows():
        assert row.keys() <= KEYS, row
        assert row["status"] in STATUSES, row
        assert row["status"] == "works" or row["reason"], row
        assert row["status"] == "peer refuses" or row["test"], row


def test_rows_are_unique() -> None:
    names = [(row["feature"], row["peer"]) for row in rows()]
    assert len(names) == len(set(names))


def test_rows_and_tests_agree() -> None:
    named = [row["test"] for row in rows() if "test" in row]
    assert len(named) == len(set(named))
    assert set(named) == functions()


def test_tests_are_of_the_peer_named() -> None:
    words = {"gurux-dlms": "gurux", "dlms-cosem": "cosem"}
    for row in rows():
        if "test" in row:
            assert words[row["peer"]] in row["test"].partition("::")[0].rpartition("/")[2]


def test_the_readme_shows_the_matrix() -> None:
    """``make docs`` writes it."""
    text = README["README"].read_text(encoding="utf-8")
    assert README["with_table"](text) == text
