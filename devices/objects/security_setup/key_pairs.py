"""generate_key_pair and generate_certificate_request: private keys that never leave the meter (GB
Ed. 8, 9.2.6.6.3).

A new pair waits for its certificate, and the former goes on until that has been imported. Another
one that is made meanwhile takes its place (KL-PK-06).
"""

from __future__ import annotations

from devices.certificates import KINDS, GeneratedPair
from devices.objects.behaviour import SUCCESS, Call, Outcome
from devices.objects.security_setup import about
from dlms.axdr.data import Data, octet_string
from dlms.security.keys import KeyRef
from dlms.security.ops import (
    CertificatePurpose,
    CertificateRequest,
    CryptoFailure,
    Discard,
    GenerateKeyPair,
    Step,
    Use,
)
from dlms.xdlms.codes import ActionResult


def generate(call: Call, parameter: Data) -> Step[Outcome]:
    purpose, curve = _purpose(parameter), about.suite(call).curve
    if purpose is None or curve is None:
        return about.REFUSED
    state, slot = call.device.state, (about.scope(call), KINDS[purpose])
    waiting = waiting_key(call, purpose)
    version = state.key_versions.get(slot, 0) if waiting is None else waiting.version
    new = KeyRef(call.device.title, *slot, version=version + 1)
    try:
        public: bytes = yield GenerateKeyPair(Use.CERTIFICATE, new, curve)
        if waiting is not None:
            yield Discard(Use.CERTIFICATE, waiting)
    except CryptoFailure:
        yield Discard(Use.CERTIFICATE, new)
        return about.REFUSED
    state.generated[slot] = GeneratedPair(version + 1, public)
    return SUCCESS


def request(call: Call, parameter: Data) -> Step[Outcome]:
    """For the pair that waits for its certificate; if none does, for the one in force, whose
    certificate may have to be renewed.
    """
    purpose = _purpose(parameter)
    if purpose is None:
        return about.REFUSED
    key = waiting_key(call, purpose) or call.device.key_pair(about.row(call), purpose)
    if key is None:
        return about.REFUSED
    try:
        der: bytes = yield CertificateRequest(Use.CERTIFICATE, key, call.device.title)
    except CryptoFailure:
        return about.REFUSED
    return Outcome(ActionResult.SUCCESS, octet_string(der))


def waiting_key(call: Call, purpose: CertificatePurpose) -> KeyRef | None:
    """The private key of the pair that waits for its certificate."""
    slot = about.scope(call), KINDS[purpose]
    pair = call.device.state.generated.get(slot)
    return None if pair is None else KeyRef(call.device.title, *slot, version=pair.version)


def _purpose(parameter: Data) -> CertificatePurpose | None:
    """``None`` if there are no key pairs for it."""
    return next((purpose for purpose in KINDS if purpose.value == parameter.value), None)
