"""Invocation counters (reference R-IC-1 to R-IC-8)."""

from __future__ import annotations

import pytest

from dlms.errors import LocalProtocolError
from dlms.security.counters import (
    MAXIMUM,
    CounterRefused,
    CounterRow,
    CounterTooFar,
    CounterTooLow,
    InvocationCounters,
)
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef

TITLE = b"MTR\0\0\0\0\1"
GUEK = KeyRef(TITLE, "a", KeyKind.GUEK)
KEYS = [
    GUEK,
    KeyRef(TITLE, "b", KeyKind.GUEK),
    KeyRef(TITLE, "a", KeyKind.GBEK),
    KeyRef(TITLE, "a", KeyKind.GUEK, version=1),
    KeyRef(TITLE, "a", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION),
    KeyRef(b"MTR\0\0\0\0\2", "a", KeyKind.GUEK),
]


def test_starts_at_0_and_never_repeats() -> None:
    """R-IC-2, R-IC-3."""
    counters = InvocationCounters()
    assert [counters.burn(GUEK) for _ in range(1000)] == list(range(1000))
    assert counters.next_to_send(GUEK) == 1000


def test_keys_and_directions_are_independent() -> None:
    """R-IC-1, R-IC-8, KL-IC-11, 13: by encryption key, sending and receiving apart."""
    counters = InvocationCounters()
    for number, key in enumerate(KEYS):
        for _ in range(number):
            counters.burn(key)
        counters.accept(key, 100 + number)
    assert [counters.next_to_send(key) for key in KEYS] == list(range(len(KEYS)))
    assert [counters.floor(key) for key in KEYS] == [101 + n for n in range(len(KEYS))]


def test_maximum_is_never_sent() -> None:
    """R-IC-4, KL-IC-01: FFFFFFFE is the last; then an error each time, and no wrap."""
    counters = InvocationCounters()
    counters.raise_to(GUEK, 0xFFFFFFFD)
    assert [counters.burn(GUEK), counters.burn(GUEK)] == [0xFFFFFFFD, 0xFFFFFFFE]
    for _ in range(3):
        with pytest.raises(LocalProtocolError, match="used up"):
            counters.burn(GUEK)
    assert counters.next_to_send(GUEK) == MAXIMUM
    assert counters.burn(KEYS[1]) == 0


@pytest.mark.parametrize("value", [MAXIMUM, MAXIMUM + 1, 2**40])
def test_raised_to_the_end(value: int) -> None:
    counters = InvocationCounters()
    counters.raise_to(GUEK, value)
    with pytest.raises(LocalProtocolError):
        counters.burn(GUEK)


def test_maximum_is_never_accepted() -> None:
    """R-IC-4, KL-IC-02, 03."""
    counters = InvocationCounters()
    with pytest.raises(CounterTooLow):
        counters.check(GUEK, MAXIMUM)
    counters.check(GUEK, MAXIMUM - 1)
    counters.accept(GUEK, MAXIMUM - 1)
    for received in (0, MAXIMUM - 1, MAXIMUM):
        with pytest.raises(CounterTooLow) as caught:
            counters.check(GUEK, received)
        assert caught.value.floor == MAXIMUM


def test_floor() -> None:
    """R-IC-5, KL-IC-05, 06: equal passes, below does not, gaps are allowed."""
    counters = InvocationCounters()
    counters.check(GUEK, 0)
    counters.accept(GUEK, 5)
    assert counters.floor(GUEK) == 6
    for received in range(6):
        with pytest.raises(CounterTooLow) as caught:
            counters.check(GUEK, received)
        assert caught.value.floor == 6
    counters.check(GUEK, 6)
    counters.check(GUEK, 7000)


def test_checking_changes_nothing() -> None:
    """R-IC-6."""
    counters = InvocationCounters()
    counters.check(GUEK, 50)
    assert counters.floor(GUEK) == 0
    assert counters.next_to_send(GUEK) == 0


def test_what_was_overtaken_is_not_accepted() -> None:
    """R-IC-5, also where the floor moved between check and accept."""
    counters = InvocationCounters()
    counters.check(GUEK, 3)
    counters.accept(GUEK, 9)
    for received in (3, 9):
        with pytest.raises(CounterTooLow):
            counters.accept(GUEK, received)
    assert counters.floor(GUEK) == 10


