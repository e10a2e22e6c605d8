"""WPDUs in datagrams, at the client: what is received at once is one datagram."""

from __future__ import annotations

from collections import deque

from dlms.errors import CodecError
from dlms.framing import Wpdu
from dlms.framing.datagram import MAX_DATAGRAM_APDU, decode_datagram
from emulator.framing.framing import Addressed, Indication

MAX_KEPT = 64
"""Datagrams kept that nobody has taken yet; what comes then is lost, as any datagram may be."""


class DatagramFraming:
    """A datagram that is no WPDU is dropped: there is no stream whose framing could be lost.

    UDP loses datagrams. Nothing is sent again here: a ciphered APDU must not be, and whether a
    plain one may is for whoever knows what it does.
    """

    def __init__(self) -> None:
        self._indications: deque[Indication] = deque()
        self._out = b""
        self.dropped = 0

    def receive(self, octets: bytes, now: float) -> None:
        try:
            source, destination, apdu = decode_datagram(octets)
        except CodecError:
            self.dropped += 1
            return
        if len(self._indications) >= MAX_KEPT:
            self.dropped += 1
            return
        self._indications.append(Addressed(destination, source, apdu))

    def next_indication(self) -> Indication | None:
        return self._indications.popleft() if self._indications else None

    def send(self, addressed: Addressed, now: float) -> None:
        """``ValueError`` if the APDU does not fit, or the last one has not been taken."""
        if len(addressed.apdu) > MAX_DATAGRAM_APDU or self._out:
            raise ValueError("one APDU that fits in a datagram at a time")
        self._out = Wpdu(*addressed).encode()

    def octets_to_send(self) -> bytes:
        octets, self._out = self._out, b""
        return octets

    def deadline(self) -> float | None:
        return None

    def timeout(self, now: float) -> None:
        return
