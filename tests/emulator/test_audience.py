"""Who is told by a meter, and who is not: connections that are full, silent, or hopeless."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from devices.device import Device
from devices.outbox import Changed, Pushed
from devices.profile import load
from dlms.association.state import State
from dlms.cosem import obis
from dlms.framing import Wpdu
from dlms.security.drive import run
from dlms.security.ops import CryptoFailure
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.framing import Addressed, DatagramFraming
from emulator.framing.datagrams import MAX_KEPT
from emulator.head_end.party import client_titles
from emulator.serving.connection import MeterConnection
from emulator.serving.datagrams import MeterDatagrams
from emulator.serving.host import Host
from emulator.serving.telling import can_tell

SETUP = "0-0:25.9.0.255"
READING = AttributeDescriptor(3, obis.parse("1-0:1.8.0"), 2)


class Pipe(asyncio.Transport):
    """The meter's side of a connection whose peer reads nothing."""

    def __init__(self) -> None:
        super().__init__({"peername": ("peer", 1)})
        self.written: list[bytes] = []
        self.closing = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        """Nothing is read here."""

    def resume_reading(self) -> None:
        """Nothing is read here."""


@pytest.fixture
def host(clock: Any, events: Any, spy_module: Any, ring: Any) -> Host:
    """A meter without a network."""
    device = Device(load("laboratory"), 1, client_titles=client_titles())
    return Host(device, spy_module(ring).execute, clock.now, events)


@pytest.fixture
def reader(host: Host, make_association: Any, spy_module: Any, ring: Any) -> Any:
    """``reader(send)``: associates by hand; ``send`` takes an APDU and gives the meter's reply."""
    place = SimpleNamespace(device=host.device, profile=host.device.profile)
    execute = spy_module(ring).execute

    def open_by(send: Callable[[bytes], bytes]) -> Any:
        association = make_association(place, "reader")
        run(association.receive(send(run(association.open(), execute))), execute)
        return association

    return open_by


async def test_a_peer_that_reads_nothing(host: Host, reader: Any, events: Any) -> None:
    """Once its connection is full it is told nothing more, until there is room again."""
    connection, pipe = MeterConnection(host), Pipe()
    connection.connection_made(pipe)

    def send(apdu: bytes) -> bytes:
        connection.data_received(Wpdu(3, 1, apdu).encode())
        return pipe.written.pop()[8:]

    reader(send)
    assert host.audience.tell(Changed(READING)) == 1
    assert len(pipe.written) == 1
    connection.pause_writing()
    assert host.audience.tell(Changed(READING), Pushed(obis.parse(SETUP))) == 0
    assert len(pipe.written) == 1
    assert [event.text for event in events.of("not-told")] == ["3 to 1 takes nothing"] * 2
    connection.resume_writing()
    assert host.audience.tell(Changed(READING)) == 1
    pipe.close()
    assert host.audience.tell(Changed(READING)) == 0
    connection.connection_lost(None)
    assert host.audience._members == {}


async def test_a_meter_that_cannot_seal_hangs_up(
    host: Host, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, pipe = MeterConnection(host), Pipe()
    connection.connection_made(pipe)

    def send(apdu: bytes) -> bytes:
        connection.data_received(Wpdu(3, 1, apdu).encode())
        return pipe.written.pop()[8:]

    reader(send)

    def fail(*_: Any) -> Any:
        raise CryptoFailure("no module")

    monkeypatch.setattr("emulator.serving.peer.tell", fail)
    assert host.audience.tell(Changed(READING)) == 0
    assert pipe.closing
    connection.connection_lost(None)


async def test_datagrams_to_who_is_still_there(
    host: Host, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that has been silent for too long is forgotten before it is told anything."""
    sent: list[tuple[bytes, Any]] = []
    port = MeterDatagrams(host)
    transport: Any = SimpleNamespace(sendto=lambda data, addr: sent.append((data, addr)))
    port.connection_made(transport)
    where = ("127.0.0.1", 9)

    def send(apdu: bytes) -> bytes:
        port.datagram_received(Wpdu(3, 1, apdu).encode(), where)
        return sent.pop()[0][8:]

    reader(send)
    assert host.audience.tell(Pushed(obis.parse(SETUP))) == 1
    ((datagram, to),) = sent
    assert to == where
    assert datagram[:8] == bytes.fromhex("0001 0001 0003") + (len(datagram) - 8).to_bytes(2, "big")
    assert datagram[8] == 0x0F
    loop = asyncio.get_running_loop()
    later = loop.time() + host.inactivity_timeout
    monkeypatch.setattr(loop, "time", lambda: later)
    assert host.audience.tell(Pushed(obis.parse(SETUP))) == 0
    monkeypatch.undo()
    port.connection_lost(None)
    assert host.audience._members == {}


@pytest.mark.parametrize("broadcast", [False, True])
def test_where_something_can_be_said(broadcast: bool) -> None:
    config = SimpleNamespace(broadcast=broadcast)

    def can(state: State) -> bool:
        association: Any = SimpleNamespace(state=state, config=config)
        return can_tell(association)

    standing = {State.ASSOCIATED, State.UNCONFIRMED, State.PRE_ESTABLISHED, State.RELEASING}
    assert {state for state in State if can(state)} == (set() if broadcast else standing)


def test_datagrams_that_nobody_takes() -> None:
    framing = DatagramFraming()
    for number in range(MAX_KEPT + 3):
        framing.receive(Wpdu(1, 3, bytes((number,))).encode(), 0.0)
    assert framing.dropped == 3
    kept = [framing.next_indication() for _ in range(MAX_KEPT)]
    assert kept == [Addressed(3, 1, bytes((number,))) for number in range(MAX_KEPT)]
    assert framing.next_indication() is None
