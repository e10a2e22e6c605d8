"""Every rule has tests, every test that is named exists, and nobody cites a rule that is none."""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dlms.association.knobs import Knobs
from emulator.conformance import built_in

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
FILE = tomllib.loads((ROOT / "fixtures/reference/rules.toml").read_text(encoding="utf-8"))
RULES: dict[str, dict[str, Any]] = FILE["rules"]
KNOBS: list[dict[str, Any]] = FILE["knobs"]
NAME = re.compile(r"\b(R-[A-Z]+)-(\d+(?:, \d+)*)|\b(?:test_)?(X_[A-Z0-9]+(?:_[A-Z0-9]+)*)")
"""``R-IC-4``, and several as ``R-IC-4, 5``; ``X_WPDU_VER``, also at the beginning of a test."""


@cache
def functions(path: str) -> dict[str, str]:
    """The test functions of a file, by what follows the path in a node id, with their text."""
    text = (TESTS / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for part in inside:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([part.lineno, *(mark.lineno for mark in part.decorator_list)])
                found[prefix + part.name] = "\n".join(lines[first - 1 : part.end_lineno])
    return {name: text for name, text in found.items() if "test_" in name}


def cited(text: str) -> set[str]:
    """The rules that are named in ``text``."""
    found = set()
    for group, numbers, case in NAME.findall(text):
        found |= {f"{group}-{number}" for number in numbers.split(", ")} if group else {case}
    return found


def part_of(name: str, rule: str) -> bool:
    """Whether ``name`` is the rule, or a case of it: X_GET_BLOCK_1 is one of X_GET_BLOCK."""
    return name == rule or (rule[0] == "X" and name.startswith(f"{rule}_"))


def is_about(test: str, rule: str) -> bool:
    """Whether a test says in its name or docstring that it is about the rule."""
    path, _, name = test.partition("::")
    text = functions(path)[name]
    return rule.lower() in name.lower() or any(part_of(found, rule) for found in cited(text))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_tests(rule: str) -> None:
    row = RULES[rule]
    assert row.keys() == {"says", "tests"}
    assert re.fullmatch(r"[A-Z].{4,160}\.", row["says"])
    assert row["tests"]
    assert len(set(row["tests"])) == len(row["tests"])
    for test in row["tests"]:
        path, _, name = test.partition("::")
        assert name in functions(path), f"{test} does not exist"
    assert any(is_about(test, rule) for test in row["tests"]), f"no test says {rule}"


def sources() -> list[Path]:
    folders = ("dlms", "devices", "emulator", "tls", "tests", "docs")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    kinds = {".py", ".md", ".toml"}
    return [path for path in found if path.suffix in kinds and path != Path(__file__)]


def test_whoever_cites_a_rule_finds_it_here() -> None:
    """Or in the catalogue of conformance checks, which says what each of its own names is."""
    names = [*RULES, *(check.id for check in built_in())]
    unknown = {
        f"{path.relative_to(ROOT)}: {rule}"
        for path in sources()
        for rule in cited(path.read_text(encoding="utf-8"))
        # A whole family may be meant, or a part of a case.
        if not any(part_of(rule, known) or part_of(known, rule) for known in names)
    }
    assert unknown == set()


def test_every_knob_is_turned_somewhere() -> None:
    fields = [row["field"] for row in KNOBS if "field" in row]
    assert len(fields) == len(set(fields))
    assert set(fields) == {field.name for field in dataclasses.fields(Knobs)}


@pytest.mark.parametrize("row", KNOBS, ids=lambda row: row["at"])
def test_a_knob_has_tests(row: dict[str, Any]) -> None:
    """Those of a field turn it: its name is in their file. Where there is none, it says why."""
    assert row.keys() in ({"at", "field", "tests"}, {"at", "decided", "tests"})
    assert row["tests"]
    for test in row["tests"]:
        path, _, name = test.partition("::")
        assert name in functions(path), f"{test} does not exist"
    if "field" in row:
        files = {test.partition("::")[0] for test in row["tests"]}
        texts = [(TESTS / path).read_text(encoding="utf-8") for path in files]
        practice = row["field"].removesuffix("_form")  # where general-ciphering has it by itself
        assert any(row["field"] in text or f"{practice}=" in text for text in texts)


def test_this_file_would_notice() -> None:
    """The finder itself: lists, names of tests, and what is no rule."""
    assert cited("R-IC-4, 5 and X_WPDU_VER; SUFFIX_X") == {"R-IC-4", "R-IC-5", "X_WPDU_VER"}
    assert cited("def test_X_GET_BLOCK_none_at_all") == {"X_GET_BLOCK"}
    assert not is_about("reference/test_rules.py::test_a_rule_has_tests", "R-IC-9")
    assert part_of("X_A_B", "X_A")
    assert not part_of("X_AB", "X_A")
    assert not part_of("R-A-1", "R-A")
    assert "test_this_file_would_notice" in functions("reference/test_rules.py")
    assert "TestVector::test_truncated_anywhere_is_refused" in functions(
        "dlms/acse/test_acse_vectors.py"
    )
