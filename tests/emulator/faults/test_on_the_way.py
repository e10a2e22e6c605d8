"""Faults of the way, by real sockets: what becomes of requests and replies."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from dlms.association.events import ResponseReceived
from dlms.errors import ProtocolError, RemoteProtocolError
from dlms.security.ops import CryptoFailure
from dlms.xdlms.descriptors import CONFIRMED, AttributeDescriptor
from dlms.xdlms.get import GetRequest
from emulator.client import AssociationLost, Hdlc, connect
from emulator.faults.kinds.corruption import part_of
from emulator.sandbox import RunningMeter

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
WAYS = pytest.mark.parametrize("way", ["tcp", "tls", "udp", "hdlc", "line", "optical"])
Speak = Callable[..., Awaitable[Any]]


def texts(events: Any) -> list[str]:
    return [event.text for event in events.of("fault")]


async def speaker(speak: Speak, row: str = "public", way: str = "plain") -> Any:
    return await (await speak(way, "itron", row)).open()


CLOCK_TIME = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)


def get(invoke: int) -> bytes:
    """A request in clear. It is not the association's, which has one at a time."""
    return GetRequest(CONFIRMED | invoke, CLOCK_TIME).encode()


def sealed(speaker: Any) -> bytes:
    apdu: bytes = speaker.sealed(GetRequest(speaker.next_invoke(), CLOCK_TIME))
    return apdu


def invokes(answers: list[bytes]) -> list[int]:
    return [answer[2] & 0x0F for answer in answers]


# Latency ----------------------------------------------------------------------------------------


@WAYS
async def test_a_reply_comes_when_its_time_has_come(
    way: str, meter: RunningMeter, route_to: Any, associated: Any, timer: Any, events: Any
) -> None:
    async with associated("asyncio", route_to(meter, way)) as a:
        fault = meter.faults.set("slow", {})
        assert fault.ways == ("tcp", "tls", "udp", "hdlc", "line", "optical")
        reading = asyncio.create_task(a.get("logical_device_name"))
        await events.wait("fault", 2)
        while not reading.done():
            news = asyncio.create_task(timer.has(1))
            await asyncio.wait((news, reading), return_when=asyncio.FIRST_COMPLETED)
            if timer.waiting:
                timer.let_go()
            news.cancel()
        assert reading.result() == meter.device.profile.logical_device_name(1)
        assert set(timer.delays) == {2.0}
        meter.faults.clear(fault.id)
        before = len(timer.delays)
        assert await a.get("logical_device_name") == reading.result()
        assert len(timer.delays) == before
    assert texts(events)[0] == "f1 slow: set, direction=out, fixed=2.0, jitter=0.0"
    assert " waits 2.000 s" in texts(events)[1]
    assert texts(events)[-1] == "f1 slow: over, cleared"
    assert all(event.meter == "itron" for event in events.of("fault"))


async def test_latency_leaves_the_order(meter: RunningMeter, speak: Speak, timer: Any) -> None:
    one = await speaker(speak)
    meter.faults.set("latency", {"fixed": 1, "jitter": 5})
    for number in (1, 2, 3):
        one.peer.send(get(number))
        await timer.has(number)
    for number in (2, 1, 0):
        timer.let_go(number)
    assert invokes([await one.peer.answer() for _ in range(3)]) == [1, 2, 3]
    assert len(set(timer.delays)) == 3
    assert all(1 <= delay <= 6 for delay in timer.delays)


async def test_requests_are_late_too(
    meter: RunningMeter, speak: Speak, timer: Any, clock: Any
) -> None:
    """The meter sees them when they arrive: its clock says so."""
    one = await speaker(speak)
    meter.faults.set("slow-uplink", {})
    one.peer.send(sealed(one))
    await timer.has(1)
    clock.advance(dt.timedelta(hours=1))
    timer.let_go()
    event = one.make(one.association.receive(await one.peer.answer()))
    assert isinstance(event, ResponseReceived)
    assert event.response.result.value[5] == 13  # type: ignore[union-attr]


