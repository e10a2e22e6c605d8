"""General blocks between real sockets: the client against the laboratory's meter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from dlms.axdr.data import octet_string
from dlms.security.keys import KeyKind
from dlms.xdlms.conformance import Conformance
from emulator.client import Keys
from emulator.client.options import OFFERED
from emulator.head_end.party import TITLES, client_titles
from emulator.meter_address import Way
from emulator.policy import Actor
from emulator.provisioning import client_title
from emulator.sandbox import RunningMeter
from tls.udp import start_udp_server

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
DRIVERS = ["asyncio", "blocking"]
PAD = "0-0:96.1.9.255"
DCO = TITLES[Actor.DCO]


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter("laboratory", trace=True, ways=[Way.UDP, Way.HDLC]) as meter:
        yield meter


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


Associate = Callable[..., Any]


@pytest.fixture
def associate(
    meter: RunningMeter, ring: Any, route_to: Callable[..., Any], associated: Callable[..., Any]
) -> Associate:
    """``async with associate(driver, way, name, **more) as a``: calls are awaited in any driver."""

    def start(
        driver: str, way: str, name: str, *, at: RunningMeter | None = None, **more: Any
    ) -> Any:
        return associated(driver, route_to(at or meter, way), **how(meter, ring, name, **more))

    return start


def blocks(events: Any, arrow: str) -> list[str]:
    """What the meter traced of general blocks, in one direction."""
    return [event.text for event in events.of(arrow) if "general block" in event.text]


def requests(events: Any, word: str) -> int:
    return sum(event.text.startswith(word) for event in events.of("request"))


# The client ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tcp", "udp", "hdlc"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_long_load_profile(
    driver: str, way: str, associate: Associate, events: Any
) -> None:
    """In streams of eight blocks: the same rows as without any."""
    async with associate(driver, "tcp", "reader") as a:
        expected = await a.get("load_profile")
    assert len(expected) > 20
    assert not blocks(events, "->")
    given = {"max_pdu_size": 64, "block_window": 8, "always_in_blocks": True}
    async with associate(driver, way, "reader", **given) as a:
        assert await a.get("load_profile") == expected
        said, asked = len(blocks(events, "->")), len(blocks(events, "<-"))
    assert said > 40
    assert all("window=8" in text for text in blocks(events, "<-"))
    # Requests, the ends of streams and of responses; a stream has eight blocks but where one ends.
    exchanges = len([event for event in events.of("request") if event.association == "reader"])
    assert asked < said / 8 + 4 * exchanges
    assert not events.of("block-number-ack", "block-of-no-exchange", "aborted")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_largest_window(
    driver: str, meter: RunningMeter, associate: Associate, events: Any
) -> None:
    """63 blocks at once are no flood."""
    given = {"max_pdu_size": 20, "block_window": 63, "always_in_blocks": True}
    async with associate(driver, "tcp", "md5", **given) as a:
        rows = [row for row in meter.device.profile.objects.values() if "md5" in row.rights]
        assert len(await a.objects()) == len(rows)
    streaming = [" streaming" in text for text in blocks(events, "->")]
    assert [True] * 62 + [False] in [streaming[at : at + 63] for at in range(len(streaming))]


_SERVICE_BLOCKS = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
)


@pytest.mark.parametrize("name", ["dco", "suite1"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_writing(
    driver: str, name: str, meter: RunningMeter, associate: Associate, events: Any
) -> None:
    """Longer than the meter's PDUs, ciphered: general blocks where they are wanted or the only
    ones."""
    only = {"always_in_blocks": True}
    if name == "suite1":
        only = {"conformance": OFFERED & ~_SERVICE_BLOCKS}
    value = octet_string(bytes(range(250)) * 20)
    async with associate(driver, "tcp", name, max_pdu_size=200, **only) as a:
        await a.set(PAD, 2, value, class_id=1)
        assert await a.get(PAD, class_id=1, raw=True) == value
    assert requests(events, "SetRequest") == 1
    assert len(blocks(events, "<-")) > 5
    assert len(blocks(events, "->")) > 25
    window = meter.device.profile.associations[name].config.block_window
    assert all(f"window={window}" in text for text in blocks(events, "->"))


async def test_blocks_of_the_services_come_first(associate: Associate, events: Any) -> None:
    """Where both kinds were negotiated, and nobody asks in general blocks."""
    async with associate("asyncio", "tcp", "reader", max_pdu_size=64) as a:
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
    driver: str, meter: RunningMeter, associate: Associate, events: Any
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

    given = {"max_pdu_size": 100, "block_window": 8, "always_in_blocks": True}
    async with await start_udp_server(leak, address.host, 0) as relay:
        leaking = meter._replace(address=address._replace(udp_port=relay.port))
        async with associate(driver, "udp", "reader", at=leaking, timeout=1.0, **given) as a:
            assert await a.get(PAD, class_id=1, raw=True) == value
    assert leaks[0].dropped == 7
    assert requests(events, "GetRequest") == 1
