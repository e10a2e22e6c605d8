"""Secure channels: trust that has ended is at an end, whatever session there was."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach


def trusted(case: Case) -> Iterator[Breach]:
    """KL-TL-01, 02, 09: no handshake, and no resumption, with what is revoked or has expired."""
    action = case.action
    if not isinstance(action, actions.Connect) or not case.is_accepted:
        return
    how = case.seen.says
    if action.garbage:
        yield breach("KL-TL-11", "what is no TLS is let in")
    if action.days is not None:
        if action.days < 0:
            yield breach("KL-TL-09", "a certificate that has expired is let in")
    elif not case.history.credentials.get(action.client, True):
        yield breach("KL-TL-02", f"who is not trusted any more is let in: {how}")
    if case.history.meter_is_revoked and how == "full":
        yield breach("KL-TL-01", "the client takes a meter's certificate that was revoked")