async def test_same_seed_same_lots(
    run_meter: Any, speak: Any, timer: Any, own_process: Any
) -> None:
    async def delays(seed: str) -> list[float]:
        timer.delays.clear()
        async with run_meter("itron", fault_timer=timer, fault_seed=seed) as meter:
            fault = meter.faults.set("latency", {"fixed": 0, "jitter": 3600})
            return [fault.random.random() for _ in range(5)] + [
                meter.faults.set("noisy", {}).random.random()
            ]

    first = await delays("a")
    assert await delays("a") == first
    assert await delays("b") != first
    assert len(set(first)) == 6


# Loss -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tcp", "tls", "udp", "hdlc"])
@pytest.mark.parametrize("direction", ["in", "out"])
async def test_a_client_waits_in_vain(
    way: str, direction: str, meter: RunningMeter, route_to: Any, associated: Any, events: Any
) -> None:
    async with associated("asyncio", route_to(meter, way)) as witness:
        host, port, more = route_to(meter, way)
        async with connect(host, port, timeout=PATIENCE, **more) as client:
            a = client.associate()
            await a.open()
            meter.faults.set("loss", {"direction": direction}, way=way, count=1)
            reading = asyncio.create_task(a.get("clock"))
            told = [event.text for event in await events.wait("fault", 3)]
            assert await witness.get("clock")
            assert not reading.done()
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
    assert told[1].startswith(f"f1 loss: {'reply' if direction == 'out' else 'request'} of ")
    assert told[2] == "f1 loss: over, it has acted as often as it was to"


async def test_each_third_is_lost(meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak)
    meter.faults.set("lost-replies", {})
    for number in range(7):
        one.peer.send(get(number))
    assert invokes([await one.peer.answer() for _ in range(5)]) == [0, 1, 3, 4, 6]


@pytest.mark.parametrize(("direction", "carried_out"), [("out", 1), ("in", 0)])
async def test_a_lost_reply_was_carried_out_a_lost_request_was_not(
    direction: str, carried_out: int, meter: RunningMeter, speak: Speak, events: Any
) -> None:
    one = await speaker(speak, "s1sp")
    before = sum(row.next_to_send for row in meter.device.state.counters.snapshot())
    meter.faults.set("loss", {"direction": direction})
    one.peer.send(sealed(one))
    await events.wait("fault", 2)
    after = sum(row.next_to_send for row in meter.device.state.counters.snapshot())
    assert after - before == carried_out


async def test_loss_by_probability_is_drawn(meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak)
    fault = meter.faults.set("loss", {"probability": 0.5, "direction": "in"})
    for number in range(64):
        one.peer.send(get(number % 16))
    meter_has_all = asyncio.create_task(_rest(one.peer))
    answered = (await meter_has_all).count(bytes((0xC4, 0x01)))
    assert fault.acted + answered == 64
    assert 10 < answered < 54


async def test_another_association_is_left_alone(
    meter: RunningMeter, speak: Speak, events: Any
) -> None:
    fault = meter.faults.set("loss", {"association": "s1sp"})
    one = await speaker(speak)
    assert await one.get()
    assert fault.acted == 0
    two = await speak("plain", "itron", "s1sp")
    two.peer.send(two.make(two.association.open()))
    (_, event) = await events.wait("fault", 2)
    assert event.association == "s1sp"
    assert event.peer.startswith("127.0.0.1:")


async def test_hdlc_repairs_lost_frames(
    meter: RunningMeter, route_to: Any, associated: Any, events: Any
) -> None:
    host, port, more = route_to(meter, "hdlc")
    more["hdlc"] = Hdlc(physical=more["hdlc"].physical, response_timeout=0.2)
    async with associated("asyncio", (host, port, more)) as a:
        meter.faults.set("loss", {"of": "octets"}, count=1)
        assert await a.get("logical_device_name")
    assert any("lost" in text for text in texts(events))


