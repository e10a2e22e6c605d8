"""How fixtures/captures/resumed.pcap and resumed.keylog were made: by hand, as root, once.

    python tests/emulator/decoding/record_resumed_tls.py FOLDER

A client of Python's ssl (OpenSSL) asks an emulated meter for its clock four times over TLS 1.2: in
a session of its own, and again in the same one, resumed by its id; then both by a session ticket,
which our meters do not give, so that another server of OpenSSL's stands before it there.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import sys
import threading
from pathlib import Path

from scapy.sendrecv import AsyncSniffer
from scapy.utils import wrpcap

from devices.profile import load
from emulator.sandbox import Sandbox
from tls.contexts import client_context, server_context
from tls.pki import TestPki

LOOPBACK = "127.0.0.1"
TITLE = b"CSM\x00\x00\x00\x00\x01"
WRAPPER = bytes.fromhex("0001001000010000")
ASKED = (
    "601DA109060760857405080101BE10040E01000000065F1F0400601EDFFFFF",  # AARQ, no authentication
    "C001C100080000010000FF0200",  # the clock
    "6203800100",  # RLRQ
)


def wrapped(apdu: str) -> bytes:
    octets = bytes.fromhex(apdu)
    return WRAPPER[:6] + len(octets).to_bytes(2, "big") + octets


def ask(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLSession:
    with (
        socket.create_connection((LOOPBACK, port)) as plain,
        context.wrap_socket(plain, session=session) as line,
    ):
        for apdu in ASKED:
            line.sendall(wrapped(apdu))
            print(line.session_reused, line.recv(4096).hex())
        assert line.session is not None
        return line.session


def stand_before(port: int, context: ssl.SSLContext, listening: socket.socket, times: int) -> None:
    """TLS taken off, and the rest handed to the meter."""
    for _ in range(times):
        accepted, _peer = listening.accept()
        with (
            context.wrap_socket(accepted, server_side=True) as line,
            socket.create_connection((LOOPBACK, port)) as meter,
        ):
            while asked := line.recv(4096):
                meter.sendall(asked)
                line.sendall(meter.recv(4096))


async def record(folder: Path) -> None:
    pki = TestPki.create(now=dt.datetime.now(dt.UTC))
    keylog = folder / "resumed.keylog"
    credential = pki.issue_client(TITLE, "resuming client")

    def client(*, tickets: bool) -> ssl.SSLContext:
        return client_context(credential, pki.trust(), keylog=keylog, session_tickets=tickets)

    sandbox = Sandbox([load("secure")], pki=pki, fleet_secret=bytes(32), client_titles={})
    async with sandbox:
        address = sandbox.meters["secure"].address
        before = socket.create_server((LOOPBACK, 0))
        shown = pki.issue_device(bytes.fromhex("4C41420000000001"))
        terminator = server_context(shown, pki.trust(), session_tickets=True)
        standing = threading.Thread(
            target=stand_before, args=(address.plain_port, terminator, before, 2)
        )
        standing.start()
        ports = (address.tls_port, before.getsockname()[1])
        sniffer = AsyncSniffer(
            iface="lo", filter=f"tcp port {ports[0]} or tcp port {ports[1]}",
            started_callback=(begun := threading.Event()).set,
        )  # fmt: skip
        sniffer.start()
        await asyncio.to_thread(begun.wait)
        for port, tickets in zip(ports, (False, True), strict=True):
            context, session = client(tickets=tickets), None
            for _ in range(2):
                session = await asyncio.to_thread(ask, port, context, session)
        await asyncio.to_thread(standing.join)
        await asyncio.sleep(1)  # the last packets come to the sniffer late, and nothing tells of it
        packets = sniffer.stop()
        before.close()
    # On loopback each packet is seen as it leaves and as it comes.
    once = {bytes(packet): packet for packet in reversed(packets)}
    wrpcap(str(folder / "resumed.pcap"), sorted(once.values(), key=lambda packet: packet.time))


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
