"""Enrolment of a laboratory: the public keys of the parties of the DCC, from the fleet secret."""

from __future__ import annotations

from collections.abc import Iterable

from dlms.security.ops import CertificatePurpose
from emulator.head_end.party import SIGNING, TITLES
from emulator.modules.keyring import KeyRing, scope_secrets
from emulator.policy import Actor
from emulator.provisioning import public_key
from emulator.requests.enrolment import (
    DCC,
    EnrolledUser,
    Enrolment,
    Inventoried,
    nobody_asks,
)


def enrol(
    fleet_secret: bytes, users: Iterable[EnrolledUser], inventory: Inventoried = nobody_asks
) -> Enrolment:
    """Everybody whose signatures count. The first of ``users`` supplies every meter that is not in
    the ``inventory``.
    """
    ring = KeyRing(scope_secrets(fleet_secret, tuple(SIGNING.values())))
    signers = {
        actor: public_key(ring, TITLES[actor], scope, CertificatePurpose.SIGNATURE)
        for actor, scope in SIGNING.items()
    }
    first, *others = users
    dcc = EnrolledUser(TITLES[Actor.DCC], "DCC", DCC, signers[Actor.DCC])
    return Enrolment(
        users={user.eui: user for user in (first, *others, dcc)},
        signers=signers,
        supplier=first.eui,
        inventory=inventory,
    )