@pytest.mark.parametrize(("value", "expected"), [(0, 5), (4, 5), (5, 5), (6, 6), (1000, 1000)])
def test_raise_to_goes_forward_only(value: int, expected: int) -> None:
    """R-IC-7, KL-IC-16, 17."""
    counters = InvocationCounters()
    for _ in range(5):
        counters.burn(GUEK)
    counters.raise_to(GUEK, value)
    assert counters.burn(GUEK) == expected


def test_establish_starts_both_directions_at_0() -> None:
    """R-IC-2; other keys keep theirs."""
    counters = InvocationCounters()
    for key in KEYS[:2]:
        counters.burn(key)
        counters.accept(key, 7)
    counters.establish(GUEK)
    assert (counters.next_to_send(GUEK), counters.floor(GUEK)) == (0, 0)
    assert (counters.next_to_send(KEYS[1]), counters.floor(KEYS[1])) == (1, 8)


def test_forget() -> None:
    counters = InvocationCounters()
    counters.burn(GUEK)
    counters.accept(GUEK, 7)
    counters.forget(GUEK)
    counters.forget(GUEK)
    assert (counters.next_to_send(GUEK), counters.floor(GUEK)) == (0, 0)


@pytest.mark.parametrize(("received", "passes"), [(6, True), (16, True), (17, False), (15, True)])
def test_forward_jump(received: int, passes: bool) -> None:
    """R-IC-11: the jump is counted from the lowest acceptable."""
    counters = InvocationCounters()
    counters.accept(GUEK, 5)
    if passes:
        counters.check(GUEK, received, 10)
    else:
        with pytest.raises(CounterTooFar) as caught:
            counters.check(GUEK, received, 10)
        assert caught.value.floor == 6
    counters.check(GUEK, received)
    with pytest.raises(CounterTooLow):
        counters.check(GUEK, 5, 10)
    with pytest.raises(CounterRefused):
        counters.check(GUEK, MAXIMUM, MAXIMUM)


def used() -> InvocationCounters:
    counters = InvocationCounters()
    for number, key in enumerate(KEYS):
        counters.raise_to(key, 3 * number)
        if number % 2:
            counters.accept(key, 100 + number)
    return counters


def test_snapshot_and_restore() -> None:
    """R-IC-7: both directions of every key."""
    kept = used().snapshot()
    assert {row.ek for row in kept} == set(KEYS) - {GUEK}, "of the first nothing has happened yet"
    restored = InvocationCounters()
    restored.restore(kept)
    assert restored.snapshot() == kept
    for number, key in enumerate(KEYS):
        assert restored.next_to_send(key) == 3 * number
        assert restored.floor(key) == (101 + number if number % 2 else 0)
    restored.restore(kept)
    assert restored.snapshot() == kept
    assert InvocationCounters().snapshot() == ()


OTHER = KEYS[1]
BAD_ROWS = {
    "sending goes back": [CounterRow(OTHER, 2, 200)],
    "receiving goes back": [CounterRow(OTHER, 200, 101)],
    "a key twice": [CounterRow(OTHER, 200, 200), CounterRow(OTHER, 200, 200)],
    "beyond the maximum": [CounterRow(OTHER, MAXIMUM + 1, 200)],
    "floor beyond the maximum": [CounterRow(OTHER, 200, MAXIMUM + 1)],
    "negative": [CounterRow(GUEK, -1, 0)],
    "only the second": [CounterRow(KEYS[2], 500, 500), CounterRow(OTHER, 0, 0)],
}


@pytest.mark.parametrize("rows", BAD_ROWS.values(), ids=list(BAD_ROWS))
def test_a_store_that_goes_back_is_refused_whole(rows: list[CounterRow]) -> None:
    """R-IC-7, KL-IC-15, 16, KL-KT-25: fail closed."""
    counters = used()
    before = counters.snapshot()
    with pytest.raises(LocalProtocolError):
        counters.restore(rows)
    assert counters.snapshot() == before


def test_a_key_that_is_used_up_stays_so() -> None:
    counters = InvocationCounters()
    counters.restore([CounterRow(GUEK, MAXIMUM, MAXIMUM)])
    with pytest.raises(LocalProtocolError, match="used up"):
        counters.burn(GUEK)
    with pytest.raises(CounterTooLow):
        counters.check(GUEK, MAXIMUM - 1)
