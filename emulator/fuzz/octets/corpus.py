"""Corpora: inputs that reach code that no other of them reaches, packed in a file per harness.

{"format": "cosemlab-corpus", "version": 1, "harness": "axdr.data", "entries": [
["taken", "0201..."],
["refused", "02FF...", "KeyError dlms/axdr/decoding.py read_data"]
]}

An entry is what becomes of it and its octets, with what they once did if they are a crash that was
mended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from emulator.fuzz.octets.harness import Harness, Outcome
from emulator.fuzz.octets.sources import FIXTURES

CORPUS = FIXTURES / "corpus"
FORMAT, VERSION = "cosemlab-corpus", 1
MAX_ENTRY = 4096
"""Octets of an entry that is kept; longer ones are made of short ones again."""


class CorpusError(ValueError):
    """A file that is no corpus."""


class Entry(NamedTuple):
    """``once`` says what the octets did before it was mended, empty if nothing."""

    outcome: Outcome
    octets: bytes
    once: str = ""


def path_of(folder: Path, harness: str) -> Path:
    return folder / f"{harness}.json"


def read(folder: Path, harness: str) -> tuple[Entry, ...]:
    """The corpus of a harness; empty if there is none. :class:`CorpusError` if it is none."""
    path = path_of(folder, harness)
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from None
    try:
        if (found["format"], found["version"], found["harness"]) != (FORMAT, VERSION, harness):
            raise CorpusError(f"{path}: {FORMAT} {VERSION} of {harness} is needed")
        return tuple(
            Entry(Outcome(row[0]), bytes.fromhex(row[1]), *row[2:]) for row in found["entries"]
        )
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise CorpusError(f"{path}: no corpus: {error!r}") from None


def write(folder: Path, harness: str, entries: Iterable[Entry]) -> Path:
    """Shortest first, one in a line, so that a change of one is a change of one line."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted(entries, key=lambda one: (bool(one.once), len(one.octets), one.octets))
    lines = ",\n".join(json.dumps(_row(one)) for one in rows)
    head = json.dumps({"format": FORMAT, "version": VERSION, "harness": harness})[:-1]
    path = path_of(folder, harness)
    path.write_text(f'{head}, "entries": [\n{lines}\n]}}\n', "utf-8")
    return path


def _row(entry: Entry) -> Sequence[str]:
    row = (entry.outcome.value, entry.octets.hex().upper())
    return (*row, entry.once) if entry.once else row


def add_once(folder: Path, harness: Harness, octets: bytes, once: str) -> None:
    """Keep octets that did ``once`` something that was mended, whatever else reaches the same."""
    others = [one for one in read(folder, harness.name) if one.octets != octets]
    write(folder, harness.name, [*others, Entry(harness.play(octets), octets, once)])
