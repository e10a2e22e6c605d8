"""I8: what was accepted once is never taken again."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.octets import header, is_ciphered


def once(case: Case) -> Iterator[Breach]:
    """R-IC-5, KL-IC-07, 08, 09: octets that were accepted come to nothing when they come again."""
    action = case.action
    if not isinstance(action, actions.Replay) or action.heard or case.twist.octets:
        return
    known = [octets for octets in case.sent if octets in case.history.taken]
    if not known or len(known) < len(case.sent) or not _is_judged(case, known):
        return
    if case.is_accepted and is_ciphered(known[-1]):
        yield breach("I8", "a message is accepted twice")
    if case.before.digest != case.after.digest and not case.site.hands_keys_over:
        yield breach("I8", "a message has an effect twice")
    if case.client in case.after.open - case.before.open:
        yield breach("I8", "an association is opened by what was said before")
    if _moves(case):
        yield breach("I8", "a message moves a floor twice")


def _is_judged(case: Case, known: list[bytes]) -> bool:
    """Whether it was protected against that at all."""
    first = case.history.actions[case.history.taken[known[0]] - 1]
    client = getattr(first, "client", "")
    if isinstance(first, actions.Transfer):
        client = first.via or client
    if not case.site.is_guarded(client) or isinstance(first, actions.Release | actions.CatchUp):
        return False  # who catches up asks the public client
    headers = [header(octets) for octets in known]
    return all(one is None or one.is_authenticated for one in headers)


def _moves(case: Case) -> bool:
    same = case.before.keys == case.after.keys
    return same and case.before.floors != case.after.floors
