"""The relay: the S1SP passes the DCO's APDUs to the meter, and the meter's to the DCO.

The S1SP sees them and can hold them back, repeat or alter them. It can make none: they are
protected under keys of the DCO's association, which it does not have, and counted.
"""

from __future__ import annotations

from collections.abc import Collection

from dlms.errors import LocalProtocolError
from emulator.channel import ApduLink, ChannelClosed, Pair


class Relay:
    """Passes what goes between ``pairs`` of SAPs, and only as long as it is open."""

    def __init__(self, link: ApduLink, pairs: Collection[Pair]) -> None:
        self._link = link
        self._pairs = frozenset(pairs)
        self._open = True

    def send(self, client_sap: int, server_sap: int, apdu: bytes) -> None:
        self._admit(client_sap, server_sap)
        self._link.send(client_sap, server_sap, apdu)

    async def receive(self, client_sap: int, server_sap: int) -> bytes:
        self._admit(client_sap, server_sap)
        return await self._link.receive(client_sap, server_sap)

    def glance(self, client_sap: int, server_sap: int) -> bytes | None:
        self._admit(client_sap, server_sap)
        return self._link.glance(client_sap, server_sap)

    async def news(self, client_sap: int, server_sap: int) -> None:
        self._admit(client_sap, server_sap)
        await self._link.news(client_sap, server_sap)

    def close(self) -> None:
        """Nothing passes from now on."""
        self._open = False

    def _admit(self, client_sap: int, server_sap: int) -> None:
        if not self._open:
            raise ChannelClosed("the S1SP has closed the relay")
        if (client_sap, server_sap) not in self._pairs:
            raise LocalProtocolError(f"the relay is not for client {client_sap}")
