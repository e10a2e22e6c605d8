"""``cosemlab profiles``: list, show, check, diff; and a meter from a user's own file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.profile import available, every, load
from emulator.cli.failures import Exit
from emulator.cli.main import main
from emulator.profile_facts import facts

PATIENCE = 120.0
PARENT = """\
extends = "laboratory"

[objects."0-0:96.1.9.255"]
class = "Data"
values.2 = { ascii = "a user's own" }
rights.s1sp = "r"
assumed = "for the test"
"""
OWN = """\
extends = "parts/parent.toml"
name = "mymeter"

[identity]
manufacturer = { value = "Mine", source = "I made it" }
kind = { value = "gas", assumed = "for the test" }
"""
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command; give its exit status and what it prints."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main([*arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile that extends a file in a folder beside it, which extends one of the package."""
    return written(tmp_path_factory.mktemp("own"))


def written(folder: Path) -> Path:
    (folder / "parts").mkdir()
    (folder / "parts" / "parent.toml").write_text(PARENT)
    (folder / "mymeter.toml").write_text(OWN)
    return folder / "mymeter.toml"


def listed(out: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(out)["profiles"]}


def test_the_list(command: Command) -> None:
    status, out, err = command("profiles", "--json")
    assert (status, err) == (Exit.DONE, "")
    rows = listed(out)
    assert list(rows) == list(every())
    profile = load("landis_gyr")
    assert rows["landis_gyr"] == {
        "name": "landis_gyr",
        "manufacturer": "Landis+Gyr",
        "model": profile.model,
        "category": 2,
        "kind": "electricity",
        "suites": [0],
        "top_up": "token",
        "objects": len(profile.objects),
        "assumed": sum(one.assumed for one in facts(profile)),
        "facts": len(facts(profile)),
    }
    assert rows["laboratory"]["suites"] == [0, 1, 2]
    assert 0 < rows["landis_gyr"]["assumed"] < rows["landis_gyr"]["facts"]


def test_the_list_for_people(command: Command) -> None:
    status, out, _ = command("profiles")
    head, rule, *rows = out.splitlines()
    assert status == Exit.DONE
    assert head.split()[:4] == ["name", "manufacturer", "model", "category"]
    assert set(rule) == {"-", " "}
    assert [row.split()[0] for row in rows] == list(every())


def test_what_is_assumed_is_counted_row_by_row() -> None:
    """Identity, associations, objects and Instructions, each as often as there is one."""
    profile = load("secure")
    rows = (
        *profile.provenance.values(),
        *(row.provenance for row in profile.associations.values()),
        *(row.provenance for row in profile.objects.values()),
        *(row.provenance for row in profile.instructions.values()),
    )
    assert sorted(facts(profile)) == sorted(rows)


@pytest.mark.parametrize("where", [["--json", "show", "secure"], ["show", "secure", "--json"]])
def test_shown_as_json(command: Command, where: list[str]) -> None:
    status, out, _ = command("profiles", *where)
    shown = json.loads(out)
    profile = load("secure")
    assert status == Exit.DONE
    assert shown["name"] == "secure"
    assert shown["identity"].keys() == {
        key for key in profile.provenance if not key.startswith("habits.")
    }
    assert shown["identity"]["flag_id"]["value"] == "EHL"
    assert shown["identity"]["flag_id"]["source"] == profile.provenance["flag_id"].text
    assert shown["associations"].keys() == profile.associations.keys()
    assert shown["associations"]["reader"]["client_sap"] == "5"
    assert len(shown["objects"]) == len(profile.objects)
    clock = shown["objects"]["0-0:1.0.0.255"]
    assert (clock["class"], clock["version"]) == ("Clock", "0")
    assert clock["values.3"] == "long = 0"
    assert clock["rights.dco"] == "r 2rw m1 m3 m6"
    assert clock["assumed"].startswith("UTC")
    disable = shown["instructions"]["disable_supply"]
    assert disable["steps.0"] == "action 0-0:96.3.10.255 1 (integer = 0)"
    assert disable["source"].startswith("7.2")


def test_what_an_association_sees(command: Command) -> None:
    _, out, _ = command("profiles", "show", "secure", "--association", "public", "--json")
    shown = json.loads(out)
    profile = load("secure")
    assert list(shown["associations"]) == ["public"]
    assert len(shown["objects"]) == sum("public" in row.rights for row in profile.objects.values())
    for row in shown["objects"].values():
        assert [key for key in row if key.startswith("rights.")] == ["rights.public"]
    assert "instructions" not in shown
    _, out, _ = command("profiles", "show", "secure", "--association", "dco", "--json")
    assert len(json.loads(out)["instructions"]) == len(profile.instructions)


