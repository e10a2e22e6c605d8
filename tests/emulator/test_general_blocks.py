"""General blocks between real sockets: the client against the laboratory's meter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devices.profile import load
from dlms.axdr.data import octet_string
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind
from dlms.xdlms.conformance import Conformance
from emulator.client import Hdlc, Keys, connect, connect_blocking
from emulator.client.options import OFFERED
from emulator.head_end.party import TITLES, client_titles
from emulator.policy import Actor
from emulator.provisioning import client_title
from emulator.sandbox import RunningMeter, Sandbox, Way
from emulator.serving.lines import DEVICE_ADDRESS
from tls.udp import start_udp_server

PATIENCE = 30.0
DRIVERS = ["asyncio", "blocking"]
PAD = "0-0:96.1.9.255"
DCO = TITLES[Actor.DCO]


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process of its own: its meters have never been used."""
    monkeypatch.setattr("emulator.client.plan.PROCESS", InvocationCounters())


@pytest.fixture
async def meter(
    pki: Any, events: Any, clock: Any, fleet_secret: bytes
) -> AsyncIterator[RunningMeter]:
    async with Sandbox(
        [load("laboratory")],
        pki=pki,
        fleet_secret=fleet_secret,
        client_titles=client_titles(),
        on_event=events,
        now=clock,
        trace=True,
        ways=[Way.UDP, Way.HDLC],
    ) as sandbox:
        yield sandbox.meters["laboratory"]


def how(meter: RunningMeter, ring: Any, name: str, **more: Any) -> dict[str, Any]:
    """What a client must say of itself for the association ``name``, blocks and all."""
    config = meter.device.profile.associations[name].config

    def key(kind: KeyKind) -> bytes:
        found: bytes = ring.get(meter.device.key(name, kind))
        return found

    keys = {
        "reader": lambda: Keys(password=key(KeyKind.LLS_SECRET)),
        "small": lambda: Keys(password=key(KeyKind.LLS_SECRET)),
        "md5": lambda: Keys(hls_secret=key(KeyKind.HLS_SECRET)),
        "dco": lambda: Keys(guek=key(KeyKind.GUEK), gak=key(KeyKind.GAK)),
        "suite1": lambda: Keys(guek=key(KeyKind.GUEK), gak=key(KeyKind.GAK)),
    }[name]()
    given: dict[str, Any] = {
        "client_sap": config.client_sap,
        "mechanism": config.mechanism,
        "suite": config.suite,
        "keys": keys,
        **more,
    }
    if config.context.ciphered:
        row = meter.device.profile.associations[name]
        given |= {"own_title": client_title(row, client_titles()), "counter": 0}
    return given


@asynccontextmanager
async def associated(
    driver: str, meter: RunningMeter, way: str, **given: Any
) -> AsyncIterator[Any]:
    """An association whose calls are awaited, whatever the driver."""
    address = meter.address
    hdlc = Hdlc(physical=DEVICE_ADDRESS, inter_octet_timeout=PATIENCE)
    ways: dict[str, tuple[int | None, dict[str, Any]]] = {
        "tcp": (address.plain_port, {}),
        "udp": (address.udp_port, {"udp": True}),
        "hdlc": (address.hdlc_port, {"hdlc": hdlc}),
    }
    port, more = ways[way]
    if driver == "asyncio":
        async with (
            connect(address.host, port, timeout=PATIENCE, **more) as client,
            client.associate(**given) as association,
        ):
            yield association
        return
    client = connect_blocking(address.host, port, timeout=PATIENCE, **more)
    await asyncio.to_thread(client.__enter__)
    try:
        association = client.associate(**given)
        await asyncio.to_thread(association.open)
        try:
            yield InThread(association)
        finally:
            await asyncio.to_thread(association.close)
    finally:
        await asyncio.to_thread(client.close)


class InThread:
    def __init__(self, blocking: Any) -> None:
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._blocking, name)

        async def aside(*args: Any, **more: Any) -> Any:
            return await asyncio.to_thread(call, *args, **more)

        return aside


def blocks(events: Any, arrow: str) -> list[str]:
    """What the meter traced of general blocks, in one direction."""
    return [event.text for event in events.of(arrow) if "general block" in event.text]


def requests(events: Any, word: str) -> int:
    return sum(event.text.startswith(word) for event in events.of("request"))


