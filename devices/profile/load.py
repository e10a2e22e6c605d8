"""Read a profile from TOML and check it. Errors name the file, the line and the place in it."""

from __future__ import annotations

import re
import tomllib
from typing import Any, NamedTuple

from devices.profile import locate, rows, whole
from devices.profile.model import Profile
from devices.profile.place import Origin, Origins, Place, ProfileError
from devices.profile.sources import Find, NotFound, Written, by_name
from devices.profile.table import only

KEYS = {
    "extends", "name", "identity", "associations", "objects", "short_name_objects", "instructions",
    "habits", "logs", "alerts", "plugins",
}  # fmt: skip

MAX_PARENTS = 16
"""Files that extend each other in a row. More are a circle, or nobody can follow them."""

_PROVENANCE = {"source", "assumed"}
_AT = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


class Document(NamedTuple):
    """All that a profile says, with what it extends merged in, before it is checked.

    ``table`` can be written as JSON: whoever has it needs none of the files.
    """

    file: str
    table: dict[str, Any]
    origins: Origins


def load(name: str) -> Profile:
    """Load a profile by its name. :class:`ProfileError` if there is none, or it cannot be used."""
    return profile_of(read(name))


def load_text(text: str, file: str) -> Profile:
    """Load a profile from TOML ``text``; ``file`` is named in errors."""
    return profile_of(_document(Written(text, file), (), by_name))


def read(name: str, find: Find = by_name) -> Document:
    """Read a profile with what it extends, which ``find`` gives; what it says is not checked."""
    try:
        written = find(name, "")
    except NotFound as missing:
        raise ProfileError(Place(missing.file), str(missing)) from None
    return _document(written, (), find)


def profile_of(document: Document) -> Profile:
    """Check all that a document says."""
    place = Place(document.file, (), document.origins)
    only(document.table, KEYS, place)
    profile = rows.profile(document.table, place)
    whole.check(profile, place)
    return profile


def _document(written: Written, children: tuple[Written, ...], find: Find) -> Document:
    """``children`` are those that extend it, the nearest last."""
    document = _parse(written)
    base = document.table.get("extends")
    if base is None:
        return document
    place = Place(document.file, (), document.origins).at("extends")
    if not isinstance(base, str):
        raise place.error("the name of a profile, or a path to a file, is needed")
    try:
        parent = find(base, written.folder)
    except NotFound as missing:
        raise place.error(f"{missing.file}: {missing}") from None
    line = (*children, written)
    if parent in line or len(line) > MAX_PARENTS:
        raise place.error(f"extends itself, by way of {', '.join(one.file for one in line)}")
    return _merged(_document(parent, line, find), document)


def _parse(written: Written) -> Document:
    try:
        table = tomllib.loads(written.text)
        found = locate.lines(written.text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(written, str(error)) from None
    except RecursionError:
        raise ProfileError(Place(written.file), "is nested too deeply") from None
    except ValueError as error:  # of a number or a date
        raise ProfileError(Place(written.file), str(error)) from None
    origins = {path: Origin(written.file, line) for path, line in found.items()}
    return Document(written.file, table, origins)


def _syntax(written: Written, problem: str) -> ProfileError:
    """tomllib's words, with line and column in front."""
    match = _AT.search(problem)
    if match is None:
        return ProfileError(Place(written.file), problem)
    line, column = match["line"], match["column"]
    if line is None:
        rows = written.text.split("\n")
        line, column = str(len(rows)), str(len(rows[-1]) + 1)
    return ProfileError(Place(f"{written.file}:{line}:{column}"), problem[: match.start()])


def _merged(parent: Document, child: Document) -> Document:
    """``child`` over ``parent``, with the origins of what is left of either."""
    gone: set[tuple[str, ...]] = set()
    table = _over(parent.table, child.table, (), gone)
    origins = {
        path: origin
        for path, origin in parent.origins.items()
        if not any(path[:length] in gone for length in range(1, len(path) + 1))
    }
    return Document(child.file, table, {**origins, **child.origins})


def _over(
    parent: dict[str, Any], child: dict[str, Any], path: tuple[str, ...], gone: set[tuple[str, ...]]
) -> dict[str, Any]:
    """Table by table. A value with its provenance is replaced whole, and so is each of the values
    of an object; ``gone`` collects the paths of what was replaced.
    """
    merged = dict(parent)
    if _PROVENANCE & child.keys():
        # The child says where its row comes from; what the parent said no longer holds.
        for key in _PROVENANCE & merged.keys():
            del merged[key]
            gone.add((*path, key))
    for key, value in child.items():
        old = merged.get(key)
        here = (*path, key)
        if not isinstance(old, dict) or not isinstance(value, dict) or "value" in value:
            merged[key] = value
            gone.add(here)
        elif key == "values":
            merged[key] = {**old, **value}
            gone.update((*here, number) for number in value)
        else:
            merged[key] = _over(old, value, here, gone)
    return merged
