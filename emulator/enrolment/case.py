"""One meter that is enrolled, and all that the steps work with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from devices.profile import Profile
from dlms.security.ops import Step as CryptoStep
from emulator.enrolment.authorisation import Authorisation, device_id
from emulator.enrolment.eligibility import Ineligible
from emulator.enrolment.inventory import Inventory
from emulator.enrolment.sources import KeySource
from emulator.enrolment.store import EnrolmentStore, Record
from emulator.head_end.known_keys import Run
from emulator.head_end.party import Party
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.services import HeadEnd
from emulator.meter_address import MeterAddress
from emulator.policy import Actor, Purpose
from tls.credentials import Credential

ACTORS = (Actor.S1SP, Actor.DCO)


class Tried(Protocol):
    """One thing that the supplier has tried. ``let_in`` is whether a certificate that it has shown
    was accepted, ``succeeded`` whether the association stood.
    """

    @property
    def let_in(self) -> bool: ...
    @property
    def succeeded(self) -> bool: ...
    @property
    def way(self) -> str: ...
    @property
    def association(self) -> str: ...


Prove: TypeAlias = Callable[[MeterAddress, Profile], Awaitable[Sequence[Tried]]]
"""Tries the meter with everything that the supplier has. ``OSError`` or ``TimeoutError`` if the
meter cannot be reached: that proves nothing.
"""


class Former(NamedTuple):
    """What the DCC gets of a supplier besides keys: the ``title`` of its client, and a certificate
    for that title, for the S1SP's TLS until the meter knows the S1SP itself.
    """

    title: bytes
    credential: Credential


@dataclass(slots=True, kw_only=True)
class Case:
    """``true_time`` is what the meter's clock is set by; ``ineligible`` says why a model may not be
    enrolled at all (the SMETS1 Eligible Product Combinations, SEC F2.10A).
    """

    record: Record
    meter: MeterAddress
    profile: Profile
    head_end: HeadEnd
    former: Former
    source: KeySource
    prove: Prove
    store: EnrolmentStore
    inventory: Inventory
    ineligible: Ineligible
    true_time: Callable[[], Awaitable[dt.datetime]]
    _as_former: HeadEnd | None = field(default=None, init=False, repr=False)

    @property
    def authorisation(self) -> Authorisation:
        return Authorisation.from_text(self.record.authorisation)

    @property
    def device(self) -> str:
        return device_id(self.meter.title)

    def own(self, actor: Actor) -> Party:
        """The party as itself."""
        return self.head_end.party(actor)

    def session(
        self, actor: Actor, *, as_former: bool = False
    ) -> AbstractAsyncContextManager[PartyAssociation]:
        """A party's association, as itself or as the client that the meter still knows. Either way
        the DCO's is by an order of the DCC, authorised by the S1SP, through the S1SP's TLS.
        """
        return self._hands(as_former).enrolling(actor, self.meter, self.profile)

    def migrating(self, actor: Actor) -> Party:
        """The same hand, with its own keys, as the client that the meter still knows."""
        return self._hands(as_former=True).party(actor)

    def _hands(self, as_former: bool) -> HeadEnd:
        if not as_former:
            return self.head_end
        if self._as_former is None:
            self._as_former = self.head_end.going_by(self.former.title, self.former.credential)
        return self._as_former

    def run(self, actor: Actor) -> Run:
        """Runs what a party does with keys that change hands, tagged."""
        party = self.own(actor)
        errand = party.errand(
            self.meter.title.hex().upper(), self.profile.category, Purpose.TRANSFER_KEY
        )

        async def run(step: CryptoStep[Any]) -> Any:
            return await party.custody.run(step, errand)

        return run
