"""Plug-ins: what they add, and that one that is wrong adds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from devices import plugins
from devices.objects import registry, roles
from devices.objects.behaviour import SUCCESS, Behaviour
from devices.plugins import Found, Knob, Plugin, PluginError
from devices.profile import ProfileError, every, load, load_text, words
from dlms.axdr.data import long_unsigned
from dlms.cosem.interface_class import Attribute, InterfaceClass
from dlms.cosem.shape import LONG_UNSIGNED

ROW = Attribute(2, "count", LONG_UNSIGNED)
OWN = InterfaceClass(8200, 0, "Own thing", (ROW,))
NEWER = OWN._replace(version=1)
TEXT = 'extends = "secure"\nname = "own"\n[plugins.maker]\nspeed = 3\n'
OBJECT = '[objects."0-0:128.0.0.255"]\nassumed = "x"\nrights.public = "r"\n'


def plugin(**parts: Any) -> SimpleNamespace:
    empty: dict[str, Any] = {
        "profiles": {}, "classes": (), "behaviours": {}, "roles": {}, "knobs": {},
    }  # fmt: skip
    return SimpleNamespace(**{**empty, **parts})


def found(made: object, name: str = "maker") -> Found:
    return Found(name, "maker-meters 1.0", lambda: made)


FULL = plugin(
    profiles={"own": TEXT},
    classes=(OWN, NEWER),
    behaviours={8200: Behaviour(invoke={1: lambda call, parameter: SUCCESS})},
    roles={"shoe-size": lambda call: long_unsigned(42)},
    knobs={"speed": Knob(1, "how fast"), "on": Knob(True, "whether"), "word": Knob("x", "what")},
)


def everything() -> list[object]:
    """All that a plug-in may change."""
    tables: list[dict[Any, Any]] = [
        words.TEXTS, words.ROLES, words.CLASSES, words.KNOBS, registry.BEHAVIOURS, roles.ROLES,
    ]  # fmt: skip
    return [dict(table) for table in tables]


@pytest.fixture(autouse=True)
def undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what a test has installed."""
    tables: list[dict[Any, Any]] = [
        words.TEXTS, words.ROLES, words.CLASSES, words.KNOBS, registry.BEHAVIOURS, roles.ROLES,
    ]  # fmt: skip
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


def test_what_a_profile_may_say_then() -> None:
    plugins.install(found(FULL))
    assert "own" in every()
    profile = load("own")
    assert profile.knobs == {"maker": {"speed": 3, "on": True, "word": "x"}}
    text = TEXT.replace("own", "mine") + OBJECT + 'class = "Own thing"\n'
    assert load_text(text, "x.toml").objects[bytes((0, 0, 128, 0, 0, 255))].interface_class == NEWER
    old = load_text(text + "version = 0\n", "x.toml")
    assert old.objects[bytes((0, 0, 128, 0, 0, 255))].interface_class == OWN


def test_what_the_meter_does_then(make_bench: Callable[..., Any]) -> None:
    plugins.install(found(FULL))
    extra = (
        OBJECT
        + 'class = "Own thing"\nvalues.2 = { long-unsigned = 7 }\n'
        + '[objects."0-0:128.1.0.255"]\nclass = "Data"\nrole = "shoe-size"\nassumed = "x"\n'
        + 'rights.public = "r"\n'
    )
    meter = make_bench("secure", extra)
    assert meter.get("0-0:128.1.0.255", 2, "public") == long_unsigned(42)
    assert meter.get("0-0:128.0.0.255", 2, "public") == long_unsigned(7)


def test_without_it_the_profile_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"^x\.toml:3: plugins\.maker: no such plug-in.*: none$"):
        load_text(TEXT, "x.toml")
    with pytest.raises(ProfileError, match="'Own thing' is unknown"):
        load_text('extends = "secure"\nname = "x"\n' + OBJECT + 'class = "Own thing"\n', "x.toml")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("sped = 1", "plugins.maker.sped: unknown key (did you mean 'speed'?)"),
        ('speed = "1"', "plugins.maker.speed: a whole number is needed"),
        ("speed = true", "plugins.maker.speed: a whole number is needed"),
        ("on = 1", "plugins.maker.on: true or false is needed"),
        ("word = 1", "plugins.maker.word: a string is needed"),
    ],
)
def test_a_knob_has_the_type_of_its_default(written: str, problem: str) -> None:
    plugins.install(found(FULL))
    with pytest.raises(ProfileError) as caught:
        load_text(f'extends = "secure"\nname = "x"\n[plugins.maker]\n{written}', "x.toml")
    assert problem in str(caught.value)


