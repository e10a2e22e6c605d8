"""Write the matrix of peers and features into the README: ``make docs``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MATRIX = ROOT / "fixtures" / "interop" / "matrix.toml"
BEGIN = "<!-- interop matrix: written by make docs -->\n"
END = "<!-- end of interop matrix -->\n"
PEERS = ("gurux-dlms", "dlms-cosem")


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(MATRIX.read_text(encoding="utf-8"))["row"]
    return found


def table() -> str:
    """One line per feature, one column per peer; a reason stands in the cell it explains."""
    features: dict[str, dict[str, str]] = {}
    for row in rows():
        reason = f": {row['reason']}" if row["status"] != "works" else ""
        features.setdefault(row["feature"], {})[row["peer"]] = row["status"] + reason
    lines = [f"| feature | {' | '.join(PEERS)} |", "|---|---|---|"]
    for feature, cells in features.items():
        lines.append(f"| {feature} | {' | '.join(cells.get(peer, '') for peer in PEERS)} |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """The README with the table of today."""
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return head + BEGIN + "\n" + table() + "\n" + END + tail


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
