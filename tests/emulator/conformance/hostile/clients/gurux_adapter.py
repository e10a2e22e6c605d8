"""The stock gurux-dlms client as a head end under test: ``gurux_adapter.py TASK MATERIAL``.

Classes of the package as installed; it leaves sending and receiving to its user, as its examples
do it here: a frame is complete when the package says so.
"""

from __future__ import annotations

import datetime as dt
import json
import socket
import sys
from pathlib import Path
from typing import Any

from gurux_dlms import GXByteBuffer
from gurux_dlms.enums import Authentication, Conformance, InterfaceType, Security
from gurux_dlms.GXDateTime import GXDateTime
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSProfileGeneric
from gurux_dlms.secure import GXDLMSSecureClient

MAX_PDU_SIZE = 1024


class Session:
    """One connection and the client that speaks over it."""

    def __init__(self, told: dict[str, Any], client: GXDLMSSecureClient) -> None:
        self.client = client
        self.socket = socket.create_connection((told["host"], told["port"]), told["timeout"])
        self.rest = b""

    def exchange(self, frames: Any) -> GXReplyData:
        """Send each frame, and read its reply with all of its blocks."""
        reply = GXReplyData()
        for frame in [frames] if isinstance(frames, bytes | bytearray) else frames:
            self.one(frame, reply)
            while reply.isMoreData():
                self.one(self.client.receiverReady(reply), reply)
        return reply

    def one(self, frame: Any, reply: GXReplyData) -> None:
        self.socket.sendall(bytes(frame))
        received = GXByteBuffer()
        received.set(bytearray(self.rest))
        notify = GXReplyData()
        while not (received.size and self.client.getData(received, reply, notify)):
            if notify.data.size:
                notify.clear()  # a push is nobody's reply
                continue
            more = self.socket.recv(4096)
            if not more:
                raise ConnectionError("the meter has hung up")
            received.set(bytearray(more))
        self.rest = bytes(received.array()[received.position :])
        if reply.error:
            raise GXDLMSException(reply.error)

    def associate(self) -> None:
        reply = self.exchange(self.client.aarqRequest())
        self.client.parseAareResponse(reply.data)
        if self.client.isAuthenticationRequired:
            reply = self.exchange(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)

    def read(self, target: Any, number: int) -> Any:
        value = self.exchange(self.client.read(target, number)[0]).value
        return self.client.updateValue(target, number, value)

    def close(self) -> None:
        self.exchange(self.client.releaseRequest())
        self.socket.close()


def secured(told: dict[str, Any], counter: int) -> GXDLMSSecureClient:
    client = GXDLMSSecureClient(
        True,
        told["client_sap"],
        told["server_sap"],
        Authentication.HIGH_GMAC,
        None,
        InterfaceType.WRAPPER,
    )
    cipher = client.ciphering
    cipher.security = Security.AUTHENTICATION_ENCRYPTION
    cipher.systemTitle = bytes.fromhex(told["own_title"])
    cipher.blockCipherKey = bytes.fromhex(told["keys"]["guek"])
    cipher.authenticationKey = bytes.fromhex(told["keys"]["gak"])
    cipher.invocationCounter = counter
    if hasattr(client, "serverSystemTitle"):
        client.serverSystemTitle = bytes.fromhex(told["server_title"])
    client.maxReceivePDUSize = MAX_PDU_SIZE
    client.proposedConformance &= ~(
        Conformance.GENERAL_PROTECTION | Conformance.GENERAL_BLOCK_TRANSFER
    )
    return client


def code(named: dict[str, Any] | str) -> str:
    text = named if isinstance(named, str) else named["instance"]
    return text.replace("-", ".").replace(":", ".")


def plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, GXDateTime):
        return value.value.isoformat()
    return value.isoformat() if isinstance(value, dt.datetime) else value


def do(task: str, session: Session, told: dict[str, Any]) -> Any:
    if task == "read":
        return [plain(session.read(GXDLMSData(code(one)), 2)) for one in told["read"]]
    if task == "block-read":
        return plain(session.read(GXDLMSData(code(told["block_read"])), 2))
    if task == "clock":
        clock = GXDLMSClock(code(told["clock"]))
        time = session.read(clock, 2)
        return {"time": plain(time), "status": int(getattr(time, "status", 0) or 0)}
    if task != "profile":
        raise NotImplementedError(task)
    profile = GXDLMSProfileGeneric(code(told["profile"]))
    session.read(profile, 3)
    session.read(profile, 4)
    session.read(profile, 2)
    return [[plain(cell) for cell in row] for row in profile.buffer]


def main(task: str, file: str) -> None:
    told = json.loads(Path(file).read_text())
    public = Session(told, GXDLMSSecureClient(True, 16, told["server_sap"]))
    public.client.interfaceType = InterfaceType.WRAPPER
    public.associate()
    counter = public.read(GXDLMSData(code(told["counter_from"])), 2)
    public.close()
    session = Session(told, secured(told, counter + 1))
    session.associate()
    value = do(task, session, told)
    session.close()
    print(json.dumps(value))


if __name__ == "__main__":
    main(*sys.argv[1:])
