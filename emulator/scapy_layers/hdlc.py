"""Frames of HDLC, type 3 (IEC 62056-46, 6.4; GB Ed. 8, clause 8), from flag to flag.

An address is text: ``16`` of one octet, ``1/17`` of two (logical and physical device), ``1/17@4``
of four. A flag that ends one frame may begin the next as well, which then has no ``opening``.
"""

from __future__ import annotations

import re
from typing import Any

from scapy.config import conf
from scapy.fields import (
    BitField,
    ByteEnumField,
    ConditionalField,
    Field,
    PacketField,
    PacketListField,
    StrFixedLenField,
    XByteField,
)
from scapy.packet import NoPayload, Packet

from dlms.errors import CodecError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import Address, read_address
from dlms.framing.hdlc.control import POLL, Kind
from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import FLAG
from dlms.framing.hdlc.parameters import Parameters
from dlms.octets import Reader
from emulator.scapy_layers.apdu import Apdu
from emulator.scapy_layers.hdlc_control import UnnumberedControl, control_of
from emulator.scapy_layers.parts import MOST, CodeField, Layer, OctetsField, Part

_FLAG = bytes((FLAG,))
_TYPE_3 = 0xA
_WRITTEN = re.compile(r"(\d+)(?:/(\d+))?(?:@([124]))?", re.ASCII)


