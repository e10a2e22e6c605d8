"""X_HDLC_*: what links do with APDUs that are not for them, half there, or of somebody else."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import ALL_STATION, Address
from dlms.framing.hdlc.control import Kind
from dlms.framing.hdlc.frame import Frame
from emulator.conformance.cases.hdlc_information import PIECES
from emulator.conformance.cases.hdlc_negotiation import much
from emulator.conformance.cases.hdlc_opening import (
    associated,
    connected,
    harmed,
    hdlc_line,
    link_of,
    simplest,
)
from emulator.conformance.cases.opening import OPENED, opened
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import gone, refused, silence
from emulator.conformance.conversing.expect_frames import ua
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.hdlc_link import HdlcLink
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.raw_frame import RawFrame
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_REST = Note[list[bytes]]("the segments behind the first")

OTHER_HEADERS = (llc.RESPONSE, b"\xe6\xe6\x01", b"\x00\x00\x00")
"""LLC headers: that of a response, another quality, other addresses."""


@conversation("X_HDLC_BCAST")
def all_stations() -> Sequence[Node]:
    def broadcast(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        upper, lower, octets = link.server
        everyone = ALL_STATION[octets]
        called = [Address(everyone, 0 if octets == 1 else lower, octets)]
        if octets > 1:
            called += [Address(everyone, everyone, octets), Address(upper, everyone, octets)]
        return [link.raw(Kind.SNRM)._replace(destination=one.encode()) for one in called]

    return (step("all-station", harmed(broadcast), silence()),)


@conversation("X_HDLC_UI")
def unnumbered() -> Sequence[Node]:
    async def undeclared(trial: Trial) -> Seen:
        probe = await _stranger(trial)
        link = await link_of(trial)
        await link.disconnect()
        frame = link.frame(Kind.UI, llc.COMMAND + probe.aarq())
        seen = await link.ask(frame, trial.timing.silence)
        if seen.what is not What.SILENCE:
            return _told(probe, seen)
        return await _without_association(trial, probe)

    return (step("undeclared", undeclared, refused()),)


@conversation("X_HDLC_LLC")
def headers() -> Sequence[Node]:
    async def other(trial: Trial) -> Seen:
        link = await connected(trial, proposed=much())
        probe = await _stranger(trial)
        for header in OTHER_HEADERS:
            seen = await link.send(header + probe.aarq())
            if seen is None:
                seen = await link.hear(trial.timing.silence)
            if seen.what is not What.SILENCE:
                return probe.understood(seen) if seen.what is What.APDU else seen
        return await _without_association(trial, probe)

    return (step("llc", other, refused()),)


async def _stranger(trial: Trial) -> Probe:
    """A client of the simplest association that has said nothing yet."""
    return await trial.probe_of(simplest(trial), await hdlc_line(trial))


async def _without_association(trial: Trial, probe: Probe) -> Seen:
    """A read, which must be refused: what came before has opened nothing."""
    link = await link_of(trial)
    if not link.is_up:
        await connected(trial)
    apdu = probe.get_request(LOGICAL_NAME).encode()
    return await probe.exchange(probe.protected(apdu), trial.timing.silence)


def _told(probe: Probe, seen: Seen) -> Seen:
    """What a frame that comes without a link says: DM and FRMR refuse; UI has an APDU."""
    frame = seen.message
    if not isinstance(frame, Frame):
        return seen
    if frame.control.kind in (Kind.DM, Kind.FRMR):
        return Seen.closed(f"{frame.control.kind.name} instead of an APDU")
    apdu = frame.information[llc.LENGTH :]
    return probe.understood(Seen(what=What.APDU, octets=apdu, plain=apdu, entry=seen.entry))


@conversation("X_HDLC_SEG_ABANDON")
def abandoning() -> Sequence[Node]:
    async def abandon(trial: Trial) -> Seen:
        row = simplest(trial)
        await connected(trial, row)
        probe = trial.notes.keep(OPENED, await associated(trial, row))
        link = await link_of(trial, row)
        information = llc.COMMAND + probe.aarq()
        link.segment = -(-len(information) // PIECES)
        first, *rest = link.cut(information)
        trial.notes.keep(_REST, rest)
        failed = await link.send_segment(first)
        if failed is not None:
            raise Unjudged(f"no RR to a segment: {failed}")
        return await link.connect()

    async def forgotten(trial: Trial) -> Seen:
        link, probe = await link_of(trial), opened(trial)
        *middle, last = trial.notes.kept(_REST)
        for segment in middle:
            failed = await link.send_segment(segment)
            if failed is not None:
                return failed
        link.put(last)
        seen = await link.hear(trial.timing.silence)
        return probe.understood(seen) if seen.what is What.APDU else seen

    async def association(trial: Trial) -> Seen:
        return await _without_association(trial, opened(trial))

    return (
        step("abandon", abandon, ua()),
        step("forgotten", forgotten, refused()),
        step("association", association, gone()),
    )
