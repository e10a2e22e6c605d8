"""``docs/meters.md`` shows the models as they are: ``make docs`` writes it."""

from __future__ import annotations

import runpy
from pathlib import Path

from devices.profile import available, gas

MADE = runpy.run_path(str(Path(__file__).with_name("meters_page.py")))


def test_the_page_is_up_to_date() -> None:
    text = MADE["PAGE"].read_text(encoding="utf-8")
    assert MADE["with_tables"](text) == text


def test_every_model_is_in_every_table() -> None:
    tables = MADE["tables"]().split("## ")[1:]
    assert len(tables) == 4
    for table in tables:
        lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
        assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == [
            *available(),
            *gas(),
        ]


def test_what_an_adapter_must_cope_with_is_there() -> None:
    """Each kind of difference that the page is about occurs."""
    tables = MADE["tables"]()
    for word in ("both / both", "encrypted / both", "authenticated / authenticated", "long-lived",
                 "dedicated, authentication key for one association", "general", "lists",
                 "attribute 0", "UTC", "local, summer time", "m³", "token", "credit"):  # fmt: skip
        assert f" {word}" in tables, word
