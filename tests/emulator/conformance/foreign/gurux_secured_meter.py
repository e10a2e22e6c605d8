"""A meter of the stock gurux-dlms package with security, for our tester to look at: run as a
program, as ``gurux_meter.py``, whose public client and objects it has.

Ciphering, authentication codes, hashes, wrapping and the states are the package's. Its server with
security is further from finished than without: what is here in its stead is the form of an AARE
with a system title or a challenge, the comparison of f(StoC), how its handler reaches the objects
of an ACTION or a SET, and the names that it calls and nobody has defined.
"""

from __future__ import annotations

import argparse
import socket
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

import gurux_meter
from gurux_dlms._GXAPDU import _GXAPDU
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.enums import (
    AccessMode,
    AssociationResult,
    Authentication,
    Conformance,
    DataType,
    ErrorCode,
    InterfaceType,
    MethodAccessMode,
    ObjectType,
    Security,
    SourceDiagnostic,
)
from gurux_dlms.GXCiphering import GXCiphering
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.GXDLMSLNCommandHandler import GXDLMSLNCommandHandler
from gurux_dlms.GXDLMSLNParameters import GXDLMSLNParameters
from gurux_dlms.GXSecure import GXSecure
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSSecuritySetup
from gurux_dlms.objects.enums import AssociationStatus
from gurux_dlms.ValueEventArgs import ValueEventArgs

CURRENT, SETUP, WRITABLE = "0.0.40.0.0.255", "0.0.43.0.0.255", "0.0.96.1.10.255"
SECRET = b"secret of HLS ..."[:16]
KEK = bytes(range(0x40, 0x50))
LLS, GMAC, LLS_CIPHERED, MD5, SHA1, SHA256 = 1, 2, 3, 5, 6, 7
SERVICES = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
)


class Client(NamedTuple):
    """What the meter asks of one."""

    mechanism: Any
    ciphered: bool = False


CLIENTS = {
    gurux_meter.PUBLIC: Client(Authentication.NONE),
    LLS: Client(Authentication.LOW),
    GMAC: Client(Authentication.HIGH_GMAC, ciphered=True),
    LLS_CIPHERED: Client(Authentication.LOW, ciphered=True),
    MD5: Client(Authentication.HIGH_MD5),
    SHA1: Client(Authentication.HIGH_SHA1),
    SHA256: Client(Authentication.HIGH_SHA256),
}


class Kept:
    """Keys and the counter of what is sent, which outlive a connection."""

    def __init__(self) -> None:
        self.guek, self.gak = bytearray(gurux_meter.GUEK), bytearray(gurux_meter.GAK)
        self.kek = bytearray(KEK)
        self.sent = 0


class _Spending(GXCiphering):  # type: ignore[misc]
    """A counter is spent by being looked at. The package's own is the same in the InitiateResponse,
    f(CtoS) and the response around it, and begins again with each association.
    """

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        super().__init__(gurux_meter.TITLE)

    @property
    def invocationCounter(self) -> int:
        self.kept.sent += 1
        return self.kept.sent

    @invocationCounter.setter
    def invocationCounter(self, value: int) -> None:
        pass


# What the package calls otherwise than it defines it ----------------------------------------------


class _Arguments(ValueEventArgs):  # type: ignore[misc]
    """Its handler makes a list of one of these by ``list(arguments)``."""

    isSkipMaxPduSize = True
    value: Any = None

    def __iter__(self) -> Iterator[Any]:
        return iter((self,))


class _Parameters(GXDLMSLNParameters):  # type: ignore[misc]
    def isMultipleBlocks(self) -> bool:
        return bool(self.multipleBlocks)

    def setStatus(self, value: Any) -> None:
        self.status = value


def _gcm(*arguments: Any) -> Any:
    """Its server gives the system title where the tag belongs."""
    return AesGcmParameter(*(arguments if isinstance(arguments[0], int) else (0, *arguments)))


