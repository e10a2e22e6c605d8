"""The command ``cosemlab``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from emulator.cli import (
    alerts,
    anomaly,
    campaign,
    conform,
    decode,
    demo,
    enrol,
    failures,
    fault,
    firmware,
    fuzz,
    inventory,
    keystore,
    ledger,
    listen,
    machines,
    meter,
    module,
    mqtt,
    plot,
    policy,
    products,
    profiles,
    request,
    rotate,
    sandbox,
    supplier,
    tls_keys,
    up,
)

COMMANDS = (
    demo,
    up,
    sandbox,
    fault,
    meter,
    request,
    anomaly,
    rotate,
    enrol,
    inventory,
    supplier,
    campaign,
    keystore,
    firmware,
    alerts,
    listen,
    plot,
    profiles,
    conform,
    decode,
    fuzz,
    mqtt,
    ledger,
    policy,
    products,
    tls_keys,
    module,
    machines,
)
"""As the help lists them."""


def parser() -> argparse.ArgumentParser:
    """The whole command line; each command sets ``run``, a function of the parsed arguments."""
    top = argparse.ArgumentParser(
        prog="cosemlab",
        description="DLMS/COSEM meters and the head end that talks to them, in a laboratory.",
        epilog="Exit status: 0 done, 1 refused or not done, 2 usage, 3 connection, 4 protocol,"
        " 5 refused by policy.",
    )
    top.add_argument("--version", action="version", version=f"cosemlab {version('cosemlab')}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    args = parser().parse_args(arguments)
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
