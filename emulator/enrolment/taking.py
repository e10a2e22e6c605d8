"""Authorisation, hand-over, and the validation of what was handed over (steps 1 to 3).

Nothing of it touches the meter.
"""

from __future__ import annotations

from typing import Any

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Step, Unwrap, Use, VerificationFailed
from emulator.enrolment.agreed import keys_of_meter, transport_key
from emulator.enrolment.case import ACTORS, Case
from emulator.enrolment.inventory import Status
from emulator.enrolment.key_file import KeyFile, KeyFileRefused, slots_of
from emulator.enrolment.steps import NotPossible
from emulator.policy import Actor


class NotEligible(NotPossible):
    """The combination of Device Models is not on the list of eligible ones (SEC F2.10A)."""


async def authorise(case: Case) -> dict[str, Any]:
    """The authorisation is for this very meter, and its combination is eligible."""
    case.authorisation.check(case.profile, case.meter.serial)
    why = case.ineligible(case.profile, case.authorisation.firmware)
    if why:
        raise NotEligible(f"not eligible: {why}")
    return {}


async def hand_over(case: Case) -> dict[str, Any]:
    """Each party gets its file. An answer that is lost is asked for again."""
    for actor in ACTORS:
        text = await case.source.keys(case.profile, case.meter.title, actor)
        case.store.keep_key_file(case.meter.title, actor, text)
    return {}


async def validate(case: Case) -> dict[str, Any]:
    """The files and the inventory fit the authorisation, and each party can unwrap its keys."""
    entry, said = case.inventory.get(case.device), case.authorisation
    for what, listed, right in (
        ("manufacturer", entry.manufacturer, said.manufacturer),
        ("model", entry.model, said.model),
        ("firmware", entry.firmware, said.firmware),
    ):
        if listed != right:
            raise NotPossible(f"inventory: {what} {listed}, and the authorisation says {right}")
    files = {actor: _checked(case, actor) for actor in ACTORS}
    handed = []
    for actor, file in files.items():
        handed += await _take(case, actor, file)
    case.inventory.become(case.device, Status.NOT_COMMISSIONED, "data validated")
    return {"handed": [[ref.scope, ref.kind.name, ref.version] for ref in handed]}


def _checked(case: Case, actor: Actor) -> KeyFile:
    file = KeyFile.from_text(case.store.key_file(case.meter.title, actor))
    expected = slots_of(keys_of_meter(case.profile, case.meter.title, actor))
    kek = transport_key(case.authorisation.supplier, actor)
    file.check(kek.scope, case.meter.title, expected)
    return file


async def _take(case: Case, actor: Actor, file: KeyFile) -> list[KeyRef]:
    """Unwrap the keys into the party's module, as what the meter has now."""
    party, run, title = case.own(actor), case.run(actor), case.meter.title
    kek = transport_key(case.authorisation.supplier, actor)
    by_scope: dict[str, dict[KeyKind, bytes]] = {}
    for key in file.keys:
        by_scope.setdefault(key.scope, {})[key.kind] = key.wrapped
    taken: list[KeyRef] = []
    for scope, wrapped in by_scope.items():
        await party.known.recall(title, scope, run)
        fresh = {kind: party.known.successor(title, scope, kind) for kind in wrapped}
        for kind, ref in fresh.items():
            try:
                await run(_unwrap(kek, wrapped[kind], ref))
            except VerificationFailed as failure:
                raise KeyFileRefused(f"key file: {scope}/{kind.name}: {failure}") from failure
        await party.known.propose(title, scope, fresh, run)
        party.known.settle(title, scope, taken=True)
        taken += fresh.values()
    return taken


def _unwrap(kek: KeyRef, wrapped: bytes, into: KeyRef) -> Step[None]:
    yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, into, ())
