"""One meter that is enrolled, and all that the steps work with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

from devices.profile import Profile
from dlms.security.ops import Step as CryptoStep
from emulator.enrolment.authorisation import Authorisation, device_id
from emulator.enrolment.inventory import Inventory
from emulator.enrolment.sources import KeySource
from emulator.enrolment.store import EnrolmentStore, Record
from emulator.head_end.known_keys import Run
from emulator.head_end.party import Party
from emulator.head_end.services import HeadEnd
from emulator.policy import Actor, Purpose
from emulator.sandbox import MeterAddress
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
    """What the DCC gets of a supplier besides keys: the ``title`` of its client, and for each party
    a certificate for that title, until the meter knows the party itself.
    """

    title: bytes
    credentials: Mapping[Actor, Credential]


@dataclass(slots=True, kw_only=True)
class Case:
    """``true_time`` is what the meter's clock is set by; ``eligible`` is whether a model may be
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
    eligible: Callable[[Profile], bool]
    true_time: Callable[[], Awaitable[dt.datetime]]

    @property
    def authorisation(self) -> Authorisation:
        return Authorisation.from_text(self.record.authorisation)

    @property
    def device(self) -> str:
        return device_id(self.meter.title)

    def own(self, actor: Actor) -> Party:
        """The party as itself."""
        return self.head_end.party(actor)

    def migrating(self, actor: Actor) -> Party:
        """The same hand, with its own keys, as the client that the meter still knows."""
        return replace(
            self.own(actor),
            credential=self.former.credentials[actor],
            going_by=self.former.title,
        )

    def run(self, actor: Actor) -> Run:
        """Runs what a party does with keys that change hands, tagged."""
        party = self.own(actor)
        errand = party.errand(
            self.meter.title.hex().upper(), self.profile.category, Purpose.TRANSFER_KEY
        )

        async def run(step: CryptoStep[Any]) -> Any:
            return await party.custody.run(step, errand)

        return run
