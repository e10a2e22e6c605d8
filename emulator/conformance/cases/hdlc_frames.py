"""HDLC_FRAME_*: frames that are right, and frames of which a field is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.framing.hdlc.control import POLL, Kind
from dlms.framing.hdlc.parameters import DEFAULTS
from dlms.framing.hdlc.rejection import Fault
from emulator.conformance.cases.hdlc_opening import (
    connected,
    disconnected,
    harmed,
    link_of,
    still_disconnected,
    usable_link,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import silence
from emulator.conformance.conversing.expect_frames import dm, frmr, rr, ua
from emulator.conformance.conversing.tree import Node, step
from emulator.conformance.probing.hdlc_link import HdlcLink
from emulator.conformance.probing.raw_frame import FLAG, TYPE_3, RawFrame, wide_address
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

AMISS = 1 << 7
"""What check sequences are altered by: one bit, which they must find."""

UNKNOWN_COMMANDS = (0x0B, 0x27, 0x4B, 0x67, 0xA3, 0xC7, 0xEB)
"""Unnumbered control fields, without poll bit, that no standard gives a meaning (ISO/IEC 13239)."""

NO_FLAG = b"\xff"
"""What parts an octet string from the flag before it: two frames may share one, so the closing flag
of the last frame would be the opening one of the next.
"""

LATER = 1.2
"""By how much more than a time-out is waited."""


@conversation("HDLC_FRAME_P1")
def connecting() -> Sequence[Node]:
    async def connect(trial: Trial) -> Seen:
        return await (await disconnected(trial)).connect()

    async def poll(trial: Trial) -> Seen:
        link = await link_of(trial)
        return await link.ask(link.frame(Kind.RR))

    return (
        step("connect", connect, ua()),
        step("poll", poll, rr()),
        step("disconnect", still_disconnected, ua(Kind.DISC)),
        step("disconnect-again", still_disconnected, dm()),
    )


@conversation("HDLC_FRAME_P2")
def breaking_off() -> Sequence[Node]:
    async def cut(trial: Trial) -> Seen:
        link = await disconnected(trial)
        frame = link.raw(Kind.SNRM)
        link.port.write(frame.encode()[: -len(FLAG) - 1])
        seen = await link.reply(frame.control, trial.timing.silence)
        left = LATER * trial.declaration.hdlc.inter_octet - trial.timing.silence
        if seen.what is What.SILENCE and left > 0:
            await trial.wait(left, "the inter-octet time-out")
        return seen

    async def whole(trial: Trial) -> Seen:
        return await (await link_of(trial)).connect()

    return step("cut", cut, silence()), step("whole", whole, ua())


@conversation("HDLC_FRAME_P3")
def idling() -> Sequence[Node]:
    async def connect(trial: Trial) -> Seen:
        link = await disconnected(trial)
        seen = await link.connect()
        if link.is_up:
            idle = LATER * trial.declaration.hdlc.inactivity
            await trial.wait(idle, "the inactivity time-out of the link")
        return seen

    return step("connect", connect, ua()), step("ended", still_disconnected, dm())


@conversation("HDLC_FRAME_N1")
def flags() -> Sequence[Node]:
    def without(trial: Trial, link: HdlcLink) -> Sequence[RawFrame | bytes]:
        body = link.raw(Kind.SNRM).body()
        return FLAG + body, NO_FLAG + body + FLAG

    return step("no-flag", harmed(without), silence()), _usable()


@conversation("HDLC_FRAME_N2")
def short_frames() -> Sequence[Node]:
    def short(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        frame = link.raw(Kind.SNRM)
        client = wide_address(link.client.upper)
        least = frame._replace(destination=wide_address(link.server.upper), source=client)
        return (
            least._replace(source=b""),
            least._replace(control=b""),
            least._replace(source=b"", control=b""),
            least._replace(destination=b"", source=b"", control=b""),
        )

    return step("short", harmed(short), silence()), step("usable", usable_link, ua())


@conversation("HDLC_FRAME_N3")
def formats() -> Sequence[Node]:
    def other(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        types = trial.rng.sample([type for type in range(16) if type != TYPE_3], 2)
        return [link.raw(Kind.SNRM)._replace(type=type) for type in types]

    return step("format", harmed(other), silence()), step("still-ndm", still_disconnected, dm())


@conversation("HDLC_FRAME_N4")
def lengths() -> Sequence[Node]:
    def long(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        return [link.raw(Kind.SNRM)._replace(longer=longer) for longer in (1, 2)]

    return step("length", harmed(long), silence()), step("still-ndm", still_disconnected, dm())


@conversation("HDLC_FRAME_N5")
def controls() -> Sequence[Node]:
    async def control(trial: Trial) -> Seen:
        link = await connected(trial)
        octet = trial.rng.choice(UNKNOWN_COMMANDS) | POLL
        frame = link.raw(Kind.DISC)._replace(control=bytes((octet,)))
        return await link.ask(frame, trial.timing.silence)

    async def usable(trial: Trial) -> Seen:
        return await (await link_of(trial)).connect()

    return (
        step("control", control, frmr(Fault.UNKNOWN_CONTROL), silence()),
        step("usable", usable, ua()),
    )


@conversation("HDLC_FRAME_N7")
def header_checks() -> Sequence[Node]:
    def wrong(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        parameters = DEFAULTS.encode(explicit=True)
        return [link.raw(Kind.SNRM, parameters)._replace(hcs=AMISS)]

    return step("hcs", harmed(wrong), silence()), _usable()


@conversation("HDLC_FRAME_N8")
def frame_checks() -> Sequence[Node]:
    def wrong(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        return [link.raw(Kind.SNRM)._replace(fcs=AMISS)]

    return step("fcs", harmed(wrong), silence()), _usable()


def _usable() -> Node:
    return step("usable", usable_link, ua(), dm())
