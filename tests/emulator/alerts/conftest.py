"""Meters with alerts in their stores, and listeners for them: the head end's own, and one that does
what a test tells it to. Time stands still unless a test moves it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from devices.history import Alert
from devices.profile import Profile
from dlms.acse.names import Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.framing import Wpdu
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Step
from dlms.xdlms.data_notification import DataNotification, DataNotificationConfirm
from emulator.counter_file import CounterFile, FiledCounters
from emulator.head_end.alerts import Smets1Alert
from emulator.head_end.listener import AlertListener, Device, Told
from emulator.head_end.party import LISTENER, TITLES, client_titles
from emulator.memory.kept_memories import KeptMemories
from emulator.modules.software import SoftwareModule
from emulator.sandbox import Sandbox
from emulator.seen_alerts import SeenAlerts
from emulator.serving.pushing import Address
from tls.contexts import server_context

PATIENCE = 120.0
NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
HOST = "127.0.0.1"
CODES = (0x8F74, 0x8F75, 0x8F76, 0x8F3F, 0x810D)


class Where:
    """Where the listener is, as the sandbox is told."""

    def __init__(self) -> None:
        self.address: Address | None = None
        self.asked = 0

    def __call__(self) -> Address | None:
        self.asked += 1
        return self.address


class Fleet:
    """A sandbox whose meters have nothing to tell but what a test gives them."""

    def __init__(self, sandbox: Sandbox, where: Where, events: Any, clock: Any) -> None:
        self.sandbox = sandbox
        self.where = where
        self.events = events
        self.clock = clock

    def device(self, name: str) -> Any:
        return self.sandbox.meters[name].device

    def happen(self, name: str, *alerts: Alert) -> list[int]:
        """Put alerts into the store of a meter, and say so; gives their numbers."""
        state = self.device(name).state
        numbers = []
        for alert in alerts:
            number = state.figures["last alert"] = state.figures.get("last alert", 0) + 1
            state.alerts[number] = alert
            numbers.append(number)
        self.sandbox.meters[name].mains.host.settle()
        self.sandbox.pusher.look_again(self.sandbox.meters[name].teller)
        return numbers

    def listening_at(self, port: int | None) -> None:
        self.where.address = None if port is None else Address(HOST, port)
        self.sandbox.pusher.listener_changed()

    async def told(self, count: int) -> None:
        """Once so many alerts have left the stores."""
        await self.events.wait("alert-told", count)

    async def not_told(self, count: int) -> list[str]:
        """Why so many attempts were in vain."""
        return [event.text for event in await self.events.wait("alerts-not-told", count)]


class Heard:
    """What the head end hands on, and what else it says."""

    def __init__(self) -> None:
        self.alerts: list[Smets1Alert] = []
        self.said: list[Told] = []
        self._news = asyncio.Event()

    def alert(self, alert: Smets1Alert) -> None:
        self.alerts.append(alert)
        self._news.set()

    def event(self, told: Told) -> None:
        self.said.append(told)
        self._news.set()

    async def wait(self, alerts: int = 0, said: int = 0) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.alerts) < alerts or len(self.said) < said:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def where() -> Where:
    return Where()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def memories(tmp_path: Path, fleet_secret: bytes) -> Iterator[KeptMemories]:
    """Where the meters remember, before and after a sandbox."""
    folder = tmp_path / "meters"
    folder.mkdir()
    KeptMemories.create(folder, fleet_secret)
    with KeptMemories(folder, fleet_secret) as memories:
        yield memories


@pytest.fixture
def start_fleet(
    pki: Any, events: Any, clock: Any, fleet_secret: bytes, where: Where, memories: Any
) -> Callable[..., Any]:
    @asynccontextmanager
    async def start(profiles: list[Profile], **options: Any) -> AsyncIterator[Fleet]:
        sandbox = Sandbox(
            profiles,
            pki=pki,
            fleet_secret=fleet_secret,
            client_titles=client_titles(),
            on_event=events,
            clock=clock,
            listener=where,
            memories=memories,
            **options,
        )
        mistakes: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: mistakes.append(context))
        async with sandbox:
            for meter in sandbox.meters.values():
                state = meter.device.state
                if "test" not in state.figures:
                    state.alerts.clear()  # what happens at birth is another test's
                    state.figures.pop("last alert", None)
                    state.figures["test"] = 1
                    meter.mains.host.settle()
            yield Fleet(sandbox, where, events, clock)
        loop.set_exception_handler(None)
        assert mistakes == []

    return start


@pytest.fixture
async def fleet(start_fleet: Any, profiles: list[Profile]) -> AsyncIterator[Fleet]:
    """All five meters."""
    async with start_fleet(profiles) as fleet:
        yield fleet


@pytest.fixture
def counter_file(tmp_path: Path) -> CounterFile:
    return CounterFile(tmp_path / "counters.json")


@pytest.fixture
def start_listener(
    pki: Any,
    make_party: Any,
    profiles: list[Profile],
    heard: Heard,
    tmp_path: Path,
    counter_file: CounterFile,
) -> Callable[..., Any]:
    """``async with start_listener() as listener``: the head end's own, which knows all meters."""
    known = {
        profile.system_title(number): Device(profile.name, profile)
        for number, profile in enumerate(profiles, 1)
    }

    @asynccontextmanager
    async def start(port: int = 0, **options: Any) -> AsyncIterator[AlertListener]:
        party = make_party(LISTENER, **options)
        party.counters = FiledCounters(counter_file, floors=True)
        credential = pki.issue_listener(party.title, "listener")
        with SeenAlerts(tmp_path / "seen.json") as seen:
            listener = AlertListener(party, credential, known.get, seen, heard.alert, heard.event)
            await listener.start(HOST, port)
            try:
                yield listener
            finally:
                await listener.close()

    return start


