"""Which keys open an association: those that the meter is known to have, or may have.

Keys of which nobody knows whether the meter has taken them are tried before those that it had, and
authentication keys that were handed over for one association before the long-lived one, the latest
first.
"""

from __future__ import annotations

from typing import Any

from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.association.config import AssociationKeys
from dlms.client.new_keys import FIELDS, discard
from dlms.client.refusals import AssociationRejected
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Use
from emulator.channel import ApduLink
from emulator.head_end.known_keys import Run
from emulator.head_end.party import Party
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.planning import global_keys, move_counter_forward, plan
from emulator.meter_address import MeterAddress
from emulator.policy import Purpose

_SHOWN = (KeyKind.GUEK, KeyKind.GAK)
"""Keys that an association shows the meter to have: of the others it shows nothing."""


async def open_association(
    party: Party,
    channel: ApduLink,
    meter: MeterAddress,
    profile: Profile,
    row: AssociationRow,
    *,
    sole: bool,
) -> PartyAssociation:
    """:class:`~dlms.client.refusals.AssociationRejected` if no key that there is opens it. What it
    shows is settled for who is ``sole``.
    """
    run = _running(party, meter, profile)
    await party.known.recall(meter.title, row.name, run)
    handed = await party.handed.offered(meter.title, row.name, run) if row.single_key else ()
    tried = _tried(party, meter, row, handed)
    for keys in tried:
        assert keys.guek is not None
        await move_counter_forward(party, channel, meter, profile, row, keys.guek)
        session = PartyAssociation.on(channel, plan(party, meter, row), keys, party, profile, meter)
        try:
            await session.open()
        except AssociationRejected:
            if keys is tried[-1]:
                await run(discard(Use.TRANSFER_KEY, handed))
                raise
        else:
            # Others that were handed over the meter never got, or has used up.
            await run(discard(Use.TRANSFER_KEY, [ref for ref in handed if ref != keys.gak]))
            party.handed.settle(meter.title, row.name)
            if sole:
                gone = party.known.shown(meter.title, row.name, _used(keys))
                await run(discard(Use.TRANSFER_KEY, gone))
            return session
    raise AssertionError("the keys that the meter had were tried")


def _tried(
    party: Party, meter: MeterAddress, row: AssociationRow, handed: tuple[KeyRef, ...]
) -> list[AssociationKeys]:
    settled = global_keys(party, meter, row)
    in_doubt = party.known.in_doubt(meter.title, row.name)
    doubtful: dict[str, Any] = {
        FIELDS[kind]: in_doubt[kind][0] for kind in _SHOWN if kind in in_doubt
    }
    bases = [settled._replace(**doubtful), settled] if doubtful else [settled]
    return [
        base if gak is None else base._replace(gak=gak) for base in bases for gak in (*handed, None)
    ]


def _used(keys: AssociationKeys) -> list[KeyRef]:
    """Of the keys of an association that stands those that the meter has shown to have."""
    found = [getattr(keys, FIELDS[kind]) for kind in _SHOWN]
    return [ref for ref in found if ref is not None]


def _running(party: Party, meter: MeterAddress, profile: Profile) -> Run:
    """Runs what is done about an association outside of it."""
    errand = party.errand(
        meter.title.hex().upper(), profile.category, Purpose.ESTABLISH_ASSOCIATION
    )
    return lambda step: party.custody.run(step, errand)
