"""Logical names: OBIS codes of six octets (Blue Book 7), written ``A-B:C.D.E.F``."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+)\.(\d+)\.(\d+)(?:[.*](\d+))?", re.ASCII)
_DOTTED = re.compile(r"(\d+)\.(\d+)\.(\d+)\.(\d+)\.(\d+)\.(\d+)", re.ASCII)


def parse(text: str) -> bytes:
    """Read ``1-0:1.8.0.255``, or six numbers with dots. Left out: A and B are 0, F is 255.

    ``ValueError`` if it is neither or a number exceeds 255.
    """
    match = _DOTTED.fullmatch(text) or _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no OBIS code like 1-0:1.8.0.255")
    defaults = ("0", "0", "0", "0", "0", "255")
    groups = (
        int(part if part is not None else default)
        for part, default in zip(match.groups(), defaults, strict=True)
    )
    try:
        return bytes(groups)
    except ValueError:
        raise ValueError(f"{text!r} has a number above 255") from None


def text(instance: bytes) -> str:
    """Write six octets as ``A-B:C.D.E.F``."""
    a, b, c, d, e, f = instance
    return f"{a}-{b}:{c}.{d}.{e}.{f}"
