"""X_ACL_* and X_PUBLIC_MIN: the rights in the list of objects, and what really happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.association.shapes import request_shape
from dlms.axdr.data import NULL, Data, enum
from dlms.security.control import Protection
from dlms.xdlms import action, get
from dlms.xdlms import set as set_service
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.options import PUBLIC_CLIENT
from emulator.conformance.cases.each import Row, first_amiss, joined, kinds
from emulator.conformance.cases.rights import (
    INVOKE,
    READ,
    SIGNED,
    WRITE,
    Right,
    may_list,
    read_a_little,
    rights_of,
    serves,
    tried,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import (
    action_error,
    data_error,
    data_of,
    data_result,
    found,
    is_refusal,
    is_success,
    refused,
)
from emulator.conformance.conversing.tree import Node, Pointless, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.running.trial import Trial

_SMALL_PDU = 256
"""Octets that the client takes: of what is long the first block says enough."""
_MOST = 1000
"""Of one sort in all associations; of more, so many are drawn, as many in each. A run must end."""
_LONG = 64
"""Octets of a value that is kept to be written back."""

_DENIED, _VIOLATED = DataAccessResult.READ_WRITE_DENIED, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
_DISAGREES = (
    _DENIED,
    _VIOLATED,
    DataAccessResult.OBJECT_UNDEFINED,
    DataAccessResult.OBJECT_CLASS_INCONSISTENT,
)


class _Try(NamedTuple):
    right: Right
    how: str


def _drawn(trial: Trial, tries: Sequence[_Try], associations: int) -> list[_Try]:
    most = _MOST // associations
    if len(tries) <= most:
        return list(tries)
    trial.record.note(f"{most} of {len(tries)} are tried")
    return trial.rng.sample(tries, most)


def _listing(trial: Trial) -> list[Row]:
    """Every association that can read its list of objects."""
    kinds(trial, may_list, "by logical names that reads")
    return [
        row
        for row in trial.declaration.associations
        if may_list(row) and trial.target.has_keys(row)
    ]


def _small(row: Row) -> dict[str, object]:
    without = int(row.conformance) & ~int(Conformance.GENERAL_BLOCK_TRANSFER)
    return {"conformance": Conformance(without), "max_pdu_size": _SMALL_PDU}


def _has_protection(row: Row, right: Right) -> bool:
    """Whether what a right asks for is given: signatures are not, and nothing without ciphering."""
    return not right.mode & SIGNED and (row.context.ciphered or not right.request_protection)


async def _known(trial: Trial, row: Row) -> tuple[Right, ...]:
    key = f"rights of {row.name}"
    if key not in trial.memo:
        trial.memo[key] = await rights_of(trial, row)
    known: tuple[Right, ...] = trial.memo[key]
    return known


# With the right, and without --------------------------------------------------------------------


async def _readable(trial: Trial, row: Row, associations: int = 1) -> list[str]:
    """What is wrong with reads of all that may be read. Short values are kept."""
    rights = await _known(trial, row)
    tries = [
        _Try(right, "read")
        for right in rights
        if not right.is_method and right.mode & READ and _has_protection(row, right)
    ]
    problems = []
    values: dict[tuple[str, Right], Data] = trial.memo.setdefault("values", {})
    async with joined(trial, row, **_small(row)) as probe:
        for right, _ in _drawn(trial, tries, associations):
            seen = await read_a_little(probe, right)
            result = data_result(seen)
            if seen.what is not What.APDU or seen.message is None or result in _DISAGREES:
                problems.append(f"{row.name} may read {right}: {seen}")
            data = data_of(seen)
            if data is not None and len(seen.octets) <= _LONG:
                values[row.name, right] = data
    return problems


async def _with_right(trial: Trial) -> Seen:
    problems: list[str] = []
    rows = _listing(trial)
    for row in rows:
        problems += await _readable(trial, row, len(rows))
        for one in trial.declaration.writes:
            if one.association == row.name:
                problems += await _written_back(trial, row, one.attribute)
    names = ", ".join(row.name for row in rows)
    return Seen.found(problems, notes=(f"associations: {names}",))


async def _written_back(trial: Trial, row: Row, attribute: AttributeDescriptor) -> list[str]:
    async with joined(trial, row) as probe:
        value = data_of(await probe.get(attribute))
        if value is None:
            raise Unjudged(f"what was declared for writing cannot be read: {attribute}")
        seen = await probe.set(attribute, value)
    return [] if is_success(seen) else [f"{row.name} may write {attribute}: {seen}"]


def _forbidden(row: Row, rights: Sequence[Right]) -> Iterator[_Try]:
    for right in rights:
        if right.is_method:
            if not right.mode & INVOKE and serves(row, "invoke"):
                yield _Try(right, "invoke")
            continue
        if not right.mode & READ:
            yield _Try(right, "read")
        if not right.mode & WRITE and serves(row, "write"):
            yield _Try(right, "write")


_DENIALS = (
    data_error(_DENIED),
    data_error(_VIOLATED),
    action_error(ActionResult.READ_WRITE_DENIED),
    action_error(ActionResult.SCOPE_OF_ACCESS_VIOLATED),
)


async def _without_right(trial: Trial) -> Seen:
    """What is written is what is there, and methods get no parameter: if the device does it all the
    same, little is lost.
    """
    values: dict[tuple[str, Right], Data] = trial.memo.get("values", {})
    seen, number = Seen.found(("nothing is without a right",), answer="nothing"), 0
    rows = _listing(trial)
    for row in rows:
        tries = _drawn(trial, list(_forbidden(row, await _known(trial, row))), len(rows))
        async with joined(trial, row, **_small(row)) as probe:
            for right, how in tries:
                seen = await tried(probe, right, how, values.get((row.name, right), NULL))
                number += 1
                if first_amiss(trial, _DENIALS, seen):
                    return seen.having(notes=(f"{row.name} may not {how} {right}",))
    if not number:
        raise Unjudged("each association may do everything that its list of objects has")
    return seen.having(notes=(f"{number} were tried",))


@conversation("X_ACL_RIGHTS")
def rights() -> Sequence[Node]:
    return (
        step("with-right", _with_right, found("agrees")),
        step("without-right", _without_right, *_DENIALS),
    )


# Protection -------------------------------------------------------------------------------------

_FEW = 60
_TAGS = {"read": get.REQUEST_TAG, "write": set_service.REQUEST_TAG, "invoke": action.REQUEST_TAG}


def _weaker(needed: Protection) -> Iterator[Protection]:
    """What lacks something of what is needed."""
    for given in (Protection.NONE, Protection.AUTHENTICATED, Protection.ENCRYPTED):
        if needed & ~given:
            yield given


def _demanding(row: DeclaredAssociation, rights: Sequence[Right]) -> Iterator[_Try]:
    """Rights that ask for more than the policy, which is what decides where it asks for more."""
    for right in rights:
        if not right.request_protection & ~row.policy:
            continue
        if right.is_method:
            if right.mode & INVOKE and serves(row, "invoke"):
                yield _Try(right, "invoke")
            continue
        if right.mode & READ:
            yield _Try(right, "read")
        if right.mode & WRITE and serves(row, "write"):
            yield _Try(right, "write")


async def _with_protection(probe: Probe, one: _Try, given: Protection, value: Data) -> Seen:
    shape = request_shape(probe.general, probe.config, _TAGS[one.how])
    weaker = None if shape is None or not given else shape._replace(protection=given)
    return await tried(probe, one.right, one.how, value, shape=weaker)


async def _too_little(trial: Trial) -> Seen:
    seen = Seen.found()
    number = 0
    for row in _listing(trial):
        if not row.context.ciphered or row.policy == Protection.BOTH:
            continue
        tries = list(_demanding(row, await _known(trial, row)))
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


# The public client ------------------------------------------------------------------------------

_ASSOCIATION_LN, _SECURITY_SETUP = 15, 64
_SECRET, _POLICY = 7, 2
_KEY_METHODS = {
    _ASSOCIATION_LN: (2,),
    _SECURITY_SETUP: (1, 2, 3, 4),
}
"""change_HLS_secret; security_activate, key_transfer, key_agreement, generate_key_pair."""


def _public(trial: Trial) -> Row:
    return trial.row(
        lambda row: row.client_sap == PUBLIC_CLIENT and may_list(row), "of the public client"
    )


def _bold(row: Row) -> dict[str, object]:
    """The public client asks for what would let it write."""
    services = row.conformance | Conformance.SET | Conformance.ACTION
    return {**_small(row), "conformance": services}


async def _others(trial: Trial, public: Row) -> set[tuple[int, bytes]]:
    """What there is in the lists of all others on the same logical device."""
    there: set[tuple[int, bytes]] = set()
    for row in _listing(trial):
        if row.server_sap == public.server_sap and row != public:
            try:
                known = await _known(trial, row)
            except Unjudged:
                continue
            there |= {(right.class_id, right.instance) for right in known}
    return there


async def _objects(trial: Trial) -> Seen:
    """What is in its list can be read, as it says; and nothing else."""
    row = _public(trial)
    problems = await _readable(trial, row)
    listed = {(right.class_id, right.instance) for right in await _known(trial, row)}
    hidden = sorted(await _others(trial, row) - listed)
    async with joined(trial, row, **_small(row)) as probe:
        for class_id, instance in hidden:
            right = Right(class_id, instance, 2, False, 0)
            seen = await tried(probe, right, "read")
            if seen.what is What.APDU and not is_refusal(seen):
                problems.append(f"the public client reads {right}, which is not in its list")
    return Seen.found(problems, notes=(f"{len(listed)} in its list, {len(hidden)} not",))


def _secrets(there: set[tuple[int, bytes]]) -> Iterator[tuple[str, _Try, Data]]:
    for class_id, instance in sorted(there):
        if class_id == _ASSOCIATION_LN:
            yield "a secret", _Try(Right(class_id, instance, _SECRET, False, 0), "read"), NULL
            yield "a secret", _Try(Right(class_id, instance, _SECRET, False, 0), "write"), NULL
        if class_id == _SECURITY_SETUP:
            yield "the policy", _Try(Right(class_id, instance, _POLICY, False, 0), "write"), enum(0)
        for number in _KEY_METHODS.get(class_id, ()):
            yield "a key", _Try(Right(class_id, instance, number, True, 0), "invoke"), NULL


async def _refused_secrets(trial: Trial) -> Seen:
    row = _public(trial)
    there = await _others(trial, row) | {(_ASSOCIATION_LN, CURRENT_ASSOCIATION)}
    seen = Seen.found()
    async with joined(trial, row, **_bold(row)) as probe:
        for what, one, value in _secrets(there):
            seen = await tried(probe, one.right, one.how, value)
            if first_amiss(trial, (refused(),), seen):
                return seen.having(notes=(f"{what}: {one.how} {one.right}",))
    return seen


@conversation("X_PUBLIC_MIN")
def public_client() -> Sequence[Node]:
    return (
        step("objects", _objects, found("agrees")),
        step("secrets", _refused_secrets, refused()),
    )
