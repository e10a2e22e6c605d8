"""Firmware by the client: both drivers, every way, blocks that are lost, connections that end."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dlms.axdr.data import double_long_unsigned, enum, octet_string, structure
from dlms.cosem.image_transfer import Status
from dlms.xdlms.codes import ActionResult
from emulator.client import AssociationLost, ClientError, ImageRefused, Refused, Transfer, connect
from emulator.client.image_courses import activated, invoked, looked
from emulator.client.image_transfer import Progress
from emulator.client.images import deliver, follow
from emulator.memory.kept_memories import KeptMemories
from emulator.policy import Actor
from emulator.sandbox import RunningMeter

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
DRIVERS = ["asyncio", "blocking"]
WHAT = "0-0:44.0.0.255"
INSTANCE = bytes((0, 0, 44, 0, 0, 255))
VERSION = "electricity_firmware_identifier"
BLOCK = 512


async def at_once(seconds: float) -> None:
    """A pause in which others have their turn."""
    await asyncio.sleep(0)


@pytest.fixture
def s1sp(meter: RunningMeter, party_of: Any, route_to: Any, associated: Any) -> Callable[..., Any]:
    """``async with s1sp(driver, way) as a``"""

    def start(driver: str = "asyncio", way: str = "tcp", who: str = "s1sp") -> Any:
        route = route_to(meter, way, actor=Actor(who.upper()))
        return associated(driver, route, **party_of(meter, who))

    return start


def sent(meter: RunningMeter) -> dict[int, bytes]:
    return meter.device.state.image


async def send_some(a: Any, octets: bytes, *numbers: int, identifier: bytes = b"x") -> None:
    """Begin a transfer and send some of its blocks."""
    announced = structure(octet_string(identifier), double_long_unsigned(len(octets)))
    await a.invoke(WHAT, 1, announced)
    for number in numbers:
        block = octets[number * BLOCK : (number + 1) * BLOCK]
        await a.invoke(WHAT, 2, structure(double_long_unsigned(number), octet_string(block)))


@pytest.mark.parametrize("way", ["tcp", "tls", "udp", "hdlc", "line"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_all_the_way(
    driver: str, way: str, s1sp: Any, meter: RunningMeter, image_for: Any
) -> None:
    octets = image_for(meter)
    progress: list[Progress] = []
    transfer = Transfer(image=octets, on_progress=progress.append)
    async with s1sp(driver, way) as a:
        await a.images().transfer_and_verify(transfer)
        look = await a.images().look()
    assert look.status is Status.VERIFIED
    assert transfer.blocks_sent == len(look.bits) == -(-len(octets) // BLOCK)
    assert [one.identification for one in look.to_activate] == [transfer.identifier]
    assert [one.done for one in progress] == sorted(one.done for one in progress)
    assert progress[0].done == 0
    assert progress[-1] == (len(look.bits), len(look.bits))
    async with s1sp(driver, way, "dco") as a:
        assert await a.images().activate() is Status.ACTIVATED
    async with s1sp(driver, way) as a:
        assert await a.get(VERSION) == b"2.0.0"


async def test_only_what_is_missing(s1sp: Any, meter: RunningMeter, image_for: Any) -> None:
    octets = image_for(meter)
    transfer = Transfer(image=octets, identifier=b"x")
    async with s1sp() as a:
        await send_some(a, octets, 1, 3, 4)
        await a.images().transfer(transfer)
        assert transfer.blocks_sent == -(-len(octets) // BLOCK) - 3
        await a.images().verify()
        again = Transfer(image=octets, identifier=b"x")
        await a.images().transfer_and_verify(again)
        assert again.blocks_sent == 0


async def test_or_all_of_it_afresh(s1sp: Any, meter: RunningMeter, image_for: Any) -> None:
    octets = image_for(meter)
    transfer = Transfer(image=octets, identifier=b"x", resume=False)
    async with s1sp() as a:
        await send_some(a, octets, 1, 3, 4)
        await a.images().transfer(transfer)
    assert transfer.blocks_sent == -(-len(octets) // BLOCK)


@pytest.mark.parametrize("length", [0, 1, 600])
async def test_another_image_is_under_way(
    s1sp: Any, meter: RunningMeter, image_for: Any, length: int
) -> None:
    """Of as many blocks, or as many octets, or another number: in the end it is ours that is
    verified.
    """
    octets = image_for(meter)
    other = image_for(meter, bytes(5000 - length), "9.9.9")
    transfer = Transfer(image=octets)
    async with s1sp() as a:
        last = (len(other) - 1) // BLOCK
        await send_some(a, other, 0, last)
        await a.images().transfer_and_verify(transfer)
        look = await a.images().look()
    assert [one.identification for one in look.to_activate] == [transfer.identifier]
    assert b"".join(octets for _, octets in sorted(sent(meter).items())) == octets


async def test_what_is_not_good_is_not_tried_for_ever(
    s1sp: Any, meter: RunningMeter, image_for: Any
) -> None:
    octets = image_for(meter)
    bad = Transfer(image=octets[:-1] + bytes((octets[-1] ^ 1,)))
    async with s1sp() as a:
        await send_some(a, bad.image, 0)
        with pytest.raises(ImageRefused, match="does not verify") as caught:
            await a.images().transfer_and_verify(bad)
    assert caught.value.status is Status.VERIFICATION_FAILED
    blocks = -(-len(octets) // BLOCK)
    assert bad.blocks_sent == blocks - 1 + blocks


async def test_too_large(s1sp: Any) -> None:
    async with s1sp() as a:
        with pytest.raises(Refused) as caught:
            await a.images().transfer(bytes(1024 * 1024 + 1))
        assert caught.value.result is ActionResult.OTHER_REASON
        assert await a.get("clock")


async def test_not_enabled(s1sp: Any) -> None:
    async with s1sp(who="dco") as a:
        await a.set(WHAT, 5, False)
    async with s1sp() as a:
        with pytest.raises(ImageRefused, match="not enabled"):
            await a.images().transfer(b"image")


async def test_nothing_is_no_image() -> None:
    with pytest.raises(ValueError, match="octets"):
        Transfer(image=b"")


async def test_two_clients_at_once(
    s1sp: Any, meter: RunningMeter, image_for: Any, party_of: Any
) -> None:
    """One reads while the other transfers, on one association; another on its own."""
    octets = image_for(meter)
    async with s1sp() as a, s1sp(who="dco") as b:
        async with asyncio.TaskGroup() as group:
            group.create_task(a.images().transfer_and_verify(octets))
            for _ in range(5):
                group.create_task(a.get("clock"))
                group.create_task(b.images().look())
        assert (await b.images().look()).status is Status.VERIFIED


async def test_somebody_verifies_too_early(s1sp: Any, meter: RunningMeter, image_for: Any) -> None:
    """What is in the way of a transfer is said, and does not keep it going round."""
    octets = image_for(meter)

    async with s1sp() as a:
        images, hold = a.images(), a.hold
        count = 0

        async def interfere(dialogue: Any) -> Any:
            nonlocal count
            count += 1
            if count == 8:
                with pytest.raises(ImageRefused):
                    await images.verify()
                meter.device.state.values[INSTANCE, 6] = enum(0)
            return await hold(dialogue)

        with pytest.raises(Refused):
            await follow(Transfer(image=octets).verified(), interfere, at_once)
        assert count < 20


# Time ---------------------------------------------------------------------------------------------


async def test_a_meter_that_takes_its_time(
    run_meter: Any, updatable: Any, route_to: Any, associated: Any, party_of: Any, image_for: Any,
    clock: Any,
) -> None:  # fmt: skip
    """It is asked until it is done; meanwhile its clock goes on, here by the pauses."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(dt.timedelta(seconds=seconds))

    async with run_meter(updatable("secure", 5, 20)) as meter:
        octets = image_for(meter)
        route = route_to(meter, "tcp")
        async with associated("asyncio", route, **party_of(meter)) as a:
            await follow(Transfer(image=octets).verified(), a.hold, sleep)
        assert pauses == [1.0] * 5
        async with associated("asyncio", route, **party_of(meter, "dco")) as a:
            reached = await follow(activated(WHAT), a.hold, sleep)
        # It restarts when it is done; whether it could still say so is a matter of who is quicker.
        assert reached in (Status.ACTIVATING, Status.ACTIVATED)
        assert len(pauses) == 25
        async with associated("asyncio", route, **party_of(meter)) as a:
            assert await a.get(VERSION) == b"2.0.0"


