"""I6: who is right gets in, at any time."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import STRAIGHT

LAST = 0xFFFFFFFF - 64
"""From here on a key may be used up (R-IC-4)."""


def let_in(case: Case) -> Iterator[Breach]:
    """A proper opening with the keys in force, and a counter that is high enough, succeeds."""
    action = case.action
    if not isinstance(action, actions.Open) or action.twist != STRAIGHT:
        return
    if case.seen.outcome in (Outcome.ACCEPTED, Outcome.STOPPED) or not _is_right(case):
        return
    said = f"{action.client}: {case.seen.outcome.value} ({case.seen.says})"
    yield breach("I6", "who is right does not get in", said)


def _is_right(case: Case) -> bool:
    client, before = case.client, case.before
    row, kind = case.site.row(client), case.site.kind(client)
    scope = case.site.scope(client)
    name = f"{scope}/GUEK"
    if row is None or not case.site.is_guarded(client) or case.history.is_meddled:
        return False
    if kind.title is not None or kind.channel_title is not None or kind.knobs:
        return False
    if client in case.history.credentials or row.config.mechanism.name != "HLS_GMAC":
        return False
    send, floor = before.client_sends.get(f"{client}/GUEK"), before.floors.get(name)
    if send is None or floor is None or not before.agree.get(client, False):
        return False
    jump = case.site.knobs(scope).max_forward_jump
    is_far = jump is not None and send - floor > jump
    return floor <= send < LAST and before.sends[name] < LAST and not is_far
