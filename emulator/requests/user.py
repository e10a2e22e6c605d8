"""A User of the DCC, a supplier for example: signs Service Requests with a key of its own.

What it does is not done by the DCC, so none of it is in the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from itertools import count
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devices.profile import Profile
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Curve
from emulator.modules.keyring import KeyRing
from emulator.modules.module import CryptoModule
from emulator.modules.software import SoftwareModule
from emulator.requests.documents import ServiceRequest, SignedRequest
from emulator.requests.enrolment import SUPPLIER
from emulator.requests.fitting import fit
from emulator.requests.signing import signed
from emulator.requests.variants import find
from tls.credentials import Credential

TITLES = {
    "supplier": bytes.fromhex("020000FFFE000001"),
    "other-supplier": bytes.fromhex("020000FFFE000002"),
    "network-operator": bytes.fromhex("020000FFFE000003"),
}
"""EUI-64 of the laboratory's Users, of the range that is locally administered and so nobody's."""


def eui_of(name: str) -> bytes:
    """The EUI-64 of a User: one of those, or of a supplier's that is called so."""
    return TITLES.get(name) or b"\x02" + hashlib.sha256(name.encode()).digest()[:7]


ROLES = {
    "supplier": SUPPLIER,
    "other-supplier": SUPPLIER,
    "network-operator": "network-operator",
}


class User:
    """``key`` is in ``module``; ``next_counter`` gives execution counters, each once."""

    def __init__(
        self,
        eui: bytes,
        module: CryptoModule,
        key: KeyRef,
        next_counter: Callable[[], int] | None = None,
    ) -> None:
        self.eui = eui
        self._module = module
        self._key = key
        self._next_counter = next_counter or count(1).__next__

    @classmethod
    def of(cls, credential: Credential, next_counter: Callable[[], int] | None = None) -> Self:
        """The User that a certificate of the test PKI was issued to, with its private key."""
        private = load_pem_private_key(credential.private_key_pem, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("the User's key is on no curve")
        eui = credential.system_title
        ref = KeyRef(eui, "user", KeyKind.SIGNING_KEY)
        ring = KeyRing()
        ring.keep(ref, private.private_numbers().private_value.to_bytes(Curve.P256.value, "big"))
        return cls(eui, SoftwareModule(ring), ref, next_counter)

    def request(
        self, number: str, device: bytes, profile: Profile, given: Mapping[str, object]
    ) -> SignedRequest:
        """Make and sign a request. ``ValueError`` or
        :class:`~emulator.requests.refusal.RequestRefused` if the variant, an argument or the meter
        is not right for it: then no counter is spent.
        """
        variant = find(number, "the User's own software")
        arguments = variant.written(given, profile.kind)
        fit(variant, profile, arguments)
        request = ServiceRequest(
            originator=self.eui,
            device=device,
            counter=self._next_counter(),
            variant=number,
            arguments=arguments,
        )
        return self.sign(request)

    def sign(self, request: ServiceRequest) -> SignedRequest:
        return run(signed(request, self._key), self._module.execute)
