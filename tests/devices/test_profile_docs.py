"""``docs/profiles.md`` beside the code: every key is there, no other is, and its files load."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from devices.profile import associations, instructions, knobs, load_text, objects, rows
from devices.profile.habits import Habits
from devices.profile.load import KEYS as TOP
from devices.profile.model import ROLES
from dlms.cosem import classes

TEXT = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text("utf-8")
FILES = dict(re.findall(r"```toml\n# file: (\S+)\n(.*?)```", TEXT, re.DOTALL))

KEYS = {
    "Top": TOP,
    "Identity": set(rows.IDENTITY),
    "Associations": associations.KEYS,
    "Objects": objects.KEYS,
    "Instructions": instructions.KEYS,
    "Steps": instructions.STEP_KEYS,
    "Habits": {field.name for field in dataclasses.fields(Habits)},
    "Knobs": {"preset", *knobs.FIELDS},
    "Roles": set(ROLES),
}


def table(heading: str) -> dict[str, tuple[str, ...]]:
    """The rows of the table under a heading, by the first word of their first cell."""
    section = TEXT.split(f"\n### {heading}\n")[1].split("\n### ")[0].split("\n## ")[0]
    lines = [line for line in section.split("\n") if line.startswith("| ")][1:]
    found = {}
    for line in lines:
        first, *others = (cell.strip() for cell in line.strip("|").split("|"))
        found[first.strip("*`").split()[0]] = (first, *others)
    return found


@pytest.mark.parametrize("heading", KEYS)
def test_every_key_is_documented(heading: str) -> None:
    documented = table(heading)
    assert documented.keys() == KEYS[heading]
    assert all(row[-1] for row in documented.values())


@pytest.mark.parametrize(
    ("heading", "needed"),
    [
        ("Top", {"name", "identity", "associations", "objects"}),
        ("Identity", rows.IDENTITY.keys() - rows.DEFAULTS.keys()),
        (
            "Associations",
            {"client_sap", "context", "mechanism", "conformance", "max_pdu_size"},
        ),
        ("Objects", {"class"}),
        ("Instructions", {"association", "critical", "steps"}),
        ("Steps", set()),
    ],
)
def test_what_is_needed_is_bold(heading: str, needed: set[str]) -> None:
    assert {key for key, row in table(heading).items() if row[0].startswith("**")} == needed


def test_a_role_is_for_what_the_table_says() -> None:
    for role, row in table("Roles").items():
        names = {classes.BY_ID[number].name for number in ROLES[role]}
        assert set(row[1].split(", ")) == names


@pytest.mark.parametrize("file", ["mymeter.toml", "least.toml"])
def test_its_files_are_good(file: str) -> None:
    assert load_text(FILES[file], file).name == file.removesuffix(".toml")


def test_each_needed_key_of_the_least_is_needed() -> None:
    """Nothing in the least profile can be left out."""
    text = FILES["least.toml"]
    for line in text.split("\n"):
        if " = " in line and "rights" not in line and "role" not in line:
            with pytest.raises(ValueError, match=r"^least\.toml"):
                load_text(text.replace(line + "\n", ""), "least.toml")