class Caller:
    """A connection of a meter to a listener that a test plays."""

    def __init__(self, reader: Any, writer: Any, association: ClientAssociation, run: Any) -> None:
        self.reader = reader
        self.writer = writer
        self.association = association
        self._run = run
        config = association.config
        self.pair = config.client_sap, config.server_sap

    async def apdu(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            header = await self.reader.readexactly(8)
            version, source, destination, length = (
                int.from_bytes(header[at : at + 2], "big") for at in (0, 2, 4, 6)
            )
            assert (version, destination, source) == (1, *self.pair)
            octets: bytes = await self.reader.readexactly(length)
            return octets

    async def notification(self) -> DataNotification:
        event = self.make(self.association.receive(await self.apdu()))
        told: DataNotification = event.notification
        return told

    def make(self, step: Step[Any]) -> Any:
        return self._run(step)

    def confirmation(self, told: DataNotification) -> bytes:
        octets: bytes = self.make(self.association.confirm(told))
        return octets

    def sealed(self, confirmation: DataNotificationConfirm) -> bytes:
        told = DataNotification(confirmation.long_invoke, None)  # type: ignore[arg-type]
        return self.confirmation(told)

    def send(self, apdu: bytes) -> None:
        self.writer.write(Wpdu(*self.pair, apdu).encode())

    async def closed(self) -> None:
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                assert await self.reader.read() == b""

    def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        self.writer.transport.abort()


class PlayedListener:
    """Gives each connection that comes to the test."""

    def __init__(self, association: Callable[[], ClientAssociation], run: Any) -> None:
        self._association = association
        self._run = run
        self._callers: asyncio.Queue[Caller] = asyncio.Queue()
        self.port = 0

    async def accept(self, reader: Any, writer: Any) -> None:
        self._callers.put_nowait(Caller(reader, writer, self._association(), self._run))

    async def caller(self) -> Caller:
        async with asyncio.timeout(PATIENCE):
            return await self._callers.get()


@pytest.fixture
async def play(pki: Any, ring: Any) -> AsyncIterator[Callable[..., Any]]:
    """``await play(meter, credential=...)``: a listener for one meter that a test plays."""
    counters = InvocationCounters()
    async with AsyncExitStack() as stack:

        async def start(profile: Profile, serial: int, credential: Any = None) -> PlayedListener:
            title = profile.system_title(serial)
            assert profile.alert_push is not None
            row = profile.associations[profile.alert_push.association]

            def association() -> ClientAssociation:
                config = ClientConfig(
                    client_sap=row.config.client_sap,
                    server_sap=row.config.server_sap,
                    context=row.config.context,
                    mechanism=Mechanism.NONE,
                    conformance=row.config.conformance,
                    pre_established=True,
                    own_title=TITLES[LISTENER],
                    server_title=title,
                )
                keys = AssociationKeys(
                    guek=KeyRef(title, row.name, KeyKind.GUEK),
                    gak=KeyRef(title, row.name, KeyKind.GAK),
                )
                return ClientAssociation(config, keys, counters)

            execute = SoftwareModule(ring).execute
            played = PlayedListener(association, lambda step: run(step, execute))
            shown = credential or pki.issue_listener(TITLES[LISTENER], "listener")
            context = server_context(shown, pki.trust())
            server = await asyncio.start_server(played.accept, HOST, 0, ssl=context)
            stack.push_async_callback(_stop, server)
            played.port = server.sockets[0].getsockname()[1]
            return played

        yield start


async def _stop(server: asyncio.Server) -> None:
    server.close()


@pytest.fixture
def covers() -> Callable[..., list[Alert]]:
    """``covers(n)``: so many alerts, each a minute after the other."""

    def make(count: int, since: dt.datetime = NOON) -> list[Alert]:
        return [
            Alert(CODES[n % len(CODES)], since - dt.timedelta(minutes=count - n), n)
            for n in range(count)
        ]

    return make
