"""Certificates that are read and removed."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.history import is_export, is_removal


def exported(case: Case) -> Iterator[Breach]:
    """R-KEY-7: what was removed is not there; I3: who reads a certificate changes nothing."""
    action = case.action
    if not isinstance(action, actions.Act) or not case.is_accepted or not is_export(action.method):
        return
    if (action.client, action.parameter) in case.history.removed:
        yield breach("R-KEY-7", "a certificate that was removed is shown")
    if case.before.digest != case.after.digest:
        yield breach("I3", "what only asks has changed the meter", "export_certificate")


def removed(case: Case) -> Iterator[Breach]:
    """R-KEY-7: a certificate whose removal is confirmed was there, and is there no more."""
    action = case.action
    if not isinstance(action, actions.Act) or not case.is_accepted:
        return
    if is_removal(action.method) and case.before.digest == case.after.digest:
        yield breach("R-KEY-7", "a certificate is removed, and nothing has changed")
