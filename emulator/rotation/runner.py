"""Carries a campaign out: several meters at once, one key at a time for each.

A meter that cannot be reached, whose answer is lost, or that refuses, is tried again a few times.
One that was not reached is left alone then, with all that is planned for it; one that refuses a key
is asked to take the next. All of that is written down, and :meth:`Runner.run` goes on with it when
it is called again, in this process or another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from devices.profile import Profile
from dlms.errors import DlmsError
from dlms.security.ops import OperationRefused
from emulator.head_end.handing_over import NotRotated
from emulator.head_end.services import HeadEnd
from emulator.keystore.states import KeyState
from emulator.keystore.store import KeyStore
from emulator.meter_address import MeterAddress
from emulator.rotation.campaigns import SETTLED, Campaign, Campaigns, Step, StepState

_LONGEST_PAUSE = 30.0


async def pause(tries: int) -> None:
    """Wait before another try: 1, 2, 4 ... seconds."""
    await asyncio.sleep(min(2.0 ** (tries - 1), _LONGEST_PAUSE))


class Bounds(NamedTuple):
    """``at_once`` is how many meters, ``tries`` how often each key is tried in a run."""

    at_once: int = 4
    tries: int = 4


class Runner:
    """``meters`` are those that can be found now, by name. ``told`` hears each change of a step;
    ``between`` is awaited between two tries.
    """

    def __init__(
        self,
        head_end: HeadEnd,
        store: KeyStore,
        campaigns: Campaigns,
        meters: dict[str, tuple[MeterAddress, Profile]],
        bounds: Bounds,
        told: Callable[[Step], None],
        between: Callable[[int], Awaitable[None]] = pause,
    ) -> None:
        self._head_end = head_end
        self._store = store
        self._campaigns = campaigns
        self._meters = meters
        self._bounds = bounds
        self._told = told
        self._between = between

    async def run(self, number: int) -> Campaign:
        """Go on with a campaign until it is at its end, or all has been tried; how it is then.

        What is wrong with the database is raised, as
        :class:`~emulator.database.DatabaseError` or :class:`~emulator.journal.StoreError`.
        """
        by_meter: dict[str, list[Step]] = {}
        for step in self._campaigns.campaign(number).steps:
            if step.state not in SETTLED:
                by_meter.setdefault(step.meter, []).append(step)
        places = asyncio.Semaphore(self._bounds.at_once)

        async def one_meter(steps: list[Step]) -> None:
            async with places:
                for step in steps:
                    if self._campaigns.is_cancelled(number):
                        return
                    reached = await self._carry_out(number, step)
                    if not reached:
                        return

        try:
            async with asyncio.TaskGroup() as group:
                for steps in by_meter.values():
                    group.create_task(one_meter(steps))
        except ExceptionGroup as failed:
            # The first has ended the others.
            raise failed.exceptions[0] from None
        return self._campaigns.campaign(number)

    async def _carry_out(self, number: int, step: Step) -> bool:
        """Whether the meter was reached at last."""

        def mark(state: StepState, reason: str = "") -> None:
            nonlocal step
            step = step._replace(state=state, reason=reason)
            self._campaigns.mark(number, step)
            self._told(step)

        if step.meter not in self._meters:
            mark(StepState.IN_DOUBT if self._is_in_doubt(step) else StepState.PLANNED, "not there")
            return False
        address, profile = self._meters[step.meter]
        reached = False
        for tried in range(self._bounds.tries):
            if tried:
                await self._between(tried)
                if self._campaigns.is_cancelled(number):
                    return False
            step = step._replace(tries=step.tries + 1)
            mark(StepState.SENT)
            try:
                await self._head_end.rotate(
                    address, profile, step.party, (step.kind,), beyond=step.beyond
                )
            except OperationRefused as refusal:
                mark(StepState.REFUSED, str(refusal))
                return True
            except NotRotated as refusal:
                mark(StepState.REFUSED, str(refusal))
                reached = True
            except (DlmsError, OSError) as error:
                in_doubt = self._is_in_doubt(step)
                reason = str(error) or type(error).__name__
                mark(StepState.IN_DOUBT if in_doubt else StepState.PLANNED, reason)
                reached = False
            else:
                mark(StepState.DONE)
                return True
        return reached

    def _is_in_doubt(self, step: Step) -> bool:
        """Whether a new key was sent, and nobody knows what became of it."""
        if step.meter not in self._meters:
            return step.state in (StepState.IN_DOUBT, StepState.SENT)
        title = self._meters[step.meter][0].title
        rows = self._store.rows(
            holder=title, scope=step.party.value.lower(), states=(KeyState.IN_DOUBT,)
        )
        return any(row.ref.kind is step.kind and row.ref.version > step.beyond for row in rows)
