"""Listeners that do not confirm, confirm something else, or are somebody else: the alert stays."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import struct
from typing import Any

import pytest

from devices.profile import load
from dlms.axdr.data import enum, long_unsigned, octet_string, structure, unsigned
from dlms.cosem import obis
from dlms.xdlms.data_notification import DataNotificationConfirm
from dlms.xdlms.long_invoke import CONFIRMED
from emulator.head_end.party import LISTENER, TITLES
from tls.contexts import server_context

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


class Rude(asyncio.Protocol):
    """Resets a connection as soon as it stands."""

    def connection_made(self, transport: Any) -> None:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def test_unconfirmed_and_broken_off(
    fleet: Any, secure: Any, play: Any, covers: Any, pki: Any
) -> None:
    """What was written, but not taken in order, is told again."""
    secure.store(secure.profile.objects[SETUP], 11, enum(0))
    credential = pki.issue_listener(TITLES[LISTENER], "listener")
    context = server_context(credential, pki.trust())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Rude, "127.0.0.1", 0, ssl=context)
    fleet.listening_at(server.sockets[0].getsockname()[1])
    fleet.happen("secure", *covers(2))
    await fleet.not_told(1)
    server.close()
    assert list(secure.state.alerts) == [1, 2]
    played = await play(load("secure"), secure.serial)
    fleet.listening_at(played.port)
    caller = await played.caller()
    for number in (1, 2):
        assert (await caller.notification()).long_invoke == number
    await fleet.told(2)
    assert secure.state.alerts == {}


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
