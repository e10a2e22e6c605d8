"""What frames may come back, by the words of the catalogue.

A frame is judged by what :meth:`~emulator.conformance.probing.hdlc_link.HdlcLink.ask` says of the
one that it answers: it has its addresses exchanged and is final, whatever else is asked of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlms.errors import CodecError
from dlms.framing.hdlc.control import Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import decode_parameters
from dlms.framing.hdlc.rejection import Fault, decode_rejection
from emulator.conformance.conversing.tree import Expect, Mismatch, Node
from emulator.conformance.probing.seen import Seen, What

_CONTROLS = {Kind.SNRM: 0x93, Kind.DISC: 0x53}


def _answering(
    answer: str, kind: Kind, wrong: Callable[[Frame, Seen], str], then: tuple[Node, ...] = ()
) -> Expect:
    """A frame of that kind of which ``wrong`` says nothing."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        frame = seen.message
        if seen.what is not What.FRAME or not isinstance(frame, Frame):
            return Mismatch(kind.name, str(seen), 0 if seen.octets else None)
        if frame.control.kind is not kind:
            return Mismatch(kind.name, str(seen), _control(frame))
        said = _amiss(frame, seen) or wrong(frame, seen)
        return Mismatch(f"{kind.name} as it should be", said, _control(frame)) if said else None

    return Expect(answer, judge, then)


def _amiss(frame: Frame, seen: Seen) -> str:
    link = seen.facts["link"]
    if frame.destination != link.client:
        return f"it is for {frame.destination}, not for the client {link.client}"
    if frame.source != link.server:
        return f"it is from {frame.source}, not from {link.server}, which was asked"
    if not frame.control.poll:
        return "it is not final, although it was polled"
    if frame.control.kind.is_supervisory and frame.information:
        return f"it has an information field: {frame.information.hex(' ')}"
    return ""


def _control(frame: Frame) -> int:
    """Where the control field is, behind the flag and the frame format."""
    return 3 + frame.destination.octets + frame.source.octets


def _asked(kind: Kind, seen: Seen) -> str:
    octet = seen.facts["octet"]
    return "" if octet == _CONTROLS[kind] else f"it answers {octet:02X}, which is not {kind.name}"


def _numbered(frame: Frame, seen: Seen) -> str:
    right = seen.facts["awaited"]
    came = frame.control.receive
    return "" if came == right else f"its N(R) is {came}, and {right} is right"


def ua(to: Kind = Kind.SNRM, *, answer: str = "ua") -> Expect:
    """UA that answers SNRM, or DISC."""

    def wrong(frame: Frame, seen: Seen) -> str:
        try:
            decode_parameters(frame.information)
        except CodecError as error:
            return f"its parameters cannot be read: {error}"
        return _asked(to, seen)

    return _answering(answer, Kind.UA, wrong)


def mirrored() -> Expect:
    """UA, from the address that was called to the one that called."""
    return ua(answer="mirrored")


def dm(to: Kind | None = Kind.DISC) -> Expect:
    """DM, that answers DISC or anything."""
    return _answering("dm", Kind.DM, lambda frame, seen: "" if to is None else _asked(to, seen))


def rr(*then: Node) -> Expect:
    """RR with the right N(R)."""
    return _answering("rr", Kind.RR, _numbered, then)


def rej() -> Expect:
    """REJ with the right N(R)."""
    return _answering("rej", Kind.REJ, _numbered)


def frmr(fault: Fault | None = None) -> Expect:
    """FRMR that says which control field it rejects, and for which reason."""

    def wrong(frame: Frame, seen: Seen) -> str:
        try:
            rejection = decode_rejection(frame.information)
        except CodecError as error:
            return f"its information field cannot be read: {error}"
        if rejection.control != seen.facts["octet"]:
            return f"it rejects {rejection.control:02X}, not {seen.facts['octet']:02X}"
        if fault is not None and rejection.fault != fault:
            return f"its reason is {rejection.fault!r}, not {fault!r}"
        return ""

    return _answering("frmr", Kind.FRMR, wrong)
