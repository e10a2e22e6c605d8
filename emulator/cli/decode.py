"""``cosemlab decode``: octets made readable."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from emulator.cli import failures, options
from emulator.cli.output import print_json
from emulator.client import key_file
from emulator.client.keys import Keys
from emulator.decoding.as_json import conversation_json
from emulator.decoding.captures import is_capture, read_capture, read_key_log
from emulator.decoding.conversation import Conversation, Decoder
from emulator.decoding.fields import MOST
from emulator.decoding.flows import lines
from emulator.decoding.hiding import Hider
from emulator.decoding.inputs import Given, InputError, of_octets, of_text
from emulator.decoding.keys import KeyChain
from emulator.decoding.text import View, conversation_lines

_STDIN = "-"


def register(subparsers: options.SubParsers) -> None:
    decode = subparsers.add_parser(
        "decode",
        help="make octets readable: a capture, a dump, or one APDU, deciphered with a key file",
        description="A WHAT is a file (pcap, pcapng, raw octets, hexadecimal), - for standard"
        " input, or hexadecimal itself; several are decoded one after the other. Frames of the"
        " wrapper and of HDLC are found by themselves. Exit status 1 if anything could not be"
        " decoded or did not verify; with --strict also if anything ciphered stays closed.",
    )
    decode.add_argument("what", nargs="+", metavar="WHAT")
    decode.add_argument(
        "--keys", type=Path, metavar="FILE",
        help="key file: [NAME], and lines of guek, gak, gbek, kek, agreement_key ... in"
        " hexadecimal; a NAME that is a system title is for that party alone",
    )  # fmt: skip
    decode.add_argument(
        "--title", action="append", default=[], type=_title, metavar="HEX",
        help="system title of an originator whose AARQ or AARE is not in what is decoded",
    )  # fmt: skip
    decode.add_argument(
        "--keylog", type=Path, metavar="FILE",
        help="TLS secrets, as SSLKEYLOGFILE has them; a pcapng may bring its own",
    )  # fmt: skip
    decode.add_argument(
        "--follow", type=options.whole(1, 1_000_000), metavar="N", help="only conversation N"
    )
    decode.add_argument("--frames", action="store_true", help="what is around the APDUs, too")
    decode.add_argument("--summary", action="store_true", help="a line for each message, no fields")
    decode.add_argument(
        "--most", type=options.whole(1, 1_000_000), default=MOST, metavar="N",
        help=f"elements of an array that are shown (default: {MOST})",
    )  # fmt: skip
    decode.add_argument(
        "--strict", action="store_true", help="what stays closed counts as not decoded"
    )
    options.add_json(decode)
    decode.set_defaults(run=lambda args: failures.guard(lambda: _decode(args)))


def _title(text: str) -> bytes:
    try:
        title = bytes.fromhex(text)
    except ValueError:
        title = b""
    if len(title) != 8:
        raise argparse.ArgumentTypeError(f"{text!r} is no system title: 16 hexadecimal digits")
    return title


def _given(what: str) -> Given:
    path = Path(what)
    if what == _STDIN:
        octets = sys.stdin.buffer.read()
        if is_capture(octets):
            raise InputError("a capture is read from a file, not from standard input")
        return of_octets(octets, "standard input")
    try:
        there = path.is_file()
    except OSError:  # too long for a name
        there = False
    if there:
        with path.open("rb") as file:
            head = file.read(4)
        if not is_capture(head):
            return of_octets(path.read_bytes(), path.name)
        capture = read_capture(path)
        return Given(tuple(lines(capture.packets)), capture.other, capture.secrets)
    try:
        return of_text(what, "octets")
    except InputError as error:
        raise InputError(f"{what[:60]!r} is no file, and as octets: {error}") from None


def _keys(path: Path | None) -> Mapping[str, Keys]:
    return {} if path is None else key_file.load(path)


def _decode(args: argparse.Namespace) -> int:
    chain = KeyChain(_keys(args.keys))
    secrets = {} if args.keylog is None else read_key_log(args.keylog)
    decoder = Decoder(chain, tuple(args.title), secrets, args.most)
    found: list[Conversation] = []
    other: dict[str, int] = {}
    for what in args.what:
        given = _given(what)
        decoder.secrets = {
            label: {**given.secrets.get(label, {}), **secrets.get(label, {})}
            for label in {*given.secrets, *secrets}
        }
        found += decoder.decode(given.lines, len(found) + 1)
        for why, count in given.other.items():
            other[why] = other.get(why, 0) + count
    shown = [one for one in found if args.follow in (None, one.number)]
    if args.follow and not shown:
        raise InputError(f"there is no conversation {args.follow}, but {len(found)}")
    hider = Hider(chain.secrets, found)
    if args.json:
        print_json(
            {
                "conversations": [
                    conversation_json(one, hider, frames=args.frames) for one in shown
                ],
                "not decoded": other,
            }
        )
    else:
        _print(shown, other, View(hider, not args.summary, args.frames))
    return _status(shown, strict=args.strict)


def _print(shown: list[Conversation], other: dict[str, int], view: View) -> None:
    for conversation in shown:
        for line in conversation_lines(conversation, view):
            print(line)
    for why, count in other.items():
        print(f"{count} packets not decoded: {why}")


def _status(shown: list[Conversation], *, strict: bool) -> int:
    failed = any(one.problems for one in shown)
    if strict:
        failed = failed or any(message.closed for one in shown for message in one.messages)
    return failures.Exit.FAILED if failed else failures.Exit.DONE
