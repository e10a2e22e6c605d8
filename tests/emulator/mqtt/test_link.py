"""The connection to a real Mosquitto: killed, started again, full, strict, and shared by name."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from emulator.mqtt import link as module
from emulator.mqtt.broker_errors import BrokerError
from emulator.mqtt.link import WINDOW, Arrived, Backoff, Link
from emulator.mqtt.options import MqttOptions
from emulator.mqtt.outgoing import Message, Outgoing, Rank
from emulator.mqtt.presence import present
from emulator.mqtt.publisher import Publisher
from emulator.mqtt.topics import Tree

QUICK = Backoff(0.01, 0.05)
TREE = Tree("cosemlab", "lab")
NUMBERS = "cosemlab/lab/numbers"


def numbered(n: int, rank: Rank = Rank.EVENT) -> Message:
    return Message(NUMBERS, str(n).encode(), "", rank)


class On:
    """A link that is up; what it notes, greets with and hears."""

    def __init__(self, broker: Any, outgoing: Outgoing, **how: Any) -> None:
        self.outgoing = outgoing
        self.notes: list[str] = []
        self.greetings: list[bool] = []
        self.heard: list[Arrived] = []
        self.news = asyncio.Event()
        given = {"client": "cosemlab-lab", "backoff": QUICK, "greet": self._greet, **how}
        self.link = Link(broker.options(), outgoing, note=self.note, hear=self._hear, **given)

    def note(self, line: str) -> None:
        self.notes.append(line)
        self.news.set()

    def _greet(self, first: bool) -> None:
        self.greetings.append(first)
        self.news.set()

    def _hear(self, arrived: Arrived) -> None:
        self.heard.append(arrived)
        self.news.set()

    async def wait(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def on(broker: Any, outgoing: Outgoing | None = None, **how: Any) -> AsyncIterator[On]:
    one = On(broker, Outgoing() if outgoing is None else outgoing, **how)
    async with present(one.link, one.outgoing, note=one.note):
        yield one


def texts(listener: Any, topic: str = NUMBERS) -> list[str]:
    return [one.payload.decode() for one in listener.of(topic)]


# What is on a message -----------------------------------------------------------------------------


async def test_what_a_message_carries(mosquitto: Any, listening: Any) -> None:
    message = Message("answers/x", b"{}", "request/1", Rank.REPLY, expiry=77, correlation=b"\0\xff")
    async with listening(mosquitto, "answers/#") as listener, on(mosquitto) as there:
        there.outgoing.put(message)
        there.outgoing.put(message._replace(expiry=0, correlation=None))
        first, second = await listener.wait_for("answers/x", 2)
    assert (first.expiry, first.correlation) == (77, b"\0\xff")
    assert (second.expiry, second.correlation) == (None, None)
    assert first.user["schema"] == "request/1"
    assert first.content_type == "application/json"
    assert first.user["message"] != second.user["message"]


async def test_messages_come_in_order_and_each_has_a_name(mosquitto: Any, listening: Any) -> None:
    count = 5 * WINDOW
    async with listening(mosquitto) as listener, on(mosquitto) as there:
        for n in range(count):
            there.outgoing.put(numbered(n))
        heard = await listener.wait_for(NUMBERS, count)
        async with asyncio.timeout(30):
            await there.outgoing.settled()
    assert [int(one.payload) for one in heard] == list(range(count))
    assert len({one.user["message"] for one in heard}) == count
    assert len(there.outgoing) == 0
    assert there.greetings == [True]
    assert there.notes == []


# The broker dies ----------------------------------------------------------------------------------


def packet(kind: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    assert len(body) < 128
    return bytes((kind, len(body))) + body


def string(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


class Stubborn:
    """A subscriber with a session that is kept, made by hand: of a connection that is lost it takes
    what had arrived. (paho does not if it cannot say thank you.)
    """

    CONNECT = packet(0x10, string("MQTT"), b"\5\0\0\0\5\x11\0\0\x0e\x10", string("stubborn"))
    SUBSCRIBE = packet(0x82, b"\0\1\0", string(NUMBERS), b"\1")

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self.numbers: list[int] = []
        self.subscriptions = 0
        self._news = asyncio.Event()

    async def wait(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with socket.socket() as sock:
                sock.setblocking(False)
                try:
                    await loop.sock_connect(sock, self._address)
                    sock.send(self.CONNECT + self.SUBSCRIBE)
                    held = b""
                    while octets := await loop.sock_recv(sock, 1 << 20):
                        held = self._take(sock, held + octets)
                except OSError:
                    await asyncio.sleep(0.01)  # the broker is away; its absence cannot be awaited

    def _take(self, sock: socket.socket, octets: bytes) -> bytes:
        """All packets that are there; gives what is left."""
        while len(octets) >= 2 and len(octets) >= 2 + octets[1]:
            kind, body, octets = octets[0], octets[2 : 2 + octets[1]], octets[2 + octets[1] :]
            if kind == 0x90:
                self.subscriptions += 1
            if kind >> 4 == 3:
                after = 2 + int.from_bytes(body[:2], "big")
                begin = after + 3 + body[after + 2]
                self.numbers.append(int(body[begin:]))
                with suppress(OSError):
                    sock.send(packet(0x40, body[after : after + 2]))
            self._news.set()
        assert len(octets) < 2 or octets[1] < 128
        return octets


async def test_a_broker_that_is_killed_and_started_again_loses_nothing(mosquitto: Any) -> None:
    """Numbers go out all the time; a subscriber has each of them at least once, and the first time
    in order.
    """
    outgoing = Outgoing()
    subscriber = Stubborn(mosquitto.port)
    subscribing = asyncio.create_task(subscriber.run())
    await subscriber.wait(lambda: subscriber.subscriptions == 1)
    # On its disk the broker has the session from now on.
    mosquitto.stop()
    mosquitto.start()
    last = 0
    async with on(mosquitto, outgoing) as there:
        for life in range(5):
            await subscriber.wait(lambda life=life: subscriber.subscriptions == life + 2)
            await there.wait(lambda life=life: len(there.greetings) == life + 1)
            # What had been left from before was written to the subscriber before this number.
            outgoing.put(numbered(last := last + 1))
            await subscriber.wait(lambda: last in subscriber.numbers)
            for _ in range(10 * WINDOW):
                outgoing.put(numbered(last := last + 1))
            # Some of them are on their way when it dies.
            await subscriber.wait(lambda: last - 9 * WINDOW in subscriber.numbers)
            mosquitto.kill()
            await there.wait(lambda life=life: len(there.notes) == 2 * life + 1)
            for _ in range(WINDOW):
                outgoing.put(numbered(last := last + 1))
            mosquitto.start()
        await subscriber.wait(lambda: last in subscriber.numbers)
        async with asyncio.timeout(30):
            await outgoing.settled()
    assert not subscribing.done()
    subscribing.cancel()
    assert set(subscriber.numbers) == set(range(1, last + 1))
    firsts = list(dict.fromkeys(subscriber.numbers))
    assert firsts == sorted(firsts)
    assert there.greetings == [True, False, False, False, False, False]
    assert [note.split(" is ")[1][:4] for note in there.notes] == ["lost", "back"] * 5
    assert not any(outgoing.dropped.values())
    assert len(outgoing) == 0


async def test_what_did_not_fit_is_counted_and_the_rest_comes(
    mosquitto: Any, listening: Any
) -> None:
    outgoing = Outgoing(max_messages=100)
    publisher = Publisher(TREE, outgoing, lambda: dt.datetime.now(dt.UTC))

    def greet(first: bool) -> None:
        publisher.status("online", "started" if first else "back", ["a"])

    async with (
        listening(mosquitto, identifier="listener") as listener,
        on(mosquitto, outgoing, greet=greet) as there,
    ):
        await listener.wait_for("/status")
        mosquitto.stop()
        await there.wait(lambda: there.notes)
        for n in range(150):
            outgoing.put(numbered(n, Rank.TELEMETRY))
            outgoing.put(numbered(1000 + n, Rank.ALERT))
            assert len(outgoing) <= 100
        mosquitto.start()
        await listener.wait(lambda: "1149" in texts(listener))
        status = listener.of("/status")[-1]
    assert sorted(int(text) for text in set(texts(listener))) == list(range(1050, 1150))
    assert status.json == {
        "state": "online",
        "reason": "back",
        "meters": ["a"],
        "dropped": {"telemetry": 150, "alert": 50},
    }


async def test_a_retained_message_is_there_again_after_a_broker_that_forgot(
    make_mosquitto: Any, listening: Any
) -> None:
    mosquitto = make_mosquitto()
    outgoing = Outgoing()
    publisher = Publisher(TREE, outgoing, lambda: dt.datetime.now(dt.UTC))
    publisher.meter_status("aclara", True)
    async with on(mosquitto, outgoing) as there:
        async with listening(mosquitto) as listener:
            await listener.wait_for("/meters/aclara/status")
        mosquitto.kill()
        await there.wait(lambda: there.notes)
        (mosquitto.directory / "mosquitto.db").unlink(missing_ok=True)
        mosquitto.start()
        async with listening(mosquitto) as listener:
            (again,) = await listener.wait_for("/meters/aclara/status")
    assert again.json["power"] == "on"


# A strict broker, and another client --------------------------------------------------------------


async def test_a_message_that_the_broker_finds_too_long_does_not_hold_up_the_others(
    make_mosquitto: Any, listening: Any
) -> None:
    mosquitto = make_mosquitto("allow_anonymous true\nmax_packet_size 2000")
    outgoing = Outgoing()
    async with listening(mosquitto) as listener, on(mosquitto, outgoing):
        outgoing.put(numbered(1))
        outgoing.put(Message(NUMBERS, b"0" * 3000, "", Rank.TELEMETRY))
        outgoing.put(numbered(2))
        await listener.wait(lambda: "2" in texts(listener))
        async with asyncio.timeout(30):
            await outgoing.settled()
    assert set(texts(listener)) == {"1", "2"}
    assert outgoing.dropped[Rank.TELEMETRY] == 1


CONNACK = bytes.fromhex("20 03 00 00 00")
TAKEN_OVER = bytes.fromhex("E0 01 8E")


class ByHand:
    """A broker that is made by hand: each connection is one of its ``lives``."""

    def __init__(self, *lives: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> None:
        self._lives = list(lives)
        self.port = 0

    def options(self) -> MqttOptions:
        return MqttOptions(host="127.0.0.1", port=self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"cosemlab-lab")
        await self._lives.pop(0)(reader, writer)
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ByHand]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
        assert self._lives == []


async def test_a_second_client_of_the_same_name_ends_the_first() -> None:
    """Mosquitto 2.0.11 does not say why it hangs up, but others do (MQTT 5, 3.1.4)."""

    async def take_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        await reader.readuntil(b"numbers")
        writer.write(TAKEN_OVER)
        await writer.drain()
        await reader.read()

    async with ByHand(take_over).running() as broker, on(broker) as there:
        there.outgoing.put(numbered(1))
        await there.wait(lambda: len(there.notes) == 2)
    assert "is lost (reason code 8E)" in there.notes[0]
    assert there.notes[1] == "another client is 'cosemlab-lab' there, too: MQTT ends here"
    assert len(there.outgoing) == 1


async def test_a_broker_that_hangs_up_right_after_it_has_answered() -> None:
    """The link notices, and what was not acknowledged goes out on a later connection."""
    arrived = asyncio.Event()

    async def take_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        await reader.readuntil(b"numbers")

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK + TAKEN_OVER[:1] + b"\x00")
        await writer.drain()

    async def take_again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_one(reader, writer)
        arrived.set()

    lives = ByHand(take_one, *[hang_up] * 5, take_again)
    async with lives.running() as broker, on(broker) as there:
        there.outgoing.put(numbered(1))
        async with asyncio.timeout(30):
            await arrived.wait()


async def test_a_broker_that_does_not_answer_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At once, and not when the keep alive has passed."""
    monkeypatch.setattr(module, "KEEP_ALIVE", 3600)
    gone = asyncio.Event()

    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    async with ByHand(be_silent).running() as broker:
        with pytest.raises(BrokerError, match="did not answer in 0 s"):
            async with on(broker, answer=0.1):
                pass
        async with asyncio.timeout(30):
            await gone.wait()


