"""What ``docs/products.md`` shows works as shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[3] / "docs" / "products.md").read_text(encoding="utf-8")


def test_the_first_example(desk: Any) -> None:
    block = PAGE.split("```")[1]
    commands = re.findall(r"^\$ cosemlab products ((?:.*\\\n)*.*)$", block, re.MULTILINE)
    assert len(commands) == 5
    outputs = [desk.done(*arguments(one, desk)) for one in commands]
    shown = block.split("\n$ ")[1].split("\n", 2)[2].rstrip()
    undated = [re.sub(r"\d{4}-\d\d-\d\d", "", text.rstrip()) for text in (shown, outputs[0])]
    assert undated[0] == undated[1]
    assert desk.on_list("Pending") == re.findall(r"eligible (DMC-\w+)", block)


def arguments(command: str, desk: Any) -> list[str]:
    words = shlex.split(command.replace("\\\n", ""))
    return [str(desk.lists) if word == "lists" else word for word in words]


def test_every_verb_is_there(desk: Any) -> None:
    named = set(re.findall(r"`([a-z]+)\b[^`]*`", PAGE.split("| verb |")[1].split("\n\n")[0]))
    verbs = set(re.findall(r"'([a-z]+)'", desk.run("nothing").err.split("choose from")[1]))
    assert verbs
    assert verbs <= named
