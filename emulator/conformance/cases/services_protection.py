"""X_ACL_PROTECTION: rights that ask for protection, and requests with less of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlms.association.shapes import request_shape
from dlms.axdr.data import NULL, Data
from dlms.security.control import Protection
from dlms.xdlms import action, get
from dlms.xdlms import set as set_service
from dlms.xdlms.codes import DataAccessResult
from emulator.conformance.cases.each import Row, first_amiss, joined
from emulator.conformance.cases.rights import INVOKE, READ, WRITE, Right, serves, tried
from emulator.conformance.cases.services_rights import Try, known_rights, listing
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_error, data_of, refused
from emulator.conformance.conversing.tree import Node, Pointless, step
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_DENIED, _VIOLATED = DataAccessResult.READ_WRITE_DENIED, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
_FEW = 60
_TAGS = {"read": get.REQUEST_TAG, "write": set_service.REQUEST_TAG, "invoke": action.REQUEST_TAG}


def _weaker(needed: Protection) -> Iterator[Protection]:
    """What lacks something of what is needed."""
    for given in (Protection.NONE, Protection.AUTHENTICATED, Protection.ENCRYPTED):
        if needed & ~given:
            yield given


def _demanding(row: Row, rights: Sequence[Right]) -> Iterator[Try]:
    """Rights that ask for more than the policy, which is what decides where it asks for more."""
    for right in rights:
        if not right.request_protection & ~row.policy:
            continue
        if right.is_method:
            if right.mode & INVOKE and serves(row, "invoke"):
                yield Try(right, "invoke")
            continue
        if right.mode & READ:
            yield Try(right, "read")
        if right.mode & WRITE and serves(row, "write"):
            yield Try(right, "write")


async def _with_protection(probe: Probe, one: Try, given: Protection, value: Data) -> Seen:
    shape = request_shape(probe.general, probe.config, _TAGS[one.how])
    weaker = None if shape is None or not given else shape._replace(protection=given)
    return await tried(probe, one.right, one.how, value, shape=weaker)


async def _too_little(trial: Trial) -> Seen:
    seen = Seen.found()
    number = 0
    for row in listing(trial):
        if not row.context.ciphered or row.policy == Protection.BOTH:
            continue
        tries = list(_demanding(row, await known_rights(trial, row)))
        if len(tries) > _FEW:
            tries = trial.rng.sample(tries, _FEW)
        async with joined(trial, row) as probe:
            for one in tries:
                value = NULL
                if one.how == "write":
                    value = data_of(await tried(probe, one.right, "read")) or NULL
                for given in _weaker(one.right.request_protection):
                    if row.policy & ~given:
                        continue
                    seen = await _with_protection(probe, one, given, value)
                    number += 1
                    if first_amiss(trial, (refused(),), seen):
                        note = f"{row.name} may not {one.how} {one.right} with {given!r}"
                        return seen.having(notes=(note,))
    if not number:
        raise Pointless("no right asks for more protection than the policy of its association")
    return seen.having(notes=(f"{number} were tried",))


@conversation("X_ACL_PROTECTION")
def protection() -> Sequence[Node]:
    return (step("too-little", _too_little, refused(), data_error(_DENIED), data_error(_VIOLATED)),)
