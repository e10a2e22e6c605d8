"""The register as it stands after its acts. It is the DCC's own view: all is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum

from emulator.products.acts import Act, Indicated, Listed, Progressed, Record, Removed, Requested
from emulator.products.combination import Combination
from emulator.products.testing import Progress, Request


class Status(Enum):
    """Of a combination, for the DCC: the public knows of the first two only."""

    ELIGIBLE = "Eligible"
    PENDING = "Pending"
    REQUESTED = "requested"
    NOT_REQUIRED = "testing not required"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


_STATUS = {
    Progress.REQUESTED: Status.REQUESTED,
    Progress.NOT_REQUIRED: Status.NOT_REQUIRED,
    Progress.DEVELOPING: Status.PENDING,
    Progress.TESTING: Status.PENDING,
    Progress.FAILED: Status.FAILED,
    Progress.WITHDRAWN: Status.WITHDRAWN,
    Progress.COMPLETED: Status.WITHDRAWN,
}
_STRONGEST = tuple(Status)


@dataclass(slots=True, kw_only=True)
class Entry:
    """``first_added`` is the day of the first time on the Eligible list, and stays when it is taken
    off and comes again. ``listed`` is whether it is on it, since ``listing_day`` or not since then.
    """

    combination: Combination
    requests: dict[str, Request] = field(default_factory=dict)
    first_added: date | None = None
    listed: bool = False
    listing_day: date | None = None
    through: str | None = None

    @property
    def status(self) -> Status:
        if self.listed:
            return Status.ELIGIBLE
        found = {_STATUS[request.progress] for request in self.requests.values()}
        return next((one for one in _STRONGEST if one in found), Status.WITHDRAWN)

    @property
    def is_shown_pending(self) -> bool:
        """F2.10A as proposed, and clause 9.3 of the Enduring Testing Approach Document: somebody
        who has not indicated that it be treated as confidential has it developed or tested.

        This is the one place where the rule is applied.
        """
        if self.listed:
            return False
        return any(one.is_pending and not one.confidential for one in self.requests.values())

    @property
    def is_withheld(self) -> bool:
        """It is Pending, and the list does not say so."""
        return self.status is Status.PENDING and not self.is_shown_pending


class Register:
    """Combinations by their numbers."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    @classmethod
    def after(cls, records: Iterable[Record], day: date | None = None) -> Register:
        """After those acts that are not of a later day than ``day``."""
        register = cls()
        for record in records:
            if day is None or record.day <= day:
                register.take(record.act, record.day)
        return register

    def take(self, act: Act, day: date) -> None:
        """What an act does. Whether it may be done is asked before it is written
        (:mod:`emulator.products.checks`), not when history is read.
        """
        match act:
            case Requested():
                self._requested(act, day)
            case Listed():
                self._listed(act, day)
            case Removed():
                entry = self.entries[act.id]
                entry.listed, entry.listing_day, entry.through = False, day, None
            case Progressed():
                self._change(act.id, act.participant, day, progress=act.progress)
            case Indicated():
                self._change(act.id, act.participant, day, confidential=act.confidential)

    def _requested(self, act: Requested, day: date) -> None:
        requests = self._entry(act.combination).requests
        former = requests.get(act.participant)
        requests[act.participant] = Request(
            participant=act.participant,
            kind=act.kind,
            progress=Progress.REQUESTED,
            confidential=act.confidential or (former is not None and former.confidential),
            day=day,
        )

    def _listed(self, act: Listed, day: date) -> None:
        entry = self._entry(act.combination)
        entry.listed, entry.listing_day, entry.through = True, day, act.through
        entry.first_added = entry.first_added or day
        for request in [*entry.requests.values()]:
            if request.is_live:
                self._change(act.id, request.participant, day, progress=Progress.COMPLETED)

    def _entry(self, combination: Combination) -> Entry:
        return self.entries.setdefault(combination.id, Entry(combination=combination))

    def _change(
        self,
        id: str,
        participant: str,
        day: date,
        progress: Progress | None = None,
        confidential: bool | None = None,
    ) -> None:
        requests = self.entries[id].requests
        former = requests[participant]
        requests[participant] = replace(
            former,
            progress=former.progress if progress is None else progress,
            confidential=former.confidential if confidential is None else confidential,
            day=max(former.day, day),
        )
