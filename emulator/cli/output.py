"""How commands print: aligned tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence


def print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def print_table(rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> None:
    """Print ``rows`` in columns that line up; the last column runs free."""
    lines = [header, *rows] if header else list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if header:
        lines.insert(1, ["-" * width for width in (*widths[:-1], len(header[-1]))])
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
