"""SYMSEC_0_SecDataX: the attributes STA1 and STA2, written and read under ciphering, right and
wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlms.acse.names import Referencing
from dlms.axdr.data import Data
from dlms.security.ciphered import Family, Form, decode_ciphered, encode_ciphered
from dlms.security.control import COMPRESSION, KEY_SET_BROADCAST, SUITE_MASK, Protection
from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoOp, Seal
from dlms.security.suites import SUITES
from emulator.conformance.cases.securing import (
    Attempt,
    controlled,
    each_refused,
    is_general,
    shaped,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, found, is_success, refused, value
from emulator.conformance.conversing.tree import Node, Pointless, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation, WriteData
from emulator.conformance.probing.probe import Alter, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_BEFORE = Note[Data]("the value of STA1 before the writes")


def _sta(trial: Trial) -> tuple[DeclaredAssociation, list[WriteData]]:
    """STA1 and STA2, and the association that writes them. :class:`Unjudged` if they are not
    declared, or cannot be reached.
    """
    declared = trial.declaration.sta
    if not declared:
        raise Unjudged("STA1 and STA2 are not declared")
    row = trial.declaration.association(declared[0].association)
    if not row.context.ciphered or row.context.referencing is not Referencing.LOGICAL_NAME:
        raise Unjudged(f"{row.name} does not write by logical names with ciphering")
    if not trial.target.has_keys(row):
        raise Unjudged(f"the keys of {row.name} are not at hand")
    return row, list(declared)


async def _read(probe: Probe, write: WriteData, family: Family) -> Data:
    shape = shaped(Protection.BOTH, family=family)
    seen = await probe.get(write.attribute, shape=shape)
    data = data_of(seen)
    if data is None:
        raise Unjudged(f"{write.attribute} cannot be read: {seen}")
    return data


async def _round_trip(trial: Trial, probe: Probe, family: Family) -> Seen:
    """Write, read back, and write what was there before."""
    shape = shaped(Protection.BOTH, family=family)
    _, writes = _sta(trial)
    problems: list[str] = []
    for number, write in enumerate(writes, 1):
        before = await _read(probe, write, family)
        if before == write.value:
            raise Unjudged(f"STA{number} has the value already that is to be written to it")
        for new in (write.value, before):
            seen = await probe.set(write.attribute, new, shape)
            if not is_success(seen):
                problems.append(f"STA{number} is not written: {seen}")
            elif int(shape.protection) & ~int(seen.protection or 0):
                problems.append(f"STA{number}: the response is protected less than its request")
            elif await _read(probe, write, family) != new:
                problems.append(f"STA{number} has not the value that was written to it")
    return Seen.found(problems)


async def _global(trial: Trial) -> Seen:
    row, _ = _sta(trial)
    return await _round_trip(trial, await trial.associated(row), Family.GLOBAL)


async def _dedicated(trial: Trial) -> Seen:
    row, _ = _sta(trial)
    declared = trial.declaration.associations
    if not trial.declaration.features.get("dedicated"):
        raise Pointless("there are no dedicated keys")
    if not row.dedicated and any(one.dedicated for one in declared):
        raise Pointless(f"{row.name} has no dedicated keys")
    probe = await trial.associated(row, dedicated=trial.dedicated())
    return await _round_trip(trial, probe, Family.DEDICATED)


@conversation("SYMSEC_0_SecDataX_P1")
def exchanged() -> Sequence[Node]:
    return (step("global", _global, value()), step("dedicated", _dedicated, value()))


# Wrongly ciphered ---------------------------------------------------------------------------------


def _writing(*attempts: Callable[[Trial, WriteData], dict[str, Attempt]]) -> Sender:
    """Wrong writes of STA1, each of which has to be refused."""

    async def send(trial: Trial) -> Seen:
        row, (sta1, *_) = _sta(trial)
        if trial.notes.found(_BEFORE) is None:
            await _keep(trial)
        every: dict[str, Attempt] = {}
        for make in attempts:
            every |= make(trial, sta1)
        return await each_refused(trial, row, every)

    return send


async def _keep(trial: Trial) -> None:
    """Note the value, and write it again in the end if it has changed."""
    row, (sta1, *_) = _sta(trial)
    before = await _read(await trial.associated(row), sta1, Family.GLOBAL)
    if before == sta1.value:
        raise Unjudged("STA1 has the value already that is to be written to it")
    trial.notes.keep(_BEFORE, before)

    async def undo() -> None:
        probe = await trial.associated(row)
        if await _read(probe, sta1, Family.GLOBAL) != before:
            await probe.set(sta1.attribute, before)

    trial.afterwards(undo)


def _sealed(write: WriteData, alter: Alter, form: Form = Form.SERVICE) -> Attempt:
    async def attempt(probe: Probe) -> Seen:
        shape = shaped(Protection.BOTH, form)
        return await probe.set(write.attribute, write.value, shape, alter=alter)

    return attempt


def _changed(write: WriteData, after: Callable[[bytes], bytes], form: Form) -> Attempt:
    async def attempt(probe: Probe) -> Seen:
        return await probe.set(
            write.attribute, write.value, shaped(Protection.BOTH, form), after=after
        )

    return attempt


def _by_key(trial: Trial, write: WriteData) -> dict[str, Attempt]:
    row, _ = _sta(trial)
    held = trial.target.held(row)
    assert held.refs.guek is not None
    wrong = held.refs.guek._replace(scope="a wrong one")
    held.ring.keep(wrong, trial.rng.randbytes(SUITES[row.suite].key_length))

    def encryption(op: CryptoOp) -> CryptoOp:
        return op._replace(ek=wrong) if isinstance(op, Seal) else op

    def authentication(op: CryptoOp) -> CryptoOp:
        return op._replace(ak=_in_place_of(op.ak, wrong)) if isinstance(op, Seal) else op

    return {
        "under a wrong encryption key": _sealed(write, encryption),
        "under a wrong authentication key": _sealed(write, authentication),
    }


def _in_place_of(gak: KeyRef | None, wrong: KeyRef) -> KeyRef | None:
    return None if gak is None else wrong


def _by_tag(trial: Trial, write: WriteData) -> dict[str, Attempt]:
    bit = trial.rng.randrange(8)

    def flipped(octets: bytes) -> bytes:
        return octets[:-1] + bytes((octets[-1] ^ 1 << bit,))

    return {"with a bit of its tag flipped": _changed(write, flipped, Form.SERVICE)}


def _by_control(trial: Trial, write: WriteData) -> dict[str, Attempt]:
    row, _ = _sta(trial)

    def under(control: int) -> Attempt:
        alter, after = controlled(control)

        async def attempt(probe: Probe) -> Seen:
            return await probe.set(write.attribute, write.value, alter=alter, after=after)

        return attempt

    async def plain_inside(probe: Probe) -> Seen:
        return await probe.set(write.attribute, write.value, shaped(Protection.NONE))

    right = int(Protection.BOTH) | row.suite
    return {
        "with the bit for the broadcast key": under(right | KEY_SET_BROADCAST),
        "with the bit for compression": under(right | COMPRESSION),
        "with a reserved suite": under(int(Protection.BOTH) | SUITE_MASK),
        "with neither protection": plain_inside,
    }


def _by_title(trial: Trial, write: WriteData) -> dict[str, Attempt]:
    row, _ = _sta(trial)
    wrong = b"CTT" + trial.rng.randbytes(5)

    def sealed(op: CryptoOp) -> CryptoOp:
        return op._replace(title=wrong) if isinstance(op, Seal) else op

    def said(octets: bytes) -> bytes:
        ciphered = decode_ciphered(octets)
        return encode_ciphered(
            0,
            ciphered.family,
            ciphered.form,
            ciphered.control,
            ciphered.counter,
            ciphered.body,
            wrong,
        )

    attempts = {"sealed with another system title": _sealed(write, sealed)}
    if is_general(row):

        async def both(probe: Probe) -> Seen:
            shape = shaped(Protection.BOTH, Form.GENERAL)
            return await probe.set(write.attribute, write.value, shape, alter=sealed, after=said)

        attempts["that says another system title"] = _changed(write, said, Form.GENERAL)
        attempts["that says another system title, and is sealed with it"] = both
    return attempts


async def _unchanged(trial: Trial) -> Seen:
    row, (sta1, *_) = _sta(trial)
    probe = await trial.associated(row)
    now = await _read(probe, sta1, Family.GLOBAL)
    return Seen.found(() if now == trial.notes.kept(_BEFORE) else ("STA1 has another value",))


@conversation("SYMSEC_0_SecDataX_N1")
def wrongly_ciphered() -> Sequence[Node]:
    return (
        step("key", _writing(_by_key), refused()),
        step("tag", _writing(_by_tag), refused()),
        step("control", _writing(_by_control), refused()),
        step("title", _writing(_by_title), refused()),
        step("value", _unchanged, found("unchanged")),
    )
