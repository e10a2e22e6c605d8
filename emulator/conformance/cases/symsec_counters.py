"""SYMSEC_0_FraCount_1 and 3: invocation counters, those that are taken and those that are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.names import Mechanism
from dlms.axdr.data import Data
from dlms.errors import CodecError
from dlms.security.ciphered import Form, decode_ciphered
from dlms.security.control import Protection
from dlms.xdlms.codes import ServiceErrorCode
from emulator.conformance.cases.opening import OPENED, opened
from emulator.conformance.cases.securing import (
    ciphered_row,
    guek_of,
    is_general,
    rows,
    shaped,
    with_counter,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import (
    data_of,
    done,
    exception,
    found,
    refused,
    silence,
)
from emulator.conformance.conversing.tree import Expect, Mismatch, Node, Pointless, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.line import visible_counter
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.record import Level
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_LOWER = Note[int]("a counter that was not used, below the one that was")
_USED = Note[int]("the counter that was used")
_OCTETS = Note[bytes]("the request")
_PROBLEMS = Note[list[str]]("what is wrong with the counters of the device")
_COUNTERS = Note[list[int]]("the counters of the device")

_AHEAD = 4
"""By how much a counter runs ahead: gaps are allowed (R-IC-5), and few devices bound so small
ones."""

_RESPONSES = 4
"""How many responses of an association are looked at."""

# Those that are taken -----------------------------------------------------------------------------


def _apdu(probe: Probe) -> bytes:
    return probe.get_request(LOGICAL_NAME).encode()


async def _first(trial: Trial) -> Seen:
    probe = await trial.associated(ciphered_row(trial))
    trial.notes.keep(OPENED, probe)
    # The one that the third step sends: lower, and never used.
    trial.notes.keep(_LOWER, probe.counters.burn(guek_of(probe)))
    trial.notes.keep(_USED, probe.counters.next_to_send(guek_of(probe)))
    octets = trial.notes.keep(_OCTETS, probe.protected(_apdu(probe)))
    return await probe.exchange(octets)


async def _replay(trial: Trial) -> Seen:
    return await opened(trial).exchange(trial.notes.kept(_OCTETS))


async def _lower(trial: Trial) -> Seen:
    probe = opened(trial)
    return await probe.exchange(with_counter(probe, _apdu(probe), trial.notes.kept(_LOWER)))


async def _ahead(trial: Trial) -> Seen:
    probe = opened(trial)
    for _ in range(_AHEAD):
        probe.counters.burn(guek_of(probe))
    return await probe.exchange(probe.protected(_apdu(probe)))


def _counter_error() -> Expect:
    """The counter in it, if there is one, is the lowest that would be taken."""
    coded = exception(service=ServiceErrorCode.INVOCATION_COUNTER_ERROR)

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        mismatch = coded.judge(trial, seen)
        if mismatch is not None:
            return mismatch
        least, used = seen.message.invocation_counter, trial.notes.kept(_USED)
        if least is not None and least <= used:
            return Mismatch(f"a counter above {used}, which is used", f"{least}", 3)
        return None

    return Expect("exception", judge)


@conversation("SYMSEC_0_FraCount_1")
def counters_taken() -> Sequence[Node]:
    return (
        step("first", _first, done()),
        step("replay", _replay, _counter_error(), silence(), refused()),
        step("lower", _lower, _counter_error(), silence(), refused()),
        step("ahead", _ahead, done()),
    )


# Those that are sent ------------------------------------------------------------------------------


async def _grown(trial: Trial, row: DeclaredAssociation, shape_form: Form, **config: Any) -> None:
    """Open an association and read, and note the counters under the global key, in the order in
    which the device has used them, and what is wrong with them.
    """
    probe = await trial.probe_of(row, **config)
    opening = await probe.establish()
    for number, counter in _of_opening(trial, probe, opening):
        _note(trial, number, counter)
    if not probe.is_open:
        trial.notes.kept(_PROBLEMS).append(f"no association of {row.name}: {opening}")
        return
    if probe.config.dedicated is not None:
        return  # what follows is under the dedicated key, whose counters are its own
    for _ in range(_RESPONSES):
        seen = await probe.get(shape=shaped(Protection.BOTH, shape_form))
        key, shown = visible_counter(seen.octets)
        if shown is None or key != "glo":
            trial.notes.kept(_PROBLEMS).append(f"a response without a counter: {seen}")
            return
        _note(trial, f"response in {row.name}", shown)
    await probe.release()


def _of_opening(trial: Trial, probe: Probe, last: Seen) -> Iterator[tuple[str, int]]:
    """The counters of the AARE and, where pass 4 is ciphered or is a GMAC, of pass 4."""
    for entry in trial.record.entries:
        if entry.line != probe.line.number or entry.level is not Level.APDU:
            continue
        if entry.octets[:1] != bytes((AARE_TAG,)):
            continue
        information = Aare.decode(entry.octets).user_information or b""
        try:
            yield "AARE", decode_ciphered(information).counter
        except CodecError:
            continue  # it rejects, or is not ciphered: other checks judge that
        break
    data = data_of(last)
    if probe.config.mechanism is Mechanism.HLS_GMAC and isinstance(data, Data):
        f = data.value
        if isinstance(f, bytes) and len(f) == 17:
            yield "f(CtoS)", int.from_bytes(f[1:5], "big")
    key, counter = visible_counter(last.octets)
    if counter is not None and key == "glo":
        yield "pass 4", counter


def _note(trial: Trial, what: str, counter: int) -> None:
    seen = trial.notes.kept(_COUNTERS)
    if seen and counter <= seen[-1]:
        trial.notes.kept(_PROBLEMS).append(f"{what} has counter {counter} after {seen[-1]}")
    seen.append(counter)


def _told(trial: Trial) -> Seen:
    problems, counters = trial.notes.kept(_PROBLEMS), trial.notes.kept(_COUNTERS)
    return Seen.found(problems, counters=tuple(counters))


async def _responses(trial: Trial) -> Seen:
    trial.notes.keep(_PROBLEMS, [])
    trial.notes.keep(_COUNTERS, [])
    await _grown(trial, ciphered_row(trial), Form.SERVICE)
    return _told(trial)


async def _associations(trial: Trial) -> Seen:
    await _grown(trial, ciphered_row(trial), Form.SERVICE)
    return _told(trial)


async def _types(trial: Trial) -> Seen:
    first = ciphered_row(trial)
    guek = trial.target.held(first).refs.guek
    others = [
        row
        for row in rows(trial)
        if row.name != first.name and trial.target.held(row).refs.guek == guek
    ]
    kinds = 0
    if first.dedicated:
        await _grown(trial, first, Form.SERVICE, dedicated=trial.dedicated())
        kinds += 1
    if is_general(first):
        await _grown(trial, first, Form.GENERAL)
        kinds += 1
    for row in others:
        await _grown(trial, row, Form.SERVICE)
        kinds += 1
    if not kinds:
        raise Pointless("no other type of association under that key is declared")
    return _told(trial)


@conversation("SYMSEC_0_FraCount_3")
def counters_sent() -> Sequence[Node]:
    return (
        step("responses", _responses, found("counters")),
        step("associations", _associations, found("counters")),
        step("types", _types, found("counters")),
    )