async def test_no_will_is_said_of_a_link_that_leaves(mosquitto: Any, listening: Any) -> None:
    publisher = Publisher(TREE, Outgoing(), lambda: dt.datetime.now(dt.UTC))
    async with listening(mosquitto) as listener:
        async with on(mosquitto, will=publisher.last_will(["a"])):
            pass
        async with on(mosquitto) as there:
            there.outgoing.put(numbered(1))
            await listener.wait_for(NUMBERS)
    assert listener.of("/status") == []


async def test_requests_wait_at_the_broker_while_the_link_is_away(
    mosquitto: Any, listening: Any, asking: Any
) -> None:
    """It comes back to the session it had."""
    topic = TREE.topic("control", action="+")
    async with listening(mosquitto) as listener, asking(mosquitto, listener) as client:
        async with on(mosquitto, subscribe=topic):
            pass
        await client.send("clock", b"{}", correlation=b"1")
        async with on(mosquitto, subscribe=topic) as there:
            await there.wait(lambda: there.heard)
    (arrived,) = there.heard
    assert arrived == Arrived("cosemlab/lab/control/clock", b"{}", "answers/here", b"1")


async def test_what_is_retained_on_a_control_topic_is_not_heard(
    mosquitto: Any, listening: Any, asking: Any
) -> None:
    topic = TREE.topic("control", action="+")
    async with listening(mosquitto) as listener, asking(mosquitto, listener) as client:
        await client._client.publish("cosemlab/lab/control/clock", b"old", qos=1, retain=True)
        async with on(mosquitto, subscribe=topic) as there:
            await client.send("clock", b"new")
            await there.wait(lambda: there.heard)
    assert [arrived.payload for arrived in there.heard] == [b"new"]


async def test_no_broker_at_first(make_mosquitto: Any) -> None:
    mosquitto = make_mosquitto()
    mosquitto.kill()
    with pytest.raises(BrokerError, match=rf"^MQTT broker 127.0.0.1:{mosquitto.port}: .*refused"):
        async with on(mosquitto):
            pass
