"""The wrapper over a stream (IEC 62056-4-7): no link, no timers."""

from __future__ import annotations

from dlms.framing import WrapperReceiver
from dlms.framing.wrapper import MAX_APDU, encode_wpdu
from emulator.framing.framing import Addressed, Indication

_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


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
            return _new(Addressed, (source, destination, apdu))
        return _new(Addressed, (destination, source, apdu))

    def send(self, addressed: Addressed, now: float) -> None:
        client_sap, server_sap, apdu = addressed
        if self._at_meter:
            self._out += encode_wpdu(server_sap, client_sap, apdu)
        else:
            self._out += encode_wpdu(client_sap, server_sap, apdu)

    def octets_to_send(self) -> bytes:
        octets, self._out = self._out, b""
        return octets

    def deadline(self) -> float | None:
        return None

    def timeout(self, now: float) -> None:
        return
