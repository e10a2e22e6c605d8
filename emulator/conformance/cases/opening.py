"""What many conversations do: AARQs in all variants, passes 3 and 4, a read."""

from __future__ import annotations

from typing import Any

from emulator.conformance.conversing.expect import done, value
from emulator.conformance.conversing.tree import Node, Sender, step
from emulator.conformance.probing.probe import After, Alter, Change, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

OPENED = Note[Probe]("the client whose association was opened")


def associating(
    change: Change | None = None,
    initiate: After | None = None,
    alter: Alter | None = None,
    after: After | None = None,
    **config: Any,
) -> Sender:
    """An AARQ of the association that the check starts with, on a new connection of its own, so
    that what comes of it does not depend on what was before. The probe is left as
    :data:`OPENED`.
    """

    async def send(trial: Trial) -> Seen:
        row = trial.row()
        probe = await trial.probe_of(row, **config)
        trial.notes.keep(OPENED, probe)
        return await probe.associate(change, initiate, alter, after)

    return send


def opened(trial: Trial) -> Probe:
    """The probe that was left last, by :func:`associating` or another sender."""
    return trial.notes.kept(OPENED)


def passes_3_and_4() -> Node:
    """The right f(StoC), and f(CtoS) must be right; then a read."""

    async def send(trial: Trial) -> Seen:
        seen = await opened(trial).authenticate()
        if seen.problems or not opened(trial).is_open:
            return Seen.found(seen.problems or (str(seen),))
        return seen

    return step("passes 3 and 4", send, done())


def reading() -> Node:
    """A read in the association that has been opened."""

    async def send(trial: Trial) -> Seen:
        return await opened(trial).get()

    return step("read", send, value())
