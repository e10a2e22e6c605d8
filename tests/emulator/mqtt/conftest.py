"""A real Mosquitto that can be killed and started again, and somebody who listens on it.

Whoever listens checks every payload that names a schema against it. Nothing here waits for time to
pass: ``PATIENCE`` only makes a test that hangs fail.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt
import jsonschema
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from emulator.mqtt.options import MqttOptions
from emulator.mqtt.topics import schema

PATIENCE = 120.0
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"

CONFIG = """\
listener {port} 127.0.0.1
persistence true
persistence_location {directory}/
autosave_on_changes true
autosave_interval 1
max_inflight_messages 0
log_type all
{more}
"""
"""With everything in flight at once a message is written to whoever listens before it is
acknowledged, so that what was acknowledged outlives the broker's death."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Mosquitto:
    """One broker in its directory, on its port; it may be started again there."""

    def __init__(self, directory: Path, more: str = "allow_anonymous true") -> None:
        self.directory = directory
        self.port = free_port()
        self._config = directory / "mosquitto.conf"
        self._config.write_text(CONFIG.format(port=self.port, directory=directory, more=more))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """It listens when this returns."""
        with (self.directory / "log").open("ab") as log:
            command = [MOSQUITTO, "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                status = self._process.poll()
                assert status is None, (self.directory / "log").read_text()
                os.sched_yield()

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """It saves what it has."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            self._process = None

    def options(self, **more: Any) -> MqttOptions:
        return MqttOptions(**{"host": "127.0.0.1", "port": self.port, **more})


class Heard(NamedTuple):
    topic: str
    payload: bytes
    retained: bool
    content_type: str
    user: dict[str, str]
    expiry: int | None
    correlation: bytes | None

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class Listener:
    """Hears what is published under its filters, over lost connections, too."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.connections = 0
        self._news = asyncio.Event()

    def of(self, end: str) -> list[Heard]:
        """What was heard on topics that end so."""
        return [one for one in self.heard if one.topic.endswith(end)]

    async def wait(self, condition: Callable[[], Any]) -> Any:
        """What ``condition`` gives, once that is true."""
        async with asyncio.timeout(PATIENCE):
            while not (found := condition()):
                self._news.clear()
                await self._news.wait()
        return found

    async def wait_for(self, end: str, count: int = 1) -> list[Heard]:
        return await self.wait(lambda: found if len(found := self.of(end)) >= count else None)

    async def run(self, port: int, filters: tuple[str, ...], identifier: str | None) -> None:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0 if identifier is None else 3600
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1",
                    port,
                    identifier=identifier,
                    protocol=aiomqtt.ProtocolVersion.V5,
                    clean_start=identifier is None,
                    properties=properties,
                ) as client:
                    for topic in filters:
                        await client.subscribe(topic, qos=1)
                    self.connections += 1
                    self._news.set()
                    async for message in client.messages:
                        self._take(message)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.01)  # the broker is away; its absence cannot be awaited

    def _take(self, message: aiomqtt.Message) -> None:
        properties = message.properties
        user = dict(getattr(properties, "UserProperty", ()))
        one = Heard(
            str(message.topic),
            bytes(message.payload),
            message.retain,
            getattr(properties, "ContentType", ""),
            user,
            getattr(properties, "MessageExpiryInterval", None),
            getattr(properties, "CorrelationData", None),
        )
        if user.get("schema"):
            check(user["schema"], one.json)
        self.heard.append(one)
        self._news.set()


def check(name: str, payload: Any) -> None:
    """Against the schema of that name."""
    checker = jsonschema.Draft7Validator.FORMAT_CHECKER
    jsonschema.Draft7Validator(schema(name), format_checker=checker).validate(payload)


@pytest.fixture
def make_mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """``make_mosquitto(more)``: a broker that runs, with more in its configuration."""
    made: list[Mosquitto] = []

    def make(more: str = "allow_anonymous true") -> Mosquitto:
        directory = tmp_path / f"mosquitto{len(made)}"
        directory.mkdir()
        if os.getuid() == 0:  # else it would become somebody who may not write here
            more += "\nuser root"
        made.append(Mosquitto(directory, more))
        made[-1].start()
        return made[-1]

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture
def mosquitto(make_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    return make_mosquitto()


@pytest.fixture
def listening() -> Callable[..., AbstractAsyncContextManager[Listener]]:
    """``async with listening(broker, *filters) as listener``: it is connected. With an
    ``identifier`` the broker keeps what comes while it is not.
    """

    @asynccontextmanager
    async def listen(
        broker: Mosquitto, *filters: str, identifier: str | None = None
    ) -> AsyncIterator[Listener]:
        listener = Listener()
        task = asyncio.create_task(
            listener.run(broker.port, filters or ("cosemlab/#",), identifier)
        )
        task.add_done_callback(lambda _: listener._news.set())
        try:
            await listener.wait(lambda: task.done() or listener.connections)
            yield listener
            # A payload that does not fit its schema ends the task.
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return listen


class Asking:
    """Asks a sandbox to do things, as a client of the control topics does."""

    def __init__(self, client: aiomqtt.Client, listener: Listener) -> None:
        self._client = client
        self._listener = listener

    async def send(
        self,
        action: str,
        payload: bytes | dict[str, Any],
        *,
        response_topic: str | None = "answers/here",
        correlation: bytes | None = None,
    ) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        if response_topic is not None:
            properties.ResponseTopic = response_topic
        if correlation is not None:
            properties.CorrelationData = correlation
        octets = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self._client.publish(
            f"cosemlab/lab/control/{action}", octets, qos=1, properties=properties, timeout=math.inf
        )

    async def ask(self, action: str, payload: bytes | dict[str, Any] = b"{}", **how: Any) -> Any:
        """The reply to the request; it is the next one."""
        count = len(self._listener.of("answers/here"))
        await self.send(action, payload, **how)
        return (await self._listener.wait_for("answers/here", count + 1))[count].json


@pytest.fixture
def asking() -> Callable[..., AbstractAsyncContextManager[Asking]]:
    @asynccontextmanager
    async def start(broker: Mosquitto, listener: Listener) -> AsyncIterator[Asking]:
        async with aiomqtt.Client(
            "127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5
        ) as client:
            yield Asking(client, listener)

    return start
