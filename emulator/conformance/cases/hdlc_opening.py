"""What the conversations on HDLC share: a line of the tester's own links, frames that are to be
dropped, and whether the device is usable behind them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from dlms.acse.names import Mechanism, Referencing
from dlms.framing.hdlc.control import Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from emulator.conformance.conversing.tree import Sender, Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation, WayKind
from emulator.conformance.probing.hdlc_line import HdlcLine
from emulator.conformance.probing.hdlc_link import HdlcLink
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.raw_frame import RawFrame
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_LINE = Note[HdlcLine]("the line of the tester's own links")
_IS_DOWN = Note[bool]("that the link was ended before the check")

PAUSE = 0.05
"""Seconds between polls of a device that has nothing to say yet."""

MOST_CLIENT = 0x7E
"""A client's address has seven bits, and the last one is all stations."""

Linked: TypeAlias = "Callable[[Trial, HdlcLink], Awaitable[Seen]]"


async def hdlc_line(trial: Trial) -> HdlcLine:
    """The line of the trial, with links of the tester's own: octets are under it.
    :class:`Unjudged` on an optical port, whose line begins with another protocol.
    """
    if trial.declaration.way.kind is WayKind.OPTICAL:
        raise Unjudged("frames by hand take a line that begins with HDLC, not with mode E")
    line = trial.notes.found(_LINE)
    if line is None:
        below = trial.line
        if trial.check.start not in ("disconnected", "connected"):
            await trial.close()  # one client at a time has the line
            below = await trial.open(framed=False)
        line = HdlcLine(
            below,
            trial.record,
            trial.declaration.hdlc,
            answer=trial.timing.answer,
            now=trial.clocks.now,
            pause=lambda: trial.clocks.sleep(PAUSE),
        )
        trial.notes.keep(_LINE, line)
    return line


def simplest(trial: Trial) -> DeclaredAssociation:
    """The association that takes least to open: most is asked of the link, not of it."""
    asks = {one.name: (one.mechanism.is_hls, one.context.ciphered) for one in usable(trial)}
    return min(usable(trial), key=lambda one: (*asks[one.name], _has_secret(one)))


def usable(trial: Trial) -> list[DeclaredAssociation]:
    """Associations by logical names whose keys are at hand and whose client has an address here.
    :class:`Unjudged` if there is none.
    """
    rows = [
        row
        for row in trial.declaration.associations
        if row.context.referencing is Referencing.LOGICAL_NAME
        and row.client_sap <= MOST_CLIENT
        and trial.target.has_keys(row)
    ]
    if not rows:
        raise Unjudged("no association by logical names is declared whose keys are at hand")
    return rows


def _has_secret(row: DeclaredAssociation) -> bool:
    return row.mechanism is not Mechanism.NONE


async def link_of(trial: Trial, row: DeclaredAssociation | None = None) -> HdlcLink:
    """The link of that association, up or not; else of the simplest one."""
    row = simplest(trial) if row is None else row
    return (await hdlc_line(trial)).link_between((row.client_sap, row.server_sap))


async def disconnected(trial: Trial) -> HdlcLink:
    """The link of the simplest association, which is down: what was left of another is ended."""
    link = await link_of(trial)
    if trial.notes.found(_IS_DOWN) is None:
        trial.notes.keep(_IS_DOWN, True)
        await link.disconnect()
    return link


async def connected(
    trial: Trial,
    row: DeclaredAssociation | None = None,
    proposed: Parameters = DEFAULTS,
) -> HdlcLink:
    """A new link. :class:`Unjudged` if there is none."""
    link = await link_of(trial, row)
    seen = await link.connect(proposed)
    if not link.is_up:
        raise Unjudged(f"no link: {seen}")
    return link


async def associated(trial: Trial, row: DeclaredAssociation, **changes: object) -> Probe:
    """A client in its association, on the tester's own link. :class:`Unjudged` if it is not let
    in.
    """
    return await trial.associated(row, await hdlc_line(trial), **changes)


# Frames that are to be dropped --------------------------------------------------------------------


def harmed(
    make: Callable[[Trial, HdlcLink], Sequence[RawFrame | Frame | bytes]], *, up: bool = False
) -> Sender:
    """Sends frames, or octets, and awaits silence after each; the first that is answered is shown.
    On a line without a link, or on a new one.
    """

    async def send(trial: Trial) -> Seen:
        link = await (connected(trial) if up else disconnected(trial))
        seen = Seen.silence(trial.timing.silence)
        for frame in make(trial, link):
            octets = frame if isinstance(frame, bytes) else frame.encode()
            link.port.write(octets)
            seen = await link.reply(_control(frame), trial.timing.silence)
            if seen.what is not What.SILENCE:
                break
        return seen

    return send


def _control(frame: RawFrame | Frame | bytes) -> int | bytes:
    if isinstance(frame, Frame):
        return frame.control.encode()
    return frame.control if isinstance(frame, RawFrame) else b""


async def usable_link(trial: Trial) -> Seen:
    """SNRM. Before it DISC must find no link: what was to be dropped has made none."""
    link = await link_of(trial)
    seen = await link.disconnect()
    frame = seen.message
    if not isinstance(frame, Frame) or frame.control.kind is not Kind.DM:
        return seen
    return await link.connect()


async def still_disconnected(trial: Trial) -> Seen:
    """DISC."""
    return await (await link_of(trial)).disconnect()


async def begin_anew(trial: Trial) -> Seen:
    """SNRM, whatever there is."""
    return await (await link_of(trial)).connect()
