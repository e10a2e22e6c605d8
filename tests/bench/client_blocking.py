"""Our protocol core over a blocking socket, and its floor.

The core does no input or output itself, so that a client that waits as the peers wait is no more
than this. Between it and them only the protocol code differs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from client_ours import NAME, plan
from place import Place

from dlms.association import events
from dlms.association.client import ClientAssociation
from dlms.framing import Wpdu, WrapperReceiver
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.ops import CryptoOp
from dlms.xdlms.descriptors import CONFIRMED
from dlms.xdlms.get import GetRequest, GetResponse
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

_TIMEOUT = 10.0


class BlockingClient:
    def __init__(self, place: Place, meter: int, *, ciphered: bool) -> None:
        self._address = place.host, place.meters[meter][0]
        self._config, self._keys = plan(place, ciphered)
        self._counters = InvocationCounters()
        self._execute: Callable[[CryptoOp], Any] = SoftwareModule(
            KeyRing(place.fleet_secret)
        ).execute
        self._association = ClientAssociation(self._config, self._keys, self._counters)
        self._receiver = WrapperReceiver()
        self._socket = socket.socket()
        self._invoke = 0

    def open(self) -> None:
        self._association = ClientAssociation(self._config, self._keys, self._counters)
        self._receiver = WrapperReceiver()
        self._socket = socket.create_connection(self._address, _TIMEOUT)
        event = self._exchange(run(self._association.open(), self._execute))
        if isinstance(event, events.AuthenticationPending):
            event = self._exchange(run(self._association.authenticate(), self._execute))
        assert isinstance(event, events.AssociationOpened)

    def get(self) -> Any:
        self._invoke = (self._invoke + 1) & 0x0F
        request = GetRequest(CONFIRMED | self._invoke, NAME)
        event = self._exchange(run(self._association.request(request), self._execute))
        assert isinstance(event, events.ResponseReceived)
        assert isinstance(event.response, GetResponse)
        assert isinstance(event.response.result, tuple)
        return event.response.result.value

    def close(self) -> None:
        event = self._exchange(run(self._association.release(), self._execute))
        assert isinstance(event, events.AssociationReleased)
        self._socket.close()

    def session(self) -> None:
        self.open()
        self.close()

    def _exchange(self, apdu: bytes) -> events.Event:
        config = self._config
        self._socket.sendall(Wpdu(config.client_sap, config.server_sap, apdu).encode())
        while (wpdu := self._receiver.next_wpdu()) is None:
            octets = self._socket.recv(4096)
            if not octets:
                raise ConnectionError("the meter has hung up")
            self._receiver.receive(octets)
        return run(self._association.receive(wpdu.apdu), self._execute)


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
