"""New keys for a meter, wrapped under its master key (Security setup, key_transfer).

After a lost answer nobody knows whether a meter has taken a master key, and no association shows
it. But what is wrapped under a wrong one a meter refuses, and what it takes was wrapped under the
right one. So a transfer is tried under each that it may be, the latest first, and the first that is
taken settles the matter (KL-KT-26). That it refuses proves nothing: it refuses keys for other
reasons, too, among them one that it has already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from emulator.meter_address import MeterAddress
from emulator.policy import Purpose

_KEY_TRANSFER = 2
"""Method of Security setup."""

_UNSEEN = (KeyKind.KEK, KeyKind.GBEK)
"""Kinds that no association shows."""


class NotRotated(MeterRefusal):
    """The keys are as they were: the meter has refused, or they are none that are rotated."""


class BeingRotated(MeterRefusal):
    """Another command or campaign is sending the meter keys of this association."""


async def hand_over(
    session: PartyAssociation, party: Party, meter: MeterAddress, row: AssociationRow, *, sole: bool
) -> None:
    """Give the meter the authentication key of the next association.

    If it does not take it, or the answer is lost, this association goes on all the same: what is to
    be tried the next time has been noted. A master key that was in doubt is found out by it, for
    who is ``sole``.
    """
    new = party.handed.successor(meter.title, row.name)
    session.be_about(Purpose.GENERATE_INSTRUCTION)
    await session.run(_make(new, SUITES[row.config.suite].key_length))
    await party.handed.offer(new, session.run)
    keks = party.known.candidates(meter.title, row.name, KeyKind.KEK)
    try:
        found = await _transfer(session, row, {new.kind: new}, keks)
    except AccessRefused:
        await session.run(discard(Use.TRANSFER_KEY, (new,)))
        party.handed.settle(meter.title, row.name)
        return
    if sole:
        await _establish(session, party, keks, found)


async def rotate(
    session: PartyAssociation,
    party: Party,
    meter: MeterAddress,
    row: AssociationRow,
    kinds: Sequence[KeyKind],
) -> None:
    """Replace keys of the party's own association, all or none, and go on under them. Who does that
    is sole.

    :class:`NotRotated` if the meter does not take them. If its answer is lost they are in doubt:
    the next association finds out, or the next transfer.
    """
    title, scope, known = meter.title, row.name, party.known
    if row.single_key and KeyKind.GAK in kinds and KeyKind.KEK not in kinds:
        raise NotRotated(f"the authentication keys of {scope} live for one association anyhow")
    session.be_about(Purpose.GENERATE_INSTRUCTION)
    if await _complete(session, party, meter, row, kinds):
        return
    fresh = {kind: known.successor(title, scope, kind) for kind in kinds}
    for ref in fresh.values():
        await session.run(_make(ref, SUITES[row.config.suite].key_length))
    await known.propose(title, scope, fresh, session.run)
    keks = known.candidates(title, scope, KeyKind.KEK)
    # A new master key is none that it could have been wrapped under.
    keks = tuple(kek for kek in keks if kek not in fresh.values())
    try:
        found = await _transfer(session, row, fresh, keks)
    except AccessRefused as refusal:
        gone = known.settle(title, scope, taken=False)
        await session.run(discard(Use.TRANSFER_KEY, gone))
        raise NotRotated(f"not taken: {refusal}") from refusal
    await _establish(session, party, keks, found, *fresh.values())
    if row.config.knobs.key_in_force is not KeyInForce.NEXT_ASSOCIATION:
        changed: dict[str, Any] = {FIELDS[kind]: ref for kind, ref in fresh.items()}
        session.adopt(session.keys._replace(**changed))


async def _complete(
    session: PartyAssociation,
    party: Party,
    meter: MeterAddress,
    row: AssociationRow,
    kinds: Sequence[KeyKind],
) -> bool:
    """Send a key in doubt once more, if it is the only one wanted and no association shows it.
    ``True`` if the meter takes it: it did not have it, and has it now.
    """
    known = party.known
    in_doubt = known.in_doubt(meter.title, row.name)
    if len(kinds) != 1 or kinds[0] not in _UNSEEN or kinds[0] not in in_doubt:
        return False
    again = in_doubt[kinds[0]][0]
    keks = known.candidates(meter.title, row.name, KeyKind.KEK)
    others = [kek for kek in keks if kek != again]
    try:
        found = await _transfer(session, row, {again.kind: again}, others)
    except AccessRefused:
        return False
    await _establish(session, party, keks, found, again)
    return True


async def _establish(
    session: PartyAssociation, party: Party, keks: Sequence[KeyRef], found: KeyRef, *taken: KeyRef
) -> None:
    """The meter has ``taken`` keys, and the master key ``found``, if not a new one came instead."""
    certain = list(taken)
    if len(keks) > 1 and not any(ref.kind is KeyKind.KEK for ref in taken):
        certain.append(found)
    if certain:
        await session.run(discard(Use.TRANSFER_KEY, party.known.establish(certain)))


async def _transfer(
    session: PartyAssociation,
    row: AssociationRow,
    fresh: Mapping[KeyKind, KeyRef],
    keks: Sequence[KeyRef],
) -> KeyRef:
    """Send ``fresh`` wrapped under one of ``keks`` after the other, until the meter takes them.
    Returns the one that it was; :class:`AccessRefused` if the meter refuses under all of them.
    """
    setup = bytes((0, 0, 43, 0, row.security_setup or 0, 255))
    method = MethodDescriptor(classes.SECURITY_SETUP.class_id, setup, _KEY_TRANSFER)
    session.be_about(Purpose.GENERATE_INSTRUCTION)
    for kek in keks:
        wrapped = {KEY_ID_OF[one]: await session.run(_wrap(kek, fresh[one])) for one in fresh}
        try:
            await session.action(method, keys_data(wrapped), Purpose.GENERATE_INSTRUCTION)
        except AccessRefused:
            if kek is keks[-1]:
                raise
        else:
            return kek
    raise AssertionError("a meter has some master key")


def _make(new: KeyRef, length: int) -> Step[None]:
    yield GenerateKey(Use.TRANSFER_KEY, new, length)


def _wrap(kek: KeyRef, key: KeyRef) -> Step[bytes]:
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, key)
    return wrapped
