"""The gurux client. It makes frames and reads replies; the blocking socket is ours.

A blocking socket is what suits it best: the package's own GXNet has a thread to receive with.
"""

from __future__ import annotations

import socket
from typing import Any

import samples
from gurux_dlms import GXReplyData
from gurux_dlms.enums import Authentication, Conformance, InterfaceType, Security
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.secure import GXDLMSSecureClient
from place import ASSOCIATION, Place

_TIMEOUT = 10.0
_NAME = "0.0.42.0.0.255"


class GuruxClient:
    def __init__(self, place: Place, meter: int, *, ciphered: bool) -> None:
        self._address = place.host, place.meters[meter][0]
        self._ciphered = ciphered
        self._guek, self._gak = place.octets(place.guek), place.octets(place.gak)
        self._counter = 0
        self._saps = samples.saps(ASSOCIATION if ciphered else "public")
        self._target = GXDLMSData(_NAME)
        self._client: Any = None
        self._socket = socket.socket()

    def open(self) -> None:
        authentication = Authentication.HIGH_GMAC if self._ciphered else Authentication.NONE
        client = GXDLMSSecureClient(True, *self._saps, authentication, None, InterfaceType.WRAPPER)
        if self._ciphered:
            cipher = client.ciphering
            cipher.security = Security.AUTHENTICATION_ENCRYPTION
            cipher.systemTitle = samples.TITLE
            cipher.blockCipherKey = self._guek
            cipher.authenticationKey = self._gak
            cipher.invocationCounter = self._counter
        # The same dialect as ours: one tag per service.
        client.proposedConformance &= ~Conformance.GENERAL_PROTECTION
        self._client = client
        self._socket = socket.create_connection(self._address, _TIMEOUT)
        reply = self._exchange(client.aarqRequest()[0])
        client.parseAareResponse(reply.data)
        if client.isAuthenticationRequired:
            reply = self._exchange(client.getApplicationAssociationRequest()[0])
            client.parseApplicationAssociationResponse(reply.data)

    def get(self) -> Any:
        reply = self._exchange(self._client.read(self._target, 2)[0])
        return self._client.updateValue(self._target, 2, reply.value)

    def close(self) -> None:
        self._exchange(self._client.releaseRequest()[0])
        self._counter = self._client.ciphering.invocationCounter
        self._socket.close()

    def session(self) -> None:
        self.open()
        self.close()

    def _exchange(self, frame: Any) -> GXReplyData:
        self._socket.sendall(frame)
        reply = GXReplyData()
        octets = bytearray(self._socket.recv(4096))
        while not self._client.getData(octets, reply):
            more = self._socket.recv(4096)
            if not more:
                raise ConnectionError("the meter has hung up")
            octets += more
        if reply.error:
            raise AssertionError(f"meter answers with error {reply.error}")
        return reply