def test_an_error_in_its_profile_names_the_distribution() -> None:
    plugins.install(found(plugin(profiles={"own": 'extends = "secure"\n\ncolour = 1'})))
    with pytest.raises(ProfileError, match=r"^maker-meters 1\.0/own\.toml:3: colour: unknown key"):
        load("own")


def test_the_role_of_a_plugin_is_for_values(make_bench: Callable[..., Any]) -> None:
    plugins.install(found(FULL))
    text = 'extends = "secure"\nname = "x"\n[objects."0-0:1.0.0.255"]\nrole = "shoe-size"\n'
    with pytest.raises(ProfileError, match="is for Data or Register, not Clock"):
        load_text(text, "x.toml")


class Odd:
    """Has all parts, and none is what it should be."""

    profiles = classes = behaviours = roles = knobs = 5


WRONG: dict[str, tuple[object, str]] = {
    "no plug-in": (None, "it has no profiles, classes, behaviours, roles, knobs"),
    "a part is missing": (
        SimpleNamespace(profiles={}, classes=(), roles={}, knobs={}),
        "behaviours",
    ),
    "no mappings": (Odd(), "TypeError: "),
    "no class": (plugin(classes=[5]), "5 is no InterfaceClass"),
    "a class of the book's": (
        plugin(classes=[OWN._replace(class_id=8191)]),
        "class 8191 is not in",
    ),
    "a class id too high": (plugin(classes=[OWN._replace(class_id=32768)]), "not in 8192..32767"),
    "a name of the book's": (plugin(classes=[OWN._replace(name="Clock")]), "'Clock', is there"),
    "a behaviour of another's": (plugin(behaviours={8: Behaviour()}), "class 8 is none of its own"),
    "no behaviour": (plugin(classes=[OWN], behaviours={8200: 5}), "5 is no Behaviour"),
    "a role of ours": (plugin(roles={"voltage": print}), "role 'voltage' is there"),
    "a role of two words": (plugin(roles={"shoe size": print}), "'shoe size' is not"),
    "no function": (plugin(roles={"shoe-size": 5}), "no function"),
    "a profile of ours": (plugin(profiles={"secure": TEXT}), "'secure' is there"),
    "a base of ours": (plugin(profiles={"common": TEXT}), "'common' is there"),
    "a path": (plugin(profiles={"../x": TEXT}), "'../x' is not a text"),
    "no text": (plugin(profiles={"own": 5}), "'own' is not a text"),
    "no knob": (plugin(knobs={"speed": 5}), "'speed' is no Knob"),
    "an odd knob": (plugin(knobs={"speed": Knob(1.5, "")}), "'speed' is no Knob"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("kind", WRONG)
def test_one_that_is_wrong_is_left_out_as_a_whole(kind: str) -> None:
    made, problem = WRONG[kind]
    if isinstance(made, SimpleNamespace) and hasattr(made, "behaviours"):
        # The rest of it is good, and is not used either.
        made = SimpleNamespace(**{**vars(FULL), **{k: v for k, v in vars(made).items() if v}})
    before = everything()
    with pytest.raises(PluginError) as caught:
        plugins.install(found(made))
    text = str(caught.value)
    assert text.startswith("plug-in 'maker' of maker-meters 1.0 is left out: ")
    assert problem in text
    assert everything() == before


def test_one_that_cannot_be_imported() -> None:
    def load() -> object:
        raise ImportError("no module named 'maker'")

    with pytest.raises(PluginError, match="left out: ImportError: no module named 'maker'"):
        plugins.install(Found("maker", "maker-meters 1.0", load))


def test_the_others_go_on() -> None:
    errors = plugins.install_all([found(None, "bad"), found(FULL), found(plugin(), "a b")])
    assert [str(error).split("'")[1] for error in errors] == ["bad", "a b"]
    assert "own" in every()


@pytest.mark.parametrize(
    ("second", "name", "problem"),
    [
        (plugin(), "maker", "another plug-in has this name"),
        (plugin(roles={"shoe-size": print}), "other", "role 'shoe-size' is there already"),
        (plugin(classes=[OWN._replace(name="x")]), "other", "class 8200, 'x', is there already"),
        (plugin(classes=[OWN._replace(class_id=8201)]), "other", "'Own thing', is there already"),
        (plugin(profiles={"own": TEXT}), "other", "profile 'own' is there already"),
    ],
)
def test_two_that_want_the_same(second: object, name: str, problem: str) -> None:
    plugins.install(found(FULL))
    before = everything()
    with pytest.raises(PluginError, match=problem):
        plugins.install(found(second, name))
    assert everything() == before


def test_the_form_is_what_the_protocol_says() -> None:
    assert isinstance(FULL, Plugin)
    assert not isinstance(SimpleNamespace(), Plugin)