def test_by_short_names_an_association_sees_another_current_association(command: Command) -> None:
    _, out, _ = command("profiles", "show", "laboratory", "--association", "sn", "--json")
    shown = json.loads(out)
    assert shown["short_name_objects"]["0-0:40.0.0.255"]["class"] == "Association SN"
    assert "0-0:40.0.0.255" not in shown["objects"]
    _, out, _ = command("profiles", "show", "laboratory", "--association", "dco", "--json")
    shown = json.loads(out)
    assert "short_name_objects" not in shown
    assert shown["objects"]["0-0:40.0.0.255"]["class"] == "Association LN"


@pytest.mark.parametrize("name", every())
def test_shown_to_people(command: Command, name: str) -> None:
    """Each row is there, with where it comes from; nothing is wider than a value may be."""
    status, out, _ = command("profiles", "show", name)
    assert status == Exit.DONE
    profile = load(name)
    for provenance in facts(profile):
        assert str(provenance) in out
    for row in profile.associations.values():
        assert f"\n  {row.name}\n" in out
    assert f"Objects ({len(profile.objects)})" in out


def test_an_association_that_is_not_there(command: Command) -> None:
    status, out, err = command("profiles", "show", "secure", "--association", "nobody")
    assert (status, out) == (Exit.USAGE, "")
    assert err.startswith("cosemlab: secure has no association 'nobody': public, ")


