"""``profiles``: see, compare, check and import what meters are made of."""

from __future__ import annotations

import argparse
from pathlib import Path

from devices.profile import Profile, ProfileError, every
from devices.profile.rows import NAME
from emulator import profiles
from emulator.cli import failures, options, plugins
from emulator.cli.output import print_json, print_table
from emulator.cli.profile_view import cut, print_profile
from emulator.importing.gurux import import_dump
from emulator.importing.tree import MAX_OCTETS
from emulator.profile_facts import differences, facts, rows_of


def register(subparsers: options.SubParsers) -> None:
    command = subparsers.add_parser("profiles", help="list, show, compare, check, import profiles")
    command.set_defaults(run=lambda args: failures.guard(lambda: _list(args)))
    options.add_json(command)
    parts = command.add_subparsers(dest="part", metavar="COMMAND")

    show = parts.add_parser("show", help="all that a profile says, each with where it comes from")
    show.add_argument("profile", metavar="NAME|FILE")
    show.add_argument("--association", metavar="NAME", help="only what this association sees")
    _finish(show, _show)

    check = parts.add_parser("check", help="exit status 0 if all of the files can be used, else 2")
    check.add_argument("files", nargs="+", metavar="FILE", help="or the name of a profile")
    _finish(check, _check)

    diff = parts.add_parser("diff", help="what differs between two profiles")
    diff.add_argument("first", metavar="NAME|FILE")
    diff.add_argument("second", metavar="NAME|FILE")
    _finish(diff, _diff)

    taken = parts.add_parser("import", help="make a profile from a Gurux object dump (XML)")
    taken.add_argument("file", type=Path, metavar="FILE")
    taken.add_argument("--out", type=Path, metavar="FILE", help="write it here and not to stdout")
    taken.add_argument("--name", type=_name, metavar="N", help="default: that of the dump")
    _finish(taken, _import)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not of letters, digits, _ and -")
    return text


def _finish(parser: argparse.ArgumentParser, run: options.Run) -> None:
    # Given after the part or before it: the default must not undo what was said before it.
    parser.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print JSON instead of tables",
    )
    parser.set_defaults(run=lambda args: failures.guard(lambda: run(args)))


def _list(args: argparse.Namespace) -> int:
    plugins.say_plugins()
    known = []
    status = failures.Exit.DONE
    for name in every():
        try:
            known.append(_row(profiles.load(name)))
        except ProfileError as error:  # of a plug-in: those of the package are tested
            failures.say(error)
            status = failures.Exit.USAGE
    if args.json:
        print_json({"profiles": known})
    else:
        print_table([tuple(map(_cell, row.values())) for row in known], tuple(known[0]))
    return status


def _row(profile: Profile) -> dict[str, object]:
    suites = sorted({row.config.suite for row in profile.associations.values()})
    provenances = facts(profile)
    return {
        "name": profile.name,
        "manufacturer": profile.manufacturer,
        "model": profile.model,
        "category": profile.category,
        "kind": profile.kind,
        "suites": suites,
        "top_up": profile.top_up,
        "objects": len(profile.objects),
        "assumed": sum(one.assumed for one in provenances),
        "facts": len(provenances),
    }


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _show(args: argparse.Namespace) -> int:
    plugins.say_plugins()
    profile = profiles.load(args.profile)
    if args.association is not None and args.association not in profile.associations:
        known = ", ".join(profile.associations)
        raise ValueError(f"{profile.name} has no association {args.association!r}: {known}")
    if args.json:
        print_json(_document(profile, args.association))
    else:
        print_profile(profile, args.association)
    return failures.Exit.DONE


def _document(profile: Profile, association: str | None) -> dict[str, object]:
    tables: dict[str, dict[str, object]] = {}
    for row in rows_of(profile, association):
        entries: dict[str, object] = dict(row.entries)
        if row.provenance is not None:
            entries["assumed" if row.provenance.assumed else "source"] = row.provenance.text
        tables.setdefault(row.table, {})[row.key or "all"] = entries
    return {"name": profile.name, **tables}


def _check(args: argparse.Namespace) -> int:
    """All files are looked at, whatever is wrong with one."""
    plugins.say_plugins()
    found = {name: _problems(name) for name in args.files}
    if args.json:
        rows = [
            {"file": name, "good": not problems, "problems": [_json(one) for one in problems]}
            for name, problems in found.items()
        ]
        print_json({"files": rows})
    else:
        for name, problems in found.items():
            for problem in problems:
                print(problem)
            if not problems:
                print(f"{name}: good")
    return failures.Exit.USAGE if any(found.values()) else failures.Exit.DONE


def _problems(name: str) -> tuple[ProfileError, ...]:
    try:
        profiles.load(name)
    except ProfileError as error:
        return error.all
    return ()


def _json(error: ProfileError) -> dict[str, object]:
    origin = error.place.origin
    return {
        "text": str(error),
        "file": error.place.file if origin is None else origin.file,
        "line": None if origin is None else origin.line,
        "path": ".".join(error.place.path),
        "problem": error.problem,
    }


def _diff(args: argparse.Namespace) -> int:
    plugins.say_plugins()
    pair = profiles.load(args.first), profiles.load(args.second)
    found = differences(*pair)
    if args.json:
        rows = [one._asdict() for one in found]
        print_json({"first": pair[0].name, "second": pair[1].name, "differences": rows})
    elif not found:
        print(f"{pair[0].name} and {pair[1].name} say the same")
    else:
        lines = [(one.what, cut(one.first) or "-", cut(one.second) or "-") for one in found]
        print_table(lines, ("what", pair[0].name, pair[1].name))
    return failures.Exit.DONE


def _import(args: argparse.Namespace) -> int:
    """Nothing is overwritten: what is there may have been written by hand."""
    try:
        with args.file.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ValueError(f"{args.file}: cannot be read: {error.strerror}") from None
    made = import_dump(octets, args.file.name, args.name or "")
    if args.out is not None:
        try:
            with args.out.open("x", encoding="utf-8") as out:
                out.write(made.text)
        except OSError as error:
            raise ValueError(f"{args.out}: cannot be written: {error.strerror}") from None
    if args.json:
        text = {"text": made.text} if args.out is None else {"file": str(args.out)}
        print_json({"name": made.name, **text, "left_out": list(made.left_out)})
    elif args.out is None:
        print(made.text, end="")
    else:
        print(
            f"{args.out}: {made.name}; {len(made.left_out)} things are left out, named at its end"
        )
    return failures.Exit.DONE
