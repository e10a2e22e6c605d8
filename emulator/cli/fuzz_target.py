"""The target that options ask for: our own meter, in this process or behind sockets, or any other
by its declaration.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Make
from emulator.fuzz.network.makes import DeclaredMake, over_tcp, over_tls
from emulator.fuzz.setting import Setting

IN_PROCESS = "in process"
"""As findings name it."""

_OWN: dict[str, Make] = {"in-process": in_process, "tcp": over_tcp, "tls": over_tls}


def target_of(args: argparse.Namespace) -> Make:
    """What makes it: a function of a module, or a value that can be pickled, as a search gives it
    to processes of its own. ``ValueError`` if there is no such target.
    """
    return _OWN.get(args.target) or _declared(args)


def target_name(args: argparse.Namespace) -> str:
    return IN_PROCESS if args.target == "in-process" else args.target


def _declared(args: argparse.Namespace) -> DeclaredMake:
    path = Path(args.target)
    if not path.exists():
        raise ValueError(f"no target {args.target!r}: {', '.join(_OWN)}, or a declaration's file")
    return DeclaredMake(path=path, destructive=args.destructive)


def declared_of(args: argparse.Namespace) -> DeclaredMake | None:
    """Another's meter, if that is the target; what will be done to it and what will not is said
    before anything is.
    """
    if args.target in _OWN:
        return None
    make = _declared(args)
    for line in make.meter.promise:
        print(line, file=sys.stderr)
    return make


def declared_settings(make: DeclaredMake, args: argparse.Namespace) -> list[Setting]:
    """What is searched there. ``ValueError`` for what goes with our own meter only."""
    for option in ("setting", "plant"):
        if getattr(args, option):
            raise ValueError(f"--{option} is for our own meter, and {args.target} is another's")
    if args.processes not in (None, 1):
        raise ValueError(f"one process and no more is at {args.target}: counters are in order")
    return [make.setting(str(args.seed))]
