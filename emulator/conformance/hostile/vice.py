"""How a meter misbehaves: what it does to what goes in and out of it.

A vice is a class with a name and some of these hooks; a row of vices.toml gives it parameters. One
that only changes octets comes late in the way out; one that is right but for one thing computes
with the meter's own keys, so that nothing but that thing can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from devices.answering.asking import Answerable
from devices.profile import Profile
from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.security.ops import CryptoOp
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.registry import AnyResponse
from emulator.serving.taps import Parcel
from emulator.serving.workings import Execute

if TYPE_CHECKING:
    from emulator.conformance.hostile.stage import Stage


class Reply(NamedTuple):
    """An APDU that the meter says in an open association. ``request`` and ``plain`` are what it was
    asked and what it says beneath their protection, empty where that is not known; ``number``
    counts the replies of the association from 1.
    """

    octets: bytes
    request: bytes
    plain: bytes
    number: int


class Vice:
    """Does nothing wrong. ``first_counter`` is the invocation counter with which the meter begins
    under a key that is new to the head end: not 0, for that is a case of its own.
    """

    kind: ClassVar[str] = "none"
    first_counter: ClassVar[int] = 100

    def __init__(self, stage: Stage, parameters: Mapping[str, Any]) -> None:
        self.stage = stage
        self.parameters = parameters

    @classmethod
    def profile(cls, profile: Profile, association: str, parameters: Mapping[str, Any]) -> Profile:
        """The profile of the meter, with what it has otherwise."""
        return profile

    def prepare(self) -> None:
        """The meter is there, and nobody has called yet."""

    # In -----------------------------------------------------------------------------------------

    def aarq(self, aarq: Aarq) -> Aarq:
        """An AARQ, before the meter sees it."""
        return aarq

    def initiate_request(self, initiate: InitiateRequest) -> InitiateRequest:
        """What the meter takes the InitiateRequest to say."""
        return initiate

    def request(self, parcel: Parcel) -> Iterable[Parcel]:
        """A service request of an open association, as it came, before the meter sees it."""
        return (parcel,)

    def understood(self, plain: bytes) -> bytes:
        """What the meter takes the request to say, beneath its protection."""
        return plain

    def answer(self, request: Answerable) -> AnyResponse | None:
        """What is answered in the place of the meter's objects, if anything."""
        return None

    # Out ----------------------------------------------------------------------------------------

    def aare(self, aare: Aare) -> Aare:
        return aare

    def initiate_response(self, initiate: InitiateResponse) -> InitiateResponse:
        """Beneath its protection."""
        return initiate

    def pass_4(self, plain: bytes) -> bytes:
        """The response with f(CtoS), beneath its protection."""
        return plain

    def response(self, plain: bytes, request: bytes) -> bytes:
        """A response of an open association, beneath its protection."""
        return plain

    def reply(self, reply: Reply) -> Iterable[bytes]:
        """The same as it goes out."""
        return (reply.octets,)

    def octets(self, parcel: Parcel) -> Iterable[Parcel]:
        """Octets as they are written at once."""
        return (parcel,)

    # Within -------------------------------------------------------------------------------------

    def compute(self, op: CryptoOp, execute: Execute) -> Any:
        """The meter's own cryptography."""
        return execute(op)
