"""A meter is wrong about its HDLC links: what a rule over single frames cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dlms.errors import CodecError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import MODULUS, Control, Kind
from dlms.framing.hdlc.frame import FLAG, Frame, decode_frame
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind as FaultKind
from emulator.faults.kinds.parameters import choice
from emulator.serving.taps import Parcel, Place

_WAYS = ("hdlc", "line", "optical")


class _Links:
    """Frames in and out as they pass, one at a time. ``up`` are the clients whose link is up as
    far as they have been told. What a rule does not change it gives back.
    """

    def __init__(self) -> None:
        self.up: set[Address] = set()
        self.asked: dict[Address, Kind] = {}
        """What each client has sent last."""
        self._dead: set[Address] = set()
        self._last: dict[Address, Frame] = {}
        self._kept: dict[Address, bytes] = {}
        self._begun: set[Address] = set()

    def told(self, frame: Frame) -> None:
        """The meter has answered SNRM, or DISC."""
        asked = self.asked.get(frame.destination)
        if asked is Kind.SNRM and frame.control.kind is Kind.UA:
            self.up.add(frame.destination)
        elif asked is Kind.DISC:
            self.up.discard(frame.destination)

    def endless_in(self, frame: Frame) -> Frame:
        """The meter says that there is a link as long as nobody has ended it."""
        return frame

    def endless_out(self, frame: Frame) -> Frame:
        is_down = frame.control.kind is Kind.DM and frame.destination in self.up
        return frame._replace(control=Control(Kind.UA)) if is_down else frame

    def silent_in(self, frame: Frame) -> Frame | None:
        """An I frame without a link is passed over."""
        return None if frame.control.kind is Kind.I and frame.source not in self.up else frame

    def repeats_in(self, frame: Frame) -> Frame:
        """An I frame that was here before is taken for the next."""
        if frame.control.kind is not Kind.I or frame != self._last.get(frame.source):
            self._last[frame.source] = frame
            return frame
        control = frame.control
        receive, send = (control.receive + 1) % MODULUS, (control.send + 1) % MODULUS
        return frame._replace(control=control._replace(receive=receive, send=send))

    def keeps_in(self, frame: Frame) -> Frame:
        """The first segments of an APDU outlive their link."""
        client, information = frame.source, frame.information
        if frame.control.kind is Kind.SNRM:
            self._begun.add(client)
        if frame.control.kind is not Kind.I:
            return frame
        if information.startswith(llc.COMMAND):
            self._kept[client] = information if frame.segmented else b""
            self._begun.discard(client)
        elif client in self._begun:
            self._begun.discard(client)
            return frame._replace(information=self._kept.get(client, b"") + information)
        return frame

    def common_in(self, frame: Frame) -> Frame:
        """DISC of one client ends the links of all."""
        client = frame.source
        if frame.control.kind is Kind.SNRM:
            self._dead.discard(client)
        elif frame.control.kind is Kind.DISC:
            self._dead |= self.up - {client}
        elif client in self._dead:
            return frame._replace(control=Control(Kind.DISC), information=b"", segmented=False)
        return frame


_RULES: Mapping[str, str] = {
    "endless": "endless_in",
    "silent": "silent_in",
    "repeats": "repeats_in",
    "keeps": "keeps_in",
    "common": "common_in",
}


def link(fault: Fault) -> None:
    links = _Links()
    taken: Callable[[Frame], Frame | None] = getattr(links, _RULES[fault["what"]])

    def come(parcel: Parcel) -> Iterable[Parcel]:
        frame = _frame(parcel.octets)
        if frame is None:
            return (parcel,)
        after = taken(frame)
        links.asked[frame.source] = frame.control.kind
        return _passed(fault, parcel, frame, after)

    def go(parcel: Parcel) -> Iterable[Parcel]:
        frame = _frame(parcel.octets)
        if frame is None:
            return (parcel,)
        after = links.endless_out(frame) if fault["what"] == "endless" else frame
        links.told(frame)
        return _passed(fault, parcel, frame, after)

    fault.tap(Place.OCTETS_IN, come)
    fault.tap(Place.OCTETS_OUT, go)


def _passed(fault: Fault, parcel: Parcel, before: Frame, after: Frame | None) -> Iterable[Parcel]:
    if after == before:
        return (parcel,)
    if after is None:
        fault.has_acted(f"{before.control.kind.name} is passed over", parcel)
        return ()
    fault.has_acted(f"{before.control.kind.name} is taken or told otherwise", parcel)
    return (parcel._replace(octets=after.encode()),)


def _frame(octets: bytes) -> Frame | None:
    """The frame that octets are, if they are one that is alone."""
    try:
        frame = decode_frame(octets.strip(bytes((FLAG,))))
    except CodecError:
        return None
    return frame if isinstance(frame, Frame) else None


def _ways(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return _WAYS


KINDS = (
    FaultKind(
        name="link",
        place="octets in and out",
        help="the meter does not keep its HDLC links as it should",
        seen="a link that is not ended by silence, no DM, requests carried out twice, segments of"
        " a link that is over, or links that end with that of another client",
        begin=link,
        parameters=(
            choice(
                "what",
                tuple(_RULES),
                "endless",
                "idle links do not end; I frames without a link get no DM; repeated I frames are"
                " carried out; segments outlive their link; DISC of one client is for all",
            ),
        ),
        ways=_ways,
    ),
)
