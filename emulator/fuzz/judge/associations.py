"""Associations: who is in, and what is done for who is not."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import Lost

_SERVICE = frozenset((0xC0, 0xC1, 0xC3, 0xD9, 0x05, 0x06))
"""Tags of GET, SET, ACTION, ACCESS, ReadRequest and WriteRequest."""
_AUTHENTICATED = 0x10


def ended(case: Case) -> Iterator[Breach]:
    """R-AA-8, R-IC-7: after a release, a broken connection or a loss of power nothing is open."""
    action, still = case.action, case.after.open
    is_cut = case.power_failed and case.twist.lose is Lost.NOTHING
    if isinstance(action, actions.PowerCycle) or (is_cut and not case.is_meddled):
        if still:
            yield breach("R-AA-8", "an association outlives a loss of power", str(sorted(still)))
    elif isinstance(action, actions.Hang | actions.Connect) and action.client in still:
        yield breach("R-AA-8", "an association outlives its connection")
    elif isinstance(action, actions.Release) and case.is_accepted and action.client in still:
        yield breach("R-AA-8", "an association outlives its release")
    elif (
        isinstance(action, actions.Open | actions.Challenge)
        and case.seen.outcome is Outcome.REFUSED
        and action.client in still
        and case.site.is_guarded(action.client)
        and action.client not in case.before.open
    ):
        yield breach("R-AA-1", "an association is open that was refused")


def gated(case: Case) -> Iterator[Breach]:
    """I7, R-HLS-2: nothing is done for who has no association, or not yet."""
    action = case.action
    if not case.is_accepted or case.client in case.before.open or not case.before.digest:
        return
    speaker = case.client
    if isinstance(action, actions.Transfer):
        speaker = action.via or speaker
    if not case.site.is_guarded(speaker) or speaker in case.before.open:
        return
    is_service = isinstance(
        action, actions.Get | actions.Set | actions.Act | actions.Transfer | actions.Rotate
    ) or (isinstance(action, actions.Send) and action.plain[:1] != b"" and _is_service(action))
    if is_service:
        yield breach("I7", "something is done for who has no association", case.what)


def protected(case: Case) -> Iterator[Breach]:
    """R-PROT-1: a request that is less protected than the policy asks is refused."""
    action = case.action
    row = case.site.row(case.client)
    if not isinstance(action, actions.Send) or row is None or not case.is_accepted:
        return
    policy = int(row.config.policy)
    if not case.site.is_guarded(case.client) or not _is_service(action):
        return
    given = 0 if action.bare else action.protection
    if given is not None and policy & ~given:
        said = f"{given:02X} where {policy:02X} is asked for"
        yield breach("R-PROT-1", "a request with too little protection is carried out", said)


def strengthened(case: Case) -> Iterator[Breach]:
    """GB Ed. 8, 9.2.5.3: a policy asks for as much as before, or more."""
    if case.is_meddled:
        return
    for name, policy in case.before.policies.items():
        now = case.after.policies.get(name, policy)
        if policy & ~now:
            yield breach("R-PROT-1", "a policy becomes weaker", f"{name} {policy:X} -> {now:X}")


def fitting(case: Case) -> Iterator[Breach]:
    """R-PROT-3, R-SC-1: the tag of a ciphered message says what is in it, and its security control
    which suite.
    """
    seal = case.twist.seal
    if seal is None or not case.is_accepted or not case.site.is_guarded(case.client):
        return
    if seal.control is not None:
        row = case.site.row(case.client)
        suite = 0 if row is None else row.config.suite
        if seal.control & 0x0F != suite or seal.control & 0xC0:
            yield breach("R-SC-1", "a security control that is none here is accepted")
        elif not seal.control & _AUTHENTICATED:
            yield breach("R-PROT-1", "a request without authentication is carried out")
    edits = seal.payload
    if edits and isinstance(case.action, actions.Get | actions.Set | actions.Act):
        first = edits[0]
        tag = {actions.Get: 0xC0, actions.Set: 0xC1, actions.Act: 0xC3}[type(case.action)]
        if first.kind.value == "all" and first.octets[:1] != bytes((tag,)):
            yield breach("R-PROT-3", "something else is carried out than the tag says")


def _is_service(action: actions.Send) -> bool:
    return action.plain[0] in _SERVICE
