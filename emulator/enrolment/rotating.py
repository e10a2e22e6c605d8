"""Every key is replaced, by each party under its own control (step 5).

All keys of an association go in one transfer: the meter takes all or none, and if its answer is
lost, the next association shows by its GUEK which master key it has. A master key alone shows
nowhere, so it goes neither before the others nor after them.

Then all go once more. The first time they are wrapped under a master key that the supplier knows;
the second time under one that was in that single message only, inside TLS. Before the first
transfer the point of no return is noted: from then on the supplier could not get its meter back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from devices.objects.token_gateway import TOKEN_SCOPE
from devices.profile.model import AssociationRow
from devices.token import TOKEN_KEY_ID
from dlms.client.new_keys import KEY_ID_OF
from dlms.security.keys import KeyKind
from emulator.enrolment.agreed import GLOBAL, associations, has_token_key
from emulator.enrolment.case import ACTORS, Case
from emulator.head_end.handing_over import BeingRotated, rotate
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.unshown import Unshown, replace_unshown
from emulator.policy import Actor

_DONE = "rotated"


async def rotate_all(case: Case) -> dict[str, Any]:
    """What was rotated before this was broken off is not rotated again. An association of which
    only that is not known, whether it was, is.
    """
    for actor in ACTORS:
        if all(_is_done(case, scope) for scope in _scopes(case, actor)):
            continue
        with _sole(case, actor):
            async with case.session(actor, as_former=True) as session:
                if not case.record.turned:
                    case.record = case.store.turn(case.record)
                await _rotate(case, actor, session)
    return {}


@contextmanager
def _sole(case: Case, actor: Actor) -> Iterator[None]:
    """:class:`~emulator.head_end.handing_over.BeingRotated` if somebody else sends the meter keys
    of this party.
    """
    known = case.own(actor).known
    with ExitStack() as stack:
        for scope in _scopes(case, actor):
            if not stack.enter_context(known.sole(case.meter.title, scope)):
                raise BeingRotated(f"{case.meter.name}: its keys are being rotated by another")
        yield


async def _rotate(case: Case, actor: Actor, session: PartyAssociation) -> None:
    party = case.migrating(actor)
    own, *others = associations(case.profile, actor)
    if not _is_done(case, own.name):
        for _ in range(2):
            await rotate(session, party, case.meter, own, GLOBAL)
        _note(case, own.name)
    for row in others:
        if not _is_done(case, row.name):
            for _ in range(2):
                await replace_unshown(session, party, case.meter, _of_association(row))
            _note(case, row.name)
    if has_token_key(case.profile, actor) and not _is_done(case, TOKEN_SCOPE):
        await replace_unshown(session, party, case.meter, _of_tokens(own))
        _note(case, TOKEN_SCOPE)


def _of_association(row: AssociationRow) -> Unshown:
    assert row.security_setup is not None  # associations()
    ids = {kind: KEY_ID_OF[kind] for kind in GLOBAL}
    return Unshown(row.name, row.security_setup, ids, row.name, row.config.suite)


def _of_tokens(row: AssociationRow) -> Unshown:
    """Under the master key of the S1SP's association, which is new by now."""
    assert row.security_setup is not None
    ids = {KeyKind.TOKEN: TOKEN_KEY_ID}
    return Unshown(TOKEN_SCOPE, row.security_setup, ids, row.name, row.config.suite)


def _scopes(case: Case, actor: Actor) -> list[str]:
    scopes = [row.name for row in associations(case.profile, actor)]
    return [*scopes, TOKEN_SCOPE] if has_token_key(case.profile, actor) else scopes


def _is_done(case: Case, scope: str) -> bool:
    return scope in case.record.detail.get(_DONE, ())


def _note(case: Case, scope: str) -> None:
    done = [*case.record.detail.get(_DONE, ()), scope]
    case.record = case.store.note(case.record, {_DONE: done}, f"keys of {scope} rotated")
