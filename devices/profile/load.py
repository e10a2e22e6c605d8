"""Read a profile from TOML and check it. Errors name the file and the place in it."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from devices.profile import rows, whole
from devices.profile.model import Profile
from devices.profile.place import Place, ProfileError
from devices.profile.table import only

__all__ = ["ProfileError", "available", "every", "load", "load_text"]

_BASES = ("common", "every_class")
"""Files that are no meters themselves but what meters have in common."""

_PROVENANCE = {"source", "assumed"}
_APART = ("laboratory",)
"""Meters that stand for no manufacturer; they are loaded by name only."""

_TOP = {
    "extends", "name", "identity", "associations", "objects", "short_name_objects", "instructions",
    "habits", "logs", "alerts",
}  # fmt: skip


def available() -> tuple[str, ...]:
    """Names of the manufacturers' profiles that come with the package."""
    return tuple(stem for stem in every() if stem not in _APART)


def every() -> tuple[str, ...]:
    """Names of all profiles that :func:`load` knows."""
    folder = resources.files("devices") / "profiles"
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    stems = (name.removesuffix(".toml") for name in names)
    return tuple(sorted(stem for stem in stems if stem not in _BASES))


def load(name: str) -> Profile:
    """Load a profile of the package by name. :class:`ProfileError` if there is none such."""
    return load_text(_text(name), f"{name}.toml")


def load_text(text: str, file: str) -> Profile:
    """Load a profile from TOML ``text``; ``file`` is named in errors."""
    place = Place(file, ())
    document = _extended(_parse(text, place), place)
    only(document, _TOP, place)
    profile = rows.profile(document, place)
    whole.check(profile, place)
    return profile


def _text(name: str) -> str:
    entry = resources.files("devices") / "profiles" / f"{name}.toml"
    if not entry.is_file():
        known = ", ".join(every())
        raise ProfileError(Place(f"{name}.toml", ()), f"no such profile; there are: {known}")
    return entry.read_text(encoding="utf-8")


def _parse(text: str, place: Place) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(place, str(error)) from None


def _extended(document: dict[str, Any], place: Place) -> dict[str, Any]:
    base = document.get("extends")
    if base is None:
        return document
    if not isinstance(base, str):
        raise place.at("extends").error("the name of a profile is needed")
    parent = _extended(_parse(_text(base), Place(f"{base}.toml", ())), place)
    return _merged(parent, document)


def _merged(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    """``child`` over ``parent``, table by table. A value with its provenance is replaced whole."""
    merged = dict(parent)
    if _PROVENANCE & child.keys():
        # The child says where its row comes from; what the parent said no longer holds.
        merged = {key: value for key, value in parent.items() if key not in _PROVENANCE}
    for key, value in child.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        if both and "value" not in value and key != "values":
            merged[key] = _merged(merged[key], value)
        elif both and key == "values":
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged
