"""What the meter says unasked."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.octets import header
from emulator.fuzz.judge.proper import has_done_all_right
from emulator.fuzz.target import Outcome

_BOTH = 0x30
"""Authenticated and encrypted, in a security control octet."""
_OF_RESPONSES = 8
"""How far the policy of responses is shifted in :attr:`~emulator.fuzz.target.Facts.policies`."""


def protected(case: Case) -> Iterator[Breach]:
    """R-PROT-5: what is said unasked is protected as the policy asks of answers; I3: it changes
    nothing.
    """
    if not isinstance(case.action, actions.Announce):
        return
    for passed in case.seen.line:
        client = passed.client
        if not case.site.is_guarded(client):
            continue
        policy = case.before.policies.get(case.site.scope(client), 0) >> _OF_RESPONSES
        found = header(passed.octets)
        given = 0 if found is None else found.control
        if policy & _BOTH & ~given:
            said = f"{given:02X} where {policy & _BOTH:02X} is asked for"
            yield breach("R-PROT-5", "what is said unasked has too little protection", said)
    if case.before.digest != case.after.digest and not case.site.hands_keys_over:
        yield breach("I3", "what only tells has changed the meter")


def understood(case: Case) -> Iterator[Breach]:
    """R-KEY-3: a client that has done everything right understands what it is told."""
    if not isinstance(case.action, actions.Announce):
        return
    if case.seen.outcome is not Outcome.DISTRUSTED:
        return
    client = case.seen.says.partition(":")[0]
    if has_done_all_right(case, client):
        yield breach("R-KEY-3", "what is said unasked does not verify", case.seen.says)