async def test_a_meter_that_is_never_done(
    run_meter: Any, updatable: Any, route_to: Any, associated: Any, party_of: Any, image_for: Any
) -> None:
    async with run_meter(updatable("secure", 5, 20)) as meter:
        transfer = Transfer(image=image_for(meter), patience=7)
        async with associated("asyncio", route_to(meter, "tcp"), **party_of(meter)) as a:
            with pytest.raises(ImageRefused, match="too long"):
                await follow(transfer.verified(), a.hold, at_once)


async def test_the_meter_restarts(s1sp: Any, meter: RunningMeter, image_for: Any) -> None:
    """Who activates hears of it; then everybody's connection is gone, and they come again."""
    async with s1sp() as a, s1sp("asyncio", "hdlc", "dco") as b:
        await a.images().transfer_and_verify(image_for(meter))
        assert await b.images().activate() is Status.ACTIVATED
        for one in (a, b):
            with pytest.raises(AssociationLost):
                await one.get("clock")
    assert not meter.device.restart_wanted
    async with s1sp() as a:
        assert await a.get(VERSION) == b"2.0.0"


# Loss ---------------------------------------------------------------------------------------------


class Relay(asyncio.DatagramProtocol):
    """Between a client and a meter on UDP. ``lose(number, data)`` says which datagrams of either
    direction do not arrive.
    """

    def __init__(self, meter: tuple[str, int], lose: Callable[[int, bytes], bool]) -> None:
        self._meter, self._lose, self._count = meter, lose, 0
        self._clients: dict[Any, asyncio.DatagramTransport] = {}
        self.lost = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._last = asyncio.ensure_future(self._forward(data, addr))

    async def _forward(self, data: bytes, addr: Any) -> None:
        if addr not in self._clients:
            relay, transport = self, self.transport

            class Back(asyncio.DatagramProtocol):
                def datagram_received(self, data: bytes, _: Any) -> None:
                    if not relay.loses(data):
                        transport.sendto(data, addr)

            loop = asyncio.get_running_loop()
            out, _ = await loop.create_datagram_endpoint(Back, remote_addr=self._meter)
            self._clients[addr] = out
        if not self.loses(data):
            self._clients[addr].sendto(data)

    def loses(self, data: bytes) -> bool:
        self._count += 1
        lost = self._lose(self._count, data)
        self.lost += lost
        return lost

    def close(self) -> None:
        self.transport.close()
        for client in self._clients.values():
            client.close()


