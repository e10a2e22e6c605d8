"""The gallery as a page has it: every bug, and what was measured in one run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emulator.fuzz.gallery.bug import Bug
from emulator.fuzz.gallery.measuring import Bounds, Clean, Measured, medians

FORMAT, VERSION = "cosemlab-fuzz-gallery", 1
_MARKS = re.compile(
    r"(?P<begin><!-- fuzz gallery -->\n).*?(?P<end><!-- end of fuzz gallery -->)", re.DOTALL
)


def as_json(
    bounds: Bounds, measured: Sequence[Measured], clean: Sequence[Clean]
) -> dict[str, object]:
    """A run, to be kept and shown."""
    middle = medians(measured)
    return {
        "format": FORMAT,
        "version": VERSION,
        "bounds": asdict(bounds),
        "found": sum(one.found for one in measured),
        "medians": None if middle is None else asdict(middle),
        "bugs": [{**asdict(one), "found": one.found} for one in measured],
        "clean": [asdict(one) for one in clean],
    }


def read(path: Path) -> dict[str, Any]:
    """A run that was kept; nothing where there is none. ``ValueError`` if it is none."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path}: no run of the gallery")
    return found


def drawn_into(text: str, bugs: Mapping[str, Bug], run: Mapping[str, Any]) -> str:
    """``text`` with the table between its marks. ``ValueError`` if it has none."""
    drawn, count = _MARKS.subn(
        lambda match: f"{match['begin']}\n{table(bugs, run)}\n\n{match['end']}", text
    )
    if not count:
        raise ValueError("there is no <!-- fuzz gallery --> with its end")
    return drawn


def table(bugs: Mapping[str, Bug], run: Mapping[str, Any]) -> str:
    """Markdown: the run in words, and a row for each bug."""
    measured = {one["name"]: one for one in run.get("bugs", ())}
    lines = [*_said(run, len(bugs))]
    lines += ["| bug | what is wrong | breaks | case | noticed by | steps | seconds | shrunk to |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for name, bug in bugs.items():
        one = measured.get(name)
        numbers = ("not measured", "", "", "")
        if one is not None and one["found"]:
            numbers = (
                one["invariant"],
                f"{one['steps']}",
                f"{one['seconds']:.1f}",
                f"{one['length']}",
            )
        elif one is not None:
            numbers = (f"**{one['why']}**", f"{one['steps']}", f"{one['seconds']:.1f}", "")
        lines.append(
            f"| `{name}` | {bug.title} | {bug.rule} | {bug.case} | {' | '.join(numbers)} |"
        )
    return "\n".join(lines)


def _said(run: Mapping[str, Any], count: int) -> list[str]:
    """What the numbers are of."""
    if not run:
        return []
    bounds, middle, clean = run["bounds"], run["medians"], run["clean"]
    said = (
        f"Measured in one run, with seed {bounds['seed']}, {bounds['processes']} processes and at"
        f" most {bounds['seconds']:g} seconds for each: {run['found']} of {count} found."
    )
    if middle is not None:
        said += (
            f" In the median {middle['steps']:g} steps, {middle['seconds']:.1f} seconds, shrunk to"
            f" {middle['length']:g} steps."
        )
    if clean:
        found = sum(len(one["found"]) for one in clean)
        steps, seconds = (sum(one[what] for one in clean) for what in ("steps", "seconds"))
        nothing = "nothing" if not found else f"{found} findings"
        said += f" A meter without any: {nothing} in {steps} steps, {seconds:.0f} seconds."
    return [said, ""]
