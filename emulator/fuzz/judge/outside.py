"""What a message says of itself, and what is done for who is not in any more."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.octets import header
from emulator.fuzz.twist import EditKind, Edits, edited

_TITLE_AT = 2
"""Where a general-glo message has the title: behind its tag and the title's length."""
_SERVICES = (actions.Get, actions.Set, actions.Act, actions.Send)
_PLAIN: dict[type, int] = {actions.Get: 0xC0, actions.Set: 0xC1, actions.Act: 0xC3}
_GLOBAL, _DEDICATED = 8, 16
"""How far from the tag of a request those of its ciphered forms are (GB Ed. 8, 9.5)."""
_ENDS = (actions.Open, actions.Challenge, actions.Release, actions.Hang, actions.PowerCycle)


def changed(case: Case) -> Iterator[Breach]:
    """I7, R-AA-8: who has no association changes nothing, whatever is answered."""
    action = case.action
    if not isinstance(action, actions.Set | actions.Act | actions.Send) or case.power_failed:
        return
    if case.client in case.before.open or not case.site.is_guarded(case.client):
        return
    if case.before.digest != case.after.digest:
        yield breach("I7", "something is changed for who has no association", case.what)


def titled(case: Case) -> Iterator[Breach]:
    """R-AA-6: the title that a message announces is that of its association."""
    action = case.action
    if not isinstance(action, actions.Send) or action.form != "GENERAL" or not case.is_accepted:
        return
    if not case.site.is_guarded(case.client) or case.twist.seal is not None:
        return
    kind = case.site.kind(case.client)
    title = kind.title if kind.title is not None else case.site.title(case.client)
    if _is_other(case.twist.octets, title):
        yield breach("R-AA-6", "a message with the title of another is taken")


def tagged(case: Case) -> Iterator[Breach]:
    """R-PROT-3: the tag outside is the one of what is inside."""
    action = case.action
    if not isinstance(action, _SERVICES) or not case.is_accepted or case.twist.seal is not None:
        return
    if isinstance(action, actions.Send) and (action.bare or action.form not in ("", "SERVICE")):
        return
    plain = _PLAIN.get(type(action)) or getattr(action, "plain", b"\0")[0]
    if case.site.is_guarded(case.client) and _turns_tag(case.twist.octets, plain):
        yield breach("R-PROT-3", "something else is carried out than the tag says")


def dedicated(case: Case) -> Iterator[Breach]:
    """R-PROT-3, KL-PR-13: a dedicated key ends with its association."""
    action = case.action
    if not isinstance(action, actions.Replay) or case.twist.octets or not case.is_accepted:
        return
    before = case.history.actions
    if not 0 < action.step <= len(before):
        return
    speaker = getattr(before[action.step - 1], "client", "")
    is_over = speaker != case.client or any(
        isinstance(one, _ENDS) and getattr(one, "client", speaker) == speaker
        for one in before[action.step :]
    )
    found = header(case.sent[-1]) if case.sent else None
    if is_over and found is not None and found.is_dedicated:
        yield breach("R-PROT-3", "a dedicated key is good that was that of another association")


def _is_other(edits: Edits, title: bytes) -> bool:
    """Whether all that was changed is the title, and it is another now."""
    head = bytes((0xDB, len(title))) + title
    if any(one.kind not in (EditKind.PUT, EditKind.FLIP) or one.at < _TITLE_AT for one in edits):
        return False
    after = edited(head, edits)
    return len(after) == len(head) and after != head


def _turns_tag(edits: Edits, plain: int) -> bool:
    if len(edits) != 1 or edits[0].at or len(edits[0].octets) != 1:
        return False
    octet = edits[0].octets[0]
    if edits[0].kind is EditKind.PUT:
        return octet not in (plain + _GLOBAL, plain + _DEDICATED)
    return edits[0].kind is EditKind.FLIP and octet != 0
