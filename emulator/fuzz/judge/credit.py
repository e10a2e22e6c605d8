"""Credit: each token is worth its amount once."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.history import TOKEN_KEY
from emulator.fuzz.target import Outcome

_PASSES = (actions.Wait, actions.ClockStep, actions.PowerCycle, actions.Damage)
"""With time, what is used is charged."""
_MAY = (actions.Set, actions.Act, actions.Send, actions.Replay, actions.Token)


def exactly_once(case: Case) -> Iterator[Breach]:
    """I8, KL-PP-01 to 03: what a token is worth is added once, all of it, if it is right."""
    before, after, action = case.before.balance, case.after.balance, case.action
    if before is None or after is None or not isinstance(action, actions.Token):
        return
    gained = after - before
    if gained not in (0, action.pence) and not case.power_failed:
        yield breach("I8", "another amount is added than the token is worth", f"{gained}")
    if gained > 0:
        key = case.before.versions.get(TOKEN_KEY, 0), action.counter
        if action.key == "current" and key in case.history.tokens:
            yield breach("I8", "a token is added twice", f"{action.counter}")
        if action.digits:
            yield breach("R-PROT-2", "a token with other digits is added")
        if action.key == "former" and case.before.versions.get(TOKEN_KEY, 0):
            yield breach("R-KEY-1", "a token under a former key is added")
        if case.seen.outcome is Outcome.REFUSED:
            yield breach("I3", "a token is refused and added")
    elif case.is_accepted and action.pence:
        yield breach("I8", "a token is accepted and not added")


def by_tokens(case: Case) -> Iterator[Breach]:
    """Nothing else adds credit or takes it."""
    if case.is_meddled or isinstance(case.action, (*_PASSES, *_MAY)):
        return
    if case.before.balance != case.after.balance and not case.power_failed:
        yield breach("I3", "the balance changes by what has nothing to do with it", case.what)
