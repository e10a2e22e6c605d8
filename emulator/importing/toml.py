"""Tables as TOML text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devices.profile.writing import scalar, text

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Raw(str):
    """Text that is TOML already."""


def table(header: str, rows: Mapping[str, Any]) -> str:
    """A table with its header and a line for each row."""
    return "\n".join([f"[{header}]", *_lines(rows, "")]) + "\n"


def _lines(rows: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in rows.items():
        path = prefix + key(name)
        if isinstance(value, dict):
            yield from _lines(value, f"{path}.")
        else:
            yield f"{path} = {written(value)}"


def key(name: str) -> str:
    return name if _BARE.fullmatch(name) else text(name)


def written(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Mapping):
        parts = ", ".join(f"{key(name)} = {written(part)}" for name, part in value.items())
        return f"{{ {parts} }}" if parts else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return scalar(value)


def comment(line: str) -> str:
    """A line that says nothing to TOML, whatever is in it."""
    return "# " + "".join(sign if sign.isprintable() else " " for sign in line)
