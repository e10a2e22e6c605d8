"""The same question on one association of each kind: without authentication, with low and high
level security, with ciphering, by short names, with users.

What a step means must hold on each of them. The first that answers otherwise is what the step has
seen; its note says which association that was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from dlms.errors import DlmsError, LocalProtocolError
from emulator.conformance.conversing.tree import Expect, Node, Skipped, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation, WayKind
from emulator.conformance.probing.line import Line, LineClosed
from emulator.conformance.probing.probe import After, Alter, Change, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_SOCKET = Note[Line]("the socket of all of a trial")

Row: TypeAlias = DeclaredAssociation
Which: TypeAlias = Callable[[Row], bool]
Ask: TypeAlias = "Callable[[Trial, Row], Awaitable[Seen]]"
Look: TypeAlias = "Callable[[Trial, Row, Probe, Seen], Awaitable[Sequence[str]]]"


def any_row(row: Row) -> bool:
    return True


def kinds(
    trial: Trial, which: Which = any_row, what: str = "of that sort", *, few: bool = False
) -> list[Row]:
    """An association of each kind of which the keys are at hand, the richest first. ``few``: with
    and without ciphering, by logical and by short names, and no more.

    :class:`Skipped` if none is declared, :class:`Unjudged` if there are no keys for any.
    """
    declared = [row for row in trial.declaration.associations if which(row)]
    if not declared:
        raise Skipped(f"no association {what} is declared")
    usable = [row for row in declared if trial.target.has_keys(row)]
    if not usable:
        raise Unjudged(f"the keys of {declared[0].name} are not at hand")
    usable.sort(key=lambda row: -int(row.conformance).bit_count())
    of: dict[object, Row] = {}
    for row in usable:
        kind = () if few else (row.mechanism, row.suite, bool(row.users))
        of.setdefault((row.context, *kind), row)
    return list(of.values())


def on_each(
    name: str,
    ask: Ask,
    *expect: Expect,
    which: Which = any_row,
    what: str = "of that sort",
    few: bool = False,
) -> Node:
    """A step that asks each kind of association of ``which``. Where all answer well, what is seen
    is the answer that stands last among the alternatives: a lenient one counts.
    """

    async def send(trial: Trial) -> Seen:
        rows = kinds(trial, which, what, few=few)
        worst: tuple[int, Seen] | None = None
        for row in rows:
            seen = await _asked(trial, row, ask)
            number = _accepted(trial, seen, expect)
            if number is None:
                return seen.having(notes=(*seen.notes, f"association {row.name}"))
            if worst is None or number > worst[0]:
                worst = number, seen
        assert worst is not None  # there are rows
        names = ", ".join(row.name for row in rows)
        return worst[1].having(notes=(*worst[1].notes, f"associations: {names}"))

    return step(name, send, *expect)


async def _asked(trial: Trial, row: Row, ask: Ask) -> Seen:
    trial.record.note(f"association {row.name}")
    try:
        return await ask(trial, row)
    except LineClosed as error:
        return Seen.closed(str(error))
    except LocalProtocolError:
        raise  # what the tester may not do is no answer of the device
    except DlmsError as error:
        return Seen.found((str(error),), answer="error")


def _accepted(trial: Trial, seen: Seen, expect: Sequence[Expect]) -> int | None:
    found = (number for number, one in enumerate(expect) if one.judge(trial, seen) is None)
    return next(found, None)


def first_amiss(trial: Trial, expect: Sequence[Expect], seen: Seen) -> bool:
    """Whether none of the alternatives takes it: for senders that ask several things in a row."""
    return _accepted(trial, seen, expect) is None


def asking_to_associate(
    change: Change | None = None,
    initiate: After | None = None,
    alter: Alter | None = None,
    after: After | None = None,
    look: Look | None = None,
) -> Ask:
    """An AARQ on a connection of its own. If it is accepted, passes 3 and 4 follow where they are
    due, and ``look`` says what else is wrong; what is seen is the AARE.
    """

    async def ask(trial: Trial, row: Row) -> Seen:
        async with visiting(trial, row) as probe:
            seen = await probe.associate(change, initiate, alter, after)
            return await completed(trial, row, probe, seen, look)

    return ask


@asynccontextmanager
async def connection(trial: Trial) -> AsyncIterator[Line]:
    """A connection of its own, which ends behind it.

    On UDP nothing ends: a device keeps what it knows of each socket until its time-out, and has
    room for so many. There it is one socket for all of a trial.
    """
    if trial.declaration.way.kind is not WayKind.UDP:
        line = await trial.open()
        try:
            yield line
        finally:
            await line.close()
        return
    yield await trial.notes.once(_SOCKET, trial.open)


@asynccontextmanager
async def visiting(trial: Trial, row: Row, **changes: Any) -> AsyncIterator[Probe]:
    """A client that has said nothing yet, on a :func:`connection`. What is open behind it is
    released where the connection does not end.
    """
    async with connection(trial) as line:
        probe = await trial.probe_of(row, line, **changes)
        try:
            yield probe
        finally:
            if probe.line is not line:
                await probe.line.close()
            elif (
                trial.declaration.way.kind is WayKind.UDP
                and probe.accepted.conformance
                and row.release
            ):
                await probe.release()


@asynccontextmanager
async def joined(trial: Trial, row: Row, **changes: Any) -> AsyncIterator[Probe]:
    """A client in its association. :class:`Unjudged` if the device does not let it in."""
    async with visiting(trial, row, **changes) as probe:
        seen = await probe.establish()
        if not probe.is_open:
            raise Unjudged(f"no association of {row.name}: {seen}")
        yield probe


def dedicated(trial: Trial, row: Row) -> dict[str, Any]:
    """A dedicated key, for an association that is declared with one."""
    return {"dedicated": trial.dedicated()} if row.dedicated else {}


async def completed(
    trial: Trial, row: Row, probe: Probe, seen: Seen, look: Look | None = None
) -> Seen:
    """The AARE ``seen``, with what was wrong behind it as ``problems``."""
    if probe.accepted.challenge and not seen.problems:
        answered = await probe.authenticate()
        if not probe.is_open:
            return seen.having(problems=answered.problems or (f"pass 4: {answered}",))
    if probe.is_open and look is not None:
        seen = seen.having(problems=(*seen.problems, *await look(trial, row, probe, seen)))
    return seen
