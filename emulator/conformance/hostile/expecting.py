"""What a head end may make of a vice, by the words of the catalogue. For senders of
:mod:`~emulator.conformance.hostile.facing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.conformance.conversing.tree import Expect, Mismatch
from emulator.conformance.hostile.facing import Faced
from emulator.conformance.probing.seen import Seen


def _all(answer: str, expected: str, wrong: Callable[[Faced], str]) -> Expect:
    """What holds of each run."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        faced: tuple[Faced, ...] = seen.facts.get("faced", ())
        if not faced:
            return Mismatch(expected, str(seen))
        if seen.problems:
            return Mismatch(expected, "; ".join(seen.problems))
        for one in faced:
            if actual := wrong(one):
                return Mismatch(expected, f"{one.vice}: {actual}")
        return None

    return Expect(answer, judge)


def _failure(faced: Faced) -> str:
    outcome = faced.outcome
    return str(outcome) if outcome.ok or not outcome.is_over else ""


def _success(faced: Faced) -> str:
    return "" if faced.outcome.ok else str(faced.outcome)


def refuses() -> Expect:
    """It says failure, in time."""
    return _all("client-refuses", "it takes nothing of it, and says so", _failure)


def aborts() -> Expect:
    """It says failure, and asked for nothing more in that association."""

    def wrong(faced: Faced) -> str:
        if faced.watch.goes_on():
            return "it goes on in that association"
        return _failure(faced)

    return _all("client-aborts", "it ends the association, and says so", wrong)


def ignores() -> Expect:
    """It succeeds, with what is right."""
    return _all("client-ignores", "it passes over it, and goes on", _success)


def goes_on() -> Expect:
    """It succeeds, with what it was told."""
    return _all("client-goes-on", "it takes it as it is", _success)


def recovers() -> Expect:
    """It succeeds: it has found out what holds."""
    return _all("client-recovers", "it finds out what holds, and goes on", _success)


def bounded() -> Expect:
    """It came to an end by itself, whatever it says then."""

    def wrong(faced: Faced) -> str:
        return "" if faced.outcome.is_over else str(faced.outcome)

    return _all("client-bounded", "it gives up in time, with bounded memory", wrong)
