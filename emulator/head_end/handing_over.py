"""New keys for a meter, wrapped under its master key (Security setup, key_transfer)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from devices.profile.model import AssociationRow
from dlms.association.knobs import KeyInForce
from dlms.client.new_keys import FIELDS, KEY_ID_OF, discard
from dlms.client.refusals import AccessRefused, MeterRefusal
from dlms.cosem import classes
from dlms.cosem.security_setup import keys_data
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import GenerateKey, Step, Use, Wrap
from dlms.security.suites import SUITES
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.head_end.party import Party
from emulator.head_end.party_association import PartyAssociation
from emulator.policy import Purpose
from emulator.sandbox import MeterAddress

_KEY_TRANSFER = 2
"""Method of Security setup."""


class NotRotated(MeterRefusal):
    """The keys are as they were: the meter has refused, or they are none that are rotated."""


async def hand_over(
    session: PartyAssociation, party: Party, meter: MeterAddress, row: AssociationRow
) -> None:
    """Give the meter the authentication key of the next association.

    If it does not take it, or the answer is lost, this association goes on all the same: what is to
    be tried the next time has been noted.
    """
    new = party.handed.successor(meter.title, row.name)
    wrapped = await _wrapped(session, party, meter, row, (new,))
    await party.handed.offer(new, session.run)
    try:
        await _transfer(session, row, wrapped)
    except AccessRefused:
        await session.run(discard(Use.TRANSFER_KEY, (new,)))
        party.handed.settle(meter.title, row.name)


async def rotate(
    session: PartyAssociation,
    party: Party,
    meter: MeterAddress,
    row: AssociationRow,
    kinds: Sequence[KeyKind],
) -> None:
    """Replace keys of the party's own association, all or none, and go on under them.

    :class:`NotRotated` if the meter does not take them. If its answer is lost they are in doubt:
    the next association finds out.
    """
    title, scope = meter.title, row.name
    if row.single_key and KeyKind.GAK in kinds and KeyKind.KEK not in kinds:
        raise NotRotated(f"the authentication keys of {scope} live for one association anyhow")
    fresh = {kind: party.known.successor(title, scope, kind) for kind in kinds}
    wrapped = await _wrapped(session, party, meter, row, tuple(fresh.values()))
    await party.known.propose(title, scope, fresh, session.run)
    try:
        await _transfer(session, row, wrapped)
    except AccessRefused as refusal:
        party.known.settle(title, scope, taken=False)
        await session.run(discard(Use.TRANSFER_KEY, tuple(fresh.values())))
        raise NotRotated(f"not taken: {refusal}") from refusal
    party.known.settle(title, scope, taken=True)
    if row.config.knobs.key_in_force is not KeyInForce.NEXT_ASSOCIATION:
        changed: dict[str, Any] = {FIELDS[kind]: ref for kind, ref in fresh.items()}
        session.adopt(session.keys._replace(**changed))


async def _wrapped(
    session: PartyAssociation,
    party: Party,
    meter: MeterAddress,
    row: AssociationRow,
    fresh: tuple[KeyRef, ...],
) -> dict[int, bytes]:
    session.be_about(Purpose.GENERATE_INSTRUCTION)
    kek = party.known.key(meter.title, row.name, KeyKind.KEK)
    length = SUITES[row.config.suite].key_length
    return {KEY_ID_OF[new.kind]: await session.run(_make(new, kek, length)) for new in fresh}


async def _transfer(
    session: PartyAssociation, row: AssociationRow, wrapped: dict[int, bytes]
) -> None:
    setup = bytes((0, 0, 43, 0, row.security_setup or 0, 255))
    method = MethodDescriptor(classes.SECURITY_SETUP.class_id, setup, _KEY_TRANSFER)
    await session.action(method, keys_data(wrapped), Purpose.GENERATE_INSTRUCTION)


def _make(new: KeyRef, kek: KeyRef, length: int) -> Step[bytes]:
    yield GenerateKey(Use.TRANSFER_KEY, new, length)
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, new)
    return wrapped
