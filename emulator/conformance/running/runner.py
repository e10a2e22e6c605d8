"""Runs checks on a device, one after the other."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from dlms.errors import DlmsError
from emulator.conformance import cases
from emulator.conformance.catalogue.check import Check
from emulator.conformance.catalogue.selecting import matches
from emulator.conformance.conversing.binding import nodes_of
from emulator.conformance.conversing.tree import Node, Pointless, Unjudged
from emulator.conformance.probing.line import PATIENCE
from emulator.conformance.probing.record import Entry, Recorder
from emulator.conformance.running import judging, sanity, starts
from emulator.conformance.running.result import CaseResult, StepResult, Verdict
from emulator.conformance.running.walking import no_connection, walk
from emulator.conformance.trying.target import Target
from emulator.conformance.trying.trial import Clocks, Trial

TLS = ("tls-server", "tls-client")
"""Where checks start from that the tester's own TLS is for."""

MOST_SECONDS = 60.0
"""For one case on top of what the declaration lets it wait: what takes longer hangs."""


def real_clocks() -> Clocks:
    """The clock of the event loop, and that of the computer."""
    return Clocks(
        now=asyncio.get_running_loop().time,
        today=lambda: dt.datetime.now(dt.UTC),
        sleep=asyncio.sleep,
    )


class Runner:
    """``seed`` is that of everything that is drawn; with ``strict`` an answer that is accepted
    although it is not the right one counts as a failure. ``around`` is entered for each case
    between the first sanity and the last: where faults are planted.
    """

    def __init__(
        self,
        target: Target,
        *,
        seed: str = "0",
        strict: bool = False,
        clocks: Clocks | None = None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        cases.load()
        self.target = target
        self.seed = seed
        self.strict = strict
        self._clocks = clocks
        self._around = around

    async def run(self, checks: Sequence[Check]) -> AsyncIterator[CaseResult]:
        """A result for each check, in their order."""
        for check in checks:
            yield await self.run_one(check)

    async def run_one(self, check: Check) -> CaseResult:
        clocks = self._clocks or real_clocks()
        recorder = Recorder(clocks.now)
        began = clocks.now()
        steps: tuple[StepResult, ...] = ()
        reasons: tuple[str, ...]
        unmet = self.unmet(check)
        if unmet:
            verdict, reasons = Verdict.INAPPLICABLE, unmet
        else:
            rng = random.Random(f"{self.seed}/{check.id}")
            trial = Trial(check, self.target, rng, clocks, recorder)
            verdict, reasons, steps = await self._bounded(trial)
        return self._result(
            check, verdict, reasons, steps, tuple(recorder.entries), clocks.now() - began
        )

    async def _bounded(
        self, trial: Trial
    ) -> tuple[Verdict, tuple[str, ...], tuple[StepResult, ...]]:
        """A case that ends, whatever the device does, and whatever is wrong with the tester."""
        limit = asyncio.timeout(MOST_SECONDS + self.target.declaration.timing.patience)
        try:
            async with limit:
                return await self._case(trial)
        except Exception as error:
            # A defect of one conversation must not end a run that may have taken an hour.
            why = "the case does not come to an end" if limit.expired() else _blamed(error)
            return Verdict.ERROR, (why,), ()
        finally:
            with suppress(Exception):
                async with asyncio.timeout(PATIENCE):
                    await trial.close()

    def unmet(self, check: Check) -> tuple[str, ...]:
        """Why a check is not run on this device, by its declaration; empty if it is."""
        declaration = self.target.declaration
        for exclusion in declaration.exclusions:
            if matches(exclusion.pattern, check):
                return (f"not to be run: {exclusion.reason}",)
        return check.applies.unmet(declaration.features)

    async def _case(self, trial: Trial) -> tuple[Verdict, tuple[str, ...], tuple[StepResult, ...]]:
        check = trial.check
        nodes = nodes_of(check)
        if nodes is None:
            known = "not known" if not check.steps else "written down, but there is no conversation"
            if check.steps and check.start in TLS and cases.absent():
                known = f"for {', '.join(cases.absent())}: pip install cosemlab[conformance]"
            return Verdict.INCONCLUSIVE, (f"its steps are {known}",), ()
        first = check.id not in sanity.FOUNDATIONS
        if first and (problem := await sanity.before(trial)):
            return Verdict.ERROR, (f"the device is not sane before the case: {problem}",), ()
        verdict, reasons, steps = await self._judged(trial, nodes)
        if problem := await sanity.after(trial):
            harmed = f"the device is not sane after the case: {problem}"
            return Verdict.FAILED, (*reasons, harmed), steps
        return verdict, reasons, steps

    async def _judged(
        self, trial: Trial, nodes: Sequence[Node]
    ) -> tuple[Verdict, tuple[str, ...], tuple[StepResult, ...]]:
        check = trial.check
        try:
            with self._around():
                await starts.bring(trial)
                steps = await walk(trial, nodes)
                await trial.close()
        except Unjudged as error:
            return Verdict.INCONCLUSIVE, (str(error),), ()
        except Pointless as error:
            return Verdict.INAPPLICABLE, (str(error),), ()
        except DlmsError as error:
            return Verdict.INCONCLUSIVE, (f"no way to {check.start}: {error}",), ()
        except OSError as error:
            return Verdict.INCONCLUSIVE, (no_connection(error),), ()
        return judging.verdict_of(check, steps), judging.reasons_of(steps), steps

    def _result(
        self,
        check: Check,
        verdict: Verdict,
        reasons: tuple[str, ...],
        steps: tuple[StepResult, ...],
        record: tuple[Entry, ...],
        seconds: float,
    ) -> CaseResult:
        declared = (one.reason for one in self.target.declaration.expected if one.id == check.id)
        expected = next(declared, "")
        standing = judging.standing_of(verdict, expected, strict=self.strict)
        return CaseResult(
            id=check.id,
            verdict=verdict,
            standing=standing,
            reasons=reasons,
            steps=steps,
            record=record,
            seconds=seconds,
            expected=expected,
        )


def _blamed(error: Exception) -> str:
    """What went wrong, and where in the tester."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = "/".join(Path(frame.filename).parts[-2:])
    return f"{type(error).__name__}: {error} ({where}:{frame.lineno})"
