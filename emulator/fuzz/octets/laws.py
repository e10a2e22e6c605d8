"""The laws of parsers, each made into what a harness plays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from emulator.fuzz.octets.harness import Outcome, Play, Unlawful

T = TypeVar("T")

Errors: TypeAlias = tuple[type[Exception], ...]
"""What may leave a parser: its contract."""


def codec(
    decode: Callable[[bytes], T],
    encode: Callable[[T], bytes],
    errors: Errors,
    *,
    canonical: bool = False,
) -> Play:
    """What can be decoded can be encoded, and that decodes to the same; a second encoding has the
    same octets. ``canonical`` codecs have one form only: the octets that came.
    """

    def play(octets: bytes) -> Outcome:
        try:
            value = decode(octets)
        except errors:
            return Outcome.REFUSED
        try:
            again = encode(value)
        except errors as error:
            raise Unlawful("what is decoded can be encoded", f"{error}") from error
        if canonical and again != octets:
            raise Unlawful("one form only", f"{octets.hex()} is encoded as {again.hex()}")
        try:
            back = decode(again)
        except errors as error:
            raise Unlawful("what is encoded can be decoded", f"{again.hex()}: {error}") from error
        # NaN is no equal of its own, but looks the same.
        if back != value and repr(back) != repr(value):
            raise Unlawful("decode(encode(decode(x))) == decode(x)", f"{back!r}, not {value!r}")
        if encode(back) != again:
            raise Unlawful("encoding is a function", again.hex())
        return Outcome.TAKEN

    return play


def reader(read: Callable[[bytes], Any], errors: Errors) -> Play:
    """Nothing but ``errors`` leaves it, and the same octets give the same."""

    def play(octets: bytes) -> Outcome:
        try:
            value = read(octets)
        except errors:
            return Outcome.REFUSED
        if value is None:
            return Outcome.REFUSED
        again = read(octets)
        if again != value and repr(again) != repr(value):
            raise Unlawful("reading is a function", f"{again!r}, not {value!r}")
        return Outcome.TAKEN

    return play


def text(read: Callable[[str], Any], errors: Errors) -> Play:
    """The same for what reads text; octets that are none are not its business."""
    play_text = reader(lambda octets: read(octets.decode("utf-8")), errors)

    def play(octets: bytes) -> Outcome:
        try:
            octets.decode("utf-8")
        except UnicodeDecodeError:
            return Outcome.REFUSED
        return play_text(octets)

    return play


Feed: TypeAlias = Callable[[Iterable[bytes]], Sequence[Any]]
"""A new receiver is given pieces, one after the other: all that comes of them, in its order."""


def stream(feed: Feed, *, is_error: Callable[[Any], bool] = lambda event: False) -> Play:
    """A receiver gives the same events however the octets are cut."""

    def play(octets: bytes) -> Outcome:
        events = list(feed([octets]))
        for name, pieces in _cuts(octets):
            found = list(feed(pieces))
            if found != events:
                raise Unlawful("the same events for any split", f"{name}: {found}, not {events}")
        if any(map(is_error, events)):
            return Outcome.REFUSED
        return Outcome.TAKEN if events else Outcome.NOTHING

    return play


MAX_SINGLE = 4096
"""Octets that are given one by one; more are given in pieces of :data:`MAX_SINGLE` // 16."""


def _cuts(octets: bytes) -> Iterable[tuple[str, list[bytes]]]:
    """One by one; in two, at a place that the octets decide; in pieces of three."""
    size = len(octets)
    step = 1 if size <= MAX_SINGLE else MAX_SINGLE // 16
    yield f"pieces of {step}", [octets[at : at + step] for at in range(0, size, step)]
    middle = sum(octets[:64]) % (size + 1)
    yield f"cut at {middle}", [octets[:middle], octets[middle:]]
    step = 3 if size <= MAX_SINGLE else MAX_SINGLE // 16 + 1
    yield f"pieces of {step}", [octets[at : at + step] for at in range(0, size, step)]
