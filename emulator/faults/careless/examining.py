"""Looks at the certificates of a peer, and may forget one thing about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tls.credentials import Trust

Look: TypeAlias = Callable[[Sequence[x509.Certificate], Trust, bool], bool]
"""Whether something is right about a chain, the leaf first; ``True`` for those of a server."""


def _is_signed(chain: Sequence[x509.Certificate], trust: Trust, server: bool) -> bool:
    for one, above in zip(chain, (*chain[1:], *_root(chain, trust)), strict=False):
        try:
            one.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            return False
    return True


def _root(chain: Sequence[x509.Certificate], trust: Trust) -> list[x509.Certificate]:
    roots = x509.load_pem_x509_certificates(trust.roots_pem)
    return [root for root in roots if root.subject == chain[-1].issuer][:1]


def _leads_to_a_root(chain: Sequence[x509.Certificate], trust: Trust, server: bool) -> bool:
    return bool(_root(chain, trust))


def _is_in_time(chain: Sequence[x509.Certificate], trust: Trust, server: bool) -> bool:
    now = dt.datetime.now(dt.UTC)  # as OpenSSL has it, whatever the sandbox's time
    return all(one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in chain)


def _is_for_this(chain: Sequence[x509.Certificate], trust: Trust, server: bool) -> bool:
    wanted = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    extensions = chain[0].extensions
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature and wanted in uses


def _has_the_curve(chain: Sequence[x509.Certificate], trust: Trust, server: bool) -> bool:
    key = chain[0].public_key()
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _is_short(chain: Sequence[x509.Certificate], trust: Trust, server: bool) -> bool:
    """No authority has more of them below it than it may have."""
    for below, one in enumerate(chain[1:]):
        constraints = one.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca:
            return False
        if constraints.path_length is not None and constraints.path_length < below:
            return False
    return True


def _is_not_listed(chain: Sequence[x509.Certificate], trust: Trust, server: bool) -> bool:
    if trust.crl_pem is None:
        return True
    crl = x509.load_pem_x509_crl(trust.crl_pem)
    return crl.get_revoked_certificate_by_serial_number(chain[0].serial_number) is None


LOOKS: dict[str, Look] = {
    "signature": _is_signed,
    "authority": _leads_to_a_root,
    "time": _is_in_time,
    "usage": _is_for_this,
    "curve": _has_the_curve,
    "chain": _is_short,
    "list": _is_not_listed,
}


def complaints(
    shown: Sequence[bytes], trust: Trust, *, server: bool, but: frozenset[str]
) -> Iterator[str]:
    """What is wrong with a chain (DER), but what is not looked at."""
    if not shown:
        yield "none"
        return
    try:
        chain = [x509.load_der_x509_certificate(der) for der in shown]
    except ValueError:
        yield "corrupt"
        return
    for name, look in LOOKS.items():
        if name not in but and not look(chain, trust, server):
            yield name