@asynccontextmanager
async def relayed(
    meter: RunningMeter, lose: Callable[[int, bytes], bool]
) -> AsyncIterator[tuple[Relay, int]]:
    loop = asyncio.get_running_loop()
    address = meter.address
    assert address.udp_port is not None
    transport, relay = await loop.create_datagram_endpoint(
        lambda: Relay((address.host, address.udp_port), lose), local_addr=("127.0.0.1", 0)
    )
    try:
        yield relay, transport.get_extra_info("sockname")[1]
    finally:
        relay.close()


async def test_blocks_that_are_lost_are_sent_again(
    meter: RunningMeter, party_of: Any, image_for: Any
) -> None:
    """Unanswered, every third datagram with a block is lost; the meter is asked for its bits."""
    blocks = 0

    def lose(number: int, data: bytes) -> bool:
        nonlocal blocks
        blocks += len(data) > BLOCK
        return len(data) > BLOCK and blocks % 3 == 1

    octets = image_for(meter, bytes(20_000))
    transfer = Transfer(image=octets, window=8)
    async with (
        relayed(meter, lose) as (relay, port),
        connect("127.0.0.1", port, udp=True, timeout=PATIENCE) as client,
        client.associate(**party_of(meter)) as a,
    ):
        await a.images().transfer_and_verify(transfer)
    assert relay.lost > 10
    assert transfer.blocks_sent == -(-len(octets) // BLOCK) + relay.lost


@pytest.mark.parametrize("window", [0, 6])
async def test_anything_may_be_lost(
    meter: RunningMeter, party_of: Any, image_for: Any, window: int
) -> None:
    """Requests and responses alike: a lost association is made anew, and goes on where it was."""
    octets = image_for(meter, bytes(8_000))
    transfer = Transfer(image=octets, window=window)
    associations = 0

    async with relayed(meter, lambda number, _: number % 41 == 40) as (relay, port):

        @asynccontextmanager
        async def associate() -> AsyncIterator[Any]:
            nonlocal associations
            associations += 1
            async with (
                connect("127.0.0.1", port, udp=True, timeout=0.2) as client,
                client.associate(**party_of(meter)) as a,
            ):
                yield a.hold

        await deliver(associate, transfer, attempts=100, sleep=at_once)
    assert relay.lost
    assert associations > 1
    assert transfer.blocks_sent < 3 * -(-len(octets) // BLOCK)
    assert b"".join(block for _, block in sorted(sent(meter).items())) == octets


async def test_when_nothing_arrives_it_ends(meter: RunningMeter, party_of: Any) -> None:
    tries = 0

    @asynccontextmanager
    async def associate() -> AsyncIterator[Any]:
        nonlocal tries
        tries += 1
        raise ConnectionError("nobody there")
        yield

    with pytest.raises(ConnectionError, match="nobody"):
        await deliver(associate, Transfer(image=b"image"), sleep=at_once)
    assert tries == 5


async def test_blocks_never_arrive(meter: RunningMeter, party_of: Any, image_for: Any) -> None:
    async with (
        relayed(meter, lambda _, data: len(data) > BLOCK) as (relay, port),
        connect("127.0.0.1", port, udp=True, timeout=PATIENCE) as client,
        client.associate(**party_of(meter)) as a,
    ):
        with pytest.raises(ImageRefused, match="do not arrive"):
            await a.images().transfer(Transfer(image=image_for(meter), window=4))
    assert relay.lost == 8 * 4


@asynccontextmanager
async def run(
    folder: Path, secret: bytes, run_meter: Any, profile: Any
) -> AsyncIterator[RunningMeter]:
    """A meter that remembers in a folder."""
    with KeptMemories(folder, secret) as memories:
        async with run_meter(profile, memories=memories) as meter:
            yield meter


async def test_power_fails_in_the_middle(
    run_meter: Any, updatable: Any, route_to: Any, associated: Any, party_of: Any, image_for: Any,
    tmp_path: Path, fleet_secret: bytes,
) -> None:  # fmt: skip
    """The meter that is back has the blocks that it had, and only the others are sent."""
    profile = updatable()
    KeptMemories.create(tmp_path, fleet_secret)
    async with run(tmp_path, fleet_secret, run_meter, profile) as meter:
        octets = image_for(meter)
        transfer = Transfer(image=octets)
        async with associated("asyncio", route_to(meter, "tcp"), **party_of(meter)) as a:
            held = 0

            async def hold(dialogue: Any) -> Any:
                nonlocal held
                held += 1
                if held == 8:
                    raise AssociationLost("the power has failed")
                return await a.hold(dialogue)

            with pytest.raises(AssociationLost):
                await follow(transfer.verified(), hold, at_once)
    before = transfer.blocks_sent
    assert 0 < before == len(sent(meter))
    async with run(tmp_path, fleet_secret, run_meter, profile) as meter:
        assert len(sent(meter)) == before
        async with associated("asyncio", route_to(meter, "tcp"), **party_of(meter)) as a:
            await follow(transfer.verified(), a.hold, at_once)
    assert transfer.blocks_sent == -(-len(octets) // BLOCK)


async def test_a_course_is_told_what_goes_wrong(s1sp: Any) -> None:
    async with s1sp() as a:
        assert (await follow(looked(WHAT), a.hold, at_once)).status is Status.NOT_INITIATED
        with pytest.raises(Refused) as caught:
            await follow(invoked(WHAT, 3), a.hold, at_once)
        assert caught.value.result is ActionResult.OTHER_REASON


async def test_somebody_begins_anew_while_blocks_go_out(
    s1sp: Any, image_for: Any, meter: RunningMeter
) -> None:
    """Nobody answers, so it is seen when the bits are asked for."""
    async with s1sp() as a:
        count = 0

        async def interfere(dialogue: Any) -> Any:
            nonlocal count
            count += 1
            if count == 5:
                meter.device.state.values[INSTANCE, 6] = enum(0)
            return await a.hold(dialogue)

        transfer = Transfer(image=image_for(meter), window=4)
        with pytest.raises(ImageRefused, match="interfered"):
            await follow(transfer.course(), interfere, at_once)


async def test_another_image_is_verified_already(
    s1sp: Any, image_for: Any, meter: RunningMeter
) -> None:
    first = Transfer(image=image_for(meter))
    second = Transfer(image=image_for(meter, version="3.0.0"))
    async with s1sp() as a:
        await a.images().transfer_and_verify(first)
        await a.images().transfer_and_verify(second)
        look = await a.images().look()
    assert [one.identification for one in look.to_activate] == [second.identifier]
    assert second.blocks_sent == first.blocks_sent


class Losing:
    """Holds dialogues until the meter has a status; then the association is lost."""

    def __init__(self, association: Any, meter: RunningMeter, status: Status) -> None:
        self._association, self._meter, self._status = association, meter, status

    async def __call__(self, dialogue: Any) -> Any:
        value = self._meter.device.state.values.get((INSTANCE, 6))
        if value is not None and value.value == self._status:
            raise AssociationLost("lost")
        return await self._association.hold(dialogue)


async def test_lost_while_the_meter_verifies_and_activates(
    run_meter: Any, updatable: Any, route_to: Any, associated: Any, party_of: Any, image_for: Any,
    clock: Any,
) -> None:  # fmt: skip
    async with run_meter(updatable("secure", 5, 20)) as meter:
        route = route_to(meter, "tcp")
        transfer = Transfer(image=image_for(meter))
        async with associated("asyncio", route, **party_of(meter)) as a:
            with pytest.raises(AssociationLost):
                await follow(transfer.verified(), Losing(a, meter, Status.VERIFYING), at_once)
        count = transfer.blocks_sent

        async def sleep(seconds: float) -> None:
            clock.advance(dt.timedelta(seconds=seconds))

        async with associated("asyncio", route, **party_of(meter)) as a:
            await follow(transfer.verified(), a.hold, sleep)
        assert transfer.blocks_sent == count
        async with associated("asyncio", route, **party_of(meter, "dco")) as a:
            losing = Losing(a, meter, Status.ACTIVATING)
            reached = await follow(activated(WHAT), losing, at_once)
            assert reached is Status.ACTIVATING


async def test_nobody_is_associated_by_datagrams_either(
    s1sp: Any, meter: RunningMeter, image_for: Any
) -> None:
    async with s1sp("asyncio", "udp") as a, s1sp("asyncio", "udp", "dco") as b:
        await a.images().transfer_and_verify(image_for(meter))
        assert await b.images().activate() is Status.ACTIVATED
        with pytest.raises(ClientError):
            await a.get("clock")
    async with s1sp("asyncio", "udp") as a:
        assert await a.get(VERSION) == b"2.0.0"


async def test_it_takes_time_to_find_that_it_is_not_good(
    run_meter: Any, updatable: Any, route_to: Any, associated: Any, party_of: Any, image_for: Any,
    clock: Any,
) -> None:  # fmt: skip
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(dt.timedelta(seconds=seconds))

    async with run_meter(updatable("secure", 5, 20)) as meter:
        octets = image_for(meter)
        bad = Transfer(image=octets[:-1] + bytes((octets[-1] ^ 1,)))
        async with associated("asyncio", route_to(meter, "tcp"), **party_of(meter)) as a:
            with pytest.raises(ImageRefused, match="does not verify"):
                await follow(bad.verified(), a.hold, sleep)
    assert len(pauses) == 5


@pytest.mark.parametrize("held", [0, 3])
async def test_a_meter_that_does_not_give_its_bits(
    meter: RunningMeter, s1sp: Any, image_for: Any, held: int
) -> None:
    """They may be too many for a PDU; then the first missing one says where to go on."""
    rights = meter.device.profile.objects[INSTANCE].rights["s1sp"]
    octets = image_for(meter)
    transfer = Transfer(image=octets, identifier=b"x")
    had = rights.attributes.pop(3)
    try:
        async with s1sp() as a:
            await send_some(a, octets, *range(held))
            await a.images().transfer_and_verify(transfer)
            assert (await a.images().look()).bits is None
    finally:
        rights.attributes[3] = had
    assert transfer.blocks_sent == -(-len(octets) // BLOCK) - held
