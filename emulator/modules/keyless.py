"""Operations that need no secret: every module carries them out alike, in this process."""

from __future__ import annotations

from dlms.security.ops import CertificateFacts, CheckCertificate, Verify
from emulator.modules import certificates, curves


def verify(op: Verify) -> None:
    """See :class:`~dlms.security.ops.Verify`."""
    curves.verify(op.curve, op.public, op.message, op.signature)


def check_certificate(op: CheckCertificate) -> CertificateFacts:
    """See :class:`~dlms.security.ops.CheckCertificate`."""
    return certificates.check(op)
