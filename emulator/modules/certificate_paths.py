"""The path of a certificate: over authorities, at most a few, to an anchor (GB Ed. 8, 9.2.6.3.2).

There is no revocation here: a meter has no way to ask, and the books leave it to the operator to
remove a certificate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from dlms.security.ops import CheckCertificate, VerificationFailed
from emulator.modules.certificate_fields import check_critical, check_validity, key_of, load
from emulator.modules.key_usage import is_authority

MAX_PATH = 4
"""Authorities above a certificate: the books have two, a root and a sub-authority."""

MAX_AUTHORITIES = 16
"""Anchors and intermediates in one check: what a meter can store, and a bound on the work."""


def check_path(certificate: x509.Certificate, op: CheckCertificate) -> None:
    """Find a way to an anchor of ``op``, over its intermediates where there is none at once."""
    if len(op.anchors) + len(op.intermediates) > MAX_AUTHORITIES:
        raise VerificationFailed(f"more than {MAX_AUTHORITIES} authorities")
    anchors = [load(der) for der in op.anchors]
    intermediates = [load(der) for der in op.intermediates]
    # An authority below another is one step of the paths that will lead over it.
    below = int(is_authority(certificate) and certificate.subject != certificate.issuer)
    if not _leads_up(certificate, anchors, intermediates, op.now, below):
        raise VerificationFailed("no path to an anchor")


def check_authority(certificate: x509.Certificate) -> int | None:
    """An authority that may issue certificates: how many others may be below it; ``None`` for any
    number.
    """
    if not is_authority(certificate):
        raise VerificationFailed("the key usage is not that of AUTHORITY")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        raise VerificationFailed("the certificate has no basic constraints") from None
    if not constraints.critical or not constraints.value.ca:
        raise VerificationFailed("the certificate is not that of an authority")
    return constraints.value.path_length


def _leads_up(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate],
    now: dt.datetime,
    below: int,
) -> bool:
    """Whether ``certificate``, with ``below`` authorities below it, was issued by an anchor, or by
    an intermediate that leads up to one.
    """
    if any(_issued(certificate, anchor, now, below) for anchor in anchors):
        return True
    if below + 1 == MAX_PATH:
        return False
    return any(
        _issued(certificate, issuer, now, below)
        and _leads_up(
            issuer, anchors, [one for one in intermediates if one is not issuer], now, below + 1
        )
        for issuer in intermediates
    )


def _issued(
    certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime, below: int
) -> bool:
    """Whether ``issuer`` is an authority that may have issued ``certificate``, and did."""
    if issuer.subject != certificate.issuer:
        return False
    try:
        check_validity(issuer, now)
        check_critical(issuer)
        _, curve = key_of(issuer)
        _, certified = key_of(certificate)
        room = check_authority(issuer)
    except VerificationFailed:
        return False
    # A key is not to be vouched for by a weaker one (R-KEY-8).
    if (room is not None and below > room) or curve.value < certified.value:
        return False
    try:
        hash_algorithm = certificate.signature_hash_algorithm
        if hash_algorithm is None or hash_algorithm.name != curve.hash_function.value:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
