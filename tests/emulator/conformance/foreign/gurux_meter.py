"""A meter made of the stock gurux-dlms package, for our tester to look at: run as a program.

It prints its port, serves one connection at a time on loopback, and ends when its standard input
ends. Objects and answers are the package's; here is what it leaves to whoever uses it, and, as its
server is not finished, the names that it calls and nobody has defined (``_Unfinished``).
"""

from __future__ import annotations

import argparse
import datetime as dt
import selectors
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from gurux_dlms import GXDateTime, GXServerReply
from gurux_dlms.enums import (
    AccessMode,
    Authentication,
    Conformance,
    DataType,
    InterfaceType,
    MethodAccessMode,
    ObjectType,
    SourceDiagnostic,
    Unit,
)
from gurux_dlms.GXCiphering import GXCiphering
from gurux_dlms.GXDLMSLongTransaction import GXDLMSLongTransaction
from gurux_dlms.GXHdlcSettings import GXHdlcSettings
from gurux_dlms.objects import (
    GXDLMSAssociationLogicalName,
    GXDLMSCaptureObject,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSHdlcSetup,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
    GXDLMSSapAssignment,
    GXDLMSSecuritySetup,
    GXDLMSTcpUdpSetup,
)
from gurux_dlms.objects.enums import ApplicationContextName, SecurityPolicy, SecuritySuite
from gurux_dlms.secure import GXDLMSSecureServer

NAME = b"GRX0000000000001"
TITLE = b"GRX\x00\x00\x00\x00\x01"
PASSWORD = b"12345678"
GUEK = bytes(range(16))
GAK = bytes(range(0xD0, 0xE0))
PUBLIC, READER, CIPHERED = 16, 1, 2
SERVER = 1
LONGEST = 1024
INFO = 128
SERVICES = Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
BUFFER = 65536


class _Unfinished:
    """What the package's command handler calls and its server has not got."""

    transaction: Any
    settings: Any

    def setTransaction(self, value: Any) -> None:
        if isinstance(value, GXDLMSLongTransaction):
            if not isinstance(value.targets, list):
                value.targets = [value.targets]
            value.setData = lambda data: setattr(value, "data", data)
        self.transaction = value

    def getTransaction(self) -> Any:
        return self.transaction

    def notifyRead(self, args: Any = None) -> None:
        pass

    def onPostRead(self, args: Any = None) -> None:
        pass


class _Reply(GXServerReply):  # type: ignore[misc]
    """With the accessors that the package's server calls."""

    def setReply(self, value: Any) -> None:
        self.reply = value

    def getConnectionInfo(self) -> Any:
        return self.connectionInfo

    def getCount(self) -> int:
        return int(self.count)

    def setCount(self, value: int) -> None:
        self.count = value


class _Link(GXHdlcSettings):  # type: ignore[misc]
    """What its answer to SNRM takes from two classes at once."""

    inactivityTimeout = 0
    maximumInfoLengthReceive = maximumInfoLengthTransmit = INFO

    def update(self, other: Any) -> None:
        self.maxInfoRX, self.maxInfoTX = other.maxInfoRX, other.maxInfoTX
        self.windowSizeRX, self.windowSizeTX = other.windowSizeRX, other.windowSizeTX


class Meter(_Unfinished, GXDLMSSecureServer):  # type: ignore[misc]
    """One for each connection; the objects are the same."""

    def __init__(self, interface: InterfaceType, objects: list[Any]) -> None:
        super().__init__(True, interface)
        self.settings.cipher = GXCiphering(TITLE)
        self.settings.cipher.blockCipherKey = bytearray(GUEK)
        self.settings.cipher.authenticationKey = bytearray(GAK)
        self.settings.gbtWndowSize = 1  # as its handler spells it
        self.settings.maxServerPDUSize = LONGEST
        self.conformance = SERVICES
        for one in objects:
            self.items.append(one)
        if interface is InterfaceType.HDLC:
            self.settings.hdlc = _Link()
            self.hdlc = _Link()
        self.initialize()

    def initialize(self) -> None:
        """Its own asks for object lists that its lists refuse."""
        self.initialized = True
        for one in self.items.getObjects(ObjectType.ASSOCIATION_LOGICAL_NAME):
            one.objectList = self.items
            one.xDLMSContextInfo.maxReceivePduSize = LONGEST
            one.xDLMSContextInfo.maxSendPduSize = LONGEST

    def handleSnrmRequest(self, data: Any) -> None:
        """Its own writes the group length and where it belongs the one for the other, so that no
        link would come about.
        """
        super().handleSnrmRequest(data)
        end = len(self.replyData) - 3
        self.replyData.setUInt8(0, end)
        self.replyData.setUInt8(end, 2)

    def isTarget(self, serverAddress: int, clientAddress: int) -> bool:
        return serverAddress == SERVER and clientAddress in (PUBLIC, READER, CIPHERED)

    def onValidateAuthentication(self, authentication: Any, password: Any) -> Any:
        wanted = (
            Authentication.NONE if self.settings.clientAddress == PUBLIC else Authentication.LOW
        )
        if authentication != wanted:
            return SourceDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED
        if wanted is Authentication.LOW and bytes(password or b"") != PASSWORD:
            return SourceDiagnostic.AUTHENTICATION_FAILURE
        current = self.items.findByLN(ObjectType.ASSOCIATION_LOGICAL_NAME, "0.0.40.0.0.255")
        current.clientSAP = self.settings.clientAddress
        return SourceDiagnostic.NONE

    def onGetAttributeAccess(self, arg: Any) -> Any:
        arg.server = self
        arg.isSkipMaxPduSize = True
        is_secret = arg.target.objectType == ObjectType.ASSOCIATION_LOGICAL_NAME and arg.index == 7
        return AccessMode.NO_ACCESS if is_secret else AccessMode.READ

    def onGetMethodAccess(self, arg: Any) -> Any:
        return MethodAccessMode.NO_ACCESS

    def onFindObject(self, objectType: Any, sn: int, ln: str) -> Any:
        return None

    def onPreRead(self, args: Any) -> None:
        pass

    def onPreWrite(self, args: Any) -> None:
        pass

    def onPostWrite(self, args: Any) -> None:
        pass

    def onPreAction(self, args: Any) -> None:
        pass

    def onPostAction(self, args: Any) -> None:
        pass

    def onPreGet(self, args: Any) -> None:
        pass

    def onPostGet(self, args: Any) -> None:
        pass

    def onConnected(self, connectionInfo: Any) -> None:
        pass

    def onInvalidConnection(self, connectionInfo: Any) -> None:
        pass

    def onDisconnected(self, connectionInfo: Any) -> None:
        pass


