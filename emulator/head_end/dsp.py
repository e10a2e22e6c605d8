"""The DCC as it takes Service Requests from Users and countersigns them (its DSP role)."""

from __future__ import annotations

from collections.abc import Mapping

from devices.profile import Profile
from emulator.custody import Custody
from emulator.head_end.checking import Checking
from emulator.head_end.party import TITLES, signing_key
from emulator.meter_address import MeterAddress
from emulator.policy import Actor
from emulator.requests.documents import (
    CountersignedRequest,
    ServiceRequest,
    SignedRequest,
    Value,
)
from emulator.requests.enrolment import Enrolment
from emulator.requests.replay import ExecutionCounters
from emulator.requests.signing import countersigned, signed

DSP = "DSP"


class Dsp:
    def __init__(self, custody: Custody, enrolment: Enrolment, counters: ExecutionCounters) -> None:
        self._checking = Checking(Actor.DCC, DSP, custody, enrolment)
        self._counters = counters
        self._key = signing_key(Actor.DCC)

    async def countersign(self, octets: bytes, meter: MeterAddress, profile: Profile) -> bytes:
        """A Countersigned Service Request, from a signed one.
        :class:`~emulator.requests.refusal.RequestRefused` if it is not right in any way.
        """
        checking = self._checking
        request = checking.read(SignedRequest.from_octets, octets)
        await checking.check_user(request, meter, profile)
        self._counters.take(request.request)
        done = await self._countersigned(request, profile)
        return done.to_octets()

    async def order(
        self, number: str, arguments: Mapping[str, Value], meter: MeterAddress, profile: Profile
    ) -> bytes:
        """What the DCC orders on its own account, signed as by a User and countersigned."""
        originator = TITLES[Actor.DCC]
        request = ServiceRequest(
            originator=originator,
            device=meter.title,
            counter=self._counters.next(originator, meter.title),
            variant=number,
            arguments=arguments,
        )
        self._counters.take(request)
        checking = self._checking
        own = await checking.custody.run(
            signed(request, self._key), checking.errand(request, profile)
        )
        return (await self._countersigned(own, profile)).to_octets()

    async def _countersigned(
        self, request: SignedRequest, profile: Profile
    ) -> CountersignedRequest:
        checking = self._checking
        errand = checking.errand(request.request, profile)
        return await checking.custody.run(countersigned(request, self._key), errand)
