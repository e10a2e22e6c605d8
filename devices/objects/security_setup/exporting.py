"""certificates, export_certificate and remove_certificate: those that the meter holds, shown, given
out and removed (GB Ed. 8, 9.2.6.6.5 to 9.2.6.6.7).
"""

from __future__ import annotations

from devices.certificates import KINDS, StoredCertificate
from devices.objects.behaviour import SUCCESS, Call, Outcome
from devices.objects.security_setup import about
from dlms.axdr.data import Data, octet_string
from dlms.cosem.security_setup import Entity, entries_data, identification_of
from dlms.errors import CodecError
from dlms.security.ops import CertificatePurpose
from dlms.xdlms.codes import ActionResult


def shown(call: Call) -> Data:
    """The anchors first."""
    every = (*about.anchors(call), *about.certificates(call))
    return entries_data(one.entry for one in every)


def give(call: Call, parameter: Data) -> Outcome:
    found = _find(call, parameter)
    if found is None:
        return about.REFUSED
    return Outcome(ActionResult.SUCCESS, octet_string(found.certificate))


def remove(call: Call, parameter: Data) -> Outcome:
    """With the meter's own certificate goes the private key (9.2.6.6.7)."""
    found = _find(call, parameter)
    if found is None or found in about.anchors(call) or _is_needed(call, found):
        return about.REFUSED
    state, scope = call.device.state, about.scope(call)
    if found.entity is Entity.SERVER:
        key = call.device.key_pair(about.row(call), found.facts.purpose)
        if key is not None:
            state.doomed.add(key)
        state.destroyed.add((scope, KINDS[found.facts.purpose]))
    state.certificates[scope] = tuple(one for one in about.certificates(call) if one is not found)
    state.security_revision += 1
    return SUCCESS


def _find(call: Call, parameter: Data) -> StoredCertificate | None:
    """The certificate that is named; ``None`` unless exactly one has that name."""
    try:
        named = identification_of(parameter)
    except CodecError:
        return None
    every = (*about.anchors(call), *about.certificates(call))
    found = [one for one in every if one.answers_to(named)]
    return found[0] if len(found) == 1 else None


def _is_needed(call: Call, found: StoredCertificate) -> bool:
    """Whether messages must be signed that could not be without it: as with a policy that nobody
    can keep (KL-KT-33), the association would be lost.
    """
    signature = found.facts.purpose is CertificatePurpose.SIGNATURE
    return (
        signature
        and found.entity is not Entity.AUTHORITY
        and call.device.policy(about.row(call)).signs
    )
