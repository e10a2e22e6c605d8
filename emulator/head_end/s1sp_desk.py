"""The S1SP's desk for Countersigned Service Requests: it checks, watches, authorises, relays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devices.profile import Profile
from dlms.errors import LocalProtocolError
from emulator.anomaly.quarantine import Held, Quarantine
from emulator.anomaly.watch import Watch
from emulator.head_end.association import PartyAssociation, associate, connected
from emulator.head_end.checking import Checking
from emulator.head_end.party import Party, signing_key
from emulator.head_end.planning import PUBLIC
from emulator.head_end.relay import Relay
from emulator.meter_address import MeterAddress
from emulator.policy import Actor
from emulator.requests.documents import CountersignedRequest
from emulator.requests.enrolment import Enrolment
from emulator.requests.fitting import Work
from emulator.requests.refusal import RequestRefused
from emulator.requests.replay import ExecutionCounters
from emulator.requests.signing import authorised

S1SP = "S1SP"


class Quarantined(RequestRefused):
    """Held, as request ``number`` in quarantine."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(S1SP, "quarantined", f"held in quarantine as number {number}: {why}")
        self.number = number


class Deleted(RequestRefused):
    """Deleted, and the User is notified."""

    def __init__(self, why: str) -> None:
        super().__init__(S1SP, "deleted", f"deleted for a value beyond its threshold: {why}")


class Checked:
    """A request that the S1SP has found right. It makes them alone, and carries out nothing else;
    ``closed`` once it is done with.
    """

    __slots__ = ("closed", "document", "work")

    def __init__(self, document: CountersignedRequest, work: Work) -> None:
        self.document = document
        self.work = work
        self.closed = False


class S1spDesk:
    def __init__(
        self,
        party: Party,
        enrolment: Enrolment,
        counters: ExecutionCounters,
        watch: Watch,
        quarantine: Quarantine,
        relayed: str = "dco",
    ) -> None:
        """``relayed`` is the association of a profile that the DCO speaks on."""
        self._party = party
        self._checking = Checking(Actor.S1SP, S1SP, party.custody, enrolment)
        self._counters = counters
        self._watch = watch
        self._quarantine = quarantine
        self._relayed = relayed

    async def take(self, octets: bytes, meter: MeterAddress, profile: Profile) -> Checked:
        """Check everything for itself: nobody is believed to have.

        :class:`RequestRefused` if it is not right, :class:`Deleted` if a value in it is beyond its
        threshold, :class:`Quarantined` if it is one too many.
        """
        checked = await self._check(octets, meter, profile)
        request = checked.document.request
        self._counters.take(request)
        breach = self._watch.judge(request)
        if breach is not None and breach.of_value:
            self._watch.notify(request, f"deleted: {breach.text}")
            raise Deleted(breach.text)
        if breach is not None:
            raise Quarantined(self._quarantine.hold(checked.document, breach.text), breach.text)
        return checked

    async def release(self, held: Held, meter: MeterAddress, profile: Profile) -> Checked:
        """Go on with what has been taken out of quarantine. It has been counted, and its execution
        counter is spent; the signatures are looked at again.
        """
        return await self._check(held.document, meter, profile)

    async def authorise(self, checked: Checked, profile: Profile) -> bytes:
        """Tell the DCO of exactly this request."""
        self._check_open(checked)
        errand = self._checking.errand(checked.document.request, profile)
        step = authorised(checked.document, signing_key(Actor.S1SP))
        done = await self._party.custody.run(step, errand)
        return done.to_octets()

    @asynccontextmanager
    async def relay(
        self, checked: Checked, meter: MeterAddress, profile: Profile
    ) -> AsyncIterator[Relay]:
        """Open TLS to the meter and let the DCO speak over it: for a request that is the DCO's to
        carry out, to the device that it is for, on the DCO's association and nothing else.
        """
        self._check_open(checked)
        if checked.work.actor is not Actor.DCO or checked.document.request.device != meter.title:
            raise LocalProtocolError("the request is not one to open a relay for")
        async with connected(self._party, meter, profile) as channel:
            relay = Relay(channel, _pairs(self._relayed, profile))
            try:
                yield relay
            finally:
                relay.close()

    @asynccontextmanager
    async def session(
        self, checked: Checked, meter: MeterAddress, profile: Profile
    ) -> AsyncIterator[PartyAssociation]:
        """The S1SP's own association, for what it carries out itself."""
        self._check_open(checked)
        if checked.work.actor is not Actor.S1SP:
            raise LocalProtocolError("the request is the DCO's to carry out")
        async with associate(self._party, meter, profile) as session:
            yield session

    async def _check(self, octets: bytes, meter: MeterAddress, profile: Profile) -> Checked:
        checking = self._checking
        document = checking.read(CountersignedRequest.from_octets, octets)
        await checking.check_countersignature(document, profile)
        return Checked(document, await checking.check_user(document.signed, meter, profile))

    def _check_open(self, checked: Checked) -> None:
        if checked.closed:
            raise LocalProtocolError("the request is done with")


def _pairs(association: str, profile: Profile) -> set[tuple[int, int]]:
    """That association, and the public one, at which the DCO asks for its counter."""
    rows = [profile.associations.get(name) for name in (association, PUBLIC)]
    return {(row.config.client_sap, row.config.server_sap) for row in rows if row is not None}
