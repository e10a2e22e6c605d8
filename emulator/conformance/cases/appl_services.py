"""APPL_DATA_LN_*: services by logical names that cannot be understood, or were not negotiated."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import NULL, octet_string
from dlms.xdlms.access import AccessGet, AccessRequest
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.codes import DataAccessResult, ServiceErrorCode, StateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import MethodDescriptor
from dlms.xdlms.get import GetRequestWithList
from dlms.xdlms.long_invoke import CONFIRMED as LONG_CONFIRMED
from dlms.xdlms.registry import AnyRequest
from dlms.xdlms.set import SetRequest
from emulator.conformance.cases.asking import NOTHING_THERE, is_long
from emulator.conformance.cases.each import Row, first_amiss, joined, on_each
from emulator.conformance.cases.writable import Writable, restored, unchanged, writable
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import alive, data_error, exception, found
from emulator.conformance.conversing.tree import Node, step
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_TARGET = Note[tuple[Probe, Writable]]("an association that writes, and what it may write")

_NOT_SUPPORTED = StateError.SERVICE_NOT_ALLOWED, ServiceErrorCode.SERVICE_NOT_SUPPORTED
_CHOICE = 1
"""Where the choice of a request stands, behind its tag."""
_UNKNOWN_GET, _UNKNOWN_SET = 4, 6
_SHORT_NAME_READ = bytes.fromhex("050102FA00")


def _with_choice(octets: bytes, choice: int) -> bytes:
    return octets[:_CHOICE] + bytes((choice,)) + octets[_CHOICE + 1 :]


# GET --------------------------------------------------------------------------------------------


async def _unknown_get(trial: Trial) -> Seen:
    apdu = trial.probe.get_request(LOGICAL_NAME).encode()
    return await trial.probe.request(_with_choice(apdu, _UNKNOWN_GET))


async def _get_without_choice(trial: Trial) -> Seen:
    apdu = trial.probe.get_request(LOGICAL_NAME).encode()
    return await trial.probe.request(apdu[:_CHOICE] + apdu[_CHOICE + 1 :])


async def _get_of_nothing(trial: Trial) -> Seen:
    return await trial.probe.get(NOTHING_THERE)


async def _by_short_name(trial: Trial) -> Seen:
    return await trial.probe.request(_SHORT_NAME_READ)


async def _read(trial: Trial) -> Seen:
    return await trial.probe.get()


@conversation("APPL_DATA_LN_N1")
def bad_get() -> Sequence[Node]:
    nothing = DataAccessResult.OBJECT_UNDEFINED
    unavailable = DataAccessResult.OBJECT_UNAVAILABLE
    return (
        step("unknown-choice", _unknown_get, exception(*_NOT_SUPPORTED)),
        step("element-missing", _get_without_choice, exception(*_NOT_SUPPORTED)),
        step("no-object", _get_of_nothing, data_error(nothing), data_error(unavailable)),
        step("short-name", _by_short_name, exception(*_NOT_SUPPORTED)),
        step("again", _read, alive()),
    )


# SET --------------------------------------------------------------------------------------------


def writers(row: Row) -> bool:
    return is_long(row) and bool(row.conformance & Conformance.SET)


async def target(trial: Trial) -> tuple[Probe, Writable]:
    """An association that writes, and what it may write: made once in a trial."""

    async def make() -> tuple[Probe, Writable]:
        row = trial.row(writers, "that may write")
        what = await writable(trial, row)
        return await trial.associated(row), what

    return await trial.notes.once(_TARGET, make)


async def _set(trial: Trial) -> tuple[bytes, int]:
    """A SET that would change something, and where its data begins."""
    probe, what = await target(trial)
    request = SetRequest(probe.invoke(), what.attribute, what.other)
    octets = request.encode()
    without = len(SetRequest(0, what.attribute, NULL).encode()) - 1
    return octets, without


async def _unknown_set(trial: Trial) -> Seen:
    octets, _ = await _set(trial)
    return await _refused_set(trial, _with_choice(octets, _UNKNOWN_SET))


async def _set_without_data(trial: Trial) -> Seen:
    octets, data = await _set(trial)
    return await _refused_set(trial, octets[:data])


async def _refused_set(trial: Trial, octets: bytes) -> Seen:
    probe, what = await target(trial)
    return await restored(probe, what, await probe.request(octets))


async def still_there(trial: Trial) -> Seen:
    probe, what = await target(trial)
    return await unchanged(probe, what)


@conversation("APPL_DATA_LN_N3")
def bad_set() -> Sequence[Node]:
    return (
        step("unknown-choice", _unknown_set, exception(*_NOT_SUPPORTED)),
        step("data-missing", _set_without_data, exception(*_NOT_SUPPORTED)),
        step("value", still_there, found("unchanged")),
    )


# Not negotiated ---------------------------------------------------------------------------------


def _without(probe: Probe) -> dict[str, bytes]:
    """Requests of services by their names; none that is carried out changes anything."""
    invoke, reply = probe.invoke(), MethodDescriptor(15, CURRENT_ASSOCIATION, 1)
    access = AccessRequest(LONG_CONFIRMED | invoke, (AccessGet(attribute=LOGICAL_NAME),), (NULL,))
    requests: dict[str, AnyRequest] = {
        "SET": SetRequest(invoke, LOGICAL_NAME, octet_string(CURRENT_ASSOCIATION)),
        "ACCESS": access,
        "GET of a list": GetRequestWithList(invoke, ((LOGICAL_NAME, None),)),
    }
    if not probe.config.mechanism.is_hls:
        requests["ACTION"] = ActionRequest(invoke, reply, octet_string(b"\x00" * 8))
    return {name: request.encode() for name, request in requests.items()}


async def _not_negotiated(trial: Trial, row: Row) -> Seen:
    proposed = Conformance.GET | (Conformance.ACTION if row.mechanism.is_hls else Conformance(0))
    expect = (exception(service=ServiceErrorCode.SERVICE_NOT_SUPPORTED),)
    seen = Seen.found()
    async with joined(trial, row, conformance=row.conformance & proposed) as probe:
        for name, octets in _without(probe).items():
            seen = await probe.request(octets)
            if first_amiss(trial, expect, seen):
                return seen.having(notes=(*seen.notes, name))
    return seen


def _may_get(row: Row) -> bool:
    return is_long(row) and bool(row.conformance & Conformance.GET)


@conversation("APPL_DATA_LN_N4")
def not_negotiated() -> Sequence[Node]:
    return (
        on_each(
            "not-negotiated",
            _not_negotiated,
            exception(service=ServiceErrorCode.SERVICE_NOT_SUPPORTED),
            which=_may_get,
            what="by logical names with GET",
        ),
    )
