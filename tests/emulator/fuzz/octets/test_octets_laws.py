"""What the laws of the octet harnesses find in codecs and receivers that break them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from dlms.errors import CodecError
from emulator.fuzz.octets import laws
from emulator.fuzz.octets.harness import Outcome, Play, Unlawful

ERRORS = (CodecError,)


def number(octets: bytes) -> int:
    """One octet, 0 to 9."""
    if len(octets) != 1 or octets[0] > 9:
        raise CodecError("no digit")
    return octets[0]


def octet(value: int) -> bytes:
    return bytes((value,))


def test_a_codec_that_keeps_the_laws() -> None:
    play = laws.codec(number, octet, ERRORS, canonical=True)
    assert play(b"\5") is Outcome.TAKEN
    assert play(b"\x0a") is Outcome.REFUSED


def refuse(value: int) -> bytes:
    raise CodecError("cannot be encoded")


def drifting() -> Callable[[int], bytes]:
    """Another octet at each call."""
    values = iter(range(10))
    return lambda value: octet(next(values))


BROKEN: dict[str, Play] = {
    "what is decoded can be encoded": laws.codec(number, refuse, ERRORS),
    "what is encoded can be decoded": laws.codec(number, lambda value: b"\xff", ERRORS),
    "decode(encode(decode(x))) == decode(x)": laws.codec(number, lambda value: b"\0", ERRORS),
    "one form only": laws.codec(
        lambda octets: number(octets[-1:]), octet, ERRORS, canonical=True
    ),
    "encoding is a function": laws.codec(lambda octets: 0, drifting(), ERRORS),
    "reading is a function": laws.reader(lambda octets, seen=[]: seen.append(1) or len(seen), ()),
}  # fmt: skip


@pytest.mark.parametrize("law", BROKEN)
def test_a_codec_that_breaks_a_law(law: str) -> None:
    octets = b"\0\5" if law == "one form only" else b"\5"
    with pytest.raises(Unlawful) as caught:
        BROKEN[law](octets)
    assert caught.value.law == law


def test_an_error_that_is_no_contract_leaves_the_harness() -> None:
    play = laws.codec(lambda octets: octets[3], octet, ERRORS)
    with pytest.raises(IndexError):
        play(b"\5")


def test_not_a_number_is_no_equal_of_its_own() -> None:
    nan = float("nan")
    assert laws.codec(lambda octets: nan, lambda value: b"", ERRORS)(b"") is Outcome.TAKEN


def test_text_that_is_no_text_is_refused_before_it_is_read() -> None:
    def read(text: str) -> str:
        raise AssertionError(text)

    assert laws.text(read, ())(b"\xff") is Outcome.REFUSED


def lines(pieces: Iterable[bytes]) -> Sequence[Any]:
    """Lines, however they come."""
    return b"".join(pieces).split(b"\n")[:-1]


def forgetful(pieces: Iterable[bytes]) -> Sequence[Any]:
    """Loses what is under way at the end of a piece."""
    return [line for piece in pieces for line in piece.split(b"\n")[:-1]]


def test_a_receiver_gives_the_same_for_any_split() -> None:
    assert laws.stream(lines)(b"one\ntwo\n") is Outcome.TAKEN
    assert laws.stream(lines)(b"one") is Outcome.NOTHING
    errors = laws.stream(lines, is_error=lambda event: event == b"two")
    assert errors(b"one\ntwo\n") is Outcome.REFUSED


def test_a_receiver_that_loses_the_rest_of_a_piece() -> None:
    with pytest.raises(Unlawful, match="any split"):
        laws.stream(forgetful)(b"one\ntwo\n")


def test_long_streams_are_cut_as_well() -> None:
    with pytest.raises(Unlawful, match="any split"):
        laws.stream(forgetful)(b"x" * laws.MAX_SINGLE + b"\n")
