"""APPL_REL_P1: an association is released, and there is none afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.conformance.cases.appl_opening import releasing
from emulator.conformance.cases.asking import own_name
from emulator.conformance.cases.each import Row, dedicated, joined, on_each
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import closed, gone, released
from emulator.conformance.conversing.tree import Node
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_AFTER = Note[Seen]("what was read after the release")


async def _release(trial: Trial, row: Row) -> Seen:
    """What is read afterwards is kept for the next step."""
    async with joined(trial, row, **dedicated(trial, row)) as probe:
        seen = await releasing(trial, row, probe)
        if probe.line.is_open:
            trial.notes.keep(_AFTER, await own_name(probe), row.name)
        return seen


async def _afterwards(trial: Trial, row: Row) -> Seen:
    """On what is closed nothing can be read."""
    return trial.notes.found(_AFTER, row.name) or Seen.closed("with the association")


@conversation("APPL_REL_P1")
def release() -> Sequence[Node]:
    return (
        on_each("release", _release, released(), closed()),
        on_each("read", _afterwards, gone()),
    )
