"""The command ``cosemlab``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

from emulator.cli import failures

COMMANDS = {
    "demo": "demo",
    "up": "up",
    "status": "sandbox",
    "clock": "sandbox",
    "power": "sandbox",
    "reboot": "sandbox",
    "customer": "sandbox",
    "tamper": "sandbox",
    "fault": "fault",
    "read": "meter",
    "objects": "meter",
    "credit": "meter",
    "instruct": "meter",
    "keys": "meter",
    "request": "request",
    "requests": "request",
    "anomaly": "anomaly",
    "rotate": "rotate",
    "enrol": "enrol",
    "inventory": "inventory",
    "supplier": "supplier",
    "campaign": "campaign",
    "keystore": "keystore",
    "firmware": "firmware",
    "alerts": "alerts",
    "listen": "listen",
    "plot": "plot",
    "profiles": "profiles",
    "conform": "conform",
    "decode": "decode",
    "fuzz": "fuzz",
    "mqtt": "mqtt",
    "ledger": "ledger",
    "policy": "policy",
    "products": "products",
    "tls-keys": "tls_keys",
    "module": "module",
    "machines": "machines",
}
"""Which module registers a command, as the help lists them."""


def parser(command: str = "") -> argparse.ArgumentParser:
    """The whole command line; each command sets ``run``, a function of the parsed arguments. If
    ``command`` is one of them, only the module that registers it is imported.
    """
    top = argparse.ArgumentParser(
        prog="cosemlab",
        description="DLMS/COSEM meters and the head end that talks to them, in a laboratory.",
        epilog="Exit status: 0 done, 1 refused or not done, 2 usage, 3 connection, 4 protocol,"
        " 5 refused by policy.",
    )
    top.add_argument("--version", action="version", version=f"cosemlab {version('cosemlab')}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules = [COMMANDS[command]] if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for module in modules:
        import_module(f"emulator.cli.{module}").register(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    args = parser(next(iter(words), "")).parse_args(words)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        if not failures.reader_is_gone():
            raise
        return failures.Exit.FAILED
    return status


if __name__ == "__main__":
    sys.exit(main())
