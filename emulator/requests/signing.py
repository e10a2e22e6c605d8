"""Signatures on documents, as steps: who signs and verifies runs them in its own module.

ECDSA on P-256 with SHA-256. The keys are no SMETS1 Symmetric Keys, so the letter's paragraph 7 (a)
and (c) do not reach them; to verify takes a public key, which is no Secret Key Material.
"""

from __future__ import annotations

from dlms.security.keys import KeyRef
from dlms.security.ops import Curve, Sign, Step, Use, Verify
from emulator.requests.documents import (
    Authorisation,
    CountersignedRequest,
    ServiceRequest,
    SignedRequest,
)

CURVE = Curve.P256


def signed(request: ServiceRequest, key: KeyRef) -> Step[SignedRequest]:
    signature: bytes = yield Sign(Use.REQUEST, key, request.message())
    return SignedRequest(request=request, signature=signature)


def countersigned(request: SignedRequest, key: KeyRef) -> Step[CountersignedRequest]:
    signature: bytes = yield Sign(Use.REQUEST, key, request.message())
    return CountersignedRequest(signed=request, countersignature=signature)


def authorised(request: CountersignedRequest, key: KeyRef) -> Step[Authorisation]:
    plain = Authorisation(digest=request.digest(), device=request.request.device)
    signature: bytes = yield Sign(Use.REQUEST, key, plain.message())
    return Authorisation(digest=plain.digest, device=plain.device, signature=signature)


def verified(message: bytes, signature: bytes, public: bytes) -> Step[None]:
    """:class:`~dlms.security.ops.VerificationFailed` if it is not the signature of the holder of
    ``public`` (``x || y``).
    """
    yield Verify(Use.REQUEST, CURVE, public, message, signature)
