"""Corpora played in this process, without atheris."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emulator.fuzz.octets import corpus, crash, registry
from emulator.fuzz.octets.corpus import CORPUS, Entry
from emulator.fuzz.octets.crash import Crash
from emulator.fuzz.octets.harness import Harness


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a corpus: ``others`` are entries whose outcome is not as recorded any more."""

    harness: str
    entries: int
    crashes: tuple[Crash, ...] = ()
    others: tuple[Entry, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.crashes and not self.others


def play(harness: Harness, entries: Iterable[Entry]) -> Replayed:
    """Play entries of a corpus."""
    crashes: list[Crash] = []
    others: list[Entry] = []
    count = 0
    for entry in entries:
        count += 1
        try:
            outcome = harness.play(entry.octets)
        except Exception as error:  # whatever it is: that is what is looked for
            crashes.append(crash.of_error(harness, entry.octets, error))
            continue
        if outcome is not entry.outcome:
            others.append(entry)
    return Replayed(
        harness=harness.name, entries=count, crashes=tuple(crashes), others=tuple(others)
    )


def play_corpus(
    folder: Path = CORPUS, harnesses: Iterable[Harness] | None = None
) -> tuple[Replayed, ...]:
    """Play all corpora, or those of some harnesses."""
    chosen = registry.chosen(()) if harnesses is None else harnesses
    return tuple(play(one, corpus.read(folder, one.name)) for one in chosen)
