"""The certificates that a meter holds, and the key pairs that wait for theirs (GB Ed. 8, 9.2.6.6).

Of each Security setup there is room for one certificate for each purpose of the meter itself and of
its client, and for a few authorities below the trust anchors. The anchors came with the meter: they
are shown and exported, neither imported nor removed (9.2.6.6.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dlms.cosem.security_setup import (
    BySerial,
    CertificateEntry,
    Entity,
    Identification,
)
from dlms.security.keys import KeyKind
from dlms.security.ops import CertificateFacts, CertificatePurpose

MAX_CERTIFICATE = 2048
"""Octets of a certificate that is imported: those of the suites have less than 1000, with both
names long."""

MAX_AUTHORITIES = 4
"""Authorities below the anchors: the books have one, and there is another while it is replaced; as
many again for a second purpose."""

KINDS = {
    CertificatePurpose.SIGNATURE: KeyKind.SIGNING_KEY,
    CertificatePurpose.KEY_AGREEMENT: KeyKind.AGREEMENT_KEY,
    CertificatePurpose.TLS: KeyKind.TLS_PRIVATE_KEY,
}
"""Which private key a certificate is for: one pair and one certificate per purpose (R-KEY-7)."""

_INTEGER_HEAD = 2
"""Tag and length in front of a serial number in DER; some peers leave them out."""


class StoredCertificate(NamedTuple):
    """One certificate (DER), whose it is, and what was found in it when it was checked."""

    entity: Entity
    certificate: bytes
    facts: CertificateFacts

    @property
    def entry(self) -> CertificateEntry:
        """What attribute 6 shows of it."""
        facts = self.facts
        return CertificateEntry(
            self.entity,
            facts.purpose,
            facts.serial,
            facts.issuer,
            facts.subject,
            facts.subject_alt_name,
        )

    def answers_to(self, named: Identification) -> bool:
        facts = self.facts
        if isinstance(named, BySerial):
            serials = (facts.serial, facts.serial[_INTEGER_HEAD:])
            return named.serial in serials and named.issuer == facts.issuer
        return (self.entity, facts.purpose, facts.title) == named

    def replaces(self, other: StoredCertificate) -> bool:
        """Whether ``other`` has its place: the one for the same purpose of the same party, or the
        very same certificate of an authority.
        """
        if self.entity is Entity.AUTHORITY:
            return other.answers_to(BySerial(self.facts.serial, self.facts.issuer))
        return (self.entity, self.facts.purpose) == (other.entity, other.facts.purpose)


class GeneratedPair(NamedTuple):
    """A key pair whose certificate has not been imported yet: the version its private key will
    have, and the public key, ``x ‖ y``.
    """

    version: int
    public: bytes


def of(
    store: Iterable[StoredCertificate], entity: Entity, purpose: CertificatePurpose
) -> StoredCertificate | None:
    """The one certificate for a purpose of the meter or its client."""
    return next(
        (one for one in store if (one.entity, one.facts.purpose) == (entity, purpose)), None
    )


def with_one(
    store: tuple[StoredCertificate, ...], new: StoredCertificate
) -> tuple[StoredCertificate, ...]:
    """``store`` with ``new`` in the place that it has there."""
    return (*(one for one in store if not new.replaces(one)), new)
