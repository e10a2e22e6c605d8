"""The DCO's desk: it uses its keys for what a User has signed, and for nothing else.

It believes nobody: it verifies the User's signature, the DCC's countersignature and the S1SP's
authorisation of exactly this request, and works out from the request itself what is to be sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from devices.profile import Profile
from dlms.errors import LocalProtocolError
from emulator.anomaly.watch import Watch
from emulator.channel import ApduLink
from emulator.head_end.association import PartyAssociation, associate
from emulator.head_end.checking import Checking
from emulator.head_end.party import Party
from emulator.meter_address import MeterAddress
from emulator.policy import Actor
from emulator.requests.documents import Authorisation, CountersignedRequest, ServiceRequest
from emulator.requests.enrolment import Enrolment
from emulator.requests.fitting import Work
from emulator.requests.replay import ExecutionCounters

DCO = "DCO"


class Admitted:
    """A request that the DCO carries out. It makes them alone; ``closed`` once it is done with."""

    __slots__ = ("closed", "request", "work")

    def __init__(self, request: ServiceRequest, work: Work) -> None:
        self.request = request
        self.work = work
        self.closed = False


class DcoDesk:
    def __init__(
        self, party: Party, enrolment: Enrolment, counters: ExecutionCounters, watch: Watch
    ) -> None:
        self.party = party
        self._checking = Checking(Actor.DCO, DCO, party.custody, enrolment)
        self._counters = counters
        self._watch = watch

    async def admit(
        self, octets: bytes, authorisation: bytes, meter: MeterAddress, profile: Profile
    ) -> Admitted:
        """Look at a Countersigned Service Request and what the S1SP says of it.

        :class:`~emulator.requests.refusal.RequestRefused` if anything is not right; no key of an
        association has been used then. A threshold that is exceeded is a refusal with a notice: a
        DCO detects and does not quarantine (SEC, Threshold Anomaly Detection (c)).
        """
        checking = self._checking
        document = checking.read(CountersignedRequest.from_octets, octets)
        approval = checking.read(Authorisation.from_octets, authorisation)
        request = document.request
        if (approval.digest, approval.device) != (document.digest(), request.device):
            raise checking.refusal(
                "not-authorised", "the S1SP's authorisation is of another request"
            )
        signer = checking.enrolment.signers[Actor.S1SP]
        await checking.verify(
            request,
            profile,
            approval.message(),
            approval.signature,
            signer,
            "S1SP's authorisation",
        )
        await checking.check_countersignature(document, profile)
        work = await checking.check_user(document.signed, meter, profile)
        if work.actor is not Actor.DCO:
            raise checking.refusal("not-for-dco", f"{request.variant} is the S1SP's to carry out")
        self._counters.take(request)
        breach = self._watch.judge(request)
        if breach is not None:
            self._watch.notify(request, f"refused: {breach.text}")
            raise checking.refusal("anomalous", f"beyond a threshold: {breach.text}")
        return Admitted(request, work)

    @asynccontextmanager
    async def session(
        self,
        admitted: Admitted,
        meter: MeterAddress,
        profile: Profile,
        way: AbstractAsyncContextManager[ApduLink],
    ) -> AsyncIterator[PartyAssociation]:
        """The DCO's association, over a relay, for an admitted request and its device."""
        if admitted.closed or admitted.request.device != meter.title:
            raise LocalProtocolError("the request is not one to use the DCO's keys for")
        async with associate(self.party, meter, profile, way) as session:
            yield session
