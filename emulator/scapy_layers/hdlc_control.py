"""The control field of a frame: three layouts (IEC 62056-46, 6.4.3)."""

from __future__ import annotations

from typing import Any

from scapy.fields import BitField
from scapy.packet import Packet

from dlms.framing.hdlc.control import POLL, Kind
from emulator.scapy_layers.parts import CodeField, Part


class InformationControl(Part):
    """The control field of I."""

    name = "I"
    fields_desc = [
        BitField("receive", 0, 3),
        BitField("poll", 1, 1),
        BitField("send", 0, 3),
        BitField("kind", 0, 1),
    ]


class SupervisoryControl(Part):
    """The control field of RR, RNR and REJ."""

    name = "RR, RNR, REJ"
    fields_desc = [
        BitField("receive", 0, 3),
        BitField("poll", 1, 1),
        BitField("kind", Kind.RR, 4),
    ]


def _unnumbered() -> dict[int, str]:
    kinds = [kind for kind in Kind if kind & 3 == 3]
    return {
        kind | poll: f"{kind.name}{' P/F' * bool(poll)}" for kind in kinds for poll in (0, POLL)
    }


class UnnumberedControl(Part):
    """The control field of SNRM, UA, DISC, DM, FRMR and UI, with or without the poll bit."""

    name = "SNRM, UA, DISC, DM, FRMR, UI"
    fields_desc = [CodeField("kind", Kind.SNRM | POLL, _unnumbered())]


def control_of(octets: bytes = b"", **options: Any) -> Packet:
    if not octets:
        return UnnumberedControl()
    octet = octets[0]
    kind: type[Packet] = InformationControl if not octet & 1 else UnnumberedControl
    if octet & 3 == 1:
        kind = SupervisoryControl
    return kind(octets, **options)