# Objects ------------------------------------------------------------------------------------------


def objects_of(interface: InterfaceType) -> list[Any]:
    clock = GXDLMSClock("0.0.1.0.0.255")
    clock.time = GXDateTime(dt.datetime(2019, 3, 26, 12, 30, tzinfo=dt.UTC))
    clock.begin = clock.end = clock.time
    energy = _register("1.0.1.8.0.255", 123456)
    saps = GXDLMSSapAssignment("0.0.41.0.0.255")
    saps.sapAssignmentList.append((SERVER, NAME.decode()))
    is_hdlc = interface is InterfaceType.HDLC
    return [
        _association("0.0.40.0.0.255", PUBLIC, Authentication.NONE, ciphered=False),
        _association("0.0.40.0.1.255", PUBLIC, Authentication.NONE, ciphered=False),
        _association("0.0.40.0.2.255", READER, Authentication.LOW, ciphered=False),
        _association("0.0.40.0.3.255", CIPHERED, Authentication.LOW, ciphered=True),
        saps,
        _data("0.0.42.0.0.255", NAME, DataType.OCTET_STRING),
        _data("0.0.96.1.0.255", b"00000001", DataType.OCTET_STRING),
        _data("0.0.43.1.0.255", 0, DataType.UINT32),
        clock,
        energy,
        _register("1.0.2.8.0.255", 42),
        _profile(clock, energy),
        _security_setup(),
        GXDLMSHdlcSetup("0.0.22.0.0.255") if is_hdlc else GXDLMSTcpUdpSetup("0.0.25.0.0.255"),
    ]


def _association(name: str, client: int, mechanism: Any, *, ciphered: bool) -> Any:
    one = GXDLMSAssociationLogicalName(name)
    one.clientSAP, one.serverSAP = client, SERVER
    one.xDLMSContextInfo.conformance = SERVICES
    one.xDLMSContextInfo.dlmsVersionNumber = 6
    one.xDLMSContextInfo.cypheringInfo = bytearray()
    one.authenticationMechanismName.mechanismId = mechanism
    one.applicationContextName.contextId = (
        ApplicationContextName.LOGICAL_NAME_WITH_CIPHERING
        if ciphered
        else ApplicationContextName.LOGICAL_NAME
    )
    one.securitySetupReference = "0.0.43.0.0.255" if ciphered else "0.0.0.0.0.0"
    return one


def _data(name: str, value: Any, kind: Any) -> Any:
    one = GXDLMSData(name)
    one.value = bytearray(value) if isinstance(value, bytes) else value
    one.setDataType(2, kind)
    return one


def _register(name: str, value: int) -> Any:
    one = GXDLMSRegister(name)
    one.value, one.scaler, one.unit = value, 1, Unit.ACTIVE_ENERGY
    one.setDataType(2, DataType.UINT32)
    return one


def _profile(clock: Any, energy: Any) -> Any:
    one = GXDLMSProfileGeneric("1.0.99.1.0.255")
    one.captureObjects.append((clock, GXDLMSCaptureObject(2, 0)))
    one.captureObjects.append((energy, GXDLMSCaptureObject(2, 0)))
    one.capturePeriod, one.profileEntries = 1800, 48
    start = dt.datetime(2019, 3, 26, 0, 0, tzinfo=dt.UTC)
    for row in range(24):
        one.buffer.append([GXDateTime(start + row * dt.timedelta(minutes=30)), 120000 + row])
    one.entriesInUse = len(one.buffer)
    return one


def _security_setup() -> Any:
    one = GXDLMSSecuritySetup("0.0.43.0.0.255")
    one.securityPolicy = SecurityPolicy(0x6C)
    one.securitySuite = SecuritySuite.SUITE_0
    one.serverSystemTitle = bytearray(TITLE)
    return one


# Serving ------------------------------------------------------------------------------------------


def serve(listener: socket.socket, make: Callable[[], Meter]) -> None:
    """Until standard input ends. What the package raises ends the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        selector.register(listener, selectors.EVENT_READ, None)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    selector.register(connection, selectors.EVENT_READ, make())
                elif not _answer(key.fileobj, key.data):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]


def _answer(connection: Any, meter: Meter) -> bool:
    """Whether the connection goes on."""
    try:
        octets = connection.recv(BUFFER)
        if not octets:
            return False
        reply = _Reply(octets)
        meter.handleRequest(reply)
        if reply.reply:
            connection.sendall(bytes(reply.reply))
    except Exception:
        traceback.print_exc()
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interface", choices=["wrapper", "hdlc"])
    interface = InterfaceType[parser.parse_args().interface.upper()]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        objects = objects_of(interface)
        serve(listener, lambda: Meter(interface, objects))


if __name__ == "__main__":
    main()
