"""WPDUs on a line that has no framing of its own: any octets out, one WPDU after the other in,
whatever wPorts it is from and to.
"""

from __future__ import annotations

from collections.abc import Callable

from dlms.errors import RemoteProtocolError
from dlms.framing.wrapper import HEADER, VERSION, WrapperReceiver
from emulator.conformance.probing.line import Line, LineClosed
from emulator.conformance.probing.record import Direction
from emulator.conformance.probing.seen import Seen, What


def wpdu(
    pair: tuple[int, int], apdu: bytes, *, version: int = VERSION, announced: int | None = None
) -> bytes:
    """A WPDU from a client to a server, whose header may say anything of its version and length."""
    length = len(apdu) if announced is None else announced
    return HEADER.pack(version, *pair, length) + apdu


class WpduPort:
    """``now`` is in seconds of any steady clock."""

    def __init__(self, line: Line, now: Callable[[], float]) -> None:
        self.line = line
        self._now = now
        self._receiver = WrapperReceiver()

    async def exchange(self, octets: bytes, within: float) -> Seen:
        """Write octets, and hear what comes back."""
        self.line.write(octets)
        return await self.hear(within)

    async def hear(self, within: float) -> Seen:
        """The next APDU, from any wPort to any other (``facts["ports"]``), silence, or the end of
        the connection.
        """
        until = self._now() + within
        octets = b""
        try:
            while (whole := self._receiver.next_wpdu()) is None:
                came = await self.line.read(max(until - self._now(), 0.0))
                if not came:
                    return _nothing(octets, within)
                octets += came
                self._receiver.receive(came)
        except LineClosed as error:
            return Seen.closed(str(error))
        except RemoteProtocolError as error:
            return Seen(what=What.APDU, octets=octets, why=str(error))
        server, client, apdu = whole
        entry = self.line.keep(Direction.RECEIVED, apdu, (client, server))
        return Seen.apdu(apdu, entry).having(facts={"ports": (server, client)})


def _nothing(octets: bytes, within: float) -> Seen:
    if octets:
        return Seen(what=What.APDU, octets=octets, why="octets that are no WPDU")
    return Seen.silence(within)
