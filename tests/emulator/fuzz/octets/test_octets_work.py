"""No input of any length costs more operations than its harness says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.fuzz.octets import corpus, registry, work
from emulator.fuzz.octets.corpus import CORPUS
from emulator.fuzz.octets.harness import Harness, Outcome
from emulator.fuzz.octets.work import TooMuch

MOST = 1 << 13
"""Octets of the longest input here: what grows faster than they do shows by then."""
FAMILIES = ("acse", "axdr", "xdlms", "security", "hdlc", "wrapper", "optical", "tokens")


def long_ones(harness: Harness) -> Iterator[bytes]:
    """Inputs blown up: the longest of a corpus repeated, its halves, openers that nest, one octet
    all over.
    """
    most = min(harness.most, MOST)
    entries = sorted((one.octets for one in corpus.read(CORPUS, harness.name)), key=len)[-2:]
    for octets in (*entries, b"\x02\x01", b"\x30\x80", b"\x7e", b"\x7e\xa0", b"\x00", b"\xff"):
        if octets:
            yield (octets * (most // len(octets) + 1))[:most]
    for octets in entries:
        half = octets[: len(octets) // 2]
        yield (half + octets * (most // max(1, len(octets))))[:most]


@pytest.mark.parametrize("harness", registry.chosen(FAMILIES), ids=lambda harness: harness.name)
def test_long_inputs_cost_what_their_octets_do(harness: Harness) -> None:
    for octets in long_ones(harness):
        assert work.operations(harness, octets) <= work.allowed(harness, octets)


def test_what_grows_with_the_square_is_too_much() -> None:
    def play(octets: bytes) -> Outcome:
        for _ in octets:
            for _ in octets:
                pass
        return Outcome.TAKEN

    harness = Harness(
        name="mine.slow", takes="octets", play=play, seeds=lambda: (), words=lambda: (), work=10
    )
    assert work.operations(harness, bytes(50)) > 2500
    with pytest.raises(TooMuch, match=r"mine\.slow"):
        work.operations(harness, bytes(1000))
