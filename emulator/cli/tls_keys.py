"""``tls-keys``: whether this platform can use a private key of TLS that is in a module."""

from __future__ import annotations

import argparse
import platform
import ssl
import sys

from emulator.cli import failures, options
from emulator.cli.output import print_json
from tls.external_key import why_not


def register(subparsers: options.SubParsers) -> None:
    command = subparsers.add_parser(
        "tls-keys",
        help="try whether TLS can use a private key that is in a module, on this platform",
    )
    options.add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    """Not done if it cannot."""
    why = why_not()
    here = f"{platform.python_implementation()} {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    if args.json:
        print_json({"usable": why is None, "platform": here, "why": why})
    elif why is None:
        print(f"TLS can use a private key that is in a module: {here}")
    else:
        print(
            f"cosemlab: TLS cannot use a private key that is in a module: {why} ({here})",
            file=sys.stderr,
        )
    return failures.Exit.DONE if why is None else failures.Exit.FAILED
