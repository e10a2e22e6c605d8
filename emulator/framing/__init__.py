"""Framings as connections see them: octets on one side, APDUs with their addresses on the other."""

from emulator.framing.datagrams import DatagramFraming
from emulator.framing.framing import Addressed, Framing, Indication, Linked, LinkLost, Polling
from emulator.framing.hdlc import HdlcClient, HdlcStation
from emulator.framing.optical import OpticalClient, OpticalStation
from emulator.framing.wrapper import WrapperFraming

__all__ = [
    "Addressed",
    "DatagramFraming",
    "Framing",
    "HdlcClient",
    "HdlcStation",
    "Indication",
    "LinkLost",
    "Linked",
    "OpticalClient",
    "OpticalStation",
    "Polling",
    "WrapperFraming",
]
