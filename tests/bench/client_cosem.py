"""The dlms-cosem client over its own blocking transport."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import samples
from dlms_cosem import utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem import CosemAttribute, Obis
from dlms_cosem.enumerations import CosemInterface
from dlms_cosem.exceptions import CommunicationError
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.security import HighLevelSecurityGmacAuthentication, NoSecurityAuthentication
from place import ASSOCIATION, Place

_TIMEOUT = 10
_NAME = CosemAttribute(CosemInterface.DATA, Obis(0, 0, 42, 0, 0, 255), 2)


class OwnCounterGmac(HighLevelSecurityGmacAuthentication):
    """Spends a counter of its own on f(StoC).

    The stock class lets the APDU that carries f use the same counter again, which our meter refuses
    for what it is: one initialization vector for two messages.
    """

    def hls_generate_reply_data(self, connection: Any) -> bytes:
        reply: bytes = super().hls_generate_reply_data(connection)
        connection.client_invocation_counter += 1
        return reply


class CosemClient:
    def __init__(self, place: Place, meter: int, *, ciphered: bool) -> None:
        self._address = place.host, place.meters[meter][0]
        self._ciphered = ciphered
        self._guek, self._gak = place.octets(place.guek), place.octets(place.gak)
        self._counters = 0, -1
        self._saps = samples.saps(ASSOCIATION if ciphered else "public")
        self._client: Any = None

    def open(self) -> None:
        keys: dict[str, Any] = {}
        if self._ciphered:
            sent, received = self._counters
            keys = {
                "encryption_key": self._guek,
                "authentication_key": self._gak,
                "client_system_title": samples.TITLE,
                "client_initial_invocation_counter": sent,
                "meter_initial_invocation_counter": received,
            }
        self._client = DlmsClient(
            transport=TcpTransport(*self._saps, BlockingTcpIO(*self._address, _TIMEOUT), _TIMEOUT),
            authentication=OwnCounterGmac() if self._ciphered else NoSecurityAuthentication(),
            **keys,
        )
        self._client.connect()
        self._client.associate()

    def get(self) -> Any:
        return utils.parse_as_dlms_data(self._client.get(_NAME))

    def close(self) -> None:
        self._client.release_association()
        connection = self._client.dlms_connection
        self._counters = connection.client_invocation_counter, connection.meter_invocation_counter
        stream = self._client.transport.io.tcp_socket
        # The package shuts down before it closes; if the meter was quicker, it does not close.
        with suppress(CommunicationError):
            self._client.disconnect()
        stream.close()

    def session(self) -> None:
        self.open()
        self.close()
