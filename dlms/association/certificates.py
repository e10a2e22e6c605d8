"""The public key of a peer that authenticates by signature (R-HLS-7)."""

from __future__ import annotations

import datetime as dt

from dlms.acse.names import Mechanism
from dlms.association.config import ClientConfig, ServerConfig
from dlms.errors import CodecError, LocalProtocolError
from dlms.security.ops import CertificateFacts, CertificatePurpose, CheckCertificate, Step, Use
from dlms.security.suites import SUITES

MAX_CERTIFICATE = 4096
"""Octets of a certificate in an AE-qualifier: those of the suites have less than 1000."""


def peer_public_key(
    config: ServerConfig | ClientConfig,
    registered: bytes | None,
    presented: bytes | None,
    title: bytes | None,
    now: dt.datetime | None,
) -> Step[bytes | None]:
    """The key to verify signatures with; ``None`` where the mechanism does not sign.

    The ``registered`` key, or the one in the certificate ``presented`` in an AE-qualifier, which
    must be for the system ``title``, lead to an anchor and be valid at ``now``.

    :class:`CodecError` or :class:`~dlms.security.ops.VerificationFailed` if there is no such key.
    """
    if config.mechanism is not Mechanism.HLS_ECDSA:
        return None
    curve = SUITES[config.suite].curve
    if curve is None:
        raise LocalProtocolError("signatures need security suite 1 or 2")
    if registered is not None:
        return registered
    field = "AE-qualifier"
    if not presented or len(presented) > MAX_CERTIFICATE:
        raise CodecError("no certificate, and no key is registered", field=field)
    if now is None or not config.anchors:
        raise CodecError("no time or no anchor to check a certificate with", field=field)
    facts: CertificateFacts = yield CheckCertificate(
        Use.CERTIFICATE, presented, CertificatePurpose.SIGNATURE, config.anchors, now, title
    )
    if facts.curve is not curve:
        raise CodecError("certificate for another curve than that of the suite", field=field)
    return facts.public
