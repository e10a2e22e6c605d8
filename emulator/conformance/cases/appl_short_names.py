"""APPL_DATA_SN_*: Reads and Writes that cannot be understood, and what is served by neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlms.axdr.data import NULL
from dlms.xdlms.codes import ErrorService
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ConfirmedServiceError
from dlms.xdlms.get import GetRequest
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.variable_access import VariableName
from dlms.xdlms.write import WriteRequest
from emulator.conformance.cases.appl_idle import unsupported
from emulator.conformance.cases.asking import CURRENT_BASE_NAME, is_short
from emulator.conformance.cases.each import Row, first_amiss, joined, on_each
from emulator.conformance.cases.writable import known_writable, restored, unchanged
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_error, found, service_error
from emulator.conformance.conversing.tree import Expect, Node
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

NOBODYS_NAME = 0xFFF8
"""A short name at the end of what there is: nothing is there."""
_SPECIFICATION = 2
"""Where the choice of the first variable-access-specification is, behind the tag and the count."""
_UNKNOWN = 0x3F


def _reads(row: Row) -> bool:
    return is_short(row) and bool(row.conformance & Conformance.READ)


def _writes(row: Row) -> bool:
    return is_short(row) and bool(row.conformance & Conformance.WRITE)


def _unknown(octets: bytes) -> bytes:
    return octets[:_SPECIFICATION] + bytes((_UNKNOWN,)) + octets[_SPECIFICATION + 1 :]


def _of(service: ErrorService) -> Callable[[ConfirmedServiceError], bool]:
    return lambda error: error.service is service


async def _each_of(
    trial: Trial, probe: Probe, apdus: dict[str, bytes], expect: Sequence[Expect]
) -> Seen:
    seen = Seen.found()
    for what, octets in apdus.items():
        seen = await probe.request(octets)
        if first_amiss(trial, expect, seen):
            return seen.having(notes=(*seen.notes, what))
    return seen


# Read -------------------------------------------------------------------------------------------

_READ_ERRORS = service_error(_of(ErrorService.READ)), data_error()


async def _bad_read(trial: Trial, row: Row) -> Seen:
    known = ReadRequest((VariableName(name=CURRENT_BASE_NAME),)).encode()
    apdus = {
        "an unknown specification": _unknown(known),
        "of nothing": ReadRequest((VariableName(name=NOBODYS_NAME),)).encode(),
    }
    async with joined(trial, row) as probe:
        return await _each_of(trial, probe, apdus, _READ_ERRORS)


@conversation("APPL_DATA_SN_N1")
def bad_read() -> Sequence[Node]:
    what = "by short names that reads"
    return (on_each("bad-read", _bad_read, *_READ_ERRORS, which=_reads, what=what),)


# Write ------------------------------------------------------------------------------------------

_WRITE_ERRORS = service_error(_of(ErrorService.WRITE)), data_error()


async def _bad_write(trial: Trial, row: Row) -> Seen:
    what = await known_writable(trial, row)
    assert what.name is not None  # it is of an association by short names
    known = WriteRequest((VariableName(name=what.name),), (what.other,)).encode()
    apdus = {
        "an unknown specification": _unknown(known),
        "of nothing": WriteRequest((VariableName(name=NOBODYS_NAME),), (what.other,)).encode(),
    }
    async with joined(trial, row) as probe:
        return await restored(probe, what, await _each_of(trial, probe, apdus, _WRITE_ERRORS))


async def _variable_unchanged(trial: Trial, row: Row) -> Seen:
    what = await known_writable(trial, row)
    async with joined(trial, row) as probe:
        return await unchanged(probe, what)


@conversation("APPL_DATA_SN_N2")
def bad_write() -> Sequence[Node]:
    what = "by short names that writes"
    return (
        on_each("bad-write", _bad_write, *_WRITE_ERRORS, which=_writes, what=what),
        on_each("value", _variable_unchanged, found("unchanged"), which=_writes, what=what),
    )


# Not supported ----------------------------------------------------------------------------------


async def _unsupported(trial: Trial, row: Row) -> Seen:
    """A service of logical names; and WRITE, where only READ has been negotiated."""
    only = row.conformance & Conformance.READ
    async with joined(trial, row, **({"conformance": only} if only else {})) as probe:
        apdus = {"GET": GetRequest(probe.invoke(), LOGICAL_NAME).encode()}
        if only:
            name = VariableName(name=CURRENT_BASE_NAME)
            apdus["WRITE, not negotiated"] = WriteRequest((name,), (NULL,)).encode()
        return await _each_of(trial, probe, apdus, (service_error(unsupported),))


@conversation("APPL_DATA_SN_N3")
def unsupported_service() -> Sequence[Node]:
    expect = service_error(unsupported)
    return (on_each("unsupported", _unsupported, expect, which=is_short, what="by short names"),)
