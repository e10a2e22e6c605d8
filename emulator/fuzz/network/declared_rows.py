"""Associations as they were declared of another's meter, as clients of a run need them."""

from __future__ import annotations

import dataclasses
from contextlib import suppress

from devices.profile import Profile
from devices.profile.model import AssociationRow, Provenance
from dlms.acse.names import Referencing
from dlms.association.config import ServerConfig
from emulator.client.options import PUBLIC_CLIENT
from emulator.conformance.declaration.model import Declaration, DeclaredAssociation
from emulator.conformance.trying.target import Target as Device
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.world import compiled, declare
from emulator.fuzz.setting import Setting

_DECLARED = Provenance(assumed=False, text="the declaration")
_SETUP = bytes((0, 0, 43, 0))


def config_of(one: DeclaredAssociation) -> ServerConfig:
    """What a meter has there, as far as it is declared."""
    return ServerConfig(
        client_sap=one.client_sap,
        server_sap=one.server_sap,
        context=one.context,
        mechanism=one.mechanism,
        conformance=one.conformance,
        suite=one.suite,
        policy=one.policy,
    )


def row_of(one: DeclaredAssociation) -> AssociationRow:
    """``ValueError`` for one with short names, which no client of a run speaks."""
    if one.context.referencing is not Referencing.LOGICAL_NAME:
        raise ValueError(f"{one.name} refers by short names, which is not fuzzed")
    setup = one.security_setup
    number = setup[4] if setup[:4] == _SETUP else None
    config, policy = config_of(one), int(one.policy)
    return AssociationRow(
        one.name, config, number, one.dedicated, policy, _DECLARED, single_key=False
    )


def public_of(declaration: Declaration, server_sap: int) -> DeclaredAssociation | None:
    """The association in which anybody may ask, of a logical device."""
    for one in declaration.associations:
        if (one.client_sap, one.server_sap) == (PUBLIC_CLIENT, server_sap):
            return one
    return None


def setting_for(device: Device, seed: str = "0") -> Setting:
    """A run with a client in every association that can be opened; the first that asks for most
    must still be there in the end. ``ValueError`` if there is none.
    """
    rows = [
        one
        for one in device.declaration.associations
        if one.context.referencing is Referencing.LOGICAL_NAME and device.has_keys(one)
    ]
    if not rows:
        raise ValueError("no association is declared that could be opened with the keys at hand")
    ranked = sorted(
        rows,
        key=lambda one: (
            not one.context.ciphered,
            not one.mechanism.is_hls,
            -int(one.conformance).bit_count(),
        ),
    )
    profile = profile_of(device.declaration)
    declare(profile)
    clients = {one.name: ClientKind(association=one.name) for one in ranked}
    return Setting(profile=profile.name, clients=clients, seed=seed, alive=ranked[0].name)


def profile_of(declaration: Declaration) -> Profile:
    """What is judged by: the associations that were declared, and no objects. What else a profile
    says is that of the laboratory's, and is of no meter that is not ours.
    """
    base = compiled("laboratory")
    rows = {}
    for one in declaration.associations:
        with suppress(ValueError):
            rows[one.name] = row_of(one)
    name = f"declared: {declaration.name}"
    return dataclasses.replace(base, name=name, associations=rows, objects={}, instructions={})
