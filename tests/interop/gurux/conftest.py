"""The stock gurux-dlms client over a blocking socket: the package's classes as installed.

The package builds frames and reads replies; sending and receiving is left to its user, so the loop
here is ours.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from gurux_dlms.enums import Authentication, Conformance, DataType, InterfaceType, Security
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.secure import GXDLMSSecureClient

_HEADER = 8
_LENGTH = slice(6, 8)
_TIMEOUT = 60.0


class Session:
    """One connection and the client that speaks over it."""

    def __init__(self, connection: socket.socket, client: GXDLMSSecureClient) -> None:
        connection.settimeout(_TIMEOUT)
        self.socket = connection
        self.client = client
        self.sent: list[bytes] = []
        """The frames sent, wrapper header and all."""

    # The loop -----------------------------------------------------------------------------------

    def exchange(self, frames: Any) -> GXReplyData:
        """Send each frame and parse its reply; raise what the package makes of an error."""
        reply = GXReplyData()
        for frame in [frames] if isinstance(frames, (bytes, bytearray)) else frames:
            reply.clear()
            octets = self.raw(bytes(frame))
            assert self.client.getData(bytearray(octets), reply)
            assert not reply.isMoreData()
            if reply.error:
                raise GXDLMSException(reply.error)
        return reply

    def raw(self, frame: bytes) -> bytes:
        """Send one frame; the reply as it came."""
        self.sent.append(frame)
        self.socket.sendall(frame)
        header = self._receive(_HEADER)
        return header + self._receive(int.from_bytes(header[_LENGTH], "big"))

    def _receive(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = self.socket.recv(count - len(octets))
            if not more:
                raise ConnectionError("the meter has hung up")
            octets += more
        return octets

    # What the tests do --------------------------------------------------------------------------

    def associate(self) -> None:
        """AARQ, and the passes of HLS where they are due."""
        reply = self.exchange(self.client.aarqRequest())
        self.client.parseAareResponse(reply.data)
        if self.client.isAuthenticationRequired:
            reply = self.exchange(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)

    def objects(self) -> Any:
        """The object list, parsed into the package's objects."""
        reply = self.exchange(self.client.getObjectsRequest())
        return self.client.parseObjects(reply.data, onlyKnownObjects=False)

    def read(self, target: Any, attribute: int) -> Any:
        """Read an attribute into its object."""
        reply = self.exchange(self.client.read(target, attribute)[0])
        return self.client.updateValue(target, attribute, reply.value)

    def write(self, target: Any, attribute: int) -> None:
        self.exchange(self.client.write(target, attribute))

    def invoke(self, target: Any, method: int, value: Any, kind: DataType) -> None:
        self.exchange(self.client.method(target, method, value, kind))

    def release(self) -> GXReplyData:
        return self.exchange(self.client.releaseRequest())


Open = Callable[..., Session]


@contextmanager
def connected(
    meter: Any,
    association: str,
    *,
    tls: bool = False,
    security: Security = Security.AUTHENTICATION_ENCRYPTION,
    counter: int | None = None,
    general: bool = False,
    **changes: Any,
) -> Iterator[Session]:
    """Connect, and set up the client, without a word sent on the association.

    The counter is asked of the public client unless given. With ``general`` the client proposes
    general protection, as it does by default, and then uses it (general-glo-, general-ded-);
    without, it protects service by service (glo-get-request and so on). ``changes`` are attributes
    of the package's ciphering settings, or ``password``.
    """
    access = meter.access(association)
    mechanism = meter.profile.associations[association].config.mechanism.name
    password = changes.pop("password", access.password if mechanism == "LLS" else None)
    authentication = {
        "NONE": Authentication.NONE,
        "LLS": Authentication.LOW,
        "HLS_GMAC": Authentication.HIGH_GMAC,
    }[mechanism]
    client = GXDLMSSecureClient(
        True,
        access.client_sap,
        access.server_sap,
        authentication,
        password,
        InterfaceType.WRAPPER,
    )
    if access.guek:
        cipher = client.ciphering
        cipher.security = security
        cipher.systemTitle = access.client_title
        cipher.blockCipherKey = access.guek
        cipher.authenticationKey = access.gak
        cipher.invocationCounter = read_counter(meter, access) if counter is None else counter
        for name, value in changes.items():
            assert hasattr(cipher, name)
            setattr(cipher, name, value)
    if not general:
        client.proposedConformance &= ~Conformance.GENERAL_PROTECTION
    with meter.connect(association if tls else "") as connection:
        yield Session(connection, client)


def read_counter(meter: Any, access: Any) -> int:
    """The meter's invocation counter object, read with the public client."""
    with connected(meter, "public") as public:
        public.associate()
        value = public.read(GXDLMSData(access.counter_object), 2)
        public.release()
    assert isinstance(value, int)
    return value


@pytest.fixture
def gurux() -> Iterator[Open]:
    """``gurux(meter, association, **options)``: an open association, closed after the test.

    With ``associate=False`` the connection alone.
    """
    with ExitStack() as stack:

        def open_session(
            meter: Any, association: str, *, associate: bool = True, **options: Any
        ) -> Session:
            session = stack.enter_context(connected(meter, association, **options))
            if associate:
                session.associate()
            return session

        yield open_session
