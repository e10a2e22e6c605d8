"""Keeping secrets out of what a NamedTuple shows of itself."""

from __future__ import annotations

from typing import NamedTuple


def repr_without(value: NamedTuple, secret: str) -> str:
    """The ``repr`` of ``value`` without its field ``secret``."""
    pairs = zip(value._fields, value, strict=True)
    parts = (f"{name}={part!r}" for name, part in pairs if name != secret)
    return f"{type(value).__name__}({', '.join(parts)})"
