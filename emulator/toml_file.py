"""TOML that people write: read whole, with the line of everything in it for errors."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from devices.profile.locate import lines
from devices.profile.place import Origin, Place
from devices.profile.table import Table

MAX_OCTETS = 1 << 20
"""Of a file; ours have some thousand."""


class Written(NamedTuple):
    """What a file says, and where it is for :class:`~devices.profile.ProfileError`."""

    table: Table
    place: Place


def read(path: Path) -> Written:
    """:class:`~devices.profile.ProfileError` if it cannot be read or is no TOML."""
    place = Place(str(path))
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise place.error(f"cannot be read: {error.strerror}") from None
    if len(octets) > MAX_OCTETS:
        raise place.error(f"has more than {MAX_OCTETS} octets")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise place.error("is not UTF-8") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Written:
    """The same of a text; ``file`` is what errors call it."""
    try:
        table = tomllib.loads(text)
        found = lines(text)
    except ValueError as error:  # of TOML, or of a number that is too long
        raise Place(file).error(str(error)) from None
    except RecursionError:
        raise Place(file).error("is nested too deeply") from None
    origins = {path: Origin(file, line) for path, line in found.items()}
    return Written(table, Place(file, (), origins))