def address(text: str) -> Address:
    """An address from how it is written. ``ValueError`` if it is not written so."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no address like 16, 1/17 or 1/17@4")
    upper, lower, octets = match.groups()
    size = int(octets) if octets else 2 if lower is not None else 1
    return Address(int(upper), int(lower or 0), size)


class AddressField(Field):
    """An address of one, two or four octets."""

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        if isinstance(x, Address):
            x = f"{x}@4" if x.octets == 4 else str(x)
        return str(x) if isinstance(x, int) else x

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        return s + (val if isinstance(val, bytes) else address(str(val)).encode())

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        reader = Reader(s)
        try:
            found = read_address(reader)
        except CodecError:
            # Of a length that is none: as it is, to the octet that says it is the last.
            size = next((at + 1 for at, octet in enumerate(s) if octet & 1), len(s))
            return s[size:], s[:size]
        return s[reader.position :], self.any2i(pkt, found)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return x.hex() if isinstance(x, bytes) else str(x)

    def randval(self) -> Any:
        from scapy.volatile import RandChoice

        return RandChoice("0", "1", "16", "127", "1/17", "1/16383@4", "127/127")


class CosemLlc(Packet):
    """The LLC sublayer, in front of each APDU."""

    name = "COSEM LLC"
    fields_desc = [
        XByteField("destination_lsap", llc.COMMAND[0]),
        ByteEnumField("source_lsap", llc.COMMAND[1], {0xE6: "command", 0xE7: "response"}),
        XByteField("quality", llc.COMMAND[2]),
    ]

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        return Apdu


class HdlcParameter(Part):
    name = "HDLC parameter"
    fields_desc = [
        CodeField(
            "identifier",
            5,
            {
                5: "max-info-transmit",
                6: "max-info-receive",
                7: "window-transmit",
                8: "window-receive",
            },
        ),
        BitField("value_length", None, 8),
        OctetsField("value", b"\x80", length_from=lambda pkt: pkt.value_length),
    ]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.value_length is None:
            pkt = pkt[:1] + bytes((len(self.value),)) + pkt[2:]
        return pkt + pay


class HdlcParameters(Packet):
    """The information field of SNRM and UA."""

    name = "HDLC parameters"
    fields_desc = [
        XByteField("format_identifier", 0x81),
        XByteField("group_identifier", 0x80),
        BitField("group_length", None, 8),
        PacketListField("parameters", [], HdlcParameter, length_from=lambda pkt: pkt.group_length),
    ]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.group_length is None:
            pkt = pkt[:2] + bytes((min(len(pkt) - 3, 0xFF),)) + pkt[3:]
        return pkt + pay

    @classmethod
    def of(cls, limits: Parameters) -> HdlcParameters:
        """As the core would send them."""
        return cls(limits.encode(explicit=True))


class HdlcRejection(Packet):
    """The information field of FRMR."""

    name = "FRMR information"
    fields_desc = [
        XByteField("rejected_control", 0),
        BitField("receive_state", 0, 3),
        BitField("of_response", 0, 1),
        BitField("send_state", 0, 3),
        BitField("zero", 0, 1),
        BitField("reserved", 0, 4),
        BitField("wrong_receive_number", 0, 1),
        BitField("information_too_long", 0, 1),
        BitField("information_not_allowed", 0, 1),
        BitField("unknown_control", 0, 1),
    ]


class HdlcSegment(Packet):
    """A later segment of an APDU: only the first one has the LLC header."""

    name = "segment of an APDU"
    fields_desc = [OctetsField("octets", b"", length_from=lambda pkt: MOST)]


def _information(pkt: Packet, octets: bytes) -> Packet:
    kind: type[Packet] = HdlcSegment
    if octets[: llc.LENGTH] in (llc.COMMAND, llc.RESPONSE):
        kind = CosemLlc
    elif isinstance(pkt.control, UnnumberedControl):
        if octets[:1] == b"\x81":
            kind = HdlcParameters
        elif pkt.control.kind & ~POLL == Kind.FRMR and len(octets) == 3:
            kind = HdlcRejection
    return kind(octets)


def _has_information(pkt: Packet) -> bool:
    length = pkt.getfieldval("length")
    if length is not None:
        return bool(length > _head(pkt) + 2)
    return pkt.getfieldval("information") is not None


def _head(pkt: Packet) -> int:
    """Octets from the frame format to the control field."""
    fields = (pkt.get_field(name) for name in ("destination", "source"))
    return 3 + sum(len(field.addfield(pkt, b"", pkt.getfieldval(field.name))) for field in fields)


class InformationField(PacketField):
    """What a frame carries: LLC and APDU, parameters, what was rejected, or a later segment."""

    def __init__(self) -> None:
        super().__init__("information", None, HdlcSegment)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        size = max(pkt.length - _head(pkt) - 4, 0)
        try:
            found = _information(pkt, s[:size])
        except Exception:
            if conf.debug_dissector:
                raise
            found = conf.raw_layer(load=s[:size])
        return s[size:], found


class OpeningField(OctetsField):
    """The flags in front of a frame: one, or several between which nothing was sent, or none."""

    def __init__(self, name: str, default: bytes) -> None:
        super().__init__(name, default, length_from=lambda pkt: 1)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, bytes]:
        rest = s.lstrip(_FLAG)
        return rest, s[: len(s) - len(rest)]

    def randval(self) -> Any:
        return None


class HdlcFrame(Layer):
    """One frame. Length and check sequences are those that are right, where none is given."""

    name = "HDLC frame type 3"
    fields_desc = [
        OpeningField("opening", _FLAG),
        BitField("format_type", _TYPE_3, 4),
        BitField("segmented", 0, 1),
        BitField("length", None, 11),
        AddressField("destination", "1"),
        AddressField("source", "16"),
        PacketField("control", UnnumberedControl(), control_of),
        ConditionalField(StrFixedLenField("hcs", None, 2), _has_information),
        ConditionalField(InformationField(), _has_information),
        StrFixedLenField("fcs", None, 2),
        XByteField("closing", FLAG),
    ]

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s

    def do_build(self) -> bytes:
        made = self if self.explicit else next(iter(self))
        if made.raw_packet_cache is not None:
            found = made.self_build()
            if made.raw_packet_cache is not None:
                return bytes(found)
        if made.getfieldval("information") is None and not isinstance(made.payload, NoPayload):
            made = made.copy()
            made.information = made.payload
        return bytes(made._built())

    def _built(self) -> bytes:
        head = b""
        for name in ("destination", "source", "control"):
            head = self.get_field(name).addfield(self, head, self.getfieldval(name))
        carried, hcs = self.getfieldval("information"), self.getfieldval("hcs")
        information = b"" if carried is None else bytes(carried)
        length = self.length
        if length is None:
            length = 2 + len(head) + (2 + len(information) if information else 0) + 2
        word = self.format_type << 12 | self.segmented << 11 | length & 0x7FF
        octets = word.to_bytes(2, "big") + head
        if information:
            octets += check_sequence(octets) if hcs is None else hcs
            octets += information
        octets += check_sequence(octets) if self.fcs is None else self.fcs
        return bytes(bytes(self.opening) + octets + bytes((self.closing,)))

    @property
    def right(self) -> bool:
        """Whether both check sequences are right."""
        copied = self.copy()
        copied.raw_packet_cache = None
        copied.hcs = copied.fcs = None
        return bool(bytes(copied) == bytes(self))


class HdlcFrames(Packet):
    """Frames behind each other, as a connection carries them."""

    name = "HDLC frames"
    fields_desc = [PacketListField("frames", [], HdlcFrame, max_count=MOST)]
