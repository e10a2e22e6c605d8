"""Profiles by name or from a user's files, with the plug-ins that are installed.

A name that ends in ``.toml`` or has a slash is a path; what such a file extends is looked for in
the folder of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from devices import plugins
from devices.plugins import PluginError
from devices.profile import Document, Profile, ProfileError, profile_of
from devices.profile import read as read_by
from devices.profile.place import Place
from devices.profile.sources import NotFound, Written, by_name

MAX_OCTETS = 4 * 1024 * 1024
"""Of a file. Ours have 40 kilobytes at the most; what is larger is no profile."""


@cache
def use_plugins() -> tuple[PluginError, ...]:
    """Install what plug-ins there are, once in a process; those that are left out, and why."""
    return plugins.install_all(plugins.installed())


def is_path(name: str) -> bool:
    """Whether ``name`` is that of a file; else it is that of a profile."""
    return name.endswith(".toml") or "/" in name


def find(name: str, folder: str = "") -> Written:
    """The text of a profile, by its name or its path, which ``folder`` is in front of."""
    if not is_path(name):
        return by_name(name)
    path = Path(folder, name)
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise NotFound(str(path), f"cannot be read: {error.strerror}") from None
    if len(octets) > MAX_OCTETS:
        raise NotFound(str(path), f"has more than {MAX_OCTETS} octets")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise NotFound(f"{path}:{line}", "is not UTF-8") from None
    return Written(text, str(path), str(path.parent))


def read(name: str) -> Document:
    """Read a profile by its name or its path. :class:`ProfileError` if it cannot be read."""
    return read_by(name, find)


def load(name: str) -> Profile:
    return profile_of(read(name))


def load_all(names: Sequence[str]) -> dict[str, tuple[Profile, Document]]:
    """All of them by the names they give themselves, or none: :class:`ProfileError` says all that
    is wrong with all of them.
    """
    found: dict[str, tuple[Profile, Document]] = {}
    problems: list[ProfileError] = []
    for name in names:
        try:
            document = read(name)
            profile = profile_of(document)
        except ProfileError as error:
            problems += error.all
            continue
        if profile.name in found:
            other = found[profile.name][1].file
            place = Place(document.file, (), document.origins).at("name")
            problems.append(place.error(f"{profile.name!r} is the name of the meter of {other}"))
        found[profile.name] = profile, document
    if problems:
        first, *others = problems
        raise ProfileError(first.place, first.problem, others)
    return found
