"""``cosemlab products``: every verb with what is wrong, and no half-done state."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.profile import available, gas, load
from emulator.cli.main import main

NOBODYS = "DMC-0123456789ABCDEF"
WHO = ("--participant", "Asker")
MODEL = ("--model", "ESME", "Aclara", "E1", "1", "1.0.0")
CSP = ("--csp", "CSP North")
FUTURE = ("--on", "2999-01-01")

BAD: list[tuple[int, str, tuple[str, ...]]] = [
    (2, "required: VERB", ()),
    (2, "invalid choice: 'remove'", ("remove",)),
    (2, "required: --participant", ("request", *CSP, *MODEL)),
    (2, "required: --csp", ("request", *WHO, *MODEL)),
    (2, "required: --model", ("request", *WHO, *CSP)),
    (2, "expected 5 arguments", ("request", *WHO, *CSP, *MODEL[:5])),
    (
        2,
        "device type 'IHD' is none of",
        ("request", *WHO, *CSP, "--model", "IHD", *MODEL[2:]),
    ),
    (2, "is in the combination twice", ("request", *WHO, *CSP, *MODEL, *MODEL)),
    (2, "communications service provider is empty", ("request", *WHO, "--csp", " ", *MODEL)),
    (2, "the name '=x' does not begin", ("request", "--participant", "=x", *CSP, *MODEL)),
    (2, "invalid choice: 'user'", ("request", *WHO, *CSP, *MODEL, "--kind", "user")),
    (2, "2999-01-01 has not come yet", ("request", *WHO, *CSP, *MODEL, *FUTURE)),
    (2, "'1.3.2019' is no date", ("request", *WHO, *CSP, *MODEL, "--on", "1.3.2019")),
    (1, "Asker has asked for {pending} already", ("request", *WHO, "{described}")),
    (1, "there is nothing to test", ("request", *WHO, "{listed}")),
    (2, "'DMC-1' is no number of a combination", ("progress", "DMC-1", "testing", *WHO)),
    (1, f"Asker has not asked for {NOBODYS}", ("progress", NOBODYS, "testing", *WHO)),
    (1, "Other has not asked", ("progress", "{pending}", "failed", "--participant", "Other")),
    (1, "not-required does not come after", ("progress", "{pending}", "not-required", *WHO)),
    (2, "invalid choice: 'completed'", ("progress", "{pending}", "completed", *WHO)),
    (2, "has not come yet", ("progress", "{pending}", "failed", *WHO, *FUTURE)),
    (1, "was last changed on", ("progress", "{pending}", "failed", *WHO, "--on", "2019-01-01")),
    (1, "has not asked for", ("confidential", NOBODYS, *WHO)),
    (2, "has not come yet", ("confidential", "{pending}", *WHO, *FUTURE)),
    (1, "was last changed on", ("confidential", "{pending}", *WHO, "--on", "2019-01-01")),
    (2, "give either the number", ("eligible",)),
    (2, "give either the number", ("eligible", "{pending}", *CSP, *MODEL)),
    (2, "described by --csp and at least one", ("eligible", *CSP)),
    (1, f"nobody has asked for {NOBODYS}", ("eligible", NOBODYS)),
    (1, "{eligible} is on the Eligible list since", ("eligible", "{eligible}")),
    (1, f"{NOBODYS} is not on the Eligible list", ("eligible", "{pending}", "--through", NOBODYS)),
    (1, "not another combination than itself", ("eligible", "{pending}", "--through", "{pending}")),
    (2, "has not come yet", ("eligible", "{pending}", *FUTURE)),
    (1, "lists were published on", ("eligible", "{pending}", "--on", "2019-01-01")),
    (1, "{pending} is not on the Eligible list", ("withdraw", "{pending}")),
    (1, f"{NOBODYS} is not on the Eligible list", ("withdraw", NOBODYS)),
    (1, "Other has not asked for", ("withdraw", "{pending}", "--participant", "Other")),
    (1, "was put on the Eligible list or taken", ("withdraw", "{eligible}", "--on", "2019-01-01")),
    (2, "nowhere.csv: cannot be read: No such file", ("import", "nowhere.csv")),
    (2, "required: --out", ("publish",)),
    (2, "has not come yet", ("publish", "--out", "{new}", *FUTURE)),
    (1, "lists were published on", ("publish", "--out", "{new}", "--on", "2019-01-01")),
    (2, "not allowed with argument --on", ("publish", "--out", "x", *FUTURE, "--as-of", FUTURE[1])),
    (2, "{file}/new: cannot be made", ("publish", "--out", "{file}/new")),
    (2, "{file}/smets1-eligible", ("publish", "--out", "{file}")),
    (2, "there is a folder of that name", ("publish", "--out", "{taken}")),
    (2, "is no date like 2019-03-26", ("list", "--as-of", "yesterday")),
    (2, f"{NOBODYS} was on none of the published lists", ("show", NOBODYS)),
    (2, f"{NOBODYS} is not in the register", ("show", NOBODYS, "--internal")),
    (2, "'x' is no number of a combination", ("show", "x")),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make_desk: Callable[[Path], Any]) -> Any:
    """A desk with one combination on each list, and what stands for names in arguments."""
    folder = tmp_path_factory.mktemp("bad")
    desk = make_desk(folder)
    pending = desk.pending("Itron")
    eligible = desk.json("eligible", *desk.described("Secure"))["combination"]
    desk.publish()
    file, taken = folder / "file", folder / "taken"
    file.write_text("mine")
    (taken / "smets1-pending-product-combinations.html").mkdir(parents=True)
    names = {"pending": pending, "eligible": eligible, "file": file, "taken": taken}
    return desk, {**names, "new": folder / "new"}


@pytest.mark.parametrize(("status", "problem", "arguments"), BAD, ids=range(len(BAD)))
def test_bad_input(place: Any, status: int, problem: str, arguments: tuple[str, ...]) -> None:
    desk, names = place
    whole: list[str] = []
    for one in arguments:
        if one in ("{described}", "{listed}"):
            whole += desk.described("Itron" if one == "{described}" else "Secure")
        else:
            whole.append(one.format(**names))
    before = desk.everything(), tree(desk.database.parent)
    refused = desk.run(*whole)
    assert (refused.status, refused.out) == (status, "")
    *_, last = refused.err.splitlines()
    assert problem.format(**names) in last
    assert last.startswith("cosemlab")
    assert (desk.everything(), tree(desk.database.parent)) == before


def tree(folder: Path) -> dict[str, bytes | None]:
    """All files but those of the database."""
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if not path.name.startswith("products.db")
    }


@pytest.mark.parametrize("url", ["nonsense", "what://ever", "sqlite:////no/such/folder/file"])
def test_no_database(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["products", "list", "--database", url]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("cosemlab: cannot use the database: ")


def test_in_the_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--workspace", str(tmp_path / "work"))
    assert main(["products", "seed", *where]) == 0
    assert main(["products", "list", "--internal", *where]) == 0
    assert "withheld" in capsys.readouterr().out
    assert (tmp_path / "work" / "dcc.db").exists()


def test_publishing_that_cannot_be_written_publishes_nothing(place: Any) -> None:
    desk, names = place
    id = desk.pending("Landis+Gyr")
    versions = desk.done("history", "--json")
    assert desk.run("publish", "--out", str(names["taken"])).status == 2
    assert desk.done("history", "--json") == versions
    desk.publish()
    assert id in desk.on_list("Pending")
    assert [path.name for path in names["taken"].iterdir()] == [
        "smets1-pending-product-combinations.html"
    ]


def test_published_and_not_put_in_place_it_is_published_again(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the program ends between the two."""
    id = desk.pending("Aclara")

    def fail(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fail)
        refused = desk.run("publish", "--out", str(desk.lists))
    assert (refused.status, desk.files()) == (2, {})
    assert "cannot be written: Input/output error" in refused.err
    assert desk.on_list("Pending") == [id]
    versions = desk.done("history", "--json")
    assert len(desk.publish()) == 6
    assert desk.done("history", "--json") == versions


