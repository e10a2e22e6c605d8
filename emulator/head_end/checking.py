"""What each party looks at in a request for itself, whoever has looked before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from devices.profile import Profile
from dlms.security.ops import VerificationFailed
from emulator.custody import Custody, Errand
from emulator.meter_address import MeterAddress
from emulator.policy import Actor, Category, Purpose
from emulator.requests.canonical import DocumentError
from emulator.requests.documents import CountersignedRequest, ServiceRequest, SignedRequest
from emulator.requests.enrolment import Enrolment
from emulator.requests.fitting import Work, fit
from emulator.requests.refusal import RequestRefused
from emulator.requests.signing import verified
from emulator.requests.variants import find

_CATEGORIES = {1: Category.CATEGORY_1, 2: Category.CATEGORY_2}
Document = TypeVar("Document")


class Checking:
    """A party's own eyes: its ``custody`` to verify with, its ``enrolment`` to know keys by."""

    def __init__(self, actor: Actor, name: str, custody: Custody, enrolment: Enrolment) -> None:
        self.actor = actor
        self.name = name
        self.custody = custody
        self.enrolment = enrolment

    def errand(self, request: ServiceRequest, profile: Profile) -> Errand:
        device = request.device.hex().upper()
        return Errand(self.actor, device, _CATEGORIES[profile.category], Purpose.OTHER)

    def read(self, reader: Callable[[bytes], Document], octets: bytes) -> Document:
        """:class:`RequestRefused` if the octets are no document that ``reader`` takes."""
        try:
            return reader(octets)
        except DocumentError as error:
            raise self.refusal("malformed", str(error)) from None

    async def check_user(
        self, signed: SignedRequest, meter: MeterAddress, profile: Profile
    ) -> Work:
        """The User's signature, that it may send this to this meter, and what is to become of it.
        :class:`RequestRefused` for whatever is wrong.
        """
        request = signed.request
        if request.device != meter.title:
            raise self.refusal(
                "foreign-device", f"it is for {request.device.hex().upper()}, not {meter.name}"
            )
        variant = find(request.variant, self.name)
        public = self.enrolment.sender(
            request.originator, request.device, variant.senders, self.name
        )
        await self.verify(
            request, profile, request.message(), signed.signature, public, "User's signature"
        )
        try:
            variant.check(request.arguments, profile.kind)
            return fit(variant, profile, request.arguments)
        except ValueError as error:
            raise self.refusal("unfit", str(error)) from None

    async def check_countersignature(
        self, countersigned: CountersignedRequest, profile: Profile
    ) -> None:
        await self.verify(
            countersigned.request,
            profile,
            countersigned.signed.message(),
            countersigned.countersignature,
            self.enrolment.signers[Actor.DCC],
            "DCC's countersignature",
        )

    async def verify(
        self,
        request: ServiceRequest,
        profile: Profile,
        message: bytes,
        signature: bytes,
        public: bytes,
        whose: str,
    ) -> None:
        step = verified(message, signature, public)
        try:
            await self.custody.run(step, self.errand(request, profile))
        except VerificationFailed:
            raise self.refusal("not-authentic", f"the {whose} does not verify") from None

    def refusal(self, reason: str, text: str) -> RequestRefused:
        return RequestRefused(self.name, reason, text)
