"""Our blocking client, and its floor: a client that waits as the peers wait."""

from __future__ import annotations

import socket
from typing import Any

from client_ours import NAME, plan
from place import Place

from dlms.association.client import ClientAssociation
from dlms.security.counters import InvocationCounters
from emulator.client import BlockingChannel, BlockingMeterClient, SocketWire
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

_TIMEOUT = 10.0


class BlockingClient:
    def __init__(self, place: Place, meter: int, *, ciphered: bool) -> None:
        self._address = place.host, place.meters[meter][0]
        self._config, self._keys = plan(place, ciphered)
        self._counters = InvocationCounters()
        self._module = SoftwareModule(KeyRing(place.fleet_secret))
        self._client: BlockingMeterClient | None = None

    def open(self) -> None:
        association = ClientAssociation(self._config, self._keys, self._counters)
        connection = socket.create_connection(self._address, _TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel = BlockingChannel(SocketWire(connection))
        self._client = BlockingMeterClient(channel, association, self._module.execute)
        self._client.open()

    def get(self) -> Any:
        assert self._client is not None
        return self._client.get(NAME).value

    def close(self) -> None:
        assert self._client is not None
        self._client.release()
        self._client.close()

    def session(self) -> None:
        self.open()
        self.close()


class BlockingEcho:
    def __init__(self, place: Place, size: int, exchanges: int) -> None:
        self._address = place.host, place.echo[0]
        self._octets = bytes(size)
        self._exchanges = exchanges
        self._socket = socket.socket()

    def open(self) -> None:
        self._socket = socket.create_connection(self._address, _TIMEOUT)

    def ask(self) -> None:
        self._socket.sendall(self._octets)
        missing = len(self._octets)
        while missing:
            missing -= len(self._socket.recv(4096))

    def close(self) -> None:
        self._socket.close()

    def session(self) -> None:
        self.open()
        for _ in range(self._exchanges):
            self.ask()
        self.close()
