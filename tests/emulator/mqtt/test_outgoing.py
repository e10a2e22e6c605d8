"""What waits for the broker: order, acknowledgement, the bound, and what is given up first."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from emulator.mqtt import outgoing as module
from emulator.mqtt.outgoing import Message, Outgoing, Rank


def message(text: str, rank: Rank = Rank.EVENT, *, retained: bool = False) -> Message:
    return Message(f"t/{text}" if not retained else "status", text.encode(), "s/1", rank, retained)


async def take(outgoing: Outgoing) -> tuple[int, str]:
    async with asyncio.timeout(30):
        number, taken = await outgoing.take()
    return number, taken.payload.decode()


async def test_in_order_and_again_until_acknowledged() -> None:
    outgoing = Outgoing()
    for text in "abc":
        outgoing.put(message(text))
    outgoing.connected()
    first, _ = await take(outgoing)
    second, text = await take(outgoing)
    assert text == "b"
    outgoing.acknowledge(second)
    assert len(outgoing) == 2
    outgoing.disconnected()
    outgoing.put(message("d"))
    outgoing.connected()
    assert [(await take(outgoing))[1] for _ in "acd"] == ["a", "c", "d"]
    outgoing.acknowledge(first)
    outgoing.acknowledge(first)
    assert len(outgoing) == 2


async def test_octets_come_and_go() -> None:
    outgoing = Outgoing()
    outgoing.put(message("abc"))
    assert outgoing.octets == len("t/abc") + len("abc") + module.OVERHEAD
    outgoing.connected()
    number, _ = await take(outgoing)
    outgoing.acknowledge(number)
    assert (outgoing.octets, len(outgoing)) == (0, 0)


async def test_taking_waits_for_a_message() -> None:
    outgoing = Outgoing()
    outgoing.connected()
    waiting = asyncio.ensure_future(outgoing.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    outgoing.put(message("a"))
    assert (await waiting).message.payload == b"a"


async def test_the_newest_retained_message_is_said_on_each_connection_first() -> None:
    outgoing = Outgoing(max_messages=1)
    outgoing.put(message("waits"))
    outgoing.put(message("old", retained=True))
    outgoing.put(message("new", retained=True))
    assert len(outgoing) == 1
    for _ in range(2):
        outgoing.connected()
        number, text = await take(outgoing)
        assert text == "new"
        outgoing.acknowledge(number)
        assert (await take(outgoing))[1] == "waits"
        outgoing.disconnected()


async def test_what_is_overtaken_on_its_topic_is_not_sent() -> None:
    outgoing = Outgoing()
    outgoing.connected()
    outgoing.put(message("old", retained=True))
    outgoing.put(message("new", retained=True))
    outgoing.put(message("last"))
    assert [(await take(outgoing))[1] for _ in range(2)] == ["new", "last"]


async def test_the_least_important_is_given_up_first_and_of_that_the_oldest() -> None:
    outgoing = Outgoing(max_messages=6)
    for rank in reversed(Rank):
        outgoing.put(message(f"{rank.name} old", rank))
    for n, rank in enumerate(Rank):
        outgoing.put(message(f"{rank.name} new", rank))
        assert len(outgoing) == 6
        assert sum(outgoing.dropped.values()) == n + 1
    # Two of each came, and there is room for six.
    assert {rank: n for rank, n in outgoing.dropped.items() if n} == {
        Rank.TELEMETRY: 2,
        Rank.ASSOCIATION: 2,
        Rank.CRYPTO: 2,
    }
    outgoing.connected()
    left = ["ALERT old", "EVENT old", "REPLY old", "REPLY new", "EVENT new", "ALERT new"]
    assert [(await take(outgoing))[1] for _ in range(6)] == left


async def test_the_oldest_of_a_rank_goes() -> None:
    outgoing = Outgoing(max_messages=3)
    outgoing.put(message("alert", Rank.ALERT))
    for n in range(5):
        outgoing.put(message(f"reading {n}", Rank.TELEMETRY))
    assert outgoing.dropped[Rank.TELEMETRY] == 3
    outgoing.connected()
    assert [(await take(outgoing))[1] for _ in range(3)] == ["alert", "reading 3", "reading 4"]


async def test_alerts_are_given_up_when_there_is_nothing_else() -> None:
    outgoing = Outgoing(max_messages=2)
    for n in range(3):
        outgoing.put(message(f"{n}", Rank.ALERT))
    outgoing.put(message("reading", Rank.TELEMETRY))
    assert (outgoing.dropped[Rank.ALERT], outgoing.dropped[Rank.TELEMETRY]) == (1, 1)
    outgoing.connected()
    assert [(await take(outgoing))[1] for _ in range(2)] == ["1", "2"]


async def test_what_is_in_flight_is_not_given_up() -> None:
    outgoing = Outgoing(max_messages=1)
    outgoing.put(message("flies", Rank.TELEMETRY))
    outgoing.connected()
    number, _ = await take(outgoing)
    outgoing.put(message("alert", Rank.ALERT))
    assert outgoing.dropped[Rank.ALERT] == 1
    assert outgoing.dropped[Rank.TELEMETRY] == 0
    outgoing.acknowledge(number)
    assert len(outgoing) == 0


async def test_octets_are_bounded() -> None:
    outgoing = Outgoing(max_octets=10 * (module.OVERHEAD + 1000))
    for n in range(100):
        outgoing.put(message(f"{n:0>900}", Rank.TELEMETRY))
    assert 5 <= len(outgoing) <= 10
    assert outgoing.octets <= 10 * (module.OVERHEAD + 1000)
    assert len(outgoing) + outgoing.dropped[Rank.TELEMETRY] == 100


async def test_a_message_longer_than_the_bound_is_not_kept() -> None:
    outgoing = Outgoing(max_octets=1000)
    outgoing.put(message("x" * 1000))
    assert (len(outgoing), outgoing.octets, outgoing.dropped[Rank.EVENT]) == (0, 0, 1)


async def test_the_longest_in_flight_is_given_up() -> None:
    outgoing = Outgoing()
    for text in ("a", "long", "b", "longest of all"):
        outgoing.put(message(text))
    outgoing.connected()
    for _ in range(3):
        await take(outgoing)
    given_up = outgoing.give_up_longest_in_flight()
    assert given_up is not None
    assert given_up.payload == b"long"
    assert (len(outgoing), outgoing.dropped[Rank.EVENT]) == (3, 1)
    outgoing.disconnected()
    assert outgoing.give_up_longest_in_flight() is None


async def test_settled_when_everything_is_acknowledged() -> None:
    outgoing = Outgoing()
    settled = asyncio.ensure_future(outgoing.settled())
    outgoing.put(message("a"))
    outgoing.connected()
    number, _ = await take(outgoing)
    taking = asyncio.ensure_future(outgoing.take())
    await asyncio.sleep(0)
    assert not settled.done()
    outgoing.acknowledge(number)
    async with asyncio.timeout(30):
        await settled
    outgoing.put(message("b"))
    again = asyncio.ensure_future(outgoing.settled())
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()
    taking.cancel()


async def test_nothing_is_settled_without_a_connection() -> None:
    outgoing = Outgoing()
    outgoing.connected()
    waiting = asyncio.ensure_future(outgoing.take())
    await asyncio.sleep(0)
    outgoing.disconnected()
    settled = asyncio.ensure_future(outgoing.settled())
    await asyncio.sleep(0)
    assert not settled.done()
    settled.cancel()
    waiting.cancel()


@pytest.mark.parametrize("is_connected", [False, True])
async def test_memory_is_bounded_whatever_comes(is_connected: bool) -> None:
    """With no broker, and with one that takes nothing."""
    outgoing = Outgoing()
    if is_connected:
        outgoing.connected()
    tracemalloc.start()
    try:
        for n in range(12_000):
            outgoing.put(message(f"{n:0>1000}", Rank.TELEMETRY))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outgoing.dropped[Rank.TELEMETRY] > 4_000
    assert used < module.MAX_OCTETS * 1.25
