"""The custody file: what it may say, what is wrong with a line, and whom it gives what."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.profile import ProfileError
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.cli.main import main
from emulator.custody import file as custody_file
from emulator.modules.keyring import scope_secrets, suite_zero
from emulator.modules.kinds import Supply
from emulator.policy import Actor, KeyUse, ModuleClass

TWO = """
[modules.mine]
kind = "software"
[modules.other]
kind = "software"

[[routes]]
actors = ["dco"]
modules = ["other"]
[[routes]]
lifetimes = ["single-association"]
kinds = ["dedicated", "GAK"]
modules = ["mine", "other"]
[[routes]]
actors = ["S1SP", "dcc"]
modules = ["other"]
"""
SUPPLY = Supply(scope_secrets(bytes(32), ["s1sp"]), suite_zero)
GUEK = KeyRef(b"ITR\x42\0\0\0\1", "s1sp", KeyKind.GUEK)


def test_without_a_file_there_is_software_for_everything() -> None:
    file = custody_file.chosen(custody_file.SOFTWARE)
    for actor in Actor:
        (module,) = file.open(actor, SUPPLY).routing.modules
        assert (module.name, module.module_class, module.emulated) == (
            "software", ModuleClass.G2_45, False,
        )  # fmt: skip
        assert module.holds(GUEK)
        assert not module.holds(GUEK._replace(scope="dco"))


def test_routes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "custody.toml"
    path.write_text(TWO)
    file = custody_file.load(path)
    first, second, third = file.routes
    assert (first.actors, first.kinds, first.modules) == ({Actor.DCO}, None, ("other",))
    assert second.lifetimes == {KeyLifetime.SINGLE_ASSOCIATION}
    assert second.kinds == {KeyKind.DEDICATED, KeyKind.GAK}
    assert second.actors == set(Actor)
    assert third.actors == {Actor.S1SP, Actor.DCC}


def test_a_party_has_the_modules_of_its_routes_only() -> None:
    file = custody_file.parse(TWO, "custody.toml")
    dco = file.open(Actor.DCO, SUPPLY).routing
    assert sorted(module.name for module in dco.modules) == ["mine", "other"]
    no_sessions = file._replace(routes=(file.routes[0], file.routes[2]))
    assert [module.name for module in no_sessions.open(Actor.DCO, SUPPLY).routing.modules] == [
        "other"
    ]
    with pytest.raises(ValueError, match="no route is for S1SP"):
        file._replace(routes=file.routes[:1]).open(Actor.S1SP, SUPPLY)


def test_the_first_route_that_fits() -> None:
    routing = custody_file.parse(TWO, "custody.toml").open(Actor.S1SP, SUPPLY).routing
    single = KeyUse(KeyKind.GAK, KeyLifetime.SINGLE_ASSOCIATION)
    long_lived = KeyUse(KeyKind.GAK, KeyLifetime.LONG_LIVED)
    assert [m.name for m in routing._preferred(Actor.S1SP, single)] == ["mine", "other"]
    for key in (long_lived, None):
        assert [m.name for m in routing._preferred(Actor.S1SP, key)] == ["other"]


def test_no_secret_is_shown() -> None:
    assert all(secret.hex() not in repr(SUPPLY) for secret in SUPPLY.secrets.values())
    assert "s1sp" in repr(SUPPLY)
    assert repr(next(iter(SUPPLY.secrets.values()))) not in repr(SUPPLY)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("modules = 1", "f:1: modules: a table is needed, not 1"),
        ("[modules]", "f: routes: a list is needed, and missing"),
        ('[modules.a]\nkind = "software"\nroutes = 1', "f:3: modules.a.routes: unknown key"),
        ("[modules.a]\nkind = 1", "f:2: modules.a.kind: a string is needed, not 1"),
        ('[modules.a]\nkind = "sofware"', "did you mean 'software'"),
        ('[modules.a]\nkind = "software"\npin = "1"', "f:3: modules.a.pin: unknown key"),
        ('routes = []\n[modules.a]\nkind = "software"', "at least one route is needed"),
        ("[modules]\n[[routes]]\nmodules = []", "at least one module is needed"),
        ('[modules]\n[[routes]]\nmodules = ["a"]', "'a' is no module"),
        ('[modules.a]\nkind = "software"\n[[routes]]\nmodules = ["b"]', "there are: a"),
        (
            '[modules.a]\nkind = "software"\n[[routes]]\nmodules = ["a"]\nactors = ["user"]',
            "'user' is none of s1sp, dco, dcc",
        ),
        (
            '[modules.a]\nkind = "software"\n[[routes]]\nmodules = ["a"]\nkinds = []',
            "a list of words is needed",
        ),
        ("[modules", "f: Expected"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ProfileError) as caught:
        custody_file.parse(text, "f")
    assert problem in str(caught.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = '[modules.a]\nkind = "x"\n[modules.b]\nkind = "y"\n[[routes]]\nmodules = ["c"]'
    with pytest.raises(ProfileError) as caught:
        custody_file.parse(text, "f")
    assert len(caught.value.all) == 3


def test_a_command_says_what_is_wrong_before_it_does_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "custody.toml"
    path.write_text('[modules.a]\nkind = "hsm"\n')
    assert main(["demo", "--modules", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"cosemlab: {path}:2: modules.a.kind: 'hsm' is no kind")


def test_the_demonstration_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "custody.toml"
    path.write_text('[modules.house]\nkind = "software"\n[[routes]]\nmodules = ["house"]\n')
    assert main(["demo", "--json", "--modules", str(path)]) == 0
    assert '"module": "house"' in capsys.readouterr().out
