"""From a stream of octets to APDUs with addresses, and back."""

from dlms.framing.wrapper import Wpdu, WrapperReceiver

__all__ = ["Wpdu", "WrapperReceiver"]
