"""Whether an act may be written.

An answer depends on the act, on the one request that it names, and on what is public: never on
what somebody else has asked for in confidence.
"""

from __future__ import annotations

from datetime import date

from dlms.words import word
from emulator.products.acts import Act, Indicated, Listed, Progressed, Removed, Requested
from emulator.products.errors import NotAllowed
from emulator.products.register import Entry, Register
from emulator.products.testing import AFTER, Progress, Request


def check(register: Register, act: Act, day: date, published: date | None) -> None:
    """:class:`NotAllowed` if not. ``published`` is the day of the last publication."""
    entry = register.entries.get(act.id)
    if entry is not None and entry.listing_day is not None and day < entry.listing_day:
        since = entry.listing_day
        raise NotAllowed(
            f"{act.id} was put on the Eligible list or taken off on {since}, after {day}"
        )
    match act:
        case Requested():
            _requested(entry, act, day)
        case Progressed():
            _progressed(entry, act, day)
        case Indicated():
            _known(entry, act.id, act.participant, day)
        case Listed():
            _not_before(published, day)
            _listed(register, act, day)
        case Removed():
            _not_before(published, day)
            if entry is None or not entry.listed:
                raise NotAllowed(f"{act.id} is not on the Eligible list")


def _requested(entry: Entry | None, act: Requested, day: date) -> None:
    if entry is None:
        return
    if entry.listed:
        raise NotAllowed(f"{act.id} is on the Eligible list: there is nothing to test (H14.36A)")
    former = entry.requests.get(act.participant)
    if former is None:
        return
    if former.is_live:
        raise NotAllowed(f"{act.participant} has asked for {act.id} already")
    _in_order(act.id, former, day)


def _progressed(entry: Entry | None, act: Progressed, day: date) -> None:
    request = _known(entry, act.id, act.participant, day)
    allowed = AFTER.get(request.progress, frozenset())
    if allowed and act.progress is Progress.WITHDRAWN:
        return
    if act.progress not in allowed:
        raise NotAllowed(
            f"what {act.participant} has asked for of {act.id} is {word(request.progress)}: "
            f"{word(act.progress)} does not come after that"
        )


def _known(entry: Entry | None, id: str, participant: str, day: date) -> Request:
    request = None if entry is None else entry.requests.get(participant)
    if request is None:
        raise NotAllowed(f"{participant} has not asked for {id}")
    _in_order(id, request, day)
    return request


def _in_order(id: str, request: Request, day: date) -> None:
    if day < request.day:
        raise NotAllowed(
            f"what {request.participant} has asked for of {id} was last changed on {request.day}, "
            f"after {day}"
        )


def _listed(register: Register, act: Listed, day: date) -> None:
    entry = register.entries.get(act.id)
    if entry is not None and entry.listed:
        raise NotAllowed(f"{act.id} is on the Eligible list since {entry.first_added}")
    if act.through is None:
        return
    if act.through == act.id:
        raise NotAllowed(f"{act.id} is not another combination than itself")
    tested = register.entries.get(act.through)
    if (
        tested is None
        or not tested.listed
        or tested.listing_day is None
        or day < tested.listing_day
    ):
        raise NotAllowed(
            f"{act.through} is not on the Eligible list on {day}: nothing has been demonstrated "
            "through it"
        )


def _not_before(published: date | None, day: date) -> None:
    """What was published stays as it was."""
    if published is not None and day < published:
        raise NotAllowed(f"lists were published on {published}: nothing of {day} can change them")
