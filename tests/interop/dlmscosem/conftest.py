"""The stock dlms-cosem client over its own blocking TCP transport."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import structlog
from dlms_cosem import utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem import CosemAttribute, CosemMethod, Obis
from dlms_cosem.enumerations import CosemInterface
from dlms_cosem.exceptions import CommunicationError
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.security import (
    HighLevelSecurityGmacAuthentication,
    LowLevelSecurityAuthentication,
    NoSecurityAuthentication,
)

from dlms.security.hls import InnerCounter

_TIMEOUT = 60


@pytest.fixture(scope="session", autouse=True)
def quiet() -> Iterator[None]:
    """The package logs every APDU to standard output unless structlog is told otherwise."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


class OwnCounterGmac(HighLevelSecurityGmacAuthentication):
    """Spends a counter of its own on f(StoC).

    The stock class computes f with the counter that the client then uses again for the APDU that
    carries it: one initialization vector for two messages under one key. A strict meter does not
    take that, so here is what the package's seam for authentication is good for.
    """

    def hls_generate_reply_data(self, connection: Any) -> bytes:
        reply: bytes = super().hls_generate_reply_data(connection)
        connection.client_invocation_counter += 1
        return reply


class Session:
    """A stock client with the little that makes tests short. Values are the package's own."""

    def __init__(self, client: DlmsClient) -> None:
        self.client = client

    def read(self, interface: CosemInterface, instance: str, number: int, *access: Any) -> Any:
        attribute = CosemAttribute(interface, Obis.from_string(instance), number)
        return utils.parse_as_dlms_data(self.client.get(attribute, *access))

    def write(self, interface: CosemInterface, instance: str, number: int, data: bytes) -> Any:
        attribute = CosemAttribute(interface, Obis.from_string(instance), number)
        return self.client.set(attribute, data)

    def invoke(self, interface: CosemInterface, instance: str, number: int, data: bytes) -> None:
        self.client.action(CosemMethod(interface, Obis.from_string(instance), number), data)

    def release(self) -> Any:
        return self.client.release_association()


class TlsIO(BlockingTcpIO):
    """The package's transport over a socket that is already connected, and secured."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__("", 0, _TIMEOUT)
        self.tcp_socket = connection

    def connect(self) -> None:
        """It is."""


Open = Callable[..., Session]


def make_client(
    meter: Any,
    association: str,
    *,
    tls: bool = False,
    counter: int | None = None,
    meter_counter: int = -1,
    authentication: Any = None,
    **changes: Any,
) -> DlmsClient:
    """A client, not yet connected.

    The counter is asked of the public client unless given. ``meter_counter`` is the last counter of
    the meter's that the client has seen: -1 for none, for a new key begins at 0. ``changes`` are
    arguments of the package's client.
    """
    access = meter.access(association)
    io = TlsIO(meter.connect(association)) if tls else BlockingTcpIO(*access.address, _TIMEOUT)
    keys: dict[str, Any] = {}
    if authentication is None:
        authentication = (
            LowLevelSecurityAuthentication(access.password)
            if access.password
            else NoSecurityAuthentication()
        )
    if access.guek:
        if not isinstance(authentication, HighLevelSecurityGmacAuthentication):
            knobs = meter.profile.associations[association].config.knobs
            tolerant = knobs.inner_counter is not InnerCounter.STRICT
            authentication = HighLevelSecurityGmacAuthentication() if tolerant else OwnCounterGmac()
        keys = {
            "encryption_key": access.guek,
            "authentication_key": access.gak,
            "client_system_title": access.client_title,
            "client_initial_invocation_counter": (
                read_counter(meter, access) if counter is None else counter
            ),
            "meter_initial_invocation_counter": meter_counter,
        }
    return DlmsClient(
        transport=TcpTransport(access.client_sap, access.server_sap, io, _TIMEOUT),
        authentication=authentication,
        **{**keys, **changes},
    )


def read_counter(meter: Any, access: Any) -> int:
    """The meter's invocation counter object, read with the public client."""
    with make_client(meter, "public").session() as public:
        value = Session(public).read(CosemInterface.DATA, access.counter_object, 2)
    assert isinstance(value, int)
    return value


@pytest.fixture
def cosem() -> Iterator[Open]:
    """``cosem(meter, association, **options)``: an open association, closed after the test.

    With ``associate=False`` the connection alone.
    """
    with ExitStack() as stack:

        def open_session(
            meter: Any, association: str, *, associate: bool = True, **options: Any
        ) -> Session:
            client = make_client(meter, association, **options)
            client.connect()
            stack.callback(_hang_up, client)
            if associate:
                client.associate()
            return Session(client)

        yield open_session


def _hang_up(client: DlmsClient) -> None:
    io = client.transport.io
    connection = io.tcp_socket
    # The package shuts down before it closes; if the meter has hung up first, it does not close.
    with suppress(CommunicationError):
        client.disconnect()
    connection.close()
