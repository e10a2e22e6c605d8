"""HDLC_NDM2NRM_*: what SNRM and UA agree on, and that it is kept; X_HDLC_INFO_MAX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dlms.errors import CodecError
from dlms.framing.hdlc.control import Kind
from dlms.framing.hdlc.frame import MAX_INFORMATION, Frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from emulator.conformance.cases.hdlc_opening import connected, disconnected, hdlc_line, simplest
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found
from emulator.conformance.conversing.tree import Node, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredHdlc
from emulator.conformance.probing.hdlc_link import HdlcLink
from emulator.conformance.probing.probe import LOGICAL_NAME
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

LITTLE = 32
"""Octets of an information field: the least that the class IEC HDLC setup has."""

FOUR = 4
"""Frames in a row."""

OBJECT_LIST = LOGICAL_NAME._replace(attribute=2)
"""What is longest of an association."""


def much() -> Parameters:
    return DEFAULTS._replace(max_info_tx=MAX_INFORMATION, max_info_rx=MAX_INFORMATION)


def little(trial: Trial) -> Parameters:
    """Short information fields from the device, and to it as well if it takes segments."""
    if trial.declaration.features.get("hdlc.segmented"):
        return DEFAULTS._replace(max_info_tx=LITTLE, max_info_rx=LITTLE)
    return DEFAULTS._replace(max_info_rx=LITTLE)


def four(trial: Trial) -> Parameters:
    return DEFAULTS._replace(window_tx=FOUR, window_rx=FOUR)


@conversation("HDLC_NDM2NRM_P1")
def information_fields() -> Sequence[Node]:
    async def obeyed(trial: Trial) -> Seen:
        return await _long_answers(trial, [little(trial)])

    return (
        step("absent", _negotiating(lambda trial: DEFAULTS, _lengths), found("within")),
        step("large", _negotiating(lambda trial: much(), _lengths), found("within")),
        step("small", _negotiating(little, _lengths), found("within")),
        step("obeyed", obeyed, found("bounded")),
    )


@conversation("HDLC_NDM2NRM_P2")
def windows() -> Sequence[Node]:
    async def obeyed(trial: Trial) -> Seen:
        short = little(trial)
        window = four(trial)._replace(max_info_tx=short.max_info_tx, max_info_rx=LITTLE)
        return await _long_answers(trial, [window, short])

    return (
        step("absent", _negotiating(lambda trial: DEFAULTS, _windows), found("within")),
        step("four", _negotiating(four, _windows), found("within")),
        step("obeyed", obeyed, found("bounded")),
    )


@conversation("X_HDLC_INFO_MAX")
def long_answers() -> Sequence[Node]:
    async def read(trial: Trial) -> Seen:
        return await _long_answers(trial, [DEFAULTS, little(trial), much()])

    return (step("long-answers", read, found("bounded")),)


# What UA answers ----------------------------------------------------------------------------------

Judged = Callable[[DeclaredHdlc, Parameters, Parameters], Iterable[str]]


def _negotiating(propose: Callable[[Trial], Parameters], judge: Judged) -> Sender:
    async def send(trial: Trial) -> Seen:
        link = await disconnected(trial)
        proposed = propose(trial)
        seen = await link.connect(proposed)
        frame = seen.message
        if not isinstance(frame, Frame) or frame.control.kind is not Kind.UA:
            return seen
        try:
            answered = decode_parameters(frame.information)
        except CodecError as error:
            return Seen.found([f"the parameters of UA cannot be read: {error}"])
        problems = judge(trial.declaration.hdlc, proposed, answered)
        return Seen.found(problems, proposed=proposed, answered=answered)

    return send


def _lengths(own: DeclaredHdlc, proposed: Parameters, answered: Parameters) -> Iterable[str]:
    most = min(own.transmit, proposed.max_info_rx)
    if answered.max_info_tx > most:
        yield f"it sends up to {answered.max_info_tx} octets, and may send {most}"
    if answered.max_info_rx > own.receive:
        yield f"it takes up to {answered.max_info_rx} octets, and declares {own.receive}"


def _windows(own: DeclaredHdlc, proposed: Parameters, answered: Parameters) -> Iterable[str]:
    most = min(own.window_transmit, proposed.window_rx)
    if answered.window_tx > most:
        yield f"it sends up to {answered.window_tx} frames in a row, and may send {most}"
    if answered.window_rx > own.window_receive:
        yield f"it takes up to {answered.window_rx} in a row, and declares {own.window_receive}"


# What is kept -------------------------------------------------------------------------------------


async def _long_answers(trial: Trial, proposals: Sequence[Parameters]) -> Seen:
    """Read what is long over links with each of these, and watch the frames."""
    line, longest, most = await hdlc_line(trial), 0, 0
    for proposed in proposals:
        link = await _read_over(trial, proposed)
        if link.longest == 0:
            raise Unjudged("no information field came back")
        longest, most = max(longest, link.longest), max(most, link.most)
    return Seen.found(line.problems, longest=longest, in_a_row=most)


async def _read_over(trial: Trial, proposed: Parameters) -> HdlcLink:
    line, row = await hdlc_line(trial), simplest(trial)
    link = await connected(trial, row, proposed)
    probe = await trial.associated(row, line)
    for attribute in (OBJECT_LIST, LOGICAL_NAME):
        seen = await probe.get(attribute)
        if seen.what is not What.APDU:
            raise Unjudged(f"no answer to a read: {seen}")
    await link.leave()
    return link
