"""What the meter has said itself, when it comes back to it."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach


def back(case: Case) -> Iterator[Breach]:
    """R-IC-1, KL-HL-17: the two directions of a key have each its own title and its own counter.
    So an answer that comes back is nobody's request, whatever it is an answer to.
    """
    action = case.action
    if not isinstance(action, actions.Replay) or not action.heard or case.twist.octets:
        return
    if not case.site.is_guarded(case.client):
        return
    if case.is_accepted:
        yield breach("R-IC-1", "what the meter has said itself is taken")
    if case.before.keys == case.after.keys and case.before.floors != case.after.floors:
        yield breach("R-IC-1", "what the meter has said itself moves a floor")
    if case.before.digest != case.after.digest and not case.site.hands_keys_over:
        yield breach("R-IC-1", "what the meter has said itself has an effect")
