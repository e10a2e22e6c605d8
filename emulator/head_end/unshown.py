"""New keys where no association shows which ones the meter has: those of alerts and of tokens.

If the answer is lost, the same keys are sent again. Either the meter takes them now, or it refuses
them because it has them: it takes no key twice, nor any under a master key that is no more. So it
has them in any case, and the next transfer under the new master key proves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from dlms.client.new_keys import discard
from dlms.client.refusals import AccessRefused
from dlms.cosem import classes
from dlms.cosem.security_setup import keys_data
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import GenerateKey, Step, Use, Wrap
from dlms.security.suites import SUITES
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.head_end.handing_over import NotRotated
from emulator.head_end.party import Party
from emulator.head_end.party_association import PartyAssociation
from emulator.meter_address import MeterAddress
from emulator.policy import Purpose

_KEY_TRANSFER = 2
"""Method of Security setup."""


class Unshown(NamedTuple):
    """Keys of ``scope`` that come by the Security setup 0-0:43.0.``setup``.255, wrapped under the
    master key of ``kek_scope``; ``ids`` are their key_ids.
    """

    scope: str
    setup: int
    ids: Mapping[KeyKind, int]
    kek_scope: str
    suite: int


async def replace_unshown(
    session: PartyAssociation, party: Party, meter: MeterAddress, what: Unshown
) -> None:
    """Replace them, all or none. Who does that is sole. :class:`NotRotated` if the meter does not
    take them.
    """
    known, title, scope = party.known, meter.title, what.scope
    session.be_about(Purpose.GENERATE_INSTRUCTION)
    await known.recall(title, scope, session.run)
    in_doubt = known.in_doubt(title, scope)
    sent_before = {kind: in_doubt[kind][0] for kind in what.ids if kind in in_doubt}
    if len(sent_before) == len(what.ids):
        fresh = sent_before
    else:
        sent_before = {}
        fresh = {kind: known.successor(title, scope, kind) for kind in what.ids}
        for ref in fresh.values():
            await session.run(_generate(ref, SUITES[what.suite].key_length))
        await known.propose(title, scope, fresh, session.run)
    keks = known.candidates(title, what.kek_scope, KeyKind.KEK)
    # A new master key is none that it could have been wrapped under.
    keks = tuple(kek for kek in keks if kek not in fresh.values())
    if not await _taken(session, what, fresh, keks) and not sent_before:
        gone = known.settle(title, scope, taken=False)
        await session.run(discard(Use.TRANSFER_KEY, gone))
        raise NotRotated(f"keys of {scope} not taken")
    gone = known.establish(fresh.values())
    await session.run(discard(Use.TRANSFER_KEY, gone))


async def _taken(
    session: PartyAssociation,
    what: Unshown,
    fresh: Mapping[KeyKind, KeyRef],
    keks: Sequence[KeyRef],
) -> bool:
    """Whether the meter takes them under one of ``keks``, the latest first."""
    setup = bytes((0, 0, 43, 0, what.setup, 255))
    method = MethodDescriptor(classes.SECURITY_SETUP.class_id, setup, _KEY_TRANSFER)
    for kek in keks:
        wrapped = {
            what.ids[kind]: await session.run(_wrap(kek, ref)) for kind, ref in fresh.items()
        }
        with suppress(AccessRefused):
            await session.action(method, keys_data(wrapped), Purpose.GENERATE_INSTRUCTION)
            return True
    return False


def _generate(new: KeyRef, length: int) -> Step[None]:
    yield GenerateKey(Use.TRANSFER_KEY, new, length)


def _wrap(kek: KeyRef, new: KeyRef) -> Step[bytes]:
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, new)
    return wrapped
