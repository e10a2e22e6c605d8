"""HDLC_INFO_*, HDLC_NDMOP_N1 and X_HDLC_DUP_I: I frames and their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.acse.aare import Aare
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.control import MODULUS, Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.rejection import Fault
from emulator.conformance.cases.hdlc_negotiation import much
from emulator.conformance.cases.hdlc_opening import (
    associated,
    begin_anew,
    connected,
    disconnected,
    hdlc_line,
    link_of,
    simplest,
)
from emulator.conformance.cases.opening import OPENED, opened
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, found, silence
from emulator.conformance.conversing.expect_frames import dm, frmr, rej, rr, ua
from emulator.conformance.conversing.tree import Node, Pointless, Unjudged, step
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_REJECTED = Note[bool]("whether an FRMR has come")

PIECES = 3
"""Segments of an AARQ."""

ROUND = MODULUS + 1
"""Exchanges until the numbers have gone round."""

WRONG = (1, 4, MODULUS - 1)
"""By how much an N(S) is ahead of the next: the last looks like one that was here before."""


@conversation("HDLC_INFO_P1")
def exchanging() -> Sequence[Node]:
    async def whole(trial: Trial) -> Seen:
        link = await connected(trial, proposed=much())
        probe = await _probe(trial)
        if len(probe.aarq()) + llc.LENGTH > link.agreed.max_info_tx:
            raise Unjudged(f"no AARQ fits into {link.agreed.max_info_tx} octets")
        return await _delivered(trial, probe)

    async def segmented(trial: Trial) -> Seen:
        if not trial.declaration.features.get("hdlc.segmented"):
            raise Pointless("segmented APDUs are not taken")
        link = await connected(trial)
        probe = await _probe(trial)
        link.segment = -(-(len(probe.aarq()) + llc.LENGTH) // PIECES)
        return await _delivered(trial, probe)

    return (
        step("whole", whole, found("delivered")),
        step("segmented", segmented, found("delivered")),
    )


async def _probe(trial: Trial) -> Probe:
    return await trial.probe_of(simplest(trial), await hdlc_line(trial))


async def _delivered(trial: Trial, probe: Probe) -> Seen:
    """Open the association and read until the numbers have gone round."""
    line = await hdlc_line(trial)
    seen = await probe.establish()
    if not probe.is_open:
        return Seen.found((*line.problems, f"no association: {seen}"))
    for number in range(ROUND):
        seen = await probe.get()
        if data_of(seen) is None:
            return Seen.found((*line.problems, f"read {number + 1} of {ROUND}: {seen}"))
    return Seen.found(line.problems, exchanges=ROUND)


@conversation("HDLC_INFO_N1")
def too_long() -> Sequence[Node]:
    async def long(trial: Trial) -> Seen:
        link = await connected(trial)
        information = llc.COMMAND.ljust(link.agreed.max_info_tx + 1, b"\x00")
        return await link.ask(link.frame(Kind.I, information), trial.timing.silence)

    return (
        step("long", long, frmr(Fault.INFORMATION_TOO_LONG), silence()),
        step("usable", begin_anew, ua(), dm()),
    )


@conversation("HDLC_INFO_N2")
def wrong_receive_number() -> Sequence[Node]:
    async def wrong(trial: Trial) -> Seen:
        link = await connected(trial)
        receive = link.send_state  # what was not sent is acknowledged
        shift = trial.rng.randrange(1, MODULUS)
        return await link.ask(link.frame(Kind.RR, receive=receive + shift))

    async def poll(trial: Trial) -> Seen:
        link = await link_of(trial)
        return await link.ask(link.frame(Kind.RR))

    recovered = step("the right N(R)", poll, rr())
    return (step("wrong-nr", wrong, frmr(Fault.WRONG_RECEIVE_NUMBER), rr(recovered)),)


@conversation("HDLC_INFO_N3")
def wrong_send_number() -> Sequence[Node]:
    async def wrong(trial: Trial) -> Seen:
        link = await connected(trial)
        probe = trial.notes.keep(OPENED, await _probe(trial))
        information = llc.COMMAND + _fitting(probe.aarq(), link.agreed.max_info_tx)
        seen = Seen.found()
        for ahead in WRONG:
            seen = await link.ask(link.frame(Kind.I, information, send=link.send_state + ahead))
            frame = seen.message
            if not isinstance(frame, Frame) or not frame.control.kind.is_supervisory:
                break
        trial.notes.keep(_REJECTED, _is(seen, Kind.FRMR))
        return seen

    async def right(trial: Trial) -> Seen:
        link, probe = await link_of(trial), opened(trial)
        if trial.notes.kept(_REJECTED):
            await link.connect()
        seen = await probe.associate()
        came = await link.drain()
        problems = list(link.problems)
        if not isinstance(seen.message, Aare):
            problems.append(f"the right frame is not answered by an AARE: {seen}")
        if came:
            problems.append(f"{came + 1} APDUs answer one AARQ: it was delivered more than once")
        return Seen.found(problems)

    return (
        step("wrong-ns", wrong, rr(), rej(), frmr()),
        step("not-delivered", right, found("once")),
    )


def _fitting(apdu: bytes, most: int) -> bytes:
    if llc.LENGTH + len(apdu) > most:
        raise Unjudged(f"no AARQ fits into {most} octets")
    return apdu


def _is(seen: Seen, kind: Kind) -> bool:
    return isinstance(seen.message, Frame) and seen.message.control.kind is kind


@conversation("HDLC_NDMOP_N1")
def without_link() -> Sequence[Node]:
    async def information(trial: Trial) -> Seen:
        link = await disconnected(trial)
        probe = await _probe(trial)
        apdu = llc.COMMAND + probe.aarq()
        await link.disconnect()  # the counter may have been asked for
        return await link.ask(link.frame(Kind.I, apdu[: link.agreed.max_info_tx]))

    return (step("information", information, dm(None)),)


@conversation("X_HDLC_DUP_I")
def repeated() -> Sequence[Node]:
    async def twice(trial: Trial) -> Seen:
        row = simplest(trial)
        await connected(trial, row, much())
        probe, link = await associated(trial, row), await link_of(trial, row)
        request = llc.COMMAND + probe.protected(probe.get_request(LOGICAL_NAME).encode())
        frame = link.put(_fitting(request, link.agreed.max_info_tx))
        first = await probe.hear()
        if data_of(first) is None:
            raise Unjudged(f"no answer to a read: {first}")
        link.port.write(frame.encode())
        again = await link.burst(trial.timing.answer)
        kind = again.message.control.kind if isinstance(again.message, Frame) else None
        if kind is Kind.FRMR:
            return Seen.found(link.problems, answered="FRMR")
        came = await link.drain()
        problems = list(link.problems)
        if came:
            problems.append(f"{came + 1} APDUs answer one request: it was carried out again")
        return Seen.found(problems)

    return (step("twice", twice, found("once")),)
