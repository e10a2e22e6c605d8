"""The DCC's process ends at any instant; the next one goes on, and no key is lost.

An instant is before everything that lasts, a commit of a database or a request that changes the
meter, and after such a request; after a commit is before what lasts next. From then on the process
does nothing that lasts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from emulator.database import Database
from emulator.enrolment.authorisation import device_id
from emulator.enrolment.steps import State
from emulator.head_end.party_association import PartyAssociation

METER = "secure"
KILLS = int(os.environ.get("COSEMLAB_KILLS", "40"))
STRIDE = max(1, 160 // KILLS)
"""There are some 160 instants: of so many one is tried, which takes a second or two. ``make kills``
tries all.
"""
PARTS = 8
"""Among which they are shared out."""


class Killed(BaseException):
    """kill -9."""


class Doom:
    """Ends the process at the instant number ``at``."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0
        self.names: list[str] = []

    @property
    def is_dead(self) -> bool:
        return self.passed > self.at

    def instant(self, name: str) -> None:
        if self.is_dead:
            raise Killed
        self.passed += 1
        self.names.append(name)
        if self.is_dead:
            raise Killed(name)


@contextmanager
def doomed(patch: pytest.MonkeyPatch, at: int) -> Iterator[Doom]:
    doom = Doom(at)
    begin = Database.begin
    action, put = PartyAssociation.action, PartyAssociation.set

    @contextmanager
    def beginning(self: Database) -> Iterator[Any]:
        if doom.is_dead:
            raise Killed
        with begin(self) as connection:
            changes = "SELECT total_changes()"
            before = connection.exec_driver_sql(changes).scalar()
            yield connection
            if connection.exec_driver_sql(changes).scalar() != before:
                doom.instant("before a commit")

    async def acting(self: PartyAssociation, *arguments: Any) -> Any:
        doom.instant("before an action")
        done = await action(self, *arguments)
        doom.instant("after an action")
        return done

    async def putting(self: PartyAssociation, *arguments: Any) -> Any:
        doom.instant("before a write")
        await put(self, *arguments)
        doom.instant("after a write")

    with patch.context() as patched:
        patched.setattr(Database, "begin", beginning)
        patched.setattr(PartyAssociation, "action", acting)
        patched.setattr(PartyAssociation, "set", putting)
        yield doom


async def test_which_instants_there_are(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.up([METER]):
        dcc = world.dcc(floors=False)
        world.plan(dcc, METER)
        with doomed(monkeypatch, 10_000) as doom:
            await world.enrol(dcc, METER)
    counted = Counter(doom.names)
    assert counted.keys() == {
        "before a commit",
        *(f"{when} {what}" for when in ("before", "after") for what in ("an action", "a write")),
    }
    # Eight steps, four scopes; twice all keys of three associations, and those of tokens; titles.
    assert counted["before a commit"] >= 8 + 4
    assert counted["before an action"] == 3 * 2 + 1
    assert counted["before a write"] == 3


async def survived(world: Any, point: int, patch: pytest.MonkeyPatch) -> bool:
    """The enrolment is ended at ``point`` and gone on with; false if there is no such instant."""
    async with world.up([METER]):
        meter, profile = world.meters[METER], world.profiles[METER]
        dcc = world.dcc(floors=False)
        world.plan(dcc, METER)
        with doomed(patch, point) as doom, suppress(Killed):
            await world.enrol(dcc, METER)
        if not doom.is_dead:
            return False
        after = world.dcc(floors=False)
        record = await world.enrol(after, METER)
        assert (record.state, record.error) == (State.ENROLLED, ""), doom.names[-1]
        assert world.pauses == []  # nothing had to be tried twice
        assert record.detail["tried"] == 12  # with everything that the supplier has
        await after.head_end.status(meter.address, profile)
        await after.head_end.top_up(meter.address, profile, Decimal(5))
        assert after.inventory.get(device_id(meter.address.title)).status == "Commissioned"
    return True


@pytest.mark.parametrize("part", range(PARTS))
async def test_the_next_process_goes_on(
    part: int, make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = 0
    for point in count(part * STRIDE, PARTS * STRIDE):
        if not await survived(make_world(str(point)), point, monkeypatch):
            break
        points += 1
    assert points >= 15 // STRIDE
