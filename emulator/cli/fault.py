"""``fault``: let something be wrong with a meter of a running sandbox; the catalogue as a table."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.cli import failures, options
from emulator.cli.output import print_json, print_table
from emulator.cli.sandbox import asked
from emulator.cli.values import plain_value
from emulator.control.errors import bad_argument
from emulator.faults import KINDS, Catalogue, built_in
from emulator.faults.actions import ALL
from emulator.faults.kind import Kind, Parameter
from emulator.serving.taps import WAYS

_MARKS = re.compile(
    r"(?P<begin><!-- faults: (?P<what>\w+) -->)\n.*?(?P<end><!-- end of faults -->)", re.DOTALL
)


def register(subparsers: options.SubParsers) -> None:
    fault = subparsers.add_parser(
        "fault", help="let something be wrong with a meter of a running sandbox"
    )
    commands = fault.add_subparsers(dest="fault_command", metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="the faults that there are, and those that are set")
    listed.add_argument("meter", nargs="?", help="default: all of them")
    _finish(listed, _list)

    set_ = commands.add_parser(
        "set",
        help="set a fault; prints its id",
        description="The name is one of the catalogue ('cosemlab fault list') or a kind. Parameters"
        " that are not given are as the catalogue, else the kind, has them.",
    )
    options.add_meter(set_)
    set_.add_argument("name", help="of the fault, or of a kind")
    set_.add_argument("parameters", nargs="*", metavar="PARAMETER=VALUE")
    set_.add_argument("--way", choices=WAYS, help="where it acts; default: wherever it can")
    set_.add_argument(
        "--for", dest="duration", metavar="DURATION", help="of virtual time, as 90 (s) or 1h30m"
    )
    set_.add_argument("--count", type=int, metavar="N", help="how many times it acts")
    _finish(set_, _set)

    clear = commands.add_parser("clear", help="end a fault of a meter, or all of them")
    options.add_meter(clear)
    clear.add_argument("id", nargs="?", default=ALL, help=f"of the fault; default: {ALL}")
    _finish(clear, _clear)

    table = commands.add_parser("table", help="the catalogue that comes with this, as Markdown")
    table.add_argument(
        "--into", type=Path, metavar="FILE", help="write it into a Markdown file, between its marks"
    )
    table.set_defaults(run=lambda args: failures.guard(lambda: _table(args)))


def _finish(parser: argparse.ArgumentParser, run: Any) -> None:
    options.add_workspace(parser)
    options.add_json(parser)
    parser.set_defaults(run=lambda args: failures.run(run(args)))


async def _list(args: argparse.Namespace) -> int:
    result = await asked(args.workspace, "fault.list", args.meter, {})
    if args.json:
        print_json(result)
        return failures.Exit.DONE
    rows: list[dict[str, Any]] = result["catalogue"]
    print_table(
        [(row["name"], row["kind"], _given(row["parameters"]), row["help"]) for row in rows],
        ("fault", "kind", "parameters", "what is wrong"),
    )
    print()
    kinds: list[dict[str, Any]] = result["kinds"]
    print_table([(row["kind"], row["place"], row["help"]) for row in kinds], ("kind", "at", ""))
    print()
    active = [(meter, one) for meter, faults in result["active"].items() for one in faults]
    if not active:
        print("No fault is set.")
        return failures.Exit.DONE
    print_table(
        [
            (
                meter,
                one["id"],
                one["name"],
                _given(one["parameters"]),
                ",".join(one["ways"]),
                str(one["acted"]),
                one["until"] or "-",
            )
            for meter, one in active
        ],
        ("meter", "id", "fault", "parameters", "ways", "acted", "until"),
    )
    return failures.Exit.DONE


async def _set(args: argparse.Namespace) -> int:
    given: dict[str, object] = {
        "name": args.name,
        "parameters": parameters(args.parameters),
        "way": args.way,
        "for_seconds": None if args.duration is None else plain_value(args.duration),
        "count": args.count,
    }
    result = await asked(args.workspace, "fault.set", args.meter, given)
    if args.json:
        print_json(result)
    elif result["over"]:
        print(f"{args.name} is done")
    else:
        print(f"{result['id']}  on {', '.join(result['ways'])}")
    return failures.Exit.DONE


async def _clear(args: argparse.Namespace) -> int:
    result = await asked(args.workspace, "fault.clear", args.meter, {"id": args.id})
    if args.json:
        print_json(result)
    else:
        print(f"cleared: {', '.join(result['cleared']) or 'none was set'}")
    return failures.Exit.DONE


def parameters(written: list[str]) -> dict[str, object]:
    """What ``name=value`` says, once for each name. Numbers, true and false are what they are."""
    found: dict[str, object] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise bad_argument(f"a parameter is written as name=value, not {one!r}")
        if name in found:
            raise bad_argument(f"{name} is given twice")
        found[name] = plain_value(value)
    return found


def _given(given: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in given.items() if value is not None) or "-"


# The catalogue as a document has it --------------------------------------------------------------


def _table(args: argparse.Namespace) -> int:
    if args.into is not None:
        args.into.write_text(drawn_into(args.into.read_text("utf-8")), "utf-8")
    else:
        print(catalogue_table(built_in()))
    return failures.Exit.DONE


def drawn_into(text: str) -> str:
    """``text`` with a table between ``<!-- faults: WHAT -->`` and the mark after it: the
    ``catalogue`` or the ``kinds``.
    """

    def drawing(match: re.Match[str]) -> str:
        body = catalogue_table(built_in()) if match["what"] == "catalogue" else kinds_table(KINDS)
        return f"{match['begin']}\n\n{body}\n\n{match['end']}"

    return _MARKS.sub(drawing, text)


def catalogue_table(catalogue: Catalogue) -> str:
    lines = ["| fault | kind | parameters | what is wrong |", "|---|---|---|---|"]
    for row in catalogue.rows.values():
        given = dict(row.parameters)
        given |= {} if row.times is None else {"count": row.times}
        given |= {} if row.duration is None else {"for": f"{row.duration.total_seconds():g}s"}
        lines.append(f"| `{row.name}` | {row.kind.name} | {_code(given)} | {row.help} |")
    return "\n".join(lines)


def kinds_table(kinds: Mapping[str, Kind]) -> str:
    lines = [
        "| kind | where | what a client sees | ends by | parameters |",
        "|---|---|---|---|---|",
    ]
    for kind in kinds.values():
        described = "<br>".join(map(_described, kind.parameters))
        lines.append(
            f"| `{kind.name}` | {kind.place} | {kind.seen} | {_ends(kind)} | {described} |"
        )
    return "\n".join(lines)


def _described(parameter: Parameter) -> str:
    default = "" if parameter.default is None else f", else {parameter.default}"
    unit = f" {parameter.unit}" if parameter.unit and parameter.default is not None else ""
    argument = parameter.argument
    return f"`{parameter.name}`: {argument.expected()}{default}{unit}. {argument.help}"


def _ends(kind: Kind) -> str:
    if not kind.lasts:
        return "done once"
    return "clear, time, count" if kind.counts else "clear, time"


def _code(given: Mapping[str, object]) -> str:
    return " ".join(f"`{name}={value}`" for name, value in given.items())