def test_all_files_are_checked(command: Command, tmp_path: Path, own: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(OWN.replace("parts/parent.toml", "secure") + "colour = 1\nflag = 2\n")
    ugly = tmp_path / "ugly.toml"
    ugly.write_text("name = \n")
    status, out, err = command("profiles", "check", str(bad), str(own), "secure", str(ugly))
    assert (status, err) == (Exit.USAGE, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"{bad}:7: identity.colour: unknown key; known are category, ")
    assert lines[1:] == [f"{own}: good", "secure: good", f"{ugly}:1:8: Invalid value"]
    assert command("profiles", "check", str(own))[:2] == (Exit.DONE, f"{own}: good\n")


def test_a_check_for_programs(command: Command, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(
        'extends = "secure"\nname = "x"\n[associations.public]\nclient_sap = 0\n[objects]\na = 1\n'
    )
    status, out, _ = command("profiles", "check", str(bad), "--json")
    (row,) = json.loads(out)["files"]
    assert status == Exit.USAGE
    assert (row["file"], row["good"]) == (str(bad), False)
    assert [(one["file"], one["line"], one["path"]) for one in row["problems"]] == [
        (str(bad), 4, "associations.public.client_sap"),
        (str(bad), 6, "objects.a"),
    ]
    assert row["problems"][0]["problem"] == "0 is not in 1..127"


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b'name = "x"\n# \xff', ":2: is not UTF-8"),
        (b"#" * (4 * 1024 * 1024 + 1), ": has more than 4194304 octets"),
        (None, ": cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read(
    command: Command, tmp_path: Path, octets: bytes | None, problem: str
) -> None:
    file = tmp_path / "x.toml"
    if octets is not None:
        file.write_bytes(octets)
    assert command("profiles", "check", str(file)) == (Exit.USAGE, f"{file}{problem}\n", "")
    child = tmp_path / "child.toml"
    child.write_text('\nextends = "./x.toml"\n')
    _, out, _ = command("profiles", "check", str(child))
    assert out == f"{child}:2: extends: {file}{problem}\n"


def test_a_folder_is_no_file(command: Command, tmp_path: Path) -> None:
    status, _, err = command("profiles", "show", f"{tmp_path}/")
    assert (status, err) == (Exit.USAGE, f"cosemlab: {tmp_path}: cannot be read: Is a directory\n")


def test_an_error_in_a_parent_names_the_parent(command: Command, tmp_path: Path) -> None:
    (tmp_path / "parent.toml").write_text('extends = "secure"\n\n[associations.dco]\npolicy = 9\n')
    child = tmp_path / "child.toml"
    child.write_text('name = "x"\nextends = "parent.toml"\n')
    _, out, _ = command("profiles", "check", str(child))
    parent = tmp_path / "parent.toml"
    assert out == (
        f"{parent}:4: associations.dco.policy: 9 is not one of 0, 1, 2, 3 (read for {child})\n"
    )


def test_a_difference(command: Command, own: Path) -> None:
    status, out, _ = command("profiles", "diff", "laboratory", str(own), "--json")
    found = json.loads(out)
    assert status == Exit.DONE
    assert (found["first"], found["second"]) == ("laboratory", "mymeter")
    differences = {row["what"]: (row["first"], row["second"]) for row in found["differences"]}
    assert differences.keys() == {
        "identity.kind.value", "identity.kind (from)",
        "identity.manufacturer.value", "identity.manufacturer (from)",
        "objects.0-0:96.1.9.255.values.2", "objects.0-0:96.1.9.255 (from)",
        "objects.0-0:96.1.9.255.rights.s1sp",
    }  # fmt: skip
    assert differences["identity.manufacturer.value"] == ("none", "Mine")
    assert differences["identity.manufacturer (from)"][1] == "source: I made it"


def test_what_only_one_of_them_has(command: Command, tmp_path: Path) -> None:
    less = tmp_path / "less.toml"
    less.write_text(
        'extends = "secure"\nname = "less"\n[objects."1-0:99.1.0.255"]\nabsent = true\n'
    )
    _, out, _ = command("profiles", "diff", "secure", str(less), "--json")
    rows = json.loads(out)["differences"]
    assert rows
    assert all(row["what"].startswith("objects.1-0:99.1.0.255") for row in rows)
    assert all(row["first"] and not row["second"] for row in rows)
    _, out, _ = command("profiles", "diff", str(less), "secure", "--json")
    assert [row["second"] for row in json.loads(out)["differences"]] == [r["first"] for r in rows]
    _, out, _ = command("profiles", "diff", "secure", str(less))
    assert out.splitlines()[0].split() == ["what", "secure", "less"]


def test_no_difference(command: Command) -> None:
    assert command("profiles", "diff", "secure", "secure")[1] == "secure and secure say the same\n"


# Import -----------------------------------------------------------------------------------------

DUMP = Path(__file__).parents[2] / "fixtures" / "dumps" / "aclara_s1sp.xml"


def test_import_to_stdout_and_to_a_file(command: Command, tmp_path: Path) -> None:
    status, text, err = command("profiles", "import", str(DUMP))
    assert (status, err) == (Exit.DONE, "")
    assert 'name = "aclara_s1sp"\n' in text
    out = tmp_path / "mine.toml"
    status, said, _ = command("profiles", "import", str(DUMP), "--out", str(out), "--name", "mine")
    assert status == Exit.DONE
    assert said.startswith(f"{out}: mine; ")
    assert out.read_text() == text.replace('name = "aclara_s1sp"', 'name = "mine"')
    count = sum(line.startswith("# left out: ") for line in text.splitlines())
    assert said == f"{out}: mine; {count} things are left out, named at its end\n"
    assert command("profiles", "check", str(out))[0] == Exit.DONE
    # What is there may have been changed by hand.
    status, _, err = command("profiles", "import", str(DUMP), "--out", str(out))
    assert (status, err) == (Exit.USAGE, f"cosemlab: {out}: cannot be written: File exists\n")


def test_import_as_json(command: Command, tmp_path: Path) -> None:
    _, out, _ = command("profiles", "import", str(DUMP), "--json")
    shown = json.loads(out)
    assert (shown["name"], shown.keys()) == ("aclara_s1sp", {"name", "text", "left_out"})
    file = tmp_path / "x.toml"
    _, out, _ = command("profiles", "import", str(DUMP), "--json", "--out", str(file))
    assert json.loads(out)["file"] == str(file)


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"<Objects>\n</Object>", "2: mismatched tag"),
        (b"<!DOCTYPE x>\n<Objects/>", "1: a document type is refused: it could bring entities"),
        (b"x" * (16 * 1024 * 1024 + 1), "1: more than 16777216 octets"),
    ],
)
def test_what_cannot_be_imported(
    command: Command, tmp_path: Path, octets: bytes | None, problem: str
) -> None:
    file, out = tmp_path / "x.xml", tmp_path / "x.toml"
    if octets is not None:
        file.write_bytes(octets)
    status, said, err = command("profiles", "import", str(file), "--out", str(out))
    assert (status, said) == (Exit.USAGE, "")
    (line,) = err.splitlines()
    assert line.startswith("cosemlab: ")
    assert problem in line
    assert not out.exists()


def test_an_imported_meter_is_up(command: Command, tmp_path: Path) -> None:
    """And the head end reads it, adds credit, and arms its supply."""
    out, workspace = tmp_path / "mine.toml", tmp_path / "workspace"
    command("profiles", "import", str(DUMP), "--out", str(out), "--name", "mine")
    up = start(workspace, "up", str(out), "--json")
    assert [row["name"] for row in announced(up)] == ["mine"]
    try:
        _, shown, err = command("read", "mine", "--json", "--workspace", str(workspace))
        assert err == ""
        assert json.loads(shown)["balance"] == "-1.50"
        _, shown, err = command("credit", "mine", "20", "--json", "--workspace", str(workspace))
        assert err == ""
        assert json.loads(shown)["by"] == "credit"
        status, shown, err = command(
            "instruct", "mine", "arm_supply", "--json", "--workspace", str(workspace)
        )
        assert (status, err) == (Exit.DONE, "")
        assert json.loads(shown)["supply"] == "armed"
    finally:
        up.send_signal(signal.SIGINT)
        _, err = up.communicate(timeout=PATIENCE)
    assert (up.returncode, err) == (Exit.DONE, "")


