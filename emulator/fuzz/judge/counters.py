"""Counters: they only grow, each with its own key, and only after a message has been verified."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.association.knobs import KeyInForce
from dlms.security.hls_gmac import InnerCounter
from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.octets import Header, header

LAST = 0xFFFFFFFF
UNUSED = 1
"""A next counter of 1 may be the first there is, where nothing was sent yet: that is kept nowhere.
If 0 was sent, the look-out for vectors sees it come again.
"""
_SERVICES = (
    actions.Get,
    actions.Set,
    actions.Act,
    actions.Send,
    actions.Replay,
    actions.Transfer,
    actions.Rotate,
)


def grow(case: Case) -> Iterator[Breach]:
    """I2, R-IC-7: of the same key, neither the floor nor the next to send goes back; that a key is
    there again changes nothing (R-IC-2, R-IC-8, KL-KT-16). I1: a new key begins at 0.
    """
    if case.is_meddled:
        return
    before, after = case.before, case.after
    if before.sends == after.sends and before.floors == after.floors and before.keys == after.keys:
        return
    for name, now in after.sends.items():
        key, floor = after.keys.get(name, ""), after.floors[name]
        was = before.sends.get(name, 0), before.floors.get(name, 0)
        if key == before.keys.get(name, ""):
            if (now < was[0] and was[0] > UNUSED) or floor < was[1]:
                yield breach("I2", "a counter goes back", f"{name} {was} -> {(now, floor)}")
            continue
        known = case.history.counts.get((name, key))
        if known is not None:
            if now < known.send or floor < known.floor:
                yield breach(
                    "I1", "a key is there again and its counters begin anew", f"{name} {now}"
                )
        elif (now > 1 or floor > 1) and not case.power_failed:
            yield breach("R-IC-2", "counters of a new key do not begin at 0", f"{name} {now}")


def apart(case: Case) -> Iterator[Breach]:
    """R-IC-1: a message moves the floor of its own association's keys and of no other."""
    if case.power_failed or case.is_meddled:
        return
    if case.before.floors == case.after.floors:
        return
    mine = {case.site.scope(case.client)} if case.client else set()
    if isinstance(case.action, actions.Transfer) and case.action.via:
        mine.add(case.site.scope(case.action.via))
    for name, floor in case.after.floors.items():
        same_key = case.before.keys.get(name) == case.after.keys.get(name)
        moves = same_key and floor != case.before.floors.get(name, 0)
        if moves and name.partition("/")[0] not in mine:
            yield breach("R-IC-1", "the floor of another association moves", name)


def fresh(case: Case) -> Iterator[Breach]:
    """R-IC-4, R-IC-5: what is accepted has a counter that was acceptable, and raises the floor."""
    found = _one_header(case)
    if found is None:
        return
    kind = "GBEK" if found.is_broadcast else "GUEK"
    name = f"{case.site.scope(case.client)}/{kind}"
    if found.counter == LAST:
        yield breach("R-IC-4", "the last counter is accepted")
    if name not in case.before.floors or not found.is_authenticated:
        return
    if found.counter < case.before.floors[name]:
        said = f"{name} {found.counter} < {case.before.floors[name]}"
        yield breach("R-IC-5", "a counter below the floor is accepted", said)
    is_same = case.before.keys.get(name) == case.after.keys.get(name)
    if is_same and case.after.floors[name] <= found.counter and not case.power_failed:
        said = f"{name} {case.after.floors[name]} <= {found.counter}"
        yield breach("R-IC-5", "the floor is not above what was accepted", said)


def inner(case: Case) -> Iterator[Breach]:
    """R-IC-9: by the book the counter of f(StoC) is not that of the APDU that carries it."""
    action, mac = case.action, case.twist.mac
    if not isinstance(action, actions.Authenticate) or not case.is_accepted:
        return
    if mac is None or mac.counter is None or not case.site.is_guarded(case.client):
        return
    outer = header(case.sent[0]) if case.sent else None
    judged = case.site.knobs(case.site.scope(case.client)).inner_counter
    if outer is not None and mac.counter == outer.counter and judged is InnerCounter.STRICT:
        yield breach("R-IC-9", "f(StoC) with the counter of what carries it is accepted")


def _one_header(case: Case) -> Header | None:
    """Of the one message of a step that was accepted, if its key's counters can be seen."""
    if not case.is_accepted or not isinstance(case.action, _SERVICES) or len(case.sent) != 1:
        return None
    if isinstance(case.action, actions.Send) and case.action.choice:
        return None
    row = case.site.row(case.client)
    if row is None or not case.site.is_guarded(case.client):
        return None
    if isinstance(case.action, actions.Transfer) and case.action.via:
        return None
    if case.site.knobs(row.name).key_in_force is not KeyInForce.IMMEDIATE:
        return None
    found = header(case.sent[0])
    return None if found is None or found.is_dedicated else found