def test_published_files_are_for_everybody(place: Any) -> None:
    desk, _ = place
    desk.publish()
    assert {stat.S_IMODE(path.stat().st_mode) for path in desk.lists.iterdir()} == {0o644}
    assert len([*desk.lists.iterdir()]) == 6


def test_the_example_data(desk: Any) -> None:
    """All nine models; what is invented is called assumed."""
    facts = desk.json("seed")["facts"]
    assert all(fact["origin"].startswith(("assumed: ", "source: ")) for fact in facts)
    rows = desk.json("list", "--internal")["combinations"]
    models = {
        (model["manufacturer"], model["model"]) for row in rows for model in row["device_models"]
    }
    profiles = map(load, (*available(), *gas()))
    assert models == {(profile.manufacturer, profile.model) for profile in profiles}
    assert len(models) == 9
    assert {row["status"] for row in rows} == {"eligible", "pending", "failed"}
    for row in rows:
        assert row["csp"].startswith("Assumed ")
        assert all(one["participant"].startswith("Assumed ") for one in row["requests"])
    desk.publish()
    assert (len(desk.on_list("Eligible")), len(desk.on_list("Pending"))) == (4, 2)
    again = desk.run("seed")
    assert again.status == 1
    assert len(again.err.splitlines()) == 7  # what has failed may be asked for again
    assert len(desk.json("list", "--internal")["combinations"]) == 8


def test_what_people_see(desk: Any) -> None:
    """Every view in words, too."""
    id = desk.pending("Aclara", "--confidential")
    shown = desk.json("eligible", *desk.described("Itron"))["combination"]
    assert desk.done("list") == desk.done("history") == "No list was published.\n"
    desk.publish()
    for arguments in (("list",), ("show", shown), ("list", "--find", "itron")):
        text = desk.done(*arguments)
        assert shown in text
        assert "ESME Itron, E1, 1, 1.0.0" in text
        assert id not in text
    assert shown not in desk.done("list", "--find", "aclara")
    assert f"  + {shown}" in desk.done("history").splitlines()
    own = desk.done("list", "--internal", "--find", "aclara")
    assert "withheld" in own
    assert shown not in own
    acts = desk.done("history", "--internal").splitlines()
    assert [line.split()[4] for line in acts[2:]] == ["requested", "progressed", "listed"]
    assert "confidential true" in acts[2]
    lines = desk.done("progress", id, "failed", "--participant", "Asker").splitlines()
    assert lines[3:5] == ["progress          failed", "confidential      yes"]
