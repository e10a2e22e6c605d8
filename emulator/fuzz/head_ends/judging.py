"""What a head end must never do, and did."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.security.counters import MAXIMUM
from emulator.conformance.hostile.believing import same
from emulator.fuzz.breach import Breach
from emulator.fuzz.head_ends.mischief import Encounter
from emulator.fuzz.head_ends.scene import Ran

ABSURD = MAXIMUM // 2
"""No honest run comes to half of all counters."""


def breaches(encounter: Encounter, ran: Sequence[Ran]) -> tuple[Breach, ...]:
    """In the order in which they happened."""
    return tuple(one for several in judged(encounter, ran) for one in several)


def judged(encounter: Encounter, ran: Sequence[Ran]) -> tuple[tuple[Breach, ...], ...]:
    """What each errand breaks; what is seen of all of them together is where it shows first."""
    found = []
    resent = jumped = False
    for number, one in enumerate(ran, 1):
        is_last = number == len(encounter.errands) + 1
        broken = _of_errand(encounter, one, is_last=is_last)
        if one.resent and not resent:
            resent = True
            said = f"it sends two messages with the counter {one.resent[0]}"
            broken.append(_breach("I1", said, "two messages with one counter"))
        if one.highest > ABSURD and not jumped:
            jumped = True
            said = f"its counter has gone to {one.highest}: a key is used up by that"
            broken.append(_breach("H-JUMP", said, "its counter is used up"))
        found.append(tuple(broken))
    return tuple(found)


def _of_errand(encounter: Encounter, ran: Ran, *, is_last: bool) -> list[Breach]:
    outcome, task = ran.outcome, ran.errand.task
    kinds = " ".join(sorted({one.kind for one in ran.errand.mischiefs}))
    where = task if encounter.meter == "none" else f"{task}, the meter: {encounter.meter}"
    shape = f"{where}: {kinds or 'nothing goes wrong'}"
    found = []
    if not outcome.is_over:
        found.append(_breach("H-ENDS", f"{task}: {outcome}", shape))
    for what in ran.twice:
        found.append(_breach("I1", f"it uses {what} for two messages", shape))
    for what in ran.went_on:
        found.append(_breach("H-GOES-ON", f"{task}: {what} where it must end", shape))
    if outcome.ok and task == "read":
        found += _read(ran, shape)
    if outcome.ok and task == "rotate-keys":
        found += _rotated(ran, shape)
    if task == "top-up":
        found += _topped_up(ran, shape)
    if is_last and encounter.meter == "none" and not outcome.ok:
        before = " ".join(sorted({one.kind for e in encounter.errands for one in e.mischiefs}))
        said = f"a meter that behaves, in the end: {outcome}"
        found.append(_breach("I6", said, f"in the end, after: {before or 'nothing'}"))
    return found


def _read(ran: Ran, shape: str) -> list[Breach]:
    value = ran.outcome.value
    values = value if isinstance(value, list) else [value]
    right = len(values) == len(ran.values) and all(
        same(one, octets) for one, octets in zip(values, ran.values, strict=False)
    )
    if not right:
        return [_breach("H-VALUE", f"it believes {value!r:.120}, which the meter has not", shape)]
    if ran.clean < len(ran.values):
        said = (
            f"it believes {len(ran.values)} values, and has been told {ran.clean} of them so that"
            " they may be believed"
        )
        return [_breach("H-TAKEN", said, shape)]
    return []


def _rotated(ran: Ran, shape: str) -> list[Breach]:
    says_changed = ran.outcome.value != "as before"
    if says_changed is ran.changed:
        return []
    have = "others" if ran.changed else "those of before"
    said = f"it says {ran.outcome.value!r}, and the meter's keys are {have}"
    return [_breach("H-KEYS", said, shape)]


def _topped_up(ran: Ran, shape: str) -> list[Breach]:
    """Exactly once: who does not know may say so, and nobody may try again without looking."""
    if ran.credits > 1:
        said = f"the meter has been credited {ran.credits} times for one top-up"
        return [_breach("H-CREDIT", said, f"several times, {shape}")]
    if not ran.outcome.ok:
        return []
    says = ran.outcome.value != "not credited"
    if says is bool(ran.credits):
        return []
    has = "has been credited" if ran.credits else "has not been credited"
    said = f"it says {ran.outcome.value!r:.40}, and the meter {has}"
    return [_breach("H-CREDIT", said, shape)]


def _breach(invariant: str, words: str, shape: str) -> Breach:
    return Breach(invariant=invariant, words=words, shape=shape)
