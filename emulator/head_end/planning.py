"""What an association with a meter is to be, made of its profile and of the keys that it has."""

from __future__ import annotations

import itertools
from typing import Any

from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.cosem import classes, obis
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoOp, Step
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.channel import ApduLink
from emulator.client import MeterClient
from emulator.head_end.party import Party
from emulator.meter_address import MeterAddress

_dedicated_numbers = itertools.count(1)

PUBLIC = "public"


def global_keys(party: Party, meter: MeterAddress, row: AssociationRow) -> AssociationKeys:
    """The long-lived keys that the meter is known to have."""
    known, title, scope = party.known, meter.title, row.name
    return AssociationKeys(
        guek=known.key(title, scope, KeyKind.GUEK),
        gak=known.key(title, scope, KeyKind.GAK),
        hls_secret=known.key(title, scope, KeyKind.HLS_SECRET),
        kek=known.key(title, scope, KeyKind.KEK),
    )


def plan(
    party: Party,
    meter: MeterAddress,
    row: AssociationRow,
) -> ClientConfig:
    """From the profile to what the protocol core needs."""
    dedicated = None
    if row.dedicated:
        dedicated = KeyRef(
            meter.title,
            row.name,
            KeyKind.DEDICATED,
            KeyLifetime.SINGLE_ASSOCIATION,
            next(_dedicated_numbers),
        )
    return ClientConfig(
        client_sap=row.config.client_sap,
        server_sap=row.config.server_sap,
        context=row.config.context,
        mechanism=row.config.mechanism,
        conformance=row.config.conformance,
        suite=row.config.suite,
        knobs=row.config.knobs,
        own_title=party.title,
        server_title=meter.title,
        protection=Protection(row.protection),
        dedicated=dedicated,
    )


async def move_counter_forward(
    party: Party,
    channel: ApduLink,
    meter: MeterAddress,
    profile: Profile,
    row: AssociationRow,
    key: KeyRef,
) -> None:
    """Before the first use of a key, ask the public client what counter the meter accepts.

    The value is not protected, so it can move ours forward only (KL-IC-17). Who goes by another's
    title shares the key with that other, and asks each time.
    """
    public = profile.associations.get(PUBLIC)
    is_known = party.going_by is None and party.counters.next_to_send(key)
    if is_known or row.security_setup is None or public is None:
        return
    counter = obis.parse(f"0-0:43.1.{row.security_setup}.255")
    config = ClientConfig(
        client_sap=public.config.client_sap,
        server_sap=public.config.server_sap,
        context=ApplicationContext.LN,
        mechanism=Mechanism.NONE,
        conformance=Conformance.GET,
    )

    async def runner(step: Step[Any]) -> Any:
        return run(step, _no_crypto)

    association = ClientAssociation(config, AssociationKeys(), InvocationCounters())
    client = MeterClient(channel, association, runner)
    await client.open()
    value = await client.get(AttributeDescriptor(classes.DATA.class_id, counter, 2))
    await client.release()
    if isinstance(value.value, int):
        party.counters.raise_to(key, value.value)


def _no_crypto(op: CryptoOp) -> None:
    """A plain association uses no key; to be asked for one would be a mistake of ours."""
    raise AssertionError(f"{type(op).__name__} in a plain association")
