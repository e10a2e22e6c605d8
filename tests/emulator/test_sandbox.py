"""The sandbox as a whole: ports, what it leaves behind, and that meters do not share anything."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from devices.profile import Profile, available, load
from dlms.acse.names import Mechanism
from dlms.security.keys import KeyKind, KeyRef
from emulator.client import Keys, connect
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.sandbox import Sandbox


def sandbox_of(names: list[str], pki: Any, **options: Any) -> Sandbox:
    return Sandbox(
        [load(name) for name in names],
        pki=pki,
        fleet_secret=bytes(32),
        client_titles=client_titles(),
        **options,
    )


def free_ports(count: int) -> int:
    """The first of ``count`` ports in a row that were free a moment ago."""
    # Below the ports that the system gives out by itself; another run begins elsewhere.
    begin = 10000 + os.getpid() % 1000 * 16
    for first in range(begin, 32000, 16):
        sockets = []
        try:
            for port in range(first, first + count):
                sock = socket.socket()
                sockets.append(sock)
                sock.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for sock in sockets:
                sock.close()
    raise AssertionError("no free ports")


async def connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.transport.abort()
    return True


async def test_meters_are_on_loopback_and_ports_are_their_own(sandbox: Sandbox) -> None:
    addresses = [running.address for running in sandbox.meters.values()]
    assert [address.name for address in addresses] == list(available())
    assert {address.host for address in addresses} == {"127.0.0.1"}
    ports = [port for address in addresses for port in (address.plain_port, address.tls_port)]
    assert len(set(ports)) == 10
    assert [address.serial for address in addresses] == [1, 2, 3, 4, 5]


async def test_ports_in_a_row(pki: Any) -> None:
    first = free_ports(4)
    async with sandbox_of(["aclara", "secure"], pki, port=first) as sandbox:
        addresses = [running.address for running in sandbox.meters.values()]
        assert [(a.plain_port, a.tls_port) for a in addresses] == [
            (first, first + 1),
            (first + 2, first + 3),
        ]
        assert await connects(first)
    assert sandbox.meters == {}
    for port in range(first, first + 4):
        assert not await connects(port)


async def test_a_port_that_is_taken_leaves_nothing_running(pki: Any) -> None:
    first = free_ports(4)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 3))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await sandbox_of(["aclara", "secure"], pki, port=first).__aenter__()
    for port in range(first, first + 3):
        assert not await connects(port)


async def test_leaving_the_sandbox_hangs_up(pki: Any) -> None:
    async with sandbox_of(["aclara"], pki) as sandbox:
        port = sandbox.meters["aclara"].address.plain_port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        # An answer, so that the connection is known to have been accepted.
        writer.write(bytes.fromhex("00010010000100 01 C0"))
        await reader.readexactly(11)
    async with asyncio.timeout(30):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


async def test_what_is_done_to_one_meter_is_done_to_that_one(
    head_end: Any, place: Any, sandbox: Sandbox
) -> None:
    digests = {name: place(name).digest for name in available()}
    meter = place("secure")
    await head_end.top_up(meter.address, meter.profile, Decimal(1))
    changed = {name for name in available() if place(name).digest != digests[name]}
    assert changed == {"secure"}


async def test_no_two_meters_share_a_key(place: Any, ring: Any) -> None:
    keys = [
        ring.get(place(name).device.key(scope, kind))
        for name in available()
        for scope in ("s1sp", "dco")
        for kind in (KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK)
    ]
    assert len(set(keys)) == len(keys) == 30


async def test_all_meters_at_once(head_end: Any, place: Any) -> None:
    meters = [place(name) for name in available()]
    async with asyncio.timeout(30):
        statuses = await asyncio.gather(
            *(head_end.status(meter.address, meter.profile) for meter in meters)
        )
    assert [status.supply for status in statuses] == ["disconnected"] * 5
    assert len({status.balance for status in statuses}) == 5


def in_suite(profile: Profile, suite: int) -> Profile:
    """The same meter, with the association of the S1SP in another security suite."""
    row = profile.associations["s1sp"]
    there = row._replace(config=replace(row.config, suite=suite))
    return replace(profile, associations={**profile.associations, "s1sp": there})


def test_a_key_is_in_the_suite_of_its_association() -> None:
    suite_of = suites_of(in_suite(load("secure"), 2))
    scopes = {scope: suite_of(KeyRef(b"", scope, KeyKind.GUEK)) for scope in ("s1sp", "dco", "-")}
    assert scopes == {"s1sp": 2, "dco": 0, "-": 0}


@pytest.mark.parametrize(("suite", "length"), [(0, 16), (1, 16), (2, 32)])
async def test_a_meter_in_each_suite(pki: Any, suite: int, length: int) -> None:
    """Its keys have the length of its suite, and a client with such keys reads from it."""
    profile = in_suite(load("secure"), suite)
    config = profile.associations["s1sp"].config
    ring = KeyRing(bytes(32), suites_of(profile))
    own_title = client_titles()["s1sp"]
    sandbox = Sandbox([profile], pki=pki, fleet_secret=bytes(32), client_titles={"s1sp": own_title})
    async with sandbox:
        meter = sandbox.meters["secure"].address
        guek, gak = (
            ring.get(KeyRef(meter.title, "s1sp", kind)) for kind in (KeyKind.GUEK, KeyKind.GAK)
        )
        assert (len(guek), len(gak)) == (length, length)
        async with (
            connect(meter.host, meter.plain_port) as client,
            client.associate(
                client_sap=config.client_sap,
                server_sap=config.server_sap,
                mechanism=Mechanism.HLS_GMAC,
                own_title=own_title,
                keys=Keys(guek=guek, gak=gak),
                suite=suite,
                counter=0,
            ) as association,
        ):
            name = await association.get("0-0:42.0.0.255")
    assert name == profile.logical_device_name(meter.serial)
