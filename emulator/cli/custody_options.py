"""Options that say which Cryptographic Modules do the work, and by which rules they are judged."""

from __future__ import annotations

import argparse

from emulator.custody import Mode
from emulator.custody import file as custody_file
from emulator.policy import EDITIONS, LETTER


def add_custody(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=Mode.OBSERVE.value,
        help="enforce: refuse what no Cryptographic Module at hand is strong enough for",
    )
    parser.add_argument(
        "--edition",
        choices=list(EDITIONS),
        default=LETTER.name,
        help="rules by which operations are judged",
    )
    parser.add_argument(
        "--modules",
        default=custody_file.SOFTWARE,
        metavar="WHICH",
        help=f"{', '.join(custody_file.BUILT_IN)}, or a custody file: the Cryptographic Modules and"
        " who uses which (default: software)",
    )
