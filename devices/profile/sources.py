"""The TOML texts of profiles: those of the package and those of plug-ins.

Who has others, say in a user's files, gives a :data:`Find` of his own.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import NamedTuple, TypeAlias

from devices.profile import words

BASES = ("common", "common_base", "common_gas", "every_class")
"""Files that are no meters themselves but what meters have in common."""

_GAS = "_gas"
"""How the names of gas meters end."""

_APART = ("laboratory",)
"""Meters that stand for no manufacturer; they are loaded by name only."""


class Written(NamedTuple):
    """A text, what errors call its file, and where what it extends is looked for: a word of the
    :data:`Find` that gave it, which it is given again.
    """

    text: str
    file: str
    folder: str = ""


class NotFound(ValueError):
    """There is no such text; says of what file, and why."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(problem)
        self.file = file


Find: TypeAlias = Callable[[str, str], Written]
"""Gives a text by the name of a profile, and the folder of the text that extends it, or "".
:class:`NotFound` if there is none.
"""


def available() -> tuple[str, ...]:
    """Names of the manufacturers' electricity meters that come with the package, one for each."""
    return tuple(sorted(_packaged() - set(_APART) - set(gas())))


def gas() -> tuple[str, ...]:
    """Names of their gas meters."""
    return tuple(sorted(name for name in _packaged() if name.endswith(_GAS)))


def every() -> tuple[str, ...]:
    """Names of all profiles that can be loaded by name, with those of plug-ins."""
    return tuple(sorted(_packaged() | words.TEXTS.keys()))


def _packaged() -> set[str]:
    folder = resources.files("devices") / "profiles"
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {name.removesuffix(".toml") for name in names} - set(BASES)


def by_name(name: str, folder: str = "") -> Written:
    """A :data:`Find` that knows the package and the plug-ins, and no folders."""
    if name in words.TEXTS:
        text, origin = words.TEXTS[name]
        return Written(text, f"{origin}/{name}.toml")
    entry = resources.files("devices") / "profiles" / f"{name}.toml"
    if not name.replace("_", "").isalnum() or not entry.is_file():
        known = ", ".join(every())
        raise NotFound(f"{name}.toml", f"no such profile; there are: {known}")
    return Written(entry.read_text(encoding="utf-8"), f"{name}.toml")
