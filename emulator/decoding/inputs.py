"""What is given to be decoded: a capture, octets as they are, or octets written in hexadecimal.

Hexadecimal may have spaces, colons, commas and ``0x``; offsets in front and characters behind, as
``xxd`` and ``hexdump -C`` write them; ``#`` begins a comment. A line that begins with a direction
(``->``, ``<-``, ``TX:``, ``RX:``, with anything in front of it that is no hexadecimal) is a piece
of its own; so is each line of ``tshark``'s ``follow``, whose other direction is behind a tab.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dlms.framing.hdlc.frame import FLAG
from dlms.hiding import repr_without
from emulator.decoding.captures import Secrets
from emulator.decoding.chunks import Chunk, Line
from emulator.decoding.opening import is_apdu

_DIRECTED = re.compile(r"^.*?(?P<way>->|<-|\bTX\b|\bRX\b)\s*:?\s*(?P<rest>.*)$", re.I)
_OFFSET = re.compile(r"^\s*[0-9A-Fa-f]{4,8}(?::|  )\s*")
_ASCII = re.compile(r"\s{2,}\S.*$")
_SIGNS = re.compile(r"0x|[\s:,;]", re.I)
_HEX = re.compile(r"[0-9A-Fa-f]*")
_FOLLOW = "==="


class InputError(ValueError):
    """What was given cannot be read."""


class Given(NamedTuple):
    """``other`` are packets of which nothing is decoded, by why."""

    lines: tuple[Line, ...]
    other: dict[str, int]
    secrets: Secrets

    def __repr__(self) -> str:
        return repr_without(self, "secrets")


def of_octets(octets: bytes, name: str) -> Given:
    """Raw octets, or hexadecimal text. :class:`InputError` for neither."""
    text = _text(octets)
    if text is None:
        return _given(_framed([Chunk(octets)], name))
    return of_text(text, name)


def of_text(text: str, name: str) -> Given:
    """Hexadecimal. :class:`InputError` says which line is none."""
    if text.lstrip().startswith(_FOLLOW):
        return _given(Line(f"{name}, one end", "the other end", tuple(_followed(text))))
    chunks = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].rstrip()
        if line.strip():
            chunks.append(_line(line, f"{name}, line {number}"))
    if not chunks:
        raise InputError(f"{name}: nothing is in it")
    return _given(_framed(chunks, name))


def _given(line: Line) -> Given:
    return Given((line,), {}, {})


def _text(octets: bytes) -> str | None:
    """Text, if all of it is what hexadecimal is written with."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    printable = all(one.isprintable() or one in "\r\n\t" for one in text)
    return text if printable else None


def _line(line: str, place: str) -> Chunk:
    forward = None
    found = _DIRECTED.match(line)
    if found:
        forward = found["way"].upper() in ("->", "TX")
        line = found["rest"].split("  ")[0]
    elif _OFFSET.match(line):
        rest = _OFFSET.sub("", line)
        # hexdump has a gap in the middle, and bars around its characters; others only a gap.
        line = rest.partition("|")[0] if "|" in rest else _ASCII.sub("", rest)
    digits = _SIGNS.sub("", line)
    if not _HEX.fullmatch(digits):
        bad = next(one for one in digits if one not in "0123456789abcdefABCDEF")
        raise InputError(f"{place}: {bad!r} is no hexadecimal digit")
    if len(digits) % 2:
        raise InputError(f"{place}: {len(digits)} digits are no whole octets")
    return Chunk(bytes.fromhex(digits), forward)


def _followed(text: str) -> list[Chunk]:
    """The output of ``tshark -q -z follow,...,raw,N``."""
    return [
        Chunk(bytes.fromhex(line.strip()), not line.startswith("\t"))
        for line in text.splitlines()
        if line.strip() and _HEX.fullmatch(line.strip())
    ]


def _framed(chunks: list[Chunk], name: str) -> Line:
    """Frames that may be in pieces, or APDUs: each line one, or all of them together one."""
    line = Line(name, "", tuple(chunks))
    if _is_stream(chunks[0].octets):
        return line
    joined = b"".join(one.octets for one in chunks)
    undirected = all(one.forward is None for one in chunks)
    if undirected and not is_apdu(chunks[0].octets) and is_apdu(joined):
        return line._replace(chunks=(Chunk(joined),), whole=True)
    return line._replace(whole=True)


def _is_stream(octets: bytes) -> bool:
    framed = octets[:1] in (bytes((FLAG,)), b"/") or octets[:3] in (
        b"\x16\x03\x01",
        b"\x16\x03\x03",
    )
    return framed or (octets[:2] == b"\x00\x01" and not is_apdu(octets))
