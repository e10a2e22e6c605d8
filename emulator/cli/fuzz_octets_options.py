"""The options of ``fuzz octets``."""

from __future__ import annotations

from pathlib import Path

from emulator.cli import options
from emulator.fuzz.octets.corpus import CORPUS

MAX_SECONDS = 7 * 24 * 3600


def register(whats: options.SubParsers, later: options.Later) -> None:
    octets = whats.add_parser(
        "octets",
        help="octets thrown at every parser, guided by coverage (atheris, Linux)",
        description="Without a HARNESS all are run, one after the other or --jobs at a time, each"
        " for its time; a HARNESS is a name, or what several begin with, axdr for example. Exit"
        " status 1 if anything was found.",
    )
    octets.add_argument("harnesses", nargs="*", metavar="HARNESS", help="which, by name")
    octets.add_argument(
        "--seconds", type=options.whole(1, MAX_SECONDS), default=60, metavar="N",
        help="of each harness (default: 60)",
    )  # fmt: skip
    octets.add_argument(
        "--runs", type=options.whole(1, 1 << 40), metavar="N", help="instead: inputs of each"
    )
    octets.add_argument("--seed", type=options.whole(1, 1 << 31), default=1, metavar="N")
    octets.add_argument("--jobs", type=options.whole(1, 64), default=1, metavar="N")
    octets.add_argument(
        "--corpus", type=Path, default=CORPUS, metavar="DIR",
        help="packed corpora to begin with (default: fixtures/corpus of the repository)",
    )  # fmt: skip
    octets.add_argument(
        "--keep", action="store_true",
        help="put what reaches new code into the corpora, and take out what is not needed; with"
        " --replay, crashes that do not happen any more",
    )  # fmt: skip
    octets.add_argument(
        "--out", type=Path, default=Path("octets"), metavar="DIR",
        help="where crashes are written (default: octets)",
    )  # fmt: skip
    octets.add_argument(
        "--from", dest="file", type=Path, metavar="FILE",
        help="harnesses of your own: a Python file with HARNESSES",
    )  # fmt: skip
    octets.add_argument("--list", action="store_true", help="only say which there are")
    octets.add_argument(
        "--replay", nargs="*", type=Path, metavar="FILE",
        help="play crashes, or without a FILE the corpora, in this process, without atheris",
    )  # fmt: skip
    octets.add_argument(
        "--coverage", action="store_true",
        help="play the corpora, and say which lines of the protocol core they reach",
    )  # fmt: skip
    options.add_json(octets)
    octets.set_defaults(run=later("fuzz_octets", "octets"))