# Corruption, truncation, repetition -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("flipped-tag", CryptoFailure),
        ("flipped-ciphertext", CryptoFailure),
        ("short-replies", Exception),
        ("flipped-apdu-tag", Exception),
    ],
)
async def test_a_reply_that_does_not_verify(
    name: str, error: type[Exception], meter: RunningMeter, speak: Speak
) -> None:
    one = await speaker(speak, "dco")
    meter.faults.set(name, {}, count=1)
    answer = await one.peer.exchange(sealed(one))
    with pytest.raises((ProtocolError, CryptoFailure)) as caught:
        one.make(one.association.receive(answer))
    assert isinstance(caught.value, error | RemoteProtocolError)
    assert await (await speaker(speak)).get()  # the meter did not notice


@pytest.mark.parametrize(
    ("part", "where"),
    [("apdu-tag", range(1)), ("ciphertext", range(7, 21)), ("authentication-tag", range(21, 33))],
)
def test_parts_of_a_ciphered_apdu(part: str, where: range) -> None:
    apdu = bytes((0xCC, 31, 0x30, 0, 0, 0, 1)) + bytes(14) + bytes(12)
    assert part_of(apdu, part) == where
    plain = bytes((0xC4, 1, 0x41, 1, 2))
    assert len(part_of(plain, part)) == (1 if part == "apdu-tag" else 0)
    encrypted = bytes((0xCC, 31, 0x20)) + apdu[3:]
    assert part_of(encrypted, "ciphertext") == range(7, 33)
    assert not part_of(encrypted, "authentication-tag")
    authenticated = bytes((0xCC, 31, 0x10)) + apdu[3:]
    assert part_of(authenticated, "authentication-tag") == range(21, 33)
    assert not part_of(authenticated, "ciphertext")


def test_parts_of_what_is_broken() -> None:
    assert not part_of(b"", "apdu-tag")
    assert not part_of(b"\xcc\x00", "ciphertext")
    assert not part_of(b"\xcc\x7f", "authentication-tag")
    assert part_of(b"abc", "wrapper-header") == range(3)
    assert part_of(bytes(20), "wrapper-header") == range(8)
    assert part_of(b"abc", "anywhere") == range(3)


async def test_a_message_without_the_part_is_left_alone(meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak)
    fault = meter.faults.set("flipped-tag", {})
    assert await one.get()
    assert fault.acted == 0


@pytest.mark.parametrize("bits", [1, 5])
async def test_as_many_bits_as_asked_for_are_flipped(
    bits: int, meter: RunningMeter, speak: Speak, clock: Any
) -> None:
    one = await speaker(speak)
    right = await one.peer.exchange(get(1))
    meter.faults.set("corruption", {"part": "apdu-tag", "bits": bits})
    wrong = await one.peer.exchange(get(1))
    assert (right[0] ^ wrong[0]).bit_count() == bits
    assert wrong[3:] == right[3:]


async def test_a_header_that_is_wrong(meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak)
    fault = meter.faults.set("flipped-header", {"bits": 3})
    assert fault.ways == ("tcp", "tls", "udp")
    one.peer.send(get(1))
    async with asyncio.timeout(PATIENCE):
        header = await one.peer.reader.readexactly(8)
    pair = one.peer.pair
    right = b"\x00\x01" + bytes((0, pair[1], 0, pair[0]))
    size = len(await _rest(one.peer))
    right += size.to_bytes(2, "big")
    assert sum((a ^ b).bit_count() for a, b in zip(header, right, strict=True)) == 3


async def _rest(peer: Any) -> bytes:
    """All that has come, once the meter has answered what was sent behind it."""
    peer.writer.write_eof()
    async with asyncio.timeout(PATIENCE):
        rest: bytes = await peer.reader.read()
    return rest


async def test_noise_to_the_meter_is_answered_or_not_but_does_no_harm(
    meter: RunningMeter, speak: Speak
) -> None:
    one = await speaker(speak)
    digest = meter.device.state.digest()
    meter.faults.set("noisy-uplink", {"bits": 8})
    for _ in range(20):
        one.peer.send(get(1))
    with suppress(ConnectionError):
        await _rest(one.peer)
    meter.faults.clear_all()
    two = await speaker(speak)
    assert await two.get()
    assert meter.device.state.digest() == digest


