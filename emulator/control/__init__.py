"""What can be done to a running sandbox, by whatever way it is asked for."""

from emulator.control.arguments import Argument, Kind
from emulator.control.control import ActionRow, Control, Scope
from emulator.control.errors import ControlError, ControlRefused

__all__ = ["ActionRow", "Argument", "Control", "ControlError", "ControlRefused", "Kind", "Scope"]
