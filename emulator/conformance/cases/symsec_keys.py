"""SYMSEC_0_Key_Tx: global keys are transferred, and back; and those that are not to be taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult
from dlms.client.new_keys import KEY_ID_OF
from dlms.security.keys import KeyKind
from dlms.security.suites import SUITES
from emulator.conformance.cases.key_changing import (
    Change,
    change_of,
    fresh_keys,
    give_back,
    hand_over,
    take,
    transfer,
    wrapped,
)
from emulator.conformance.cases.opening import OPENED, opened, passes_3_and_4
from emulator.conformance.cases.securing import each_refused, lives, managing_row
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import (
    accepted,
    alive,
    done,
    found,
    pending,
    refused,
)
from emulator.conformance.conversing.tree import Expect, Mismatch, Node, Sender, step
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_OLD = Note[Probe]("the client that has the old keys")
_CHANGE = Note[Change]("the change of keys")
_SINGLE = Note[bool]("whether the new key was for one association")

_UNKNOWN_KEY_ID = 200
"""No edition of the Blue Book has it; 0 to 3 are keys, and some meters have more of their own."""


def _transferring(*names: str) -> Sender:
    """New keys of these names, all in one call. The client of before is kept: it has the old ones
    for good.
    """

    async def send(trial: Trial) -> Seen:
        row = managing_row(trial)
        probe = await trial.associated(row)
        trial.notes.keep(_OLD, await trial.probe_of(row, probe.line))
        change = change_of(trial, row, fresh_keys(trial, row, names))
        trial.notes.keep(_CHANGE, change)
        return await hand_over(trial, change, probe)

    return send


async def _with_new(trial: Trial) -> Seen:
    probe = await trial.probe_of(managing_row(trial))
    trial.notes.keep(OPENED, probe)
    return await probe.associate()


async def _with_old(trial: Trial) -> Seen:
    old = trial.notes.kept(_OLD)
    old.line = await trial.open()
    seen = await old.associate()
    aare = seen.message
    if isinstance(aare, Aare) and aare.result is AssociationResult.ACCEPTED:
        # Perhaps the new one was for one association, and that was the one before.
        change = trial.notes.kept(_CHANGE)
        again = await trial.probe_of(change.row)
        await again.establish()
        trial.notes.keep(_SINGLE, not again.is_open)
        if not again.is_open:
            take(trial, change.row, change.had)
    return seen


def _for_one_association() -> Expect:
    """The new key is not taken any more either: it was for one association."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if trial.notes.found(_SINGLE):
            return None
        return Mismatch("the new key to be of no more use than the old one", str(seen), 0)

    return Expect("accepted", judge)


async def _restore(trial: Trial) -> Seen:
    change = trial.notes.kept(_CHANGE)
    seen = await give_back(trial, change)
    row = change.row
    # Under whichever keys it has now, or nobody has them.
    probe = await trial.associated(row)
    return seen if await lives(probe) else seen.having(problems=("no read works afterwards",))


def _new_keys() -> Node:
    return step("with-new", _with_new, accepted(), pending(passes_3_and_4()))


def _given_back() -> Node:
    return step("restore", _restore, done(), refused())


def _moved(name: str, *lenient: Expect) -> Sequence[Node]:
    return (
        step("transfer", _transferring(name), done()),
        _new_keys(),
        step("with-old", _with_old, refused(), *lenient),
        _given_back(),
    )


@conversation("SYMSEC_0_Key_Tx_P1")
def encryption_key() -> Sequence[Node]:
    return _moved("guek")


@conversation("SYMSEC_0_Key_Tx_P2")
def authentication_key() -> Sequence[Node]:
    return _moved("gak", _for_one_association())


# Two at once --------------------------------------------------------------------------------------


async def _half(trial: Trial) -> Seen:
    """The first of two is right and the second is not: neither may be taken (R-KEY-2)."""
    row = managing_row(trial)
    probe = await trial.associated(row)
    change = change_of(trial, row, fresh_keys(trial, row, ("guek", "gak")))
    spoilt = _flipped(trial, wrapped(trial, probe, row, "gak", change.fresh["gak"]))
    seen = await hand_over(trial, change, probe, gak=spoilt)
    problem = await _locked_out(trial)
    if problem:
        return Seen.found((f"one of two was taken: {problem}",))
    change.is_open = False
    return seen


async def _locked_out(trial: Trial) -> str:
    """Why there is no association under the keys of before; empty if there is one."""
    probe = await trial.probe_of(managing_row(trial))
    seen = await probe.establish()
    return "" if probe.is_open else str(seen)


@conversation("SYMSEC_0_Key_Tx_P3")
def both_keys() -> Sequence[Node]:
    return (
        step("half", _half, refused()),
        step("both", _transferring("guek", "gak"), done()),
        _new_keys(),
        _given_back(),
    )


# Not to be taken ----------------------------------------------------------------------------------


def _flipped(trial: Trial, octets: bytes) -> bytes:
    """With one bit that is another."""
    bit = trial.rng.randrange(8 * len(octets))
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


async def _unknown_id(trial: Trial) -> Seen:
    row = managing_row(trial)
    probe = await trial.associated(row)
    trial.notes.keep(OPENED, probe)
    octets = wrapped(trial, probe, row, "guek", fresh_keys(trial, row, ("guek",))["guek"])
    return await transfer(probe, row, {_UNKNOWN_KEY_ID: octets})


async def _keys_unchanged(trial: Trial) -> Seen:
    """A request in the association, and a new one, under the keys of before."""
    problems = [] if await lives(opened(trial)) else ["no read works in the association"]
    problem = await _locked_out(trial)
    if problem:
        problems.append(f"no association under the keys of before: {problem}")
    return Seen.found(problems)


@conversation("SYMSEC_0_Key_Tx_N1")
def unknown_key_id() -> Sequence[Node]:
    return (
        step("unknown-id", _unknown_id, refused()),
        step("keys", _keys_unchanged, found("unchanged")),
    )


async def _wrongly_wrapped(trial: Trial) -> Seen:
    """With a bit flipped, under another master key, and of a length that no key of the suite has.
    Each in the association of the first, as long as it is there.
    """
    row = managing_row(trial)
    trial.notes.keep(OPENED, await trial.associated(row))
    fresh = fresh_keys(trial, row, ("guek",))["guek"]
    other = trial.rng.randbytes(SUITES[row.suite].key_length)
    guek = KEY_ID_OF[KeyKind.GUEK]

    async def flipped(probe: Probe) -> Seen:
        right = wrapped(trial, probe, row, "guek", fresh)
        return await transfer(probe, row, {guek: _flipped(trial, right)})

    async def foreign(probe: Probe) -> Seen:
        octets = wrapped(trial, probe, row, "guek", fresh, other)
        return await transfer(probe, row, {guek: octets})

    async def short(probe: Probe) -> Seen:
        right = wrapped(trial, probe, row, "guek", fresh)
        return await transfer(probe, row, {guek: right[:-8]})

    attempts = {
        "a bit is flipped": flipped,
        "under another master key": foreign,
        "eight octets short": short,
    }
    return await each_refused(trial, row, attempts, opened(trial))


async def _under_old(trial: Trial) -> Seen:
    return await opened(trial).get()


@conversation("SYMSEC_0_Key_Tx_N2")
def wrongly_wrapped() -> Sequence[Node]:
    return (
        step("wrongly-wrapped", _wrongly_wrapped, refused()),
        step("under-old", _under_old, alive()),
    )
