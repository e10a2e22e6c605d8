"""What stands between the octets of a connection and APDUs with their addresses, at a meter."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias

from dlms.framing import Wpdu, WrapperReceiver
from emulator.serving.host import MAX_APDU


class Arrived(NamedTuple):
    """An APDU from a client."""

    client_sap: int
    server_sap: int
    apdu: bytes


class LinkLost(NamedTuple):
    """The link of one client is gone, while the connection stays: so are its associations."""

    client_sap: int
    server_sap: int
    why: str


Indication: TypeAlias = Arrived | LinkLost


class Framing(Protocol):
    """Sans-IO; times are seconds of any steady clock.

    :meth:`receive` and :meth:`timeout` raise :class:`~dlms.errors.RemoteProtocolError` where the
    stream has lost its framing for good: the connection is to be closed without an answer.
    """

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the connection."""
        ...

    def next_indication(self) -> Indication | None:
        """What came of them, one at a time; ``None`` until more octets come."""
        ...

    def send(self, client_sap: int, server_sap: int, apdu: bytes, now: float) -> None:
        """Frame an APDU for the client."""
        ...

    def octets_to_send(self) -> bytes:
        """What is to be written to the connection now; empty if there is nothing."""
        ...

    def deadline(self) -> float | None:
        """When :meth:`timeout` is to be called, if nothing comes before."""
        ...

    def timeout(self, now: float) -> None:
        """The deadline has passed."""
        ...


class WrapperFraming:
    """The wrapper over a stream (IEC 62056-4-7): no timers, no link."""

    def __init__(self, max_apdu: int = MAX_APDU) -> None:
        self._receiver = WrapperReceiver(max_apdu)
        self._out = b""

    def receive(self, octets: bytes, now: float) -> None:
        self._receiver.receive(octets)

    def next_indication(self) -> Indication | None:
        wpdu = self._receiver.next_wpdu()
        return None if wpdu is None else Arrived(*wpdu)

    def send(self, client_sap: int, server_sap: int, apdu: bytes, now: float) -> None:
        self._out += Wpdu(server_sap, client_sap, apdu).encode()

    def octets_to_send(self) -> bytes:
        octets, self._out = self._out, b""
        return octets

    def deadline(self) -> float | None:
        return None

    def timeout(self, now: float) -> None:
        return
