"""Listeners that do not confirm, confirm something else, or are somebody else: the alert stays."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import struct
from typing import Any

import pytest

from devices.profile import load, load_text
from dlms.axdr.data import enum, long_unsigned, octet_string, structure, unsigned
from dlms.cosem import obis
from dlms.xdlms.data_notification import DataNotificationConfirm
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.long_invoke import CONFIRMED
from emulator.head_end.party import LISTENER, TITLES

SETUP = obis.parse("0-0:25.9.1.255")
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def secure(fleet: Any) -> Any:
    """One retry after a second."""
    device = fleet.device("secure")
    row = device.profile.objects[SETUP]
    device.store(row, 6, unsigned(1))
    device.store(row, 7, structure(*map(long_unsigned, (1, 100, 1))))
    return device


@pytest.fixture
async def played(fleet: Any, secure: Any, play: Any) -> Any:
    played = await play(load("secure"), secure.serial)
    fleet.listening_at(played.port)
    return played


def digest(device: Any) -> bytes:
    found: bytes = device.state.digest()
    return found


async def answered(fleet: Any, played: Any, apdu: Any) -> str:
    """What the meter says of an answer, and that it then goes on as if nothing had been said."""
    before = digest(fleet.device("secure"))
    caller = await played.caller()
    told = await caller.notification()
    caller.send(apdu(caller, told))
    (reason,) = await fleet.not_told(1)
    await caller.closed()
    assert digest(fleet.device("secure")) == before
    await fleet.sandbox.living.advance(fleet.clock.now() + SECOND)
    caller = await played.caller()
    again = await caller.notification()
    assert again == told
    caller.send(caller.confirmation(again))
    await fleet.told(1)
    await caller.closed()
    assert fleet.device("secure").state.alerts == {}
    return str(reason)


def of_another(caller: Any, told: Any) -> Any:
    return caller.sealed(DataNotificationConfirm(told.long_invoke + 1))


def unconfirmed(caller: Any, told: Any) -> Any:
    return caller.sealed(DataNotificationConfirm(told.long_invoke & ~CONFIRMED))


def plain(caller: Any, told: Any) -> bytes:
    return DataNotificationConfirm(told.long_invoke).encode()


def broken(caller: Any, told: Any) -> bytes:
    octets = bytearray(caller.confirmation(told))
    octets[-1] ^= 1
    return bytes(octets)


def echo(caller: Any, told: Any) -> bytes:
    return told.encode()


def nonsense(caller: Any, told: Any) -> bytes:
    return b"\x00"


@pytest.mark.parametrize(
    ("apdu", "why"),
    [
        (of_another, "a confirmation of 40000002 instead of a confirmation of 40000001"),
        (unconfirmed, "a confirmation of 00000001 instead of"),
        (plain, "not protected as the policy demands"),
        (broken, "instead of a confirmation of 40000001: "),
        (echo, "instead of a confirmation of 40000001: "),
        (nonsense, "instead of a confirmation of 40000001: "),
    ],
)
async def test_a_wrong_answer(fleet: Any, played: Any, covers: Any, apdu: Any, why: str) -> None:
    fleet.happen("secure", *covers(1))
    reason = await answered(fleet, played, apdu)
    assert why in reason
    assert reason.endswith("; 1 kept")


async def test_a_confirmation_that_is_played_again(fleet: Any, played: Any, covers: Any) -> None:
    """That of the first alert for the second one."""
    fleet.happen("secure", *covers(2))
    caller = await played.caller()
    confirmation = caller.confirmation(await caller.notification())
    caller.send(confirmation)
    await caller.notification()
    caller.send(confirmation)
    (reason,) = await fleet.not_told(1)
    assert "below" in reason
    assert list(fleet.device("secure").state.alerts) == [2]


async def test_that_is_recorded_is_good_for_no_later_connection(
    fleet: Any, played: Any, covers: Any
) -> None:
    fleet.happen("secure", *covers(1))
    caller = await played.caller()
    confirmation = caller.confirmation(await caller.notification())
    caller.abort()
    await fleet.not_told(1)
    # A confirmation made for the first telling is fresh still: it was not received.
    await fleet.sandbox.living.advance(fleet.clock.now() + SECOND)
    caller = await played.caller()
    told = await caller.notification()
    caller.send(confirmation)
    await fleet.told(1)
    assert told.long_invoke == CONFIRMED | 1


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_it_hangs_up_instead(fleet: Any, played: Any, covers: Any, how: str) -> None:
    fleet.happen("secure", *covers(2))
    caller = await played.caller()
    await caller.notification()
    getattr(caller, how)()
    (reason,) = await fleet.not_told(1)
    assert reason.endswith("; 2 kept")
    await fleet.sandbox.living.advance(fleet.clock.now() + SECOND)
    caller = await played.caller()
    for _ in range(2):
        caller.send(caller.confirmation(await caller.notification()))
    await fleet.told(2)


async def test_it_takes_and_does_not_confirm(
    fleet: Any, played: Any, covers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.serving.alerts.CONFIRM_TIMEOUT", 0.01)
    fleet.happen("secure", *covers(1))
    caller = await played.caller()
    await caller.notification()
    (reason,) = await fleet.not_told(1)
    assert "a confirmation of 40000001 has not come in time; 1 kept" in reason
    await caller.closed()
    monkeypatch.undo()
    await fleet.sandbox.living.advance(fleet.clock.now() + SECOND)
    caller = await played.caller()
    caller.send(caller.confirmation(await caller.notification()))
    await fleet.told(1)


APPLICATION_DATA = 0x17
"""Type of a TLS record, its first octet."""


class Cutter:
    """Passes octets on to ``port`` and back until the caller sends application data; then it resets
    the connection, and nothing of that arrives.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, reader: Any, writer: Any) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.ensure_future(self._answers(back, writer))
        while True:
            head = await reader.readexactly(5)
            if head[0] == APPLICATION_DATA:
                break
            forth.write(head + await reader.readexactly(int.from_bytes(head[3:], "big")))
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        forth.transport.abort()
        answers.cancel()

    async def _answers(self, back: Any, writer: Any) -> None:
        while octets := await back.read(4096):
            writer.write(octets)


