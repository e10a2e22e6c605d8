"""Certificates that are taken, shown or believed where they should not be."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from devices import certificates
from devices.certificates import StoredCertificate
from devices.objects.behaviour import SUCCESS, Call, Outcome
from devices.objects.security_setup import about, importing
from dlms.axdr.data import Data
from dlms.cosem.security_setup import Entity
from dlms.security.ops import (
    CertificateFacts,
    CertificatePurpose,
    CheckCertificate,
    CryptoFailure,
    Step,
    Use,
)
from emulator.faults.bent.reaching import concerns, instead_of_method, over
from emulator.faults.fault import Fault
from emulator.faults.presented import Presented

_SECURITY_SETUP, _IMPORT = 64, 6


def _facts(call: Call, parameter: Data) -> Step[CertificateFacts | None]:
    """Of a certificate that leads to an anchor and is valid; ``None`` if it does not."""
    der = parameter.value
    assert isinstance(der, bytes)  # the class table admits octet-string only
    anchors, intermediates = importing.authorities(call)
    try:
        facts: CertificateFacts = yield CheckCertificate(
            Use.CERTIFICATE, der, None, anchors, call.now, None, intermediates
        )
    except CryptoFailure:
        return None
    return facts


def _keep(call: Call, parameter: Data, facts: CertificateFacts) -> Outcome:
    der, state, scope = parameter.value, call.device.state, about.scope(call)
    assert isinstance(der, bytes)
    new = StoredCertificate(Entity.CLIENT, der, facts)
    state.certificates[scope] = certificates.with_one(about.certificates(call), new)
    state.security_revision += 1
    return SUCCESS


def _is_client(call: Call, facts: CertificateFacts) -> bool:
    party = facts.purpose is not CertificatePurpose.AUTHORITY
    return party and facts.title != call.device.title


Import = Callable[[Call, Data], Step[Outcome]]


def any_title(fault: Fault) -> Import:
    """A certificate of anybody is that of the client (KL-PK-11)."""

    def careless(call: Call, parameter: Data) -> Step[Outcome]:
        facts = yield from _facts(call, parameter)
        others = facts is not None and facts.title != call.device.client_title(about.scope(call))
        if not others or facts is None or not _is_client(call, facts):
            return (yield from importing.take(call, parameter))
        fault.has_acted("the certificate of another is imported for the client")
        return _keep(call, parameter, facts)

    return careless


def any_usage(fault: Fault) -> Import:
    """Whatever a client's certificate is for, it is the one for signatures (KL-PK-07)."""

    def careless(call: Call, parameter: Data) -> Step[Outcome]:
        facts = yield from _facts(call, parameter)
        signature = CertificatePurpose.SIGNATURE
        if (
            facts is None
            or facts.purpose is signature
            or not _is_client(call, facts)
            or facts.title != call.device.client_title(about.scope(call))
        ):
            return (yield from importing.take(call, parameter))
        fault.has_acted("a certificate for something else is taken for signatures")
        return _keep(call, parameter, facts._replace(purpose=signature))

    return careless


def old_shown(fault: Fault) -> Import:
    """A new certificate of the meter's is confirmed, and the old one is still shown (R-KEY-7)."""

    def careless(call: Call, parameter: Data) -> Step[Outcome]:
        scope = about.scope(call)
        before = about.certificates(call)
        outcome = yield from importing.take(call, parameter)
        own = [one for one in before if one.entity is Entity.SERVER]
        if outcome == SUCCESS and own and before != about.certificates(call):
            kept = before
            for one in about.certificates(call):
                if one.entity is not Entity.SERVER:
                    kept = certificates.with_one(kept, one)
            call.device.state.certificates[scope] = kept
            fault.has_acted("a new certificate is imported, and the former one is shown")
        return outcome

    return careless


def _with(make: Callable[[Fault], Import]) -> Callable[[Fault], None]:
    def begin(fault: Fault) -> None:
        careless = make(fault)

        def method(call: Call, parameter: Data) -> Step[Outcome]:
            mine = concerns(fault, about.scope(call))
            return (yield from (careless if mine else importing.take)(call, parameter))

        instead_of_method(fault, _SECURITY_SETUP, _IMPORT, method)

    return begin


def resumed(fault: Fault) -> None:
    """Sessions of TLS are resumed whoever is trusted by now (KL-TL-02)."""

    class Bent(Presented):
        def context(self) -> ssl.SSLContext:
            made = self._made.get(self.credential)
            if made is None:
                return super().context()
            if self._trusted != self.trust:
                fault.has_acted("sessions outlive the trust that they were made with")
            return made

    over(fault, fault.reach.presented, Bent)


HOW: dict[str, Callable[[Fault], None]] = {
    "any-title": _with(any_title),
    "any-usage": _with(any_usage),
    "old-shown": _with(old_shown),
}
