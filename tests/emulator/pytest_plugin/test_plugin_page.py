"""What docs/testing-your-adapter.md says is what happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[3] / "docs" / "testing-your-adapter.md").read_text("utf-8")


class Block(NamedTuple):
    language: str
    text: str


BLOCKS = [Block(*found) for found in re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)]
FILES = {
    block.text.partition("\n")[0].removeprefix("# "): block.text
    for block in BLOCKS
    if block.language == "python"
}
FIRST = ("adapter.py", "conftest.py", "test_adapter.py")


def hunks(diff: str) -> Iterator[tuple[str, str]]:
    """What is to be replaced, and by what."""
    for hunk in re.split(r"^@@\n", diff, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        yield (
            "".join(line[1:] for line in lines if line[0] in " -"),
            "".join(line[1:] for line in lines if line[0] in " +"),
        )


def mended(text: str) -> str:
    (diff,) = (block.text for block in BLOCKS if block.language == "diff")
    for old, new in hunks(diff):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def summaries() -> list[str]:
    """What pytest says last, by the page."""
    texts = (block.text for block in BLOCKS if block.language == "console")
    return [text.splitlines()[-1] for text in texts if "$ pytest\n" in text]


def test_every_block_is_known() -> None:
    assert list(FILES) == [
        *FIRST,
        "test_forged.py",
        "test_faults.py",
        "test_midnight.py",
        "test_ledger.py",
    ]
    assert {block.language for block in BLOCKS} == {"console", "python", "diff"}
    assert summaries() == ["1 passed", "1 failed, 1 passed", "2 passed"]


def test_from_nothing_to_a_passing_test(run_pytest: Callable[..., Any]) -> None:
    """In strict mode, as pytest-asyncio is where nobody has said anything."""
    mode = "strict"
    result = run_pytest({name: FILES[name] for name in FIRST}, mode=mode)
    result.assert_outcomes(passed=1)

    result = run_pytest({"test_forged.py": FILES["test_forged.py"]}, mode=mode)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E*Failed: DID NOT RAISE*AdapterError*"])

    result = run_pytest({"adapter.py": mended(FILES["adapter.py"])}, mode=mode)
    result.assert_outcomes(passed=2)

    others = {name: FILES[name] for name in list(FILES)[4:]}
    result = run_pytest(others, mode=mode)
    result.assert_outcomes(passed=2 + 3 + 1 + 1)
