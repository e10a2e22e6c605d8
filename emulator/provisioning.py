"""What laboratory meters of security suites 1 and 2 leave the factory with, and their clients have.

Both have a key pair for signatures and one for key agreement in each such association, and their
certificates under the fleet's root for the suite, which the meter trusts. The private keys are
derived, as all keys of a fleet are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from devices.certificates import KINDS, StoredCertificate
from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.cosem.security_setup import Entity
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificatePurpose, CheckCertificate, PublicKey, Use
from dlms.security.suites import SUITES
from emulator.client.keys import Keys
from emulator.modules import certificates
from emulator.modules.authority import FleetAuthority
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

CLIENT_TITLE = b"CLI\x00\x00\x00\x00\x01"
"""System title of the client of associations that belong to no party; no registered FLAG ID."""

ALERTS = "alerts"
"""Among the titles of clients, whose they are by association, that of who takes alerts."""

PURPOSES = (CertificatePurpose.SIGNATURE, CertificatePurpose.KEY_AGREEMENT)


class Fleet:
    """The authorities of a fleet by security suite, made when they are first asked for."""

    def __init__(self, fleet_secret: bytes) -> None:
        self._fleet_secret = fleet_secret
        self._authorities: dict[int, FleetAuthority] = {}

    def authority(self, suite: int) -> FleetAuthority:
        if suite not in self._authorities:
            self._authorities[suite] = FleetAuthority(self._fleet_secret, suite)
        return self._authorities[suite]


def client_title(row: AssociationRow, titles: Mapping[str, bytes]) -> bytes:
    """Who is provisioned as the client of an association: the party whose it is, if it is one's."""
    return titles.get(row.name, CLIENT_TITLE)


def registered_titles(profile: Profile, titles: Mapping[str, bytes]) -> dict[str, bytes]:
    """The titles that a meter is made with: ``titles``, and where no AARQ could say one, who is
    provisioned (R-AA-6). Alerts are for who takes them, whichever association they go by.
    """
    silent = {
        row.name: client_title(row, titles)
        for row in profile.associations.values()
        if row.config.pre_established and row.config.needs_title
    }
    if profile.alert_push is not None and ALERTS in titles:
        silent[profile.alert_push.association] = titles[ALERTS]
    return {**silent, **titles}


def anchors(profile: Profile, fleet: Fleet, now: dt.datetime) -> tuple[StoredCertificate, ...]:
    """The roots that a meter is made to trust; none for a profile of suite 0 alone."""
    suites = sorted({row.config.suite for row in profile.associations.values() if has_pairs(row)})
    return tuple(_anchor(fleet.authority(suite), now) for suite in suites)


def provision(
    profile: Profile,
    serial: int,
    ring: KeyRing,
    fleet: Fleet,
    titles: Mapping[str, bytes],
    now: dt.datetime,
) -> dict[str, tuple[StoredCertificate, ...]]:
    """The certificates of one meter and its clients by association, as it leaves the factory; none
    for a profile of suite 0 alone.

    ``titles`` are those of the parties by association, ``now`` is when the meter is made (aware).
    """
    held = {}
    for row in filter(has_pairs, profile.associations.values()):
        authority = fleet.authority(row.config.suite)
        parties = {
            Entity.SERVER: profile.system_title(serial),
            Entity.CLIENT: client_title(row, titles),
        }
        held[row.name] = tuple(
            _checked(
                entity,
                purpose,
                authority.issue(title, purpose, public_key(ring, title, row.name, purpose)),
                authority,
                now,
            )
            for entity, title in parties.items()
            for purpose in PURPOSES
        )
    return held


def has_pairs(row: AssociationRow) -> bool:
    """Whether keys of an association are signed with and agreed."""
    return row.security_setup is not None and SUITES[row.config.suite].curve is not None


def public_key(ring: KeyRing, title: bytes, scope: str, purpose: CertificatePurpose) -> bytes:
    """The public key (``x ‖ y``) of a meter or client as it was provisioned."""
    ref = KeyRef(title, scope, KINDS[purpose])
    public: bytes = SoftwareModule(ring).execute(PublicKey(Use.CERTIFICATE, ref))
    return public


def client_keys(row: AssociationRow, meter: bytes, client: bytes, ring: KeyRing) -> Keys:
    """What the client ``client`` of an association with ``meter`` was given (system titles)."""

    def key(kind: KeyKind, holder: bytes = meter) -> bytes:
        return ring.get(KeyRef(holder, row.name, kind))

    pairs = has_pairs(row)
    signature, agreement = PURPOSES
    return Keys(
        guek=key(KeyKind.GUEK),
        gak=key(KeyKind.GAK),
        gbek=key(KeyKind.GBEK),
        kek=key(KeyKind.KEK),
        signing_key=key(KeyKind.SIGNING_KEY, client) if pairs else None,
        agreement_key=key(KeyKind.AGREEMENT_KEY, client) if pairs else None,
        peer_public=public_key(ring, meter, row.name, signature) if pairs else None,
        peer_agreement_public=public_key(ring, meter, row.name, agreement) if pairs else None,
    )


def _anchor(authority: FleetAuthority, now: dt.datetime) -> StoredCertificate:
    purpose = CertificatePurpose.AUTHORITY
    return _checked(Entity.AUTHORITY, purpose, authority.certificate, authority, now)


def _checked(
    entity: Entity,
    purpose: CertificatePurpose,
    certificate: bytes,
    authority: FleetAuthority,
    now: dt.datetime,
) -> StoredCertificate:
    roots = (authority.certificate,)
    op = CheckCertificate(Use.CERTIFICATE, certificate, purpose, roots, now)
    return StoredCertificate(entity, certificate, certificates.check(op))
