"""What a meter does wrong while it is associated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from devices.profile import Profile
from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import Data, octet_string
from dlms.security.layers import is_layer
from dlms.security.ops import CryptoOp, Digest, Mac, Sign, Verify
from dlms.xdlms import registry
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateResponse
from emulator.conformance.hostile.vice import Reply, Vice
from emulator.serving.workings import Execute


class EqualChallenge(Vice):
    """Its challenge is the head end's own. It goes on with that: f(StoC) and f(CtoS) are right."""

    kind: ClassVar[str] = "equal-challenge"
    _theirs = _drawn = b""

    def aarq(self, aarq: Aarq) -> Aarq:
        value = aarq.calling_authentication_value
        self._theirs = b"" if value is None else value.octets
        return aarq

    def aare(self, aare: Aare) -> Aare:
        value = aare.responding_authentication_value
        if value is None or not self._theirs:
            self.stage.cannot("there are no challenges")
            return aare
        self._drawn = value.octets
        self.stage.acts("StoC is CtoS")
        return aare._replace(responding_authentication_value=AuthenticationValue(self._theirs))

    def compute(self, op: CryptoOp, execute: Execute) -> Any:
        if self._drawn:
            if isinstance(op, Mac | Sign | Verify):
                op = op._replace(message=op.message.replace(self._drawn, self._theirs))
            elif isinstance(op, Digest):
                parts = (self._theirs if part == self._drawn else part for part in op.parts)
                op = op._replace(parts=tuple(parts))
        return execute(op)


class PassFour(Vice):
    """Pass 4 says success; f(CtoS) is ``how``: wrong, or none."""

    kind: ClassVar[str] = "pass-4"

    def pass_4(self, plain: bytes) -> bytes:
        response = registry.decode(plain)
        if not isinstance(response, ActionResponse) or not isinstance(response.returned, Data):
            return plain  # it has refused pass 3
        f = response.returned.value
        assert isinstance(f, bytes)
        self.stage.acts(f"f(CtoS): {self.parameters['how']}")
        if self.parameters["how"] == "none":
            return response._replace(returned=None).encode()
        changed = bytearray(f)
        changed[-1 - self.stage.rng.randrange(8)] ^= 1 << self.stage.rng.randrange(8)
        return response._replace(returned=octet_string(bytes(changed))).encode()


class OtherTitle(Vice):
    """It is another meter that answers, with the keys of the one that is meant: by
    ``other_title`` of the row. Everything is right under its own title.
    """

    kind: ClassVar[str] = "other-title"

    def aare(self, aare: Aare) -> Aare:
        self.stage.acts(f"its title is {self.stage.device.title.hex().upper()}")
        return aare


class NoTitle(Vice):
    """It does not say who it is."""

    kind: ClassVar[str] = "no-title"

    def aare(self, aare: Aare) -> Aare:
        self.stage.acts("no responding-AP-title")
        return aare._replace(responding_ap_title=None)


class WeakerName(Vice):
    """The AARE names a mechanism that is weaker than the one asked for, and goes on with that."""

    kind: ClassVar[str] = "weaker-name"

    def aare(self, aare: Aare) -> Aare:
        self.stage.acts("mechanism-name: low level security")
        return aare._replace(mechanism_name=Mechanism.LLS.oid)


class WeakerMechanism(Vice):
    """It lets everybody in without pass 3, and never proves who it is itself: as low level security
    is.
    """

    kind: ClassVar[str] = "weaker-mechanism"

    @classmethod
    def profile(cls, profile: Profile, association: str, parameters: Mapping[str, Any]) -> Profile:
        row = profile.associations[association]
        row = row._replace(config=replace(row.config, mechanism=Mechanism.NONE))
        return replace(profile, associations={**profile.associations, association: row})

    def aarq(self, aarq: Aarq) -> Aarq:
        return aarq._replace(
            sender_acse_requirements=None, mechanism_name=None, calling_authentication_value=None
        )

    def aare(self, aare: Aare) -> Aare:
        self.stage.acts("mechanism-name: low level security, and no pass 3 is awaited")
        return aare._replace(mechanism_name=Mechanism.LLS.oid, responder_acse_requirements=True)


class PlainContext(Vice):
    """The AARE names a context without ciphering. ``how`` is name, and the meter goes on with
    ciphering; or all, and nothing that it says is ciphered.
    """

    kind: ClassVar[str] = "plain-context"
    _initiate = b""

    def initiate_response(self, initiate: InitiateResponse) -> InitiateResponse:
        self._initiate = initiate.encode()
        return initiate

    def aare(self, aare: Aare) -> Aare:
        context = ApplicationContext.from_oid(aare.application_context_name)
        if context is None or not context.ciphered:
            self.stage.cannot("its context is a plain one")
            return aare
        self.stage.acts("a context without ciphering")
        plain = {
            ApplicationContext.LN_CIPHERED: ApplicationContext.LN,
            ApplicationContext.SN_CIPHERED: ApplicationContext.SN,
        }[context]
        aare = aare._replace(application_context_name=plain.oid)
        if self.parameters["how"] == "all" and self._initiate:
            aare = aare._replace(user_information=self._initiate)
        return aare

    def reply(self, reply: Reply) -> tuple[bytes, ...]:
        if self.parameters["how"] == "all" and reply.plain and is_layer(reply.octets[0]):
            return (reply.plain,)
        return (reply.octets,)


_MORE = (
    Conformance.READ,
    Conformance.WRITE,
    Conformance.UNCONFIRMED_WRITE,
    Conformance.INFORMATION_REPORT,
    Conformance.PARAMETERIZED_ACCESS,
    Conformance.ACCESS,
    Conformance.EVENT_NOTIFICATION,
    Conformance.PRIORITY_MANAGEMENT,
)


class Superset(Vice):
    """It grants services that were not proposed."""

    kind: ClassVar[str] = "superset"

    def initiate_response(self, initiate: InitiateResponse) -> InitiateResponse:
        proposed = Conformance(self.stage.conformance)
        more = [bit for bit in _MORE if not bit & proposed]
        if not more:
            self.stage.cannot("it proposes everything")
            return initiate
        self.stage.acts(f"{more[0].name} is granted, and was not proposed")
        return initiate._replace(conformance=initiate.conformance | more[0])
