"""X_PUBLIC_MIN: what the public client sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import NULL, Data, enum
from dlms.xdlms.conformance import Conformance
from emulator.client.options import PUBLIC_CLIENT
from emulator.conformance.cases.each import Row, first_amiss, joined
from emulator.conformance.cases.rights import Right, may_list, tried
from emulator.conformance.cases.services_rights import Try, known_rights, listing, misread, small
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found, is_refusal, refused
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

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
    return {**small(row), "conformance": services}


async def _others(trial: Trial, public: Row) -> set[tuple[int, bytes]]:
    """What there is in the lists of all others on the same logical device."""
    there: set[tuple[int, bytes]] = set()
    for row in listing(trial):
        if row.server_sap == public.server_sap and row != public:
            try:
                known = await known_rights(trial, row)
            except Unjudged:
                continue
            there |= {(right.class_id, right.instance) for right in known}
    return there


async def _objects(trial: Trial) -> Seen:
    """What is in its list can be read, as it says; and nothing else."""
    row = _public(trial)
    problems = await misread(trial, row)
    listed = {(right.class_id, right.instance) for right in await known_rights(trial, row)}
    hidden = sorted(await _others(trial, row) - listed)
    async with joined(trial, row, **small(row)) as probe:
        for class_id, instance in hidden:
            right = Right(class_id, instance, 2, False, 0)
            seen = await tried(probe, right, "read")
            if seen.what is What.APDU and not is_refusal(seen):
                problems.append(f"the public client reads {right}, which is not in its list")
    return Seen.found(problems, notes=(f"{len(listed)} in its list, {len(hidden)} not",))


def _secrets(there: set[tuple[int, bytes]]) -> Iterator[tuple[str, Try, Data]]:
    for class_id, instance in sorted(there):
        if class_id == _ASSOCIATION_LN:
            yield "a secret", Try(Right(class_id, instance, _SECRET, False, 0), "read"), NULL
            yield "a secret", Try(Right(class_id, instance, _SECRET, False, 0), "write"), NULL
        if class_id == _SECURITY_SETUP:
            yield "the policy", Try(Right(class_id, instance, _POLICY, False, 0), "write"), enum(0)
        for number in _KEY_METHODS.get(class_id, ()):
            yield "a key", Try(Right(class_id, instance, number, True, 0), "invoke"), NULL


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
