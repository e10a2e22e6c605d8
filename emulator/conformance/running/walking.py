"""Walks a conversation: sends, sees, and judges by the alternatives of each node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlms.errors import DlmsError, LocalProtocolError
from emulator.conformance.catalogue.check import Step
from emulator.conformance.conversing.tree import Mismatch, Node, Pointless, Skipped, Unjudged
from emulator.conformance.probing.line import LineClosed
from emulator.conformance.probing.seen import Seen
from emulator.conformance.running.result import Difference, StepResult, Verdict
from emulator.conformance.trying.trial import Trial


class _Judged(NamedTuple):
    """Which alternative came (its number, ``None`` for none), and why the others did not."""

    number: int | None
    seen: Seen
    differences: tuple[Difference, ...]


async def walk(trial: Trial, nodes: Sequence[Node]) -> tuple[StepResult, ...]:
    """The steps up to the first that does not pass: what follows would start from nowhere, unless
    it was :class:`Skipped`.
    """
    results = []
    for node, step in zip(nodes, trial.check.steps, strict=True):
        result, goes_on = await _step(trial, node, step)
        results.append(result)
        if not goes_on:
            break
    return tuple(results)


async def _step(trial: Trial, node: Node, step: Step) -> tuple[StepResult, bool]:
    """What became of it, and whether those behind it are for anything."""
    first = len(trial.record.entries)
    trial.record.note(f"step {step.name}: {step.sends}")
    verdict, answer, reason, goes_on = Verdict.FAILED, "", "", False
    differences: tuple[Difference, ...] = ()
    seen: Seen | None = None
    try:
        judged = await _node(trial, node)
    except Unjudged as error:
        verdict, reason = Verdict.INCONCLUSIVE, str(error)
    except OSError as error:
        # Whether the device is gone, the sanity behind the case finds out.
        verdict, reason = Verdict.INCONCLUSIVE, no_connection(error)
    except Pointless as error:
        verdict, reason = Verdict.INAPPLICABLE, str(error)
        goes_on = isinstance(error, Skipped)
    else:
        seen, differences = judged.seen, judged.differences
        if judged.number is not None:
            accepted = step.answers[judged.number]
            answer, reason = accepted.name, accepted.reason
            verdict = Verdict.PASSED if accepted.strict else Verdict.NON_STRICT
            differences, goes_on = (), True
    result = StepResult(
        step=step.name,
        subtest=step.subtest,
        sends=step.sends,
        verdict=verdict,
        answer=answer,
        seen="" if seen is None else str(seen),
        differences=differences,
        entries=(first, len(trial.record.entries)),
        reason=reason,
        notes=() if seen is None else seen.notes,
    )
    return result, goes_on


async def _node(trial: Trial, node: Node) -> _Judged:
    try:
        seen = await node.send(trial)
    except LineClosed as error:
        # The device has hung up before all was said: that is an answer like another.
        seen = Seen.closed(str(error))
    except LocalProtocolError as error:
        # What the protocol forbids the tester, a service that was not agreed on and the like.
        raise Unjudged(str(error)) from error
    except DlmsError as error:
        # A client that behaves could not go on: what it says is what came back.
        seen = Seen.found((str(error),), answer="error")
    differences = []
    for number, expect in enumerate(node.expect):
        mismatch = expect.judge(trial, seen)
        if mismatch is not None:
            differences.append(_difference(expect.answer, mismatch, seen))
            continue
        for child in expect.then:
            followed = await _node(trial, child)
            if followed.number is None:
                return _Judged(None, followed.seen, (*differences, *followed.differences))
        return _Judged(number, seen, ())
    return _Judged(None, seen, tuple(differences))


def _difference(answer: str, mismatch: Mismatch, seen: Seen) -> Difference:
    in_carrier = mismatch.in_carrier and seen.carrier is not None
    return Difference(
        answer=answer,
        expected=mismatch.expected,
        actual=mismatch.actual,
        entry=seen.carrier if in_carrier else seen.entry,
        offset=mismatch.offset,
    )


def no_connection(error: OSError) -> str:
    """That there is none says nothing of the device."""
    return f"no connection: {str(error) or type(error).__name__}"
