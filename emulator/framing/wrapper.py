"""The wrapper over a stream (IEC 62056-4-7): no link, no timers."""

from __future__ import annotations

from dlms.framing import Wpdu, WrapperReceiver
from dlms.framing.wrapper import MAX_APDU
from emulator.framing.framing import Addressed, Indication


class WrapperFraming:
    """``at_meter`` says which end this is: there the client's wPort is the source of what comes."""

    def __init__(self, *, at_meter: bool, max_apdu: int = MAX_APDU) -> None:
        self._receiver = WrapperReceiver(max_apdu)
        self._at_meter = at_meter
        self._out = b""

    def receive(self, octets: bytes, now: float) -> None:
        self._receiver.receive(octets)

    def next_indication(self) -> Indication | None:
        wpdu = self._receiver.next_wpdu()
        if wpdu is None:
            return None
        source, destination, apdu = wpdu
        if self._at_meter:
            return Addressed(source, destination, apdu)
        return Addressed(destination, source, apdu)

    def send(self, addressed: Addressed, now: float) -> None:
        client_sap, server_sap, apdu = addressed
        if self._at_meter:
            wpdu = Wpdu(server_sap, client_sap, apdu)
        else:
            wpdu = Wpdu(client_sap, server_sap, apdu)
        self._out += wpdu.encode()

    def octets_to_send(self) -> bytes:
        octets, self._out = self._out, b""
        return octets

    def deadline(self) -> float | None:
        return None

    def timeout(self, now: float) -> None:
        return
