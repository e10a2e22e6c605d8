"""The connection to the broker: made, lost, made again; what is outgoing goes, what comes is heard.

Each connection is a new aiomqtt client, and so a new paho client: nothing that paho keeps for
itself outlives a connection, and what is not acknowledged is in :class:`Outgoing` alone. So a
message that is sent again has another packet identifier and no DUP flag, which at QoS 1 makes no
difference to a broker.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from emulator.mqtt.broker_errors import (
    PACKET_TOO_LARGE,
    SESSION_TAKEN_OVER,
    BrokerError,
    explain,
    reason_code,
)
from emulator.mqtt.client import Client
from emulator.mqtt.options import MqttOptions
from emulator.mqtt.outgoing import Message, Outgoing

WINDOW = 16
"""Messages in flight. Brokers take at least 20 unless they say otherwise (Mosquitto's default)."""

KEEP_ALIVE = 20
"""Seconds: a broker that is gone without a word is noticed within twice as many."""

SESSION_EXPIRY = 3600
"""Seconds for which the broker keeps control requests while the sandbox is not connected."""

MAX_PACKET = 128 * 1024
"""Octets of what the broker may send; what is longer it throws away itself."""

MAX_WAITING = 1000
"""Messages that have come and were not looked at; each is looked at within a turn of the loop."""

ANSWER = 10.0
"""Seconds for a broker to answer."""

_NO_RETAINED = 2  # Retain Handling (MQTT 5, 3.8.3.1): do not send what is retained

_silent = logging.getLogger("cosemlab.mqtt")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class Backoff(NamedTuple):
    """Seconds between attempts to connect: ``first``, then twice as many, up to ``longest``. It is
    ``first`` again after a connection that has lasted longer than that: two sandboxes of one name,
    which take each other's place, are not to do so all the time.
    """

    first: float = 0.5
    longest: float = 30.0


class Arrived(NamedTuple):
    """A message for us. ``response_topic`` is empty if it has none."""

    topic: str
    payload: bytes
    response_topic: str
    correlation: bytes | None


class Link:
    """``client`` is the client identifier: what the broker knows our session by, if ``keep`` it.
    ``greet`` is called on each connection, with whether it is the first, before anything is sent on
    it. ``note`` is told in a line when the broker is lost or back.
    """

    def __init__(
        self,
        options: MqttOptions,
        outgoing: Outgoing,
        *,
        client: str,
        keep: bool = True,
        will: Message | None = None,
        subscribe: str | None = None,
        hear: Callable[[Arrived], None] = lambda arrived: None,
        greet: Callable[[bool], None] = lambda first: None,
        note: Callable[[str], None] = lambda line: None,
        backoff: Backoff = Backoff(),  # noqa: B008 - immutable
        answer: float = ANSWER,
    ) -> None:
        self._options = options
        self._outgoing = outgoing
        self._client = client
        self._keep = keep
        self._will = will
        self._subscribe = subscribe
        self._hear = hear
        self._greet = greet
        self._note = note
        self._backoff = backoff
        self._answer = answer
        self._tls = options.tls()
        self._run = secrets.token_hex(4)
        self._was_up = self._is_up = False

    async def run(self, connected: asyncio.Future[None]) -> None:
        """Be connected until cancelled. ``connected`` gets a result on the first connection, or
        :class:`BrokerError` if that cannot be made: then there is no other attempt. Ends only if
        another client takes our place.
        """
        pause, time = self._backoff.first, asyncio.get_running_loop().time
        while True:
            began = time()
            try:
                async with self._connection() as client:
                    await self._prepare(client)
                    if not connected.done():
                        connected.set_result(None)
                    await self._converse(client)
            except (BrokerError, aiomqtt.MqttError) as error:
                if not connected.done():
                    connected.set_exception(self._explain(error))
                    return
                code = reason_code(error)
                if self._is_up:
                    why = "" if code is None else f" (reason code {code:02X})"
                    self._note(f"MQTT broker {self._options.place} is lost{why}")
                self._is_up = False
                if code == SESSION_TAKEN_OVER:
                    self._note(f"another client is {self._client!r} there, too: MQTT ends here")
                    return
                if code == PACKET_TOO_LARGE:
                    self._outgoing.give_up_longest_in_flight()
            finally:
                self._outgoing.disconnected()
            if time() - began > self._backoff.longest:
                pause = self._backoff.first
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._backoff.longest)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Client]:
        """A client that is connected, and that leaves nothing behind."""
        client = self._make_client()
        entering = asyncio.ensure_future(client.__aenter__())
        try:
            try:
                await asyncio.shield(entering)
            except asyncio.CancelledError:
                # It connects in a thread, which cannot be cancelled.
                await asyncio.gather(entering, return_exceptions=True)
                raise
            client.check()
            try:
                yield client
            finally:
                await client.__aexit__(None, None, None)
        finally:
            client.let_go()

    def _make_client(self) -> Client:
        options, will = self._options, self._will
        properties = _properties_of(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY if self._keep else 0
        properties.MaximumPacketSize = MAX_PACKET
        client = Client(
            options.host,
            options.port,
            identifier=self._client,
            protocol=aiomqtt.ProtocolVersion.V5,
            username=options.user,
            password=options.password,
            tls_context=self._tls,
            clean_start=not self._keep,
            properties=properties,
            keepalive=KEEP_ALIVE,
            timeout=self._answer,
            max_inflight_messages=WINDOW,
            max_queued_incoming_messages=MAX_WAITING,
            will=None
            if will is None
            else aiomqtt.Will(will.topic, will.payload, 1, will.retained, self._will_properties()),
            logger=_silent,
        )
        client.pending_calls_threshold = WINDOW
        return client

    async def _prepare(self, client: Client) -> None:
        if self._subscribe is not None:
            how = SubscribeOptions(qos=1, noLocal=True, retainHandling=_NO_RETAINED)
            codes = await client.subscribe(self._subscribe, options=how)
            if any(getattr(code, "is_failure", False) for code in codes):
                raise BrokerError(
                    f"MQTT broker {self._options.place} does not let us hear {self._subscribe}:"
                    f" {codes[0]}"
                )
        if self._was_up:
            self._note(f"MQTT broker {self._options.place} is back")
        self._greet(not self._was_up)
        self._was_up = self._is_up = True

    async def _converse(self, client: Client) -> None:
        """Send and hear, until the connection is lost: raises what it was lost by."""
        self._outgoing.connected()
        tasks = {
            asyncio.create_task(self._receive(client)),
            asyncio.create_task(self._send(client)),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, client: Client) -> None:
        async for message in client.messages:
            properties = message.properties
            self._hear(
                Arrived(
                    str(message.topic),
                    bytes(message.payload or b""),
                    getattr(properties, "ResponseTopic", ""),
                    getattr(properties, "CorrelationData", None),
                )
            )

    async def _send(self, client: Client) -> None:
        window = asyncio.Semaphore(WINDOW)
        try:
            async with asyncio.TaskGroup() as flights:
                while True:
                    await window.acquire()
                    number, message = await self._outgoing.take()
                    flights.create_task(self._publish(client, number, message, window))
        except* aiomqtt.MqttError as group:
            raise aiomqtt.MqttError("a message could not be sent") from group.exceptions[0]

    async def _publish(
        self, client: Client, number: int, message: Message, window: asyncio.Semaphore
    ) -> None:
        properties = self._properties(message, PacketTypes.PUBLISH, f"{self._run}-{number}")
        await client.publish(
            message.topic,
            message.payload,
            qos=1,
            retain=message.retained,
            properties=properties,
            timeout=math.inf,  # a lost connection ends the waiting
        )
        self._outgoing.acknowledge(number)
        window.release()

    def _will_properties(self) -> Properties:
        assert self._will is not None
        return self._properties(self._will, PacketTypes.WILLMESSAGE, f"{self._run}-will")

    def _properties(self, message: Message, kind: int, identifier: str) -> Properties:
        properties = _properties_of(kind)
        properties.PayloadFormatIndicator = 1
        properties.ContentType = "application/json"
        properties.UserProperty = [("schema", message.schema), ("message", identifier)]
        if message.expiry:
            properties.MessageExpiryInterval = message.expiry
        if message.correlation is not None:
            properties.CorrelationData = message.correlation
        return properties

    def _explain(self, error: Exception) -> BrokerError:
        options = self._options
        tls = self._tls is not None
        return explain(options.place, error, tls=tls, user=options.user, seconds=self._answer)


def _properties_of(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho says no types here
