"""``machines``: draw a state machine of the protocol from the table that runs it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlms.association import state as association
from dlms.framing.hdlc import state as hdlc

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

_MARKS = re.compile(
    r"(?P<begin><!-- machine: (?P<name>\w+) -->)\n.*?(?P<end><!-- end of machine -->)", re.DOTALL
)

MACHINES: dict[str, Mapping[tuple[Any, Any], Enum]] = {
    "association": association.TRANSITIONS,
    "hdlc": hdlc.TRANSITIONS,
}


def register(subparsers: SubParsers) -> None:
    """Add the command ``machines``."""
    command = subparsers.add_parser(
        "machines", help="draw the association or the HDLC machine from its table, as Mermaid text"
    )
    command.add_argument("machine", choices=sorted(MACHINES), nargs="?")
    command.add_argument(
        "--into",
        type=Path,
        metavar="FILE",
        help="write the drawings into a Markdown file, between its marks",
    )
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if args.into is not None:
        args.into.write_text(drawn_into(args.into.read_text("utf-8")), "utf-8")
    else:
        for name in [args.machine] if args.machine else sorted(MACHINES):
            print(draw(MACHINES[name]))
    return 0


def drawn_into(text: str) -> str:
    """``text`` with each machine drawn between ``<!-- machine: NAME -->`` and the mark after it."""

    def drawing(match: re.Match[str]) -> str:
        body = f"```mermaid\n{draw(MACHINES[match['name']])}\n```"
        return f"{match['begin']}\n\n{body}\n\n{match['end']}"

    return _MARKS.sub(drawing, text)


def draw(table: Mapping[tuple[Any, Any], Enum]) -> str:
    """A Mermaid state diagram: one node per state, one arrow per pair of states.

    Inputs that lead the same way share an arrow; each is named by its value.
    """
    states = list(type(next(iter(table.values()))))
    arrows: dict[tuple[Any, Enum], list[str]] = {}
    for (before, event), after in table.items():
        arrows.setdefault((before, after), []).append(str(event.value))
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_plain(state)}" as {state.name}' for state in states]
    lines.append(f"    [*] --> {states[0].name}")
    lines += [
        f"    {before.name} --> {after.name}: {' / '.join(events)}"
        for (before, after), events in arrows.items()
    ]
    return "\n".join(lines)


def _plain(state: Enum) -> str:
    """The state's own words, without what would end the text in Mermaid."""
    return str(state.value).replace('"', "'").replace(":", ",")
