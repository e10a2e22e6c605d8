"""APPL_OPEN_1 to 3: associations as they were declared, users, passes 3 and 4."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from dlms.association.config import CURRENT_ASSOCIATION, MAX_USER
from dlms.axdr.data import Data
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.cases.asking import (
    OWN_NAME,
    is_long,
    own_name,
    wrong_name,
)
from emulator.conformance.cases.each import (
    Row,
    completed,
    dedicated,
    joined,
    on_each,
    visiting,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import (
    accepted,
    data_of,
    done,
    gone,
    pending,
    refused,
    rejected,
    released,
    value,
)
from emulator.conformance.conversing.tree import Node, Unjudged
from emulator.conformance.declaration.model import WayKind
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

CURRENT_USER = AttributeDescriptor(15, CURRENT_ASSOCIATION, 11)
_LINKED = (WayKind.HDLC, WayKind.SERIAL, WayKind.OPTICAL)


async def _opened(trial: Trial, row: Row) -> Seen:
    async with visiting(trial, row, **dedicated(trial, row)) as probe:
        return await completed(trial, row, probe, await probe.associate())


async def _read(trial: Trial, row: Row) -> Seen:
    async with joined(trial, row, **dedicated(trial, row)) as probe:
        return await own_name(probe)


async def releasing(trial: Trial, row: Row, probe: Probe) -> Seen:
    """RLRQ where it is declared, and on HDLC DISC as well; the end of the connection where there
    is neither.
    """
    seen: Seen | None = None
    if row.release:
        seen = await probe.release()
        if trial.declaration.way.kind not in _LINKED or released().judge(trial, seen) is not None:
            return seen
    if trial.declaration.way.kind in _LINKED:
        await probe.line.unlink(probe.pair)
        return Seen.found(released=True)
    if not await probe.line.ends(trial.timing.patience):
        raise Unjudged(
            f"there is no RLRQ, and the device does not end the connection within"
            f" {trial.timing.patience:g} s"
        )
    return Seen.closed("by the device, after its inactivity time-out")


async def _released(trial: Trial, row: Row) -> Seen:
    if not row.release and trial.declaration.way.kind not in _LINKED:
        return Seen.found(released=True, notes=("it ends with the connection, as was declared",))
    async with joined(trial, row, **dedicated(trial, row)) as probe:
        return await releasing(trial, row, probe)


@conversation("APPL_OPEN_1")
def as_declared() -> Sequence[Node]:
    return (
        on_each("open", _opened, accepted(), pending()),
        on_each("current-association", _read, value(OWN_NAME)),
        on_each("release", _released, released()),
    )


# Users ------------------------------------------------------------------------------------------


async def _current_user(trial: Trial, row: Row, probe: Probe, seen: Seen) -> Sequence[str]:
    user = probe.config.user
    said = await probe.get(CURRENT_USER)
    data = data_of(said)
    if data is None:
        raise Unjudged(f"current_user cannot be read: {said}")
    parts = data.value if isinstance(data.value, tuple) else ()
    first = parts[0] if parts else None
    is_user = isinstance(first, Data) and first.value == user
    return () if is_user else (f"current_user is {data}, not {user}",)


async def _listed(trial: Trial, row: Row) -> Seen:
    """Each user of the list."""
    seen = Seen.found(("no users are declared",))
    for user in row.users:
        async with visiting(trial, row, user=user) as probe:
            seen = await probe.associate()
            seen = await completed(trial, row, probe, seen, _current_user)
        if seen.problems or not probe.is_open:
            return seen.having(notes=(*seen.notes, f"user {user}"))
    return seen


async def _unlisted(trial: Trial, row: Row) -> Seen:
    strangers = [user for user in range(MAX_USER + 1) if user not in row.users]
    if not strangers:
        raise Unjudged("every user is in the list")
    stranger = trial.rng.choice(strangers)
    async with visiting(trial, row, user=stranger) as probe:
        return await completed(trial, row, probe, await probe.associate())


def _has_users(row: Row) -> bool:
    return bool(row.users) and is_long(row)


@conversation("APPL_OPEN_2")
def users() -> Sequence[Node]:
    what = "by logical names that identifies users"
    return (
        on_each("listed", _listed, accepted(), pending(), which=_has_users, what=what),
        on_each("unlisted", _unlisted, rejected(), which=_has_users, what=what),
    )


# Passes 3 and 4 ---------------------------------------------------------------------------------


def _has_hls(row: Row) -> bool:
    return row.mechanism.is_hls


@asynccontextmanager
async def awaiting_pass_3(trial: Trial, row: Row) -> AsyncIterator[Probe]:
    """A client of which pass 3 is awaited. :class:`Unjudged` if it is not."""
    async with visiting(trial, row) as probe:
        seen = await probe.associate()
        if not probe.accepted.challenge:
            why = "; ".join(seen.problems) or seen
            raise Unjudged(f"no pass 3 is awaited by {row.name}: {why}")
        yield probe


async def _right(trial: Trial, row: Row) -> Seen:
    async with awaiting_pass_3(trial, row) as probe:
        seen = await probe.authenticate()
        if probe.is_open:
            seen = seen.having(problems=(*seen.problems, *wrong_name(await own_name(probe))))
        return seen


async def answered_wrongly(probe: Probe) -> Seen:
    """Pass 3 with the last bit of f(StoC) flipped."""
    f = probe.f_of_challenge()
    return await probe.authenticate(f[:-1] + bytes((f[-1] ^ 1,)))


async def _wrong(trial: Trial, row: Row) -> Seen:
    async with awaiting_pass_3(trial, row) as probe:
        # What is wrong with pass 4 is no matter here: it must not be there.
        return (await answered_wrongly(probe)).having(problems=())


async def _read_after_wrong(trial: Trial, row: Row) -> Seen:
    async with awaiting_pass_3(trial, row) as probe:
        await answered_wrongly(probe)
        return await own_name(probe)


@conversation("APPL_OPEN_3")
def high_level_security() -> Sequence[Node]:
    what = "with high level security"
    return (
        on_each("right", _right, done(), which=_has_hls, what=what),
        on_each("wrong", _wrong, refused(), which=_has_hls, what=what),
        on_each("not-associated", _read_after_wrong, gone(), which=_has_hls, what=what),
    )