async def test_unconfirmed_and_broken_off(
    fleet: Any, secure: Any, played: Any, covers: Any
) -> None:
    """What was written, but not taken in order, is told again."""
    secure.store(secure.profile.objects[SETUP], 11, enum(0))
    async with await asyncio.start_server(Cutter(played.port), "127.0.0.1", 0) as server:
        fleet.listening_at(server.sockets[0].getsockname()[1])
        fleet.happen("secure", *covers(2))
        (reason,) = await fleet.not_told(1)
    assert reason == "the connection broke before it was closed; 2 kept"
    assert list(secure.state.alerts) == [1, 2]
    await played.caller()  # which came no further than its handshake
    fleet.listening_at(played.port)
    caller = await played.caller()
    for number in (1, 2):
        assert (await caller.notification()).long_invoke == number
    await fleet.told(2)
    assert secure.state.alerts == {}


async def test_a_request_instead(start_fleet: Any, play: Any, covers: Any) -> None:
    """A meter serves nobody on the connection that it has made."""
    text = (
        'extends = "secure"\nname = "mine"\n[associations.alerts]\n'
        'conformance = ["GET", "DATA_NOTIFICATION", "GENERAL_PROTECTION"]\nassumed = "a test"\n'
    )
    profile = load_text(text, "mine.toml")
    async with start_fleet([profile]) as fleet:
        played = await play(profile, 1)
        fleet.listening_at(played.port)
        fleet.happen("mine", *covers(1))
        caller = await played.caller()
        await caller.notification()
        name = AttributeDescriptor(1, obis.parse("0-0:42.0.0.255"), 2)
        caller.send(caller.make(caller.association.request(GetRequest(0xC1, name))))
        (reason,) = await fleet.not_told(1)
        assert "RequestReceived instead of a confirmation" in reason
        await caller.closed()


# Somebody else --------------------------------------------------------------------------------


async def test_the_listener_must_be_the_party_that_alerts_are_for(
    fleet: Any, secure: Any, play: Any, covers: Any, pki: Any
) -> None:
    other = pki.issue_listener(b"XXX\0\0\0\0\x01", "somebody else")
    played = await play(load("secure"), secure.serial, other)
    fleet.listening_at(played.port)
    fleet.happen("secure", *covers(1))
    (reason,) = await fleet.not_told(1)
    assert "5858580000000001" in reason
    assert len(secure.state.alerts) == 1


async def test_the_certificate_must_be_of_the_fleets_pki(
    fleet: Any, secure: Any, play: Any, covers: Any, other_pki: Any
) -> None:
    stranger = other_pki.issue_listener(TITLES[LISTENER], "stranger")
    played = await play(load("secure"), secure.serial, stranger)
    fleet.listening_at(played.port)
    fleet.happen("secure", *covers(1))
    await fleet.not_told(1)
    assert len(secure.state.alerts) == 1


async def test_a_party_is_no_listener_by_its_client_certificate(
    fleet: Any, secure: Any, play: Any, covers: Any, credentials: Any
) -> None:
    played = await play(load("secure"), secure.serial, credentials[LISTENER])
    fleet.listening_at(played.port)
    fleet.happen("secure", *covers(1))
    await fleet.not_told(1)
    assert len(secure.state.alerts) == 1


async def test_something_that_speaks_no_tls(fleet: Any, secure: Any, covers: Any) -> None:
    async def greet(reader: Any, writer: Any) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        fleet.listening_at(server.sockets[0].getsockname()[1])
        fleet.happen("secure", *covers(1))
        await fleet.not_told(1)
    assert len(secure.state.alerts) == 1


# Many -----------------------------------------------------------------------------------------


async def test_connections_at_once_are_bounded(
    fleet: Any, play: Any, covers: Any, profiles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.serving.pushing.MAX_AT_ONCE", 2)
    listeners = {}
    for profile in profiles:
        device = fleet.device(profile.name)
        listeners[profile.name] = played = await play(profile, device.serial)
        text = f"127.0.0.1:{played.port}".encode()
        device.store(profile.objects[SETUP], 3, structure(enum(0), octet_string(text), enum(0)))
    for profile in profiles:
        fleet.happen(profile.name, *covers(1))
    served = []
    while len(served) < len(profiles):
        callers = [
            (name, asyncio.ensure_future(one.caller()))
            for name, one in listeners.items()
            if name not in served
        ]
        done, pending = await asyncio.wait(
            [task for _, task in callers], return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        assert fleet.sandbox.pusher.busy <= 2
        for name, task in callers:
            if task in done:
                caller = task.result()
                caller.send(caller.confirmation(await caller.notification()))
                served.append(name)
    await fleet.told(len(profiles))
    assert sorted(served) == sorted(listeners)
