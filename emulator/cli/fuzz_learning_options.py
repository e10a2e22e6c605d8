"""The options of ``fuzz learn`` and ``fuzz coverage``."""

from __future__ import annotations

from pathlib import Path

from emulator.cli import options

USUAL = ("public", "reader", "dco")
"""One without authentication, one with a password, one with HLS and ciphering."""
MOST_OF_OTHERS = 5000
"""Words that a meter of somebody else's is asked unless more are asked for."""
PLAYS = ("scenarios", "machine", "octets", "learning", "asking")
"""The fuzzers of which it is looked what they reach."""


def register(whats: options.SubParsers, later: options.Later) -> None:
    _register_learn(whats, later)
    _register_coverage(whats, later)


def _register_learn(whats: options.SubParsers, later: options.Later) -> None:
    learn = whats.add_parser(
        "learn",
        help="learn the association machine of a meter, and compare it with the tables of dlms/",
        description="AALpy asks the meter words of messages, right and wrong ones, until it knows"
        " the machine that answers so. Exit status 1 if that is not the one of the tables, with the"
        f" shortest word that shows it. Without an ASSOCIATION: {', '.join(USUAL)}; of a declared"
        " meter all whose keys are at hand. Nothing is written to any meter, and nothing done.",
    )
    learn.add_argument("associations", nargs="*", metavar="ASSOCIATION", help="which, by name")
    learn.add_argument(
        "--way", choices=("inprocess", "hdlc", "tcp"), default="inprocess",
        help="how our own meter is asked: without sockets, by HDLC frames, over TCP",
    )  # fmt: skip
    learn.add_argument(
        "--against", type=Path, metavar="FILE", help="a meter of which this is the declaration"
    )
    learn.add_argument("--profile", default="laboratory", help="of our own meter")
    learn.add_argument(
        "--plant", action="append", default=[], metavar="FAULT",
        help="a fault that our own meter has, in process",
    )  # fmt: skip
    learn.add_argument(
        "--extra", type=options.whole(0, 4), default=1, metavar="N",
        help="find up to so many states more than a hypothesis has, for certain (default 1)",
    )  # fmt: skip
    learn.add_argument(
        "--most", type=options.whole(1, 10_000_000), metavar="N",
        help=f"words to ask at the most (of a declared meter: {MOST_OF_OTHERS})",
    )  # fmt: skip
    learn.add_argument("--dot", action="store_true", help="only print the machines for Graphviz")
    options.add_json(learn)
    learn.set_defaults(run=later("fuzz_learn", "learn"))


def _register_coverage(whats: options.SubParsers, later: options.Later) -> None:
    coverage = whats.add_parser(
        "coverage",
        help="the lines of dlms/ and of the keys of devices/ that the fuzzers reach",
        description="Plays the scenarios, the machine, the corpora of octets, the learner and all"
        " that our client can ask, with the package coverage. Exit status 1 if a line that none of"
        " them reaches has no judgement in judged.toml. It takes some minutes.",
    )
    coverage.add_argument(
        "plays", nargs="*", metavar="FUZZER", help=f"only these: {', '.join(PLAYS)}"
    )
    coverage.add_argument("--into", type=Path, metavar="FILE", help="write the page into a file")
    coverage.add_argument("--judged", type=Path, metavar="FILE", help="other judgements")
    coverage.add_argument(
        "--unjudged", action="store_true", help="only list the lines that nobody has judged"
    )
    options.add_json(coverage)
    coverage.set_defaults(run=later("fuzz_coverage", "coverage"))
