"""New keys where no association shows which ones the meter has: those of alerts and of tokens.

If the answer is lost, the same keys are sent again. Either the meter takes them now, or it refuses
them because it has them: it takes no key twice, nor any under a master key that is no more. So it
has them in any case, and the next transfer under the new master key proves it.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from emulator.policy import Purpose
from emulator.sandbox import MeterAddress

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
    """Replace them, all or none. :class:`NotRotated` if the meter does not take them."""
    known, title, scope = party.known, meter.title, what.scope
    session.be_about(Purpose.GENERATE_INSTRUCTION)
    await known.recall(title, scope, session.run)
    sent_before = known.in_doubt(title, scope)
    fresh = sent_before or {kind: known.successor(title, scope, kind) for kind in what.ids}
    if not sent_before:
        for ref in fresh.values():
            await session.run(_generate(ref, SUITES[what.suite].key_length))
        await known.propose(title, scope, fresh, session.run)
    kek = known.key(title, what.kek_scope, KeyKind.KEK)
    wrapped = {what.ids[kind]: await session.run(_wrap(kek, ref)) for kind, ref in fresh.items()}
    setup = bytes((0, 0, 43, 0, what.setup, 255))
    method = MethodDescriptor(classes.SECURITY_SETUP.class_id, setup, _KEY_TRANSFER)
    try:
        await session.action(method, keys_data(wrapped), Purpose.GENERATE_INSTRUCTION)
    except AccessRefused as refusal:
        if not sent_before:
            known.settle(title, scope, taken=False)
            await session.run(discard(Use.TRANSFER_KEY, tuple(fresh.values())))
            raise NotRotated(f"keys of {scope} not taken: {refusal}") from refusal
    known.settle(title, scope, taken=True)


def _generate(new: KeyRef, length: int) -> Step[None]:
    yield GenerateKey(Use.TRANSFER_KEY, new, length)


def _wrap(kek: KeyRef, new: KeyRef) -> Step[bytes]:
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, new)
    return wrapped