def _tlv(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value


def _aare(
    settings: Any, data: Any, result: Any, diagnostic: Any, cipher: Any, error: Any, _: Any
) -> None:
    """Its own has wrong lengths before the title and the challenge, and none before the first."""
    ciphered = cipher.isCiphered()
    hls = settings.authentication > Authentication.LOW
    name = bytes.fromhex("608574050801") + bytes((3 if ciphered else 1,))
    body = _tlv(0xA1, _tlv(0x06, name))
    body += _tlv(0xA2, _tlv(0x02, bytes((result,))))
    body += _tlv(0xA3, _tlv(0xA1, _tlv(0x02, bytes((diagnostic,)))))
    if ciphered or settings.authentication > Authentication.HIGH_SHA1:
        body += _tlv(0xA4, _tlv(0x04, bytes(cipher.systemTitle)))
    if hls and result == AssociationResult.ACCEPTED:
        body += _tlv(0x88, bytes((0x07, 0x80)))
        body += _tlv(0x89, bytes.fromhex("608574050802") + bytes((settings.authentication,)))
        body += _tlv(0xAA, _tlv(0x80, bytes(settings.stoCChallenge)))
    if error or result == AssociationResult.ACCEPTED:
        information = error.array() if error else _GXAPDU.getUserInformation(settings, cipher)
        body += _tlv(0xBE, _tlv(0x04, bytes(information)))
    data.set(_tlv(0x61, body))


def complete() -> None:
    """Put what is above in the place of what the package has."""
    handler: Any = sys.modules[GXDLMSLNCommandHandler.__module__]
    handler.ValueEventArgs, handler.GXDLMSLNParameters = _Arguments, _Parameters
    requests: Any = sys.modules[GXDLMS.__module__]
    requests.AesGcmParameter = _gcm
    _GXAPDU.generateAARE = _aare


# Objects ------------------------------------------------------------------------------------------


class Association(GXDLMSAssociationLogicalName):  # type: ignore[misc]
    def getAssociationStatus(self) -> Any:
        return self.associationStatus

    def invoke(self, settings: Any, e: Any) -> Any:
        """Pass 3 and 4: its own makes numbers of octets. What the functions are computed over is
        as its client has it, and so are the functions.
        """
        if e.index != 1:
            return super().invoke(settings, e)
        cipher, reply = settings.cipher, bytes(e.parameters)
        counter = int.from_bytes(reply[1:5], "big")
        theirs, ours = settings.sourceSystemTitle, cipher.systemTitle
        sent, got = settings.stoCChallenge, settings.ctoSChallenge
        wanted = GXSecure.secure(
            settings, cipher, counter, sent, _secret(settings, theirs, ours, sent, got)
        )
        if bytes(wanted) != reply:
            self.associationStatus = AssociationStatus.NON_ASSOCIATED
            e.error = ErrorCode.OTHER_REASON
            return None
        self.associationStatus = AssociationStatus.ASSOCIATED
        return GXSecure.secure(
            settings,
            cipher,
            cipher.invocationCounter,
            got,
            _secret(settings, ours, theirs, got, sent),
        )


def _secret(settings: Any, own: Any, other: Any, first: Any, second: Any) -> bytes:
    if settings.authentication == Authentication.HIGH_GMAC:
        return bytes(own or b"")
    if settings.authentication != Authentication.HIGH_SHA256:
        return SECRET
    return SECRET + bytes(own or b"") + bytes(other or b"") + bytes(first) + bytes(second)


def objects_of(interface: InterfaceType) -> list[Any]:
    kept = [
        one
        for one in gurux_meter.objects_of(interface)
        if one.objectType != ObjectType.ASSOCIATION_LOGICAL_NAME and one.logicalName != SETUP
    ]
    associations = [_association(CURRENT, gurux_meter.PUBLIC)]
    for number, sap in enumerate(CLIENTS, 1):
        associations.append(_association(f"0.0.40.0.{number}.255", sap))
    setup = GXDLMSSecuritySetup(SETUP)
    setup.version = 1
    setup.securityPolicy, setup.securitySuite = 0x6C, 0
    setup.serverSystemTitle = bytearray(gurux_meter.TITLE)
    setup.clientSystemTitle = bytearray(b"CSM\0\0\0\0\x01")
    writable = gurux_meter._data(WRITABLE, b"\x01\x02", DataType.OCTET_STRING)
    second = gurux_meter._data("0.0.96.1.11.255", b"\x03\x04", DataType.OCTET_STRING)
    return [*associations, *kept, setup, writable, second]


def _association(name: str, sap: int) -> Any:
    plain = gurux_meter._association(
        name, sap, CLIENTS[sap].mechanism, ciphered=CLIENTS[sap].ciphered
    )
    one = Association(name)
    for attribute, value in vars(plain).items():
        setattr(one, attribute, value)
    one.xDLMSContextInfo.conformance = SERVICES
    return one


# The meter ----------------------------------------------------------------------------------------


class Meter(gurux_meter.Meter):
    """One for each connection; the objects and ``kept`` are the same."""

    def __init__(
        self, interface: InterfaceType, objects: list[Any], kept: Kept, *, spending: bool
    ) -> None:
        super().__init__(interface, objects)
        self.conformance = SERVICES
        self.kept = kept
        if spending:
            self.settings.cipher = _Spending(kept)
        self.settings.setConnected = lambda value: setattr(self.settings, "connected", value)

    def handleRequest(self, sr: Any) -> None:
        cipher, kept = self.settings.cipher, self.kept
        cipher.blockCipherKey, cipher.authenticationKey = kept.guek, kept.gak
        self.settings.kek = kept.kek
        super().handleRequest(sr)
        kept.guek, kept.gak = cipher.blockCipherKey, cipher.authenticationKey
        kept.kek = self.settings.kek

    def handleCommand(self, cmd: Any, data: Any, sr: Any) -> Any:
        try:
            return super().handleCommand(cmd, data, sr)
        except Exception:
            traceback.print_exc()
            raise

    def isTarget(self, serverAddress: int, clientAddress: int) -> bool:
        return serverAddress == gurux_meter.SERVER and clientAddress in CLIENTS

    def onValidateAuthentication(self, authentication: Any, password: Any) -> Any:
        wanted = CLIENTS[self.settings.clientAddress]
        if wanted.ciphered is not (self.settings.cipher.security != Security.NONE):
            return SourceDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED
        if authentication != wanted.mechanism:
            return SourceDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED
        if authentication == Authentication.LOW and bytes(password or b"") != gurux_meter.PASSWORD:
            return SourceDiagnostic.AUTHENTICATION_FAILURE
        current = self.items.findByLN(ObjectType.ASSOCIATION_LOGICAL_NAME, CURRENT)
        current.clientSAP = self.settings.clientAddress
        current.securitySetupReference = SETUP if wanted.ciphered else "0.0.0.0.0.0"
        return SourceDiagnostic.NONE

    def notifyConnected(self, connectionInfo: Any) -> None:
        pass

    def onGetAttributeAccess(self, arg: Any) -> Any:
        mode = super().onGetAttributeAccess(arg)
        is_ours = arg.target.logicalName in (WRITABLE, "0.0.96.1.11.255") and arg.index == 2
        is_ciphered = CLIENTS[self.settings.clientAddress].ciphered
        return AccessMode.READ_WRITE if is_ours and is_ciphered else mode

    def onGetMethodAccess(self, arg: Any) -> Any:
        """Pass 3, and for one client the keys."""
        client = CLIENTS[self.settings.clientAddress]
        kind = arg.target.objectType
        if kind == ObjectType.ASSOCIATION_LOGICAL_NAME and arg.index == 1:
            hls = client.mechanism > Authentication.LOW
            return MethodAccessMode.ACCESS if hls else MethodAccessMode.NO_ACCESS
        if kind == ObjectType.SECURITY_SETUP and arg.index == 2 and client.ciphered:
            return MethodAccessMode.ACCESS
        return MethodAccessMode.NO_ACCESS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interface", choices=["wrapper", "hdlc"])
    parser.add_argument("--own-counters", action="store_true")
    options = parser.parse_args()
    interface, spending = InterfaceType[options.interface.upper()], not options.own_counters
    complete()
    objects, kept = objects_of(interface), Kept()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        gurux_meter.serve(listener, lambda: Meter(interface, objects, kept, spending=spending))


if __name__ == "__main__":
    main()
