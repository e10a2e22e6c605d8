"""Pass 3 of HLS: exactly f(StoC), at the right place, once, and with a counter of its own."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.association.config import PASS_3
from dlms.security.hls import InnerCounter
from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import STRAIGHT, Edit, EditKind, Edits, Lost, Twist, edited

_INVOKE = 2
_HEAD = bytes((0xC3, 1, 0xC1)) + PASS_3.class_id.to_bytes(2, "big") + PASS_3.instance
_HEAD += bytes((PASS_3.method, 1, 9, 17))
"""Of the plain APDU that brings f(StoC) of mechanism 5; behind it are 17 octets."""
_LENGTH = len(_HEAD) + 17


def exactly(case: Case) -> Iterator[Breach]:
    """R-HLS-1, R-HLS-6: whoever presents something else than f(StoC), or presents it to something
    else, does not get in.
    """
    action = case.action
    if not isinstance(action, actions.Authenticate) or not _by_gmac(case):
        return
    seal = case.twist.seal
    if seal is None or case.twist.mac is not None or not case.is_accepted:
        return
    if _moves_head(seal.payload):
        yield breach("R-HLS-1", "f(StoC) is taken at another place than its own")
    elif any(_changes_f(edit) for edit in seal.payload):
        yield breach("R-HLS-6", "who cannot answer the challenge gets in", "f(StoC) was changed")


def not_open(case: Case) -> Iterator[Breach]:
    """R-HLS-5: an authentication that is refused leaves nothing open."""
    if not isinstance(case.action, actions.Authenticate):
        return
    fresh = case.after.open - case.before.open
    if case.seen.outcome is Outcome.REFUSED and case.client in fresh:
        yield breach("R-HLS-5", "an association is open whose authentication was refused")


def counted(case: Case) -> Iterator[Breach]:
    """R-IC-9: the counter of f(StoC) was not used before, unless nobody judges it here."""
    action, mac = case.action, case.twist.mac
    if not isinstance(action, actions.Authenticate) or not _by_gmac(case):
        return
    if mac is None or mac.counter is None or not case.is_accepted:
        return
    scope = case.site.scope(case.client)
    if case.site.knobs(scope).inner_counter is InnerCounter.IGNORE:
        return
    if mac.counter < case.before.floors.get(f"{scope}/GUEK", 0):
        yield breach("R-IC-9", "f(StoC) has a counter that was used before")


def answered_once(case: Case) -> Iterator[Breach]:
    """R-HLS-5: who has failed is not asked again: what then comes is refused unread, without any
    protection.
    """
    action = case.action
    if not isinstance(action, actions.Send) or not action.plain.startswith(_HEAD[:2]):
        return
    if case.client in case.before.open or not case.site.is_guarded(case.client):
        return
    if " protected " in case.seen.says and not _is_pending(case):
        yield breach("R-HLS-5", "pass 3 is judged once more")


def _is_pending(case: Case) -> bool:
    """Whether pass 3 is awaited of the client: it was challenged, and nothing of it since then."""
    for action in reversed(case.history.actions):
        twist: Twist = getattr(action, "twist", STRAIGHT)
        if getattr(action, "client", "") == case.client and twist.lose is not Lost.REQUEST:
            return isinstance(action, actions.Challenge)
    return False


def _by_gmac(case: Case) -> bool:
    row = case.site.row(case.client)
    return row is not None and row.config.mechanism.name == "HLS_GMAC"


def _moves_head(edits: Edits) -> bool:
    """Whether what is before f(StoC) is something else afterwards, but for the number of the
    invocation.
    """
    after = edited(_HEAD + bytes(17), edits)[: len(_HEAD)]
    known = bytearray(after)
    known[_INVOKE : _INVOKE + 1] = _HEAD[_INVOKE : _INVOKE + 1]
    return bytes(known) != _HEAD


def _changes_f(edit: Edit) -> bool:
    at = edit.at if edit.at >= 0 else edit.at + _LENGTH
    inside = len(_HEAD) <= at < _LENGTH
    return edit.kind is EditKind.FLIP and inside and edit.octets[:1] not in (b"", b"\0")
