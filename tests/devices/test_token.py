"""The form of the 20-digit token: made, taken apart, and wrong in every way a hand can be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devices.token import (
    DIGITS,
    MAX_COUNTER,
    MAX_VALUE,
    Token,
    TokenFormatError,
    make_token,
    read_token,
    token_mac,
)
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoOp, Mac, Use

TITLE = b"EHL\1\0\0\0\7"
KEY = KeyRef(TITLE, "prepayment", KeyKind.TOKEN)
COUNTERS = st.integers(0, MAX_COUNTER)
AMOUNTS = st.integers(1, MAX_VALUE) | st.integers(82, MAX_VALUE).map(lambda pounds: 100 * pounds)


class Tags:
    """A module that gives the tag it is told to, and remembers for what."""

    def __init__(self, tag: bytes) -> None:
        self.tag = tag
        self.seen: list[CryptoOp] = []

    def __call__(self, op: CryptoOp) -> bytes:
        self.seen.append(op)
        return self.tag


def digits(pence: int, counter: int, tag: bytes = bytes(12)) -> str:
    return run(make_token(pence, counter, KEY, TITLE), Tags(tag))


@given(AMOUNTS, COUNTERS, st.binary(min_size=12, max_size=12))
def test_made_and_taken_apart(pence: int, counter: int, tag: bytes) -> None:
    text = digits(pence, counter, tag)
    assert len(text) == DIGITS == 20
    assert text.isdecimal()
    token = read_token(text.encode())
    assert (token.pence, token.counter, token.mac) == (pence, counter, tag[:4])


@given(AMOUNTS, COUNTERS)
def test_the_mac_is_over_the_message_under_its_counter(pence: int, counter: int) -> None:
    """One key, one counter per token: no initialization vector is used twice."""
    tags = Tags(bytes(12))
    text = run(make_token(pence, counter, KEY, TITLE), tags)
    (made,) = tags.seen
    assert isinstance(made, Mac)
    assert made == Mac(Use.TOKEN, KEY, None, 0x10, TITLE, counter, made.message)
    token = read_token(text.encode())
    assert run(token_mac(token, KEY, TITLE), tags) == bytes(4)
    assert tags.seen[1] == made
    assert len(made.message) == 4
    assert made.message[0] < 0x40  # one unused bit, and a scale of 0 or 1


def test_an_example() -> None:
    """10 pounds, counter 1: scale 0, value 1000, MAC 1234ABCD, by hand."""
    number = (0 << 61) | (1000 << 48) | (1 << 32) | 0x1234ABCD
    text = digits(1000, 1, bytes.fromhex("1234ABCD0000000000000000"))
    assert text[:-1] == f"{number:019d}" == "0281474981311065037"
    assert read_token(text.encode()) == Token(
        1000, 1, bytes.fromhex("1234ABCD"), bytes.fromhex("03E80001")
    )


@pytest.mark.parametrize(
    "pence", [0, -1, 8192, 8199, 8250, 819_101, 819_200, 10**9, -100, 8201, 9999]
)
def test_amounts_that_no_token_carries(pence: int) -> None:
    with pytest.raises(ValueError, match="a token carries"):
        digits(pence, 0)


@pytest.mark.parametrize("pence", [1, 8191, 8200, 819_100])
def test_the_least_and_the_most(pence: int) -> None:
    assert read_token(digits(pence, 0).encode()).pence == pence


@pytest.mark.parametrize("counter", [-1, MAX_COUNTER + 1, 2**31])
def test_a_key_makes_65536_tokens(counter: int) -> None:
    """Counters do not wrap: after the last one the key is used up."""
    with pytest.raises(ValueError, match="token counter"):
        digits(100, counter)


def test_the_last_counter_is_good() -> None:
    assert read_token(digits(100, MAX_COUNTER).encode()).counter == 65535


SAMPLES = [
    digits(1, 0),
    digits(1000, 1, bytes.fromhex("1234ABCD0000000000000000")),
    digits(819_100, MAX_COUNTER, b"\xff" * 12),
    digits(8191, 4711, b"\x80" * 12),
]


@pytest.mark.parametrize("text", SAMPLES)
def test_every_wrong_digit_is_noticed(text: str) -> None:
    for place in range(DIGITS):
        for digit in "0123456789":
            if digit == text[place]:
                continue
            with pytest.raises(TokenFormatError, match="check digit"):
                read_token((text[:place] + digit + text[place + 1 :]).encode())


@pytest.mark.parametrize("text", SAMPLES)
def test_every_swap_of_neighbours_is_noticed(text: str) -> None:
    swaps = 0
    for place in range(DIGITS - 1):
        one, other = text[place], text[place + 1]
        if one != other:
            swaps += 1
            with pytest.raises(TokenFormatError, match="check digit"):
                read_token((text[:place] + other + one + text[place + 2 :]).encode())
    assert swaps >= 3


@given(AMOUNTS, COUNTERS, st.binary(min_size=12, max_size=12), st.data())
def test_a_slip_of_the_hand_is_noticed(pence: int, counter: int, tag: bytes, data: Any) -> None:
    text = digits(pence, counter, tag)
    place = data.draw(st.integers(0, DIGITS - 1))
    digit = data.draw(st.sampled_from("0123456789"))
    assume(digit != text[place])
    with pytest.raises(TokenFormatError):
        read_token((text[:place] + digit + text[place + 1 :]).encode())


@pytest.mark.parametrize("length", [0, 1, 19, 21, 40, 65536])
def test_other_lengths(length: int) -> None:
    with pytest.raises(TokenFormatError, match="twenty digits"):
        read_token(b"1" * length)


@pytest.mark.parametrize(
    "written",
    [
        b"1234567890123456789A",
        b"1234 5678 9012 3456 ",
        b"-1234567890123456789",
        b"+1234567890123456789",
        b"1234567890_123456789",
        b"\x00" * 20,
        b"\xff" * 20,
        "１２３４５６".encode() + b"12",
        "٣".encode() * 10,
    ],
)
def test_what_is_no_digit(written: bytes) -> None:
    assert len(written) == 20
    with pytest.raises(TokenFormatError, match="twenty digits"):
        read_token(written)


def checked(number: int) -> bytes:
    """The digits of ``number`` with a right check digit, by trying all ten."""
    good = []
    for digit in "0123456789":
        written = f"{number:019d}{digit}".encode()
        try:
            read_token(written)
        except TokenFormatError as error:
            if "check digit" in str(error):
                continue
        good.append(written)
    (only,) = good
    return only


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        (0, "no credit token"),  # no value
        (0xFFFF << 32, "no credit token"),
        (2 << 61 | 1 << 48, "no credit token"),  # scales that are none
        (3 << 61 | 1 << 48, "no credit token"),
        (2**63 - 1, "no credit token"),
        (2**63, "out of range"),
        (10**19 - 1, "out of range"),
    ],
)
def test_right_digits_that_are_no_token(number: int, problem: str) -> None:
    with pytest.raises(TokenFormatError, match=problem):
        read_token(checked(number))


@given(st.binary(max_size=24) | st.text("0123456789", min_size=20, max_size=20).map(str.encode))
def test_anything_is_read_or_refused(written: bytes) -> None:
    try:
        token = read_token(written)
    except TokenFormatError:
        return
    assert token.pence > 0
    assert 0 <= token.counter <= MAX_COUNTER
