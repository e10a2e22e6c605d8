"""The same client for programs without an event loop: one association over a blocking socket.

With a TLS socket (``tls.contexts.client_context(...).wrap_socket``) it speaks TLS.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, TypeVar

from dlms.association.client import ClientAssociation
from dlms.axdr.data import Data
from dlms.client.dialogue import Compute, Dialogue, Dialogues
from dlms.framing import Wpdu, WrapperReceiver
from dlms.security.drive import run
from dlms.security.ops import CryptoOp
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from emulator.channel import ChannelClosed

READ_SIZE = 4096

T = TypeVar("T")


class BlockingMeterClient:
    """One association. Begun by :meth:`open`, ended by :meth:`release`.

    ``connection`` is a connected socket; its timeout bounds each wait (``TimeoutError``).
    ``execute`` carries out the cryptography: :meth:`SoftwareModule.execute
    <emulator.modules.software.SoftwareModule.execute>`, for example. What each call does and
    raises is said at :class:`dlms.client.dialogue.Dialogues`.
    """

    def __init__(
        self,
        connection: socket.socket,
        association: ClientAssociation,
        execute: Callable[[CryptoOp], Any],
    ) -> None:
        self._socket = connection
        self._association = association
        self._dialogues = Dialogues(association)
        self._execute = execute
        self._receiver = WrapperReceiver()

    def open(self) -> None:
        self._hold(self._dialogues.open())

    def get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> Data:
        return self._hold(self._dialogues.get(attribute, selection))

    def set(self, attribute: AttributeDescriptor, value: Data) -> None:
        self._hold(self._dialogues.set(attribute, value))

    def action(self, method: MethodDescriptor, parameter: Data | None) -> Data | None:
        return self._hold(self._dialogues.action(method, parameter))

    def release(self) -> None:
        self._hold(self._dialogues.release())

    def close(self) -> None:
        """Drop the connection; the association ends with it."""
        self._socket.close()
        run(self._association.close(), self._execute)

    def _hold(self, dialogue: Dialogue[T]) -> T:
        given: Any = None
        try:
            while True:
                wish = dialogue.send(given)
                if isinstance(wish, Compute):
                    given = run(wish.step, self._execute)
                else:
                    given = self._transmit(wish.apdu)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _transmit(self, apdu: bytes) -> bytes:
        config = self._association.config
        self._socket.sendall(Wpdu(config.client_sap, config.server_sap, apdu).encode())
        while (wpdu := self._receiver.next_wpdu()) is None:
            octets = self._socket.recv(READ_SIZE)
            if not octets:
                raise ChannelClosed("meter closed the connection")
            self._receiver.receive(octets)
        return wpdu.apdu
