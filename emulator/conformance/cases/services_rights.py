"""X_ACL_RIGHTS: the rights in the list of objects, and what really happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from dlms.axdr.data import NULL, Data
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
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
    is_success,
)
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_RIGHTS = Note[tuple[Right, ...]]("the rights in the object list")
_VALUES = Note[dict[tuple[str, Right], Data]]("what was read, by association and right")

_SMALL_PDU = 256
"""Octets that the client takes: of what is long the first block says enough."""
_MOST = 600
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


class Try(NamedTuple):
    right: Right
    how: str


def _drawn(trial: Trial, tries: Sequence[Try], associations: int) -> list[Try]:
    most = _MOST // associations
    if len(tries) <= most:
        return list(tries)
    trial.record.note(f"{most} of {len(tries)} are tried")
    return trial.rng.sample(tries, most)


def listing(trial: Trial) -> list[Row]:
    """Every association that can read its list of objects."""
    kinds(trial, may_list, "by logical names that reads")
    return [
        row
        for row in trial.declaration.associations
        if may_list(row) and trial.target.has_keys(row)
    ]


def small(row: Row) -> dict[str, object]:
    without = int(row.conformance) & ~int(Conformance.GENERAL_BLOCK_TRANSFER)
    return {"conformance": Conformance(without), "max_pdu_size": _SMALL_PDU}


def _has_protection(row: Row, right: Right) -> bool:
    """Whether what a right asks for is given: signatures are not, and nothing without ciphering."""
    return not right.mode & SIGNED and (row.context.ciphered or not right.request_protection)


async def known_rights(trial: Trial, row: Row) -> tuple[Right, ...]:
    return await trial.notes.once(_RIGHTS, partial(rights_of, trial, row), row.name)


# With the right, and without --------------------------------------------------------------------


async def misread(trial: Trial, row: Row, associations: int = 1) -> list[str]:
    """What is wrong with reads of all that may be read. Short values are kept."""
    rights = await known_rights(trial, row)
    tries = [
        Try(right, "read")
        for right in rights
        if not right.is_method and right.mode & READ and _has_protection(row, right)
    ]
    problems = []
    values = trial.notes.found(_VALUES)
    if values is None:
        values = trial.notes.keep(_VALUES, {})
    async with joined(trial, row, **small(row)) as probe:
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
    rows = listing(trial)
    for row in rows:
        problems += await misread(trial, row, len(rows))
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


def _forbidden(row: Row, rights: Sequence[Right]) -> Iterator[Try]:
    for right in rights:
        if right.is_method:
            if not right.mode & INVOKE and serves(row, "invoke"):
                yield Try(right, "invoke")
            continue
        if not right.mode & READ:
            yield Try(right, "read")
        if not right.mode & WRITE and serves(row, "write"):
            yield Try(right, "write")


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
    values = trial.notes.found(_VALUES) or {}
    seen, number = Seen.found(("nothing is without a right",), answer="nothing"), 0
    rows = listing(trial)
    for row in rows:
        tries = _drawn(trial, list(_forbidden(row, await known_rights(trial, row))), len(rows))
        async with joined(trial, row, **small(row)) as probe:
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
