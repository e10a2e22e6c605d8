"""Framings as connections see them: octets on one side, APDUs with their addresses on the other."""

from emulator.framing.framing import Addressed, Framing, Indication, LinkLost
from emulator.framing.wrapper import WrapperFraming

__all__ = ["Addressed", "Framing", "Indication", "LinkLost", "WrapperFraming"]
