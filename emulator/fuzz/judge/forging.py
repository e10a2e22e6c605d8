"""Whether a message that is sent cannot verify, as far as its action tells.

Only what is certain is said: who changes it on the line, and who lacks a key, cannot make a right
tag for it.
"""

from __future__ import annotations

from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.judge.site import Site
from emulator.fuzz.target import Facts
from emulator.fuzz.twist import STRAIGHT, Edit, EditKind, Otherwise, Twist

TAG = 12
"""Octets of an authentication tag, the last of an APDU (GB Ed. 8, 9.2.3.3.7.6)."""

_OF_ONE_ACTION = 64
"""Counters that one action may use."""

_CIPHERED = (
    actions.Open,
    actions.Challenge,
    actions.Authenticate,
    actions.Get,
    actions.Set,
    actions.Act,
    actions.Rotate,
    actions.Agree,
    actions.Transfer,
    actions.Certify,
)
_OPENING = (actions.Open, actions.Challenge)


def forged(action: Action, site: Site, before: Facts) -> str:
    """Why it cannot verify; empty if it may."""
    client = getattr(action, "client", "")
    if isinstance(action, actions.Transfer) and action.via:
        client = action.via
    if not client or not site.is_guarded(client):
        return ""
    if not isinstance(action, _CIPHERED):
        if not isinstance(action, actions.Send):
            return ""
        if action.bare or action.form == "SIGNED" or action.choice:
            return ""
    twist: Twist = getattr(action, "twist", STRAIGHT)
    if twist.cut is not None or twist.fails:
        return ""
    if _is_damaged(twist.octets):
        return "its tag, or its length, was changed on the way"
    why = "" if twist.octets else _sealed(twist.seal, site, client, action, before)
    if why:
        return why
    return _stale(site, before, client) if isinstance(action, _OPENING) else ""


def forged_answer(twist: Twist) -> str:
    """Why the meter's answer cannot verify, likewise."""
    return "the tag of the answer was changed on the way" if _is_damaged(twist.answer) else ""


def forged_proof(twist: Twist) -> str:
    """Why f(StoC) of mechanism 5 cannot be right."""
    mac, seal = twist.mac, twist.seal
    is_mended = seal is not None and bool(seal.payload)
    if mac is None or mac == Otherwise() or is_mended:
        return ""
    return "f(StoC) was computed otherwise than it says"


def _is_damaged(edits: tuple[Edit, ...]) -> bool:
    if len(edits) != 1:
        return False
    (edit,) = edits
    match edit.kind:
        case EditKind.FLIP:
            return -TAG <= edit.at < 0 and edit.octets[:1] not in (b"", b"\0")
        case EditKind.KEEP:
            return -TAG <= edit.count < 0
        case EditKind.ADD:
            return bool(edit.octets)
        case _:
            return False


def _sealed(seal: Otherwise | None, site: Site, client: str, action: Action, before: Facts) -> str:
    row = site.row(client)
    if seal is None or row is None:
        return ""
    kind = site.kind(client)
    own = kind.title if kind.title is not None else site.title(client)
    normal = "DEDICATED" if kind.dedicated and not isinstance(action, _OPENING) else "GUEK"
    if seal.ek is not None and seal.ek != normal and seal.ek in ("GUEK", "GAK", "KEK", "GBEK"):
        return f"it was sealed under the {seal.ek}"
    if seal.ak is not None and seal.ak != "GAK":
        return "it was sealed with another authentication key"
    if seal.title is not None and seal.title != own:
        return "it was sealed with another system title"
    present = before.client_sends.get(f"{client}/GUEK")
    if (
        seal.counter is not None
        and present is not None
        and not kind.dedicated
        and not present <= seal.counter < present + _OF_ONE_ACTION
    ):
        return "it was sealed with another counter than it says"
    return ""


def _stale(site: Site, before: Facts, client: str) -> str:
    """Whether the client goes by other keys than the meter has in force."""
    row = site.row(client)
    kinds = ("GUEK",) if row is not None and row.single_key else ("GUEK", "GAK")
    for kind in kinds:
        mine = before.client_keys.get(f"{client}/{kind}")
        theirs = before.keys.get(f"{site.scope(client)}/{kind}")
        if mine and theirs and mine != theirs:
            return f"the client's {kind} is not the one in force"
    return ""
