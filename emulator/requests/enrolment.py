"""Whose signatures count, and who is responsible for which meter.

Each party has an enrolment of its own: what one of them holds, another cannot change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from dlms.security.ops import Curve
from emulator.modules import curves
from emulator.policy import Actor
from emulator.requests.refusal import RequestRefused
from tls.credentials import Trust
from tls.identity import IdentityError, system_title_of
from tls.pki import DOCUMENTS

SUPPLIER = "supplier"
NETWORK_OPERATOR = "network-operator"
DCC = "dcc"
ROLES = (SUPPLIER, NETWORK_OPERATOR, DCC)


class CertificateRefused(ValueError):
    """A User's certificate is not one to enrol it by."""


class EnrolledUser(NamedTuple):
    """``public`` is ``x || y`` on P-256; ``role`` one of :data:`ROLES`."""

    eui: bytes
    name: str
    role: str
    public: bytes


class Verdict(NamedTuple):
    """What the inventory says of a User's request for a device that is in it. ``reason``, a word
    for programs, and ``text`` are empty if the request may go on.
    """

    reason: str = ""
    text: str = ""


Inventoried: TypeAlias = Callable[[bytes, EnrolledUser], Verdict | None]
"""Asked for each request; ``None`` for a device that is not in the inventory."""


def nobody_asks(device: bytes, user: EnrolledUser) -> Verdict | None:
    """Where there is no inventory."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """``users`` by EUI-64, ``signers`` the public keys of the parties of the DCC. Who is
    responsible for a device says ``inventory``; of one that is not in it ``suppliers`` does, and
    ``supplier`` is responsible for all others.
    """

    users: Mapping[bytes, EnrolledUser]
    signers: Mapping[Actor, bytes]
    supplier: bytes
    suppliers: Mapping[bytes, bytes] = field(default_factory=dict)
    inventory: Inventoried = field(default=nobody_asks, compare=False)

    def sender(self, originator: bytes, device: bytes, roles: tuple[str, ...], by: str) -> bytes:
        """The public key of a User who may send to ``device``, if one of these ``roles`` may.

        :class:`~emulator.requests.refusal.RequestRefused` by the party ``by`` if it may not.
        """
        user = self.users.get(originator)
        eui = originator.hex().upper()
        if user is None:
            raise RequestRefused(by, "unknown-user", f"no User {eui} is enrolled")
        if user.role not in roles:
            raise RequestRefused(by, "not-eligible", f"a {user.role} such as {eui} may not send it")
        if user.role == DCC:
            return user.public  # its own orders: a meter that is being enrolled is not served yet
        verdict = self.inventory(device, user)
        if verdict is not None:
            if verdict.reason:
                raise RequestRefused(by, verdict.reason, verdict.text)
            return user.public
        responsible = self.suppliers.get(device, self.supplier)
        if user.role == SUPPLIER and originator != responsible:
            text = f"{eui} is not the supplier of {device.hex().upper()}"
            raise RequestRefused(by, "not-responsible", text)
        return user.public


def enrolled(
    chain_pem: bytes, trust: Trust, name: str, role: str, now: dt.datetime
) -> EnrolledUser:
    """A User by its certificate of the test PKI: leaf first, then what issued it up to a root.

    :class:`CertificateRefused` if it was not issued below that root, is out of date at ``now``, is
    not for signing documents or not on P-256.
    """
    chain = x509.load_pem_x509_certificates(chain_pem)
    roots = x509.load_pem_x509_certificates(trust.roots_pem)
    if not any(_issued(chain, root) for root in roots):
        raise CertificateRefused("the certificate is not of this PKI")
    leaf = chain[0]
    if any(not c.not_valid_before_utc <= now <= c.not_valid_after_utc for c in chain):
        raise CertificateRefused("the certificate is out of date")
    key = leaf.public_key()
    if not _signs_documents(leaf):
        raise CertificateRefused("the certificate is not for signatures on documents")
    if not isinstance(key, ec.EllipticCurvePublicKey) or curves.curve_of(key) is not Curve.P256:
        raise CertificateRefused("the certificate has no key on P-256")
    try:
        eui = system_title_of(leaf.public_bytes(Encoding.DER))
    except IdentityError as error:
        raise CertificateRefused(str(error)) from None
    return EnrolledUser(eui, name, role, curves.public_octets(key))


def _signs_documents(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature and DOCUMENTS in purposes


def _issued(chain: list[x509.Certificate], root: x509.Certificate) -> bool:
    for one, issuer in zip(chain, [*chain[1:], root], strict=True):
        try:
            one.verify_directly_issued_by(issuer)
            constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints)
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        if not constraints.value.ca:
            return False
    return True
