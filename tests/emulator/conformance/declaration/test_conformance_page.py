"""The examples on docs/conformance.md are what they are said to be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devices.profile import ProfileError
from emulator.client.keys import Keys
from emulator.conformance import built_in
from emulator.conformance.declaration import key_file, load, parse, render
from emulator.conformance.declaration.exempting import excluded
from emulator.conformance.declaration.model import WayKind

PAGE = Path(__file__).parents[4] / "docs" / "conformance.md"
TEXT = PAGE.read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"<!-- {kind} -->\n```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (keys,) = blocks("keys")
    path = tmp_path / "keys.toml"
    path.write_text(keys)
    path.chmod(0o600)
    return tmp_path


def test_the_meter(folder: Path) -> None:
    path = folder / "dut.toml"
    path.write_text(blocks("declaration")[0])
    found = load(path)
    assert found.way.kind is WayKind.TLS
    assert found.way.ca == str(folder / "ca.pem")
    assert [one.name for one in found.associations] == ["public", "management"]
    keys = key_file.of(found)
    assert keys["public"] == Keys()
    assert keys["management"].kek == bytes(range(15, -1, -1))
    assert found.features["tls.ems"]
    assert found.features["sta"]
    assert found.features["lds"] == 2
    reasons = excluded(found.exclusions, built_in())
    assert any(id.startswith("X_GBT_") for id in reasons)
    assert any(id.startswith("TLS_B2_GP_") for id in reasons)
    assert [one.id for one in found.expected] == ["APPL_DATA_LN_N1"]
    assert parse(render(found)) == found


def test_the_others() -> None:
    line, head_end = (parse(text) for text in blocks("declaration")[1:])
    assert (line.way.kind, line.hdlc.physical) == (WayKind.SERIAL, 17)
    assert head_end.features["client"]
    assert head_end.client.tasks == {"read", "block-read", "clock"}


def test_every_entry_is_on_the_page() -> None:
    """Each key that is known in a table is in one of the examples."""
    text = "\n".join(blocks("declaration"))
    for table in ("x", "way.x", "hdlc.x", "timing.x", "associations.public.x", "client.x"):
        row = re.sub(r"(.*)\.(\w+)$", r"[\1]\n\2 = 1\n", table) if "." in table else "x = 1\n"
        wrong = f"{row}\n" if table == "x" else f"name = 'x'\n{row}"
        if table == "hdlc.x":
            wrong += "[way]\nkind = 'hdlc'\nhost = 'x'\nport = 1\n"
        with pytest.raises(ProfileError) as caught:
            parse(wrong)
        said = next(one for one in caught.value.all if one.place.path[-1] == "x")
        names = said.problem.partition("known are ")[2].split(", ")
        assert len(names) > 1
        for name in names:
            assert re.search(rf"^(\[+{name}\b|{name} = )", text, re.MULTILINE), (table, name)


def test_errors_are_as_shown() -> None:
    wrong = "name = 'x'\n\n\n[way]\nkind = 'tpc'\nhost = 'x'\nport = 1\n" + "\n" * 22
    wrong += "[features]\nclok = true\n"
    with pytest.raises(ProfileError) as caught:
        parse(wrong, "dut.toml")
    lines = str(caught.value).splitlines()
    (shown,) = re.findall(r"```text\n(dut\.toml.*?)```", TEXT, re.DOTALL)
    assert lines == shown.splitlines()