# The client ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tcp", "udp", "hdlc"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_long_load_profile(
    driver: str, way: str, meter: RunningMeter, ring: Any, events: Any
) -> None:
    """In streams of eight blocks: the same rows as without any."""
    async with associated(driver, meter, "tcp", **how(meter, ring, "reader")) as a:
        expected = await a.get("load_profile")
    assert len(expected) > 20
    assert not blocks(events, "->")
    given = how(meter, ring, "reader", max_pdu_size=64, block_window=8, always_in_blocks=True)
    async with associated(driver, meter, way, **given) as a:
        assert await a.get("load_profile") == expected
        said, asked = len(blocks(events, "->")), len(blocks(events, "<-"))
    assert said > 40
    assert all("window=8" in text for text in blocks(events, "<-"))
    # Requests, the ends of streams and of responses; a stream has eight blocks but where one ends.
    exchanges = len([event for event in events.of("request") if event.association == "reader"])
    assert asked < said / 8 + 4 * exchanges
    assert not events.of("block-number-ack", "block-of-no-exchange", "aborted")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_largest_window(driver: str, meter: RunningMeter, ring: Any, events: Any) -> None:
    """63 blocks at once are no flood."""
    given = how(meter, ring, "md5", max_pdu_size=20, block_window=63, always_in_blocks=True)
    async with associated(driver, meter, "tcp", **given) as a:
        rows = [row for row in meter.device.profile.objects.values() if "md5" in row.rights]
        assert len(await a.objects()) == len(rows)
    streaming = [" streaming" in text for text in blocks(events, "->")]
    assert [True] * 62 + [False] in [streaming[at : at + 63] for at in range(len(streaming))]


_SERVICE_BLOCKS = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
)


@pytest.mark.parametrize("name", ["dco", "suite1"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_writing(driver: str, name: str, meter: RunningMeter, ring: Any, events: Any) -> None:
    """Longer than the meter's PDUs, ciphered: general blocks where they are wanted or the only
    ones."""
    only = {"always_in_blocks": True}
    if name == "suite1":
        only = {"conformance": OFFERED & ~_SERVICE_BLOCKS}
    given = how(meter, ring, name, max_pdu_size=200, **only)
    value = octet_string(bytes(range(250)) * 20)
    async with associated(driver, meter, "tcp", **given) as a:
        await a.set(PAD, 2, value, class_id=1)
        assert await a.get(PAD, class_id=1, raw=True) == value
    assert requests(events, "SetRequest") == 1
    assert len(blocks(events, "<-")) > 5
    assert len(blocks(events, "->")) > 25
    window = meter.device.profile.associations[name].config.block_window
    assert all(f"window={window}" in text for text in blocks(events, "->"))


async def test_blocks_of_the_services_come_first(
    meter: RunningMeter, ring: Any, events: Any
) -> None:
    """Where both kinds were negotiated, and nobody asks in general blocks."""
    given = how(meter, ring, "reader", max_pdu_size=64)
    async with associated("asyncio", meter, "tcp", **given) as a:
        assert len(await a.get("load_profile")) > 20
    assert not blocks(events, "->") + blocks(events, "<-")


# Datagrams that are lost --------------------------------------------------------------------------


class Leak(asyncio.DatagramProtocol):
    """Between one client and the meter: of the general blocks, those of ``lost`` do not arrive."""

    def __init__(self, meter: tuple[str, int], lost: dict[str, set[int]]) -> None:
        self.meter = meter
        self.lost = lost
        self.seen = {"->": 0, "<-": 0}
        self.dropped = 0
        self.client: Any = None
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        from_meter = addr[1] == self.meter[1]
        if not from_meter:
            self.client = addr
        if data[8:9] == b"\xe0":
            way = "->" if from_meter else "<-"
            self.seen[way] += 1
            if self.seen[way] in self.lost[way]:
                self.dropped += 1
                return
        self.transport.sendto(data, self.client if from_meter else self.meter)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_datagrams_that_are_lost(
    driver: str, meter: RunningMeter, ring: Any, events: Any
) -> None:
    """In the middle of a stream, at its end, of what the client says: the value arrives right, and
    the meter carries the request out once."""
    value = octet_string(bytes(range(250)) * 12)
    meter.device.state.values[bytes((0, 0, 96, 1, 9, 255)), 2] = value
    address = meter.address
    assert address.udp_port is not None
    leaks: list[Leak] = []

    def leak() -> Leak:
        lost = {"->": {2, 3, 8, 12, 17}, "<-": {1, 3}}
        leaks.append(Leak((address.host, address.udp_port), lost))  # type: ignore[arg-type]
        return leaks[-1]

    given = how(meter, ring, "reader", max_pdu_size=100, block_window=8, always_in_blocks=True)
    async with await start_udp_server(leak, address.host, 0) as relay:
        leaking = meter._replace(address=address._replace(udp_port=relay.port))
        async with associated(driver, leaking, "udp", timeout=1.0, **given) as a:
            assert await a.get(PAD, class_id=1, raw=True) == value
    assert leaks[0].dropped == 7
    assert requests(events, "GetRequest") == 1