async def test_a_broken_frame_waits_for_its_rest(meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak)
    right = await one.peer.exchange(get(1))
    meter.faults.set("truncate", {"of": "octets", "cut": 3})
    one.peer.send(get(1))
    rest = await _rest(one.peer)
    assert len(rest) == 8 + len(right) - 3
    assert int.from_bytes(rest[6:8], "big") == len(right)


async def test_a_short_apdu_in_a_whole_frame(meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak)
    right = await one.peer.exchange(get(1))
    meter.faults.set("short-replies", {"cut": 4})
    wrong = await one.peer.exchange(get(1))
    assert len(wrong) == len(right) - 4
    meter.faults.set("short-replies", {"cut": 65535})
    assert await one.peer.exchange(get(1)) == b""


async def test_a_reply_comes_again(meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak)
    meter.faults.set("echo", {"copies": 2}, count=1)
    first = await one.peer.exchange(get(1))
    assert [await one.peer.answer(), await one.peer.answer()] == [first, first]
    assert await one.get()


async def test_a_fault_that_is_over_acts_no_more_on_the_same_reply(
    meter: RunningMeter, speak: Speak
) -> None:
    one = await speaker(speak)
    meter.faults.set("echo", {"copies": 2}, count=1)
    fault = meter.faults.set("loss", {}, count=1)
    for number in (1, 2):
        one.peer.send(get(number))
    assert invokes([await one.peer.answer() for _ in range(3)]) == [1, 1, 2]
    assert fault.acted == 1


async def test_a_request_that_comes_again_is_refused_for_its_counter(
    meter: RunningMeter, speak: Speak
) -> None:
    one = await speaker(speak, "s1sp")
    meter.faults.set("replay", {}, count=1)
    first = await one.peer.exchange(sealed(one))
    assert isinstance(one.make(one.association.receive(first)), ResponseReceived)
    assert (await one.peer.answer())[:3] == bytes((0xD8, 1, 6))


# Stall, hang-up -----------------------------------------------------------------------------------


async def test_a_silent_meter_forgets_what_it_read(
    meter: RunningMeter, speak: Speak, events: Any
) -> None:
    one = await speaker(speak)
    fault = meter.faults.set("silent", {})
    one.peer.send(get(1))
    await events.wait("fault", 2)
    meter.faults.clear(fault.id)
    assert invokes([await one.peer.exchange(get(2))]) == [2]


async def test_a_deaf_meter_answers_all_when_it_hears_again(
    meter: RunningMeter, speak: Speak, events: Any
) -> None:
    one = await speaker(speak)
    fault = meter.faults.set("deaf", {})
    one.peer.send(get(1))
    await events.wait("fault", 2)
    meter.faults.clear(fault.id)
    one.peer.send(get(2))
    assert invokes([await one.peer.answer() for _ in range(2)]) == [1, 2]


@pytest.mark.parametrize("after", [0, 10, 65535])
@pytest.mark.parametrize("way", ["plain", "tls"])
async def test_the_meter_hangs_up(after: int, way: str, meter: RunningMeter, speak: Speak) -> None:
    one = await speaker(speak, way=way)
    right = await one.peer.exchange(get(1))
    meter.faults.set("hang-up", {"after": after})
    one.peer.send(get(1))
    async with asyncio.timeout(PATIENCE):
        got = await one.peer.reader.read()
    assert len(got) == min(after, 8 + len(right))


async def test_what_a_client_sees_of_a_hang_up(
    meter: RunningMeter, route_to: Any, associated: Any
) -> None:
    async with associated("asyncio", route_to(meter, "tls")) as a:
        meter.faults.set("gone-midway", {})
        with pytest.raises(AssociationLost):
            await a.get("clock")
        meter.faults.clear_all()
