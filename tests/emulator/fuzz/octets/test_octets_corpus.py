"""Every input of the corpora is played, and comes to what is recorded of it."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from emulator.fuzz.octets import corpus, merging, registry, replaying
from emulator.fuzz.octets.corpus import CORPUS, CorpusError, Entry
from emulator.fuzz.octets.harness import Harness, Outcome

ALL = registry.chosen(())
MAX_ALL = 1_000_000
"""Octets of all files together."""


@pytest.mark.parametrize("harness", ALL, ids=lambda harness: harness.name)
def test_all_entries_come_to_what_they_did(harness: Harness) -> None:
    entries = corpus.read(CORPUS, harness.name)
    assert entries, f"{harness.name} has no corpus"
    replayed = replaying.play(harness, entries)
    assert [f"{one.kind} {one.place}: {one.words}" for one in replayed.crashes] == []
    assert [one.octets.hex() for one in replayed.others] == []


@pytest.mark.parametrize("harness", ALL, ids=lambda harness: harness.name)
def test_a_corpus_has_what_is_taken_and_what_is_not(harness: Harness) -> None:
    outcomes = {one.outcome for one in corpus.read(CORPUS, harness.name)}
    assert Outcome.TAKEN in outcomes
    assert len(outcomes) > 1 or harness.name == "security.trace"


def test_every_harness_has_seeds_that_are_taken_and_words() -> None:
    for harness in ALL:
        seeds = list(harness.seeds())
        outcomes = (harness.play(octets) for octets in seeds)
        assert Outcome.TAKEN in outcomes, harness.name
        assert any(harness.words()), harness.name
        # Longer ones are left out of a run.
        assert sum(len(octets) > harness.most for octets in seeds) < len(seeds) / 2, harness.name


def test_corpora_are_small_and_all_are_of_a_harness() -> None:
    files = sorted(CORPUS.glob("*.json"))
    assert {path.stem for path in files} == {one.name for one in ALL}
    assert sum(path.stat().st_size for path in files) < MAX_ALL


def test_a_crash_and_another_outcome_are_told() -> None:
    def play(octets: bytes) -> Outcome:
        return Outcome.TAKEN if octets[0] else Outcome.REFUSED

    harness = Harness(
        name="mine.x", takes="octets", play=play, seeds=lambda: (), words=lambda: ()
    )  # fmt: skip
    entries = [Entry(Outcome.TAKEN, b"\1"), Entry(Outcome.TAKEN, b"\0"), Entry(Outcome.TAKEN, b"")]
    replayed = replaying.play(harness, entries)
    assert replayed.entries == 3
    assert [one.octets for one in replayed.others] == [b"\0"]
    assert [(one.kind, one.octets) for one in replayed.crashes] == [("IndexError", b"")]
    assert not replayed.is_good


def test_a_corpus_reads_as_it_was_written(tmp_path: Path) -> None:
    entries = [Entry(Outcome.REFUSED, b"\1\2"), Entry(Outcome.TAKEN, b"\3", "KeyError x")]
    corpus.write(tmp_path, "mine.x", entries)
    assert corpus.read(tmp_path, "mine.x") == tuple(entries)
    assert corpus.read(tmp_path, "mine.y") == ()
    (tmp_path / "mine.y.json").write_bytes((tmp_path / "mine.x.json").read_bytes())
    with pytest.raises(CorpusError, match=r"of mine\.y is needed"):
        corpus.read(tmp_path, "mine.y")


@pytest.mark.parametrize("text", ["", "[]", '{"format": "cosemlab-corpus"}'])
def test_a_file_that_is_no_corpus(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.x.json").write_text(text)
    with pytest.raises(CorpusError):
        corpus.read(tmp_path, "mine.x")


class Left:
    """Something in a ring, which only the collector ends: by a line of ours."""

    def __init__(self) -> None:
        self.self = self

    def __del__(self) -> None:
        self.ended = True


def test_what_others_have_left_behind_reaches_nothing() -> None:
    def play(octets: bytes) -> Outcome:
        made = [[octet] for octet in octets]  # more than the collector lets pass
        return Outcome.TAKEN if made else Outcome.REFUSED

    harness = Harness(
        name="mine.x", takes="octets", play=play, seeds=lambda: (), words=lambda: ()
    )  # fmt: skip
    octets = bytes(2 * gc.get_threshold()[0])
    expected = merging.reached(harness, octets)
    gc.collect()
    Left()
    assert merging.reached(harness, octets) == expected
    assert gc.isenabled()


def test_the_fewest_inputs_that_reach_the_same_are_kept() -> None:
    harness = registry.get("hdlc.address")
    found = [b"\x03", b"\x05", b"\x21", b"\x02\x23", b"\x02\x25", b"\x02", b"", bytes(5000)]
    kept = merging.merged(harness, found)
    assert [one.octets for one in kept] == [b"", b"\x02", b"\x03", b"\x02\x23"]
    once = Entry(Outcome.TAKEN, b"\x05", "ValueError somewhere")
    again = merging.merged(harness, found, [*kept, once])
    assert once in again
    assert b"\x03" not in [one.octets for one in again]
