"""import_certificate: whose it is, and whether it may come in (GB Ed. 8, 9.2.6.6.4; R-KEY-7, 8).

The meter's own must be for a key pair of its own, which comes into force with it; the client's for
the title registered for the client, and it registers one where none is. Authorities below the
anchors are taken, roots never: whom a meter trusts is no matter of messages (KL-PK-08).

Validity is judged by true time, which no client sets (KL-PK-09).
"""

from __future__ import annotations

from devices import certificates
from devices.certificates import KINDS, MAX_AUTHORITIES, MAX_CERTIFICATE, StoredCertificate
from devices.objects.behaviour import SUCCESS, Call, Outcome
from devices.objects.security_setup import about
from dlms.axdr.data import Data
from dlms.cosem.security_setup import Entity
from dlms.security.ops import (
    CertificateFacts,
    CertificatePurpose,
    CheckCertificate,
    CryptoFailure,
    PublicKey,
    Step,
    Use,
)


def take(call: Call, parameter: Data) -> Step[Outcome]:
    der = parameter.value
    assert isinstance(der, bytes)
    if about.suite(call).curve is None or len(der) > MAX_CERTIFICATE:
        return about.REFUSED
    anchors, intermediates = authorities(call)
    try:
        facts: CertificateFacts = yield CheckCertificate(
            Use.CERTIFICATE, der, None, anchors, call.now, None, intermediates
        )
        entity = yield from _entity(call, facts)
    except CryptoFailure:
        return about.REFUSED
    if entity is None:
        return about.REFUSED
    _store(call, StoredCertificate(entity, der, facts))
    return SUCCESS


def authorities(call: Call) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The anchors, and those that lead to them (DER)."""
    held = about.certificates(call)
    return (
        tuple(one.certificate for one in about.anchors(call)),
        tuple(one.certificate for one in held if one.entity is Entity.AUTHORITY),
    )


def _entity(call: Call, facts: CertificateFacts) -> Step[Entity | None]:
    """Whose certificate it is; ``None`` if it has no place here."""
    if facts.purpose is CertificatePurpose.AUTHORITY:
        return Entity.AUTHORITY if _is_wanted_authority(call, facts) else None
    if facts.title == call.device.title:
        return Entity.SERVER if (yield from _is_own(call, facts)) else None
    registered = call.device.client_title(about.scope(call))
    if facts.title != registered and registered is not None:
        return None
    # C(TLS) may be on P-256 in suite 2 (GB Ed. 8, 9.2.6.4); signatures and agreement go by suite.
    of_suite = facts.curve is about.suite(call).curve or facts.purpose is CertificatePurpose.TLS
    return Entity.CLIENT if of_suite else None


def _is_wanted_authority(call: Call, facts: CertificateFacts) -> bool:
    if facts.subject == facts.issuer:
        return False  # a root
    held = [one for one in about.certificates(call) if one.entity is Entity.AUTHORITY]
    others = [one for one in held if one.entry[2:4] != (facts.serial, facts.issuer)]
    return len(others) < MAX_AUTHORITIES


def _is_own(call: Call, facts: CertificateFacts) -> Step[bool]:
    """Whether it is for the pair that waits for a certificate, or anew for the one in force."""
    slot = about.scope(call), KINDS[facts.purpose]
    waiting = call.device.state.generated.get(slot)
    if waiting is not None and waiting.public == facts.public:
        return True
    key = call.device.key_pair(about.row(call), facts.purpose)
    return key is not None and (yield PublicKey(Use.CERTIFICATE, key)) == facts.public


def _store(call: Call, new: StoredCertificate) -> None:
    """Put it in its place; with the meter's own, its key pair comes into force."""
    state, scope, purpose = call.device.state, about.scope(call), new.facts.purpose
    if new.entity is Entity.SERVER:
        slot = scope, KINDS[purpose]
        waiting = state.generated.get(slot)
        if waiting is not None and waiting.public == new.facts.public:
            old = call.device.key_pair(about.row(call), purpose)
            if old is not None:
                state.doomed.add(old)
            if purpose is CertificatePurpose.KEY_AGREEMENT:
                state.spent[scope] = state.spent[scope].without_agreed()
            state.key_versions[slot] = waiting.version
            state.destroyed.discard(slot)
            del state.generated[slot]
    state.certificates[scope] = certificates.with_one(about.certificates(call), new)
    state.security_revision += 1
