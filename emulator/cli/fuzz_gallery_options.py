"""The options of ``fuzz gallery``."""

from __future__ import annotations

from pathlib import Path

from emulator.cli import options

_RUN = Path(__file__).parents[2] / "fixtures" / "gallery" / "measured" / "run.json"


def register(whats: options.SubParsers, later: options.Later) -> None:
    gallery = whats.add_parser(
        "gallery",
        help="plant each bug of the gallery in a meter, and see whether and how soon it is found",
        description="Without a NAME all of them, and then a meter that has none. Exit status 1 if"
        " one is not found, or something is found where nothing is.",
    )
    gallery.add_argument("names", nargs="*", metavar="NAME", help="which, by the name of its fault")
    gallery.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="for each, by default 60"
    )
    gallery.add_argument("--steps", type=int, metavar="N", help="for each, in the place of seconds")
    gallery.add_argument("--seed", type=int, default=0, metavar="N", help="by default 0")
    gallery.add_argument("--processes", type=int, default=2, metavar="N", help="by default 2")
    gallery.add_argument(
        "--clean", type=float, metavar="S",
        help="seconds for the meter without bugs: by default 600, with a NAME none",
    )  # fmt: skip
    gallery.add_argument(
        "--clean-steps", type=int, metavar="N", help="steps for it, in the place of seconds"
    )
    gallery.add_argument("--list", action="store_true", help="only say which there are")
    gallery.add_argument(
        "--into", type=Path, metavar="PAGE", help="draw the table of a kept run into a page"
    )
    gallery.add_argument(
        "--kept",
        type=Path,
        default=_RUN,
        metavar="FILE",
        help="the run for --into, as --json gives it",
    )
    options.add_json(gallery)
    gallery.set_defaults(run=later("fuzz_gallery", "gallery"))
