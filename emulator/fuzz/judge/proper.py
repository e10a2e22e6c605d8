"""Who does everything right is understood, and understands what comes back."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.association.knobs import KeyInForce
from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import STRAIGHT

_QUIET = (actions.Get, actions.Set, actions.Rotate, actions.Agree, actions.Open)
_MISUNDERSTOOD = ("deciphering-error", "invocation-counter-error")


def understood(case: Case) -> Iterator[Breach]:
    """R-KEY-3: from the answer to a change of keys on both ends go by the same, and the answer
    itself is under those of before.
    """
    action = case.action
    if not isinstance(action, actions.Get | actions.Set | actions.Rotate | actions.Agree):
        return
    if case.twist != STRAIGHT or not has_done_all_right(case, case.client):
        return
    if case.seen.outcome is Outcome.DISTRUSTED:
        yield breach("R-KEY-3", "the answer to what is right does not verify", case.seen.says)
    elif case.seen.outcome is Outcome.REFUSED and any(
        word in case.seen.says for word in _MISUNDERSTOOD
    ):
        yield breach("R-KEY-3", "what is right is not understood", case.seen.says)


def certified(case: Case) -> Iterator[Breach]:
    """R-KEY-8: no certificate that a client was right to import keeps it from agreeing on keys."""
    action = case.action
    if not isinstance(action, actions.Agree) or case.twist != STRAIGHT:
        return
    before = case.history.actions
    imports = [one for one in before if isinstance(one, actions.Certify)]
    if not imports or not all(_is_for_something_else(one) for one in imports):
        return
    if case.seen.outcome is Outcome.REFUSED and has_done_all_right(
        case, case.client, actions.Certify
    ):
        yield breach(
            "R-KEY-8", "signatures do not verify after another certificate", case.seen.says
        )


def of_another(case: Case) -> Iterator[Breach]:
    """R-KEY-8: no certificate of a title that is nobody's here is imported."""
    action = case.action
    if isinstance(action, actions.Certify) and case.is_accepted and _is_nobodys(action, case):
        yield breach("R-KEY-8", "a certificate of somebody else is imported")


def shown(case: Case) -> Iterator[Breach]:
    """R-KEY-7: a certificate that was imported is there."""
    action = case.action
    if not isinstance(action, actions.Certify) or not case.is_accepted:
        return
    if action in case.history.actions or case.before.digest != case.after.digest:
        return
    yield breach("R-KEY-7", "a certificate is imported, and nothing has changed")


def handed_over(case: Case) -> Iterator[Breach]:
    """Letter, paragraph 7 (c)(iii): an authentication key that was handed over for one association
    is good for one.
    """
    action, row = case.action, case.site.row(case.client)
    if not isinstance(action, actions.Open) or row is None or not row.single_key:
        return
    mine = case.before.client_keys.get(f"{case.client}/GAK", "")
    if case.is_accepted and mine in case.history.used_handed and mine:
        yield breach("R-KEY-1", "a key for a single association is good for another")


def _is_for_something_else(action: actions.Certify) -> bool:
    return action.purpose != "SIGNATURE" and action.whose in ("meter", "client")


def _is_nobodys(action: actions.Certify, case: Case) -> bool:
    if action.whose in ("meter", "client", "root") or action.request is not None:
        return False
    title = bytes.fromhex(action.whose)
    return title != case.site.title(case.client)


def has_done_all_right(case: Case, client: str, *besides: type) -> bool:
    """Whether the association of ``client`` is open, and nothing was done since it began but what a
    proper client does; by others nothing that changes keys.
    """
    scope = case.site.scope(client)
    if client not in case.before.open or not case.before.agree.get(client, False):
        return False
    if not case.site.is_guarded(client) or case.history.is_meddled or case.before.breaches:
        return False
    knobs = case.site.knobs(scope)
    if knobs.key_in_force is not KeyInForce.IMMEDIATE or knobs.max_forward_jump is not None:
        return False
    sends = case.before.client_sends.get(f"{client}/GUEK")
    if sends is None or sends < case.before.floors.get(f"{scope}/GUEK", 0):
        return False
    for action in reversed(case.history.actions):
        if getattr(action, "twist", STRAIGHT) != STRAIGHT:
            return False
        if getattr(action, "client", "") == client:
            if isinstance(action, actions.Open):
                return True
            if not isinstance(action, (*_QUIET, *besides)):
                return False
        elif not isinstance(action, actions.Get | actions.Set | actions.Announce):
            return False
    return False
