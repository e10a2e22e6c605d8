"""key_agreement: keys that client and meter agree on, the Ephemeral Unified Model C(2e, 0s) (GB
Ed. 8, 9.2.3.4.6.2).

The client's key_data is signed with the key in its signature certificate. That one is checked once
more before it is used: it may have expired, or its authority been removed, since it was imported
(KL-PK-02).
"""

from __future__ import annotations

from devices.objects.behaviour import Call, Outcome
from devices.objects.security_setup import about, global_keys
from devices.objects.security_setup.importing import authorities
from dlms.axdr.data import Data
from dlms.cosem.security_setup import Entity, keys_data, keys_of
from dlms.errors import CodecError
from dlms.security.key_agreement import KEY_IDS, Parties, Place, respond
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CertificatePurpose, CheckCertificate, CryptoFailure, Step, Use
from dlms.xdlms.codes import ActionResult


def agree(call: Call, parameter: Data) -> Step[Outcome]:
    try:
        offers = keys_of(parameter)
        parties = yield from _parties(call)
        if parties is None or global_keys.used_up(call, offers.keys() & KEY_IDS.keys()):
            return about.REFUSED
        former = global_keys.former(call)
        fresh: list[KeyRef] = []

        def place(key_id: int) -> Place:
            unlike = (*former, *fresh)
            fresh.append(global_keys.successor(call, key_id, offers))
            return Place(_pair(call, key_id), fresh[-1], unlike)

        answers = yield from respond(parties, offers, place)
    except (CodecError, CryptoFailure):
        return about.REFUSED
    global_keys.put_in_force(call, fresh)
    return Outcome(ActionResult.SUCCESS, keys_data(answers))


def _parties(call: Call) -> Step[Parties | None]:
    """``None`` where there is no key agreement, or a key to sign or verify with is missing."""
    row, device = about.row(call), call.device
    keys, title = device.keys(row), device.client_title(row.name)
    held = device.certificate(row.name, Entity.CLIENT, CertificatePurpose.SIGNATURE)
    if about.suite(call).curve is None or title is None or held is None or keys.signing_key is None:
        return None
    anchors, intermediates = authorities(call)
    yield CheckCertificate(
        Use.CERTIFICATE,
        held.certificate,
        CertificatePurpose.SIGNATURE,
        anchors,
        call.now,
        title,
        intermediates,
    )
    return Parties(
        suite=row.config.suite,
        client_title=title,
        server_title=device.title,
        signing_key=keys.signing_key,
        peer_signing_public=held.facts.public,
        algorithm_id=row.config.knobs.algorithm_id_form,
    )


def _pair(call: Call, key_id: int) -> KeyRef:
    """A name for the meter's ephemeral key: it lives while one key is agreed."""
    scope = f"{about.scope(call)}#{key_id}"
    lifetime = KeyLifetime.SINGLE_ASSOCIATION
    return KeyRef(call.device.title, scope, KeyKind.AGREEMENT_KEY, lifetime)
