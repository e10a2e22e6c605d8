"""X_SUITE_DOWNGRADE: security control octets that name another suite than the association's."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.security.control import SUITE_MASK, Protection
from emulator.conformance.cases.securing import Attempt, controlled, each_refused, rows
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import refused
from emulator.conformance.conversing.tree import Node, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial


def _naming(suite: int) -> Attempt:
    """A read that is sealed as if the association had that suite: with its number, under the keys
    of the association.
    """
    alter, after = controlled(int(Protection.BOTH) | suite)

    async def attempt(probe: Probe) -> Seen:
        return await probe.get(alter=alter, after=after)

    return attempt


async def _suite(trial: Trial) -> Seen:
    """All other numbers that a security control octet can say, those without a suite among them,
    in an association of each suite.
    """
    seen = Seen.found()
    by_suite: dict[int, DeclaredAssociation] = {}
    for row in rows(trial):
        by_suite.setdefault(row.suite, row)
    for own, row in by_suite.items():
        attempts = {
            f"suite {suite} in an association of suite {own}": _naming(suite)
            for suite in range(SUITE_MASK + 1)
            if suite != own
        }
        seen = await each_refused(trial, row, attempts)
        if refused().judge(trial, seen) is not None:
            return seen
    return seen


@conversation("X_SUITE_DOWNGRADE")
def other_suites() -> Sequence[Node]:
    return (step("suite", _suite, refused()),)
