"""APPL_IDLE_N1: services without an association."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlms.xdlms.codes import ErrorClass, ServiceErrorCode, StateError
from dlms.xdlms.errors import ConfirmedServiceError
from emulator.conformance.cases.asking import is_long, is_short, own_name
from emulator.conformance.cases.each import Row, on_each
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import exception, gone, service_error, silence
from emulator.conformance.conversing.tree import Expect, Mismatch, Node
from emulator.conformance.declaration.model import WayKind
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

SERVICE_UNSUPPORTED = 2
_LINKED = (WayKind.HDLC, WayKind.SERIAL, WayKind.OPTICAL)


async def _unassociated(trial: Trial, row: Row) -> Seen:
    """A read on a connection that nothing else has been said on."""
    probe = await trial.probe_of(row)
    try:
        return await own_name(probe, trial.timing.silence)
    finally:
        await probe.line.close()


async def _again(trial: Trial, row: Row) -> Seen:
    """The second of two reads: the first has opened nothing."""
    probe = await trial.probe_of(row)
    try:
        await own_name(probe, trial.timing.silence)
        return await own_name(probe, trial.timing.silence)
    finally:
        await probe.line.close()


def link_ended() -> Expect:
    """On HDLC the device says DM (or DISC): the link is gone, the connection may be there."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.what is What.CLOSED and trial.declaration.way.kind in _LINKED:
            return None
        return Mismatch("DM on HDLC", str(seen))

    return Expect("dm", judge)


def unsupported(error: ConfirmedServiceError) -> bool:
    """Class service, service-unsupported."""
    return error.error_class is ErrorClass.SERVICE and error.value == SERVICE_UNSUPPORTED


@conversation("APPL_IDLE_N1")
def service_without_association() -> Sequence[Node]:
    not_allowed = StateError.SERVICE_NOT_ALLOWED, ServiceErrorCode.SERVICE_NOT_SUPPORTED
    return (
        on_each(
            "logical-names",
            _unassociated,
            exception(*not_allowed),
            link_ended(),
            silence(),
            which=is_long,
            what="by logical names",
        ),
        on_each(
            "short-names",
            _unassociated,
            service_error(unsupported),
            which=is_short,
            what="by short names",
        ),
        on_each("no-association", _again, gone()),
    )