# A meter from a file --------------------------------------------------------------------------


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "emulator.cli.main", *arguments, "--workspace", str(workspace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def announced(up: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The meters that are up; what happens at them may be printed before."""
    assert up.stdout is not None
    lines: list[str] = []
    for line in up.stdout:
        lines.append(line)
        if line == "}\n":
            document = json.loads("".join(lines))
            if "meters" in document:
                return list(document["meters"])
            lines.clear()
    raise AssertionError("it ended")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox with a meter from a file that is not what it was any more."""
    own = written(tmp_path_factory.mktemp("changed"))
    path = tmp_path_factory.mktemp("up") / "workspace"
    up = start(path, "up", str(own), "secure", "--json")
    assert [row["name"] for row in announced(up)] == ["mymeter", "secure"]
    own.write_text("this is no profile any more")
    yield path
    up.send_signal(signal.SIGINT)
    _, err = up.communicate(timeout=PATIENCE)
    assert (up.returncode, err) == (Exit.DONE, "")


@pytest.mark.parametrize(
    ("arguments", "key", "value"),
    [
        (("read", "mymeter", "0-0:96.1.9.255"), "value", "a user's own"),
        (("credit", "mymeter", "5.00"), "added", "5.00"),
        (("instruct", "mymeter", "arm_supply"), "instruction", "arm_supply"),
        (("objects", "mymeter"), "meter", "mymeter"),
        (("keys", "mymeter", "dco"), "client_sap", 1),
        (("listen", "mymeter", "--push", "--count", "1"), "meter", "mymeter"),
        (("read", "secure"), "meter", "secure"),
    ],
)
def test_every_command_works_with_it(
    workspace: Path, command: Command, arguments: tuple[str, ...], key: str, value: object
) -> None:
    status, out, err = command(*arguments, "--workspace", str(workspace), "--json")
    assert (status, err) == (Exit.DONE, "")
    assert json.loads(out)[key] == value


BAD = {
    "unknown key": ("[associations.s1sp]\npolcy = 1\n", ":4: associations.s1sp.polcy: unknown key"),
    "wrong type": ('[associations.s1sp]\npolicy = "3"\n', ":4: associations.s1sp.policy: a whole"),
    "impossible": (
        "[associations.public]\ndedicated = true\n",
        ":4: associations.public.dedicated: a dedicated key needs a ciphered context",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_nothing_is_started_if_one_is_wrong(
    command: Command, tmp_path: Path, own: Path, kind: str
) -> None:
    extra, problem = BAD[kind]
    bad = tmp_path / "bad.toml"
    bad.write_text(f'extends = "secure"\nname = "bad"\n{extra}')
    workspace = tmp_path / "workspace"
    status, out, err = command("up", str(own), str(bad), "--workspace", str(workspace))
    assert (status, out) == (Exit.USAGE, "")
    (line,) = err.splitlines()
    assert line.startswith(f"cosemlab: {bad}{problem}")
    assert not workspace.exists()


def test_all_that_are_wrong_are_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('extends = "secure"\nname = "a"\nx = 1\n')
    (tmp_path / "b.toml").write_text('extends = "secure"\nname = "b"\ny = 1\n')
    files = [f"{tmp_path}/{name}.toml" for name in "ab"]
    status, _, err = command("up", *files, "--workspace", str(tmp_path / "workspace"))
    assert status == Exit.USAGE
    assert [line.split(": ")[1:3] for line in err.splitlines()] == [
        [f"{files[0]}:3", "x"],
        [f"{files[1]}:3", "y"],
    ]


def test_two_meters_of_one_name(command: Command, tmp_path: Path) -> None:
    twin = tmp_path / "twin.toml"
    twin.write_text('extends = "itron"\nname = "secure"\n')
    status, _, err = command("up", "secure", str(twin), "--workspace", str(tmp_path / "workspace"))
    assert status == Exit.USAGE
    assert err == f"cosemlab: {twin}:2: name: 'secure' is the name of the meter of secure.toml\n"


def test_the_default_is_the_manufacturers() -> None:
    assert "laboratory" not in available()
