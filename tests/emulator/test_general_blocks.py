"""General blocks between real sockets: the client, and whoever makes blocks by hand, against the
laboratory's meter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devices.profile import load
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.events import ResponseReceived
from dlms.axdr.data import double_long, octet_string
from dlms.framing import Wpdu
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from dlms.security.ops import Use
from dlms.security.protect import Shape, protect
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import MethodDescriptor
from dlms.xdlms.general_block import decode
from emulator.client import Hdlc, Keys, connect, connect_blocking
from emulator.head_end.party import TITLES, client_titles
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.sandbox import RunningMeter, Sandbox, Way
from emulator.serving.lines import DEVICE_ADDRESS
from tls.udp import start_udp_server

PATIENCE = 30.0
DRIVERS = ["asyncio", "blocking"]
PAD = "0-0:96.1.9.255"
CREDIT = "0-0:19.10.0.255"
UPDATE_AMOUNT = MethodDescriptor(112, bytes((0, 0, 19, 10, 0, 255)), 1)
DCO = TITLES[Actor.DCO]
ABORT = "e0800000000000"


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
        given |= {"own_title": DCO, "counter": 0}
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


@pytest.mark.parametrize("name", ["dco", "suite1"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_writing(driver: str, name: str, meter: RunningMeter, ring: Any, events: Any) -> None:
    """Longer than the meter's PDUs, ciphered: general blocks where they are wanted or the only
    ones."""
    given = how(meter, ring, name, max_pdu_size=200, always_in_blocks=name == "dco")
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


# Blocks by hand: X_GBT_* over TCP -----------------------------------------------------------------


class ByHand:
    """The management client, whose APDUs a test cuts and sends as it likes."""

    def __init__(self, meter: RunningMeter, fleet_secret: bytes, streams: Any) -> None:
        self.reader, self.writer = streams
        self.meter = meter
        config = meter.device.profile.associations["dco"].config
        self.pair = config.client_sap, config.server_sap
        self._execute = SoftwareModule(KeyRing(fleet_secret)).execute
        self.association = ClientAssociation(
            ClientConfig(
                client_sap=config.client_sap,
                server_sap=config.server_sap,
                context=config.context,
                mechanism=config.mechanism,
                conformance=config.conformance,
                own_title=DCO,
            ),
            AssociationKeys(
                guek=meter.device.key("dco", KeyKind.GUEK), gak=meter.device.key("dco", KeyKind.GAK)
            ),
            InvocationCounters(),
        )

    def compute(self, step: Any) -> Any:
        return run(step, self._execute)

    def send(self, *apdus: bytes) -> None:
        for apdu in apdus:
            self.writer.write(Wpdu(*self.pair, apdu).encode())

    async def next(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            header = await self.reader.readexactly(8)
            apdu: bytes = await self.reader.readexactly(int.from_bytes(header[6:], "big"))
            return apdu

    async def ask(self, step: Any) -> Any:
        self.send(self.compute(step))
        return self.compute(self.association.receive(await self.next()))

    def top_up(self, invoke: int = 0x41) -> list[bytes]:
        """Add 100 to the balance, ciphered, in one stream of blocks of 20 octets."""
        request = ActionRequest(invoke, UPDATE_AMOUNT, double_long(100))
        apdu = self.compute(self.association.request(request))
        cut = [apdu[at : at + 20] for at in range(0, len(apdu), 20)]
        controls = [0x43] * (len(cut) - 1) + [0x83]
        return [
            bytes((0xE0, control))
            + number.to_bytes(2, "big")
            + b"\0\0"
            + bytes((len(data),))
            + data
            for number, (control, data) in enumerate(zip(controls, cut, strict=True), 1)
        ]

    async def answered(self) -> None:
        """The response comes, in one block, and says that it was done."""
        while not (block := decode(await self.next())).data:
            assert block.number < 9
        event = self.compute(self.association.receive(block.data))
        assert isinstance(event, ResponseReceived)
        assert event.response.result is ActionResult.SUCCESS

    @property
    def balance(self) -> int:
        value = self.meter.device.value(
            self.meter.device.profile.objects[UPDATE_AMOUNT.instance], 2
        )
        assert value is not None
        assert isinstance(value.value, int)
        return value.value

    async def settle(self) -> None:
        """Until everything that was sent has arrived: an APDU without protection is refused."""
        self.send(bytes.fromhex("C0"))
        while (await self.next())[0] != 0xD8:
            pass

    async def still_works(self) -> None:
        before = self.balance
        self.association._waiting_for = None
        self.send(*self.top_up())
        await self.answered()
        assert self.balance == before + 100


@pytest.fixture
async def dco(meter: RunningMeter, fleet_secret: bytes) -> AsyncIterator[ByHand]:
    address = meter.address
    streams = await asyncio.open_connection(address.host, address.plain_port)
    hand = ByHand(meter, fleet_secret, streams)
    await hand.ask(hand.association.open())
    await hand.ask(hand.association.authenticate())
    yield hand
    hand.writer.close()


Cut = Callable[[list[bytes]], list[bytes]]
KEPT: dict[str, Cut] = {
    "in order": lambda sent: sent,
    "lost block": lambda sent: [*sent[:1], *sent[2:], sent[1]],
    "duplicates": lambda sent: [block for block in sent for _ in range(2)],
    "last block repeated": lambda sent: [*sent, sent[-1], sent[-1]],
    "the whole stream again": lambda sent: [*sent, *sent],
    "turned round": lambda sent: sent[::-1],
}


@pytest.mark.parametrize("case", KEPT, ids=str)
async def test_carried_out_once(case: str, dco: ByHand, events: Any) -> None:
    """What is lost comes later; what comes again is answered again, and not done again."""
    before = dco.balance
    dco.send(*KEPT[case](dco.top_up()))
    await dco.answered()
    await dco.settle()
    assert dco.balance == before + 100
    assert requests(events, "ActionRequest") == 1


BROKEN = {
    "window 0": ("e0800001000100", None),
    "streaming bit": ("e0c3000200000161", ABORT),
    "block 0": ("e003000000000161", ABORT),
    "numbers wrap": ("e003ffff00000161", ABORT),
    "wrong acknowledgement": ("e0830002000900", None),
    "malformed": ("e083", None),
    "abort": (ABORT, None),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
async def test_never_carried_out_by_half(case: str, dco: ByHand, events: Any) -> None:
    octets, reply = BROKEN[case]
    before = dco.balance
    first, *_ = dco.top_up()
    dco.send(first, bytes.fromhex(octets))
    if reply is not None:
        assert (await dco.next()).hex() == reply
    await dco.still_works()
    assert dco.balance == before + 100
    assert requests(events, "ActionRequest") == 1


async def test_blocks_within_ciphering(dco: ByHand, events: Any) -> None:
    """X_GBT_CIPHER_ORDER: refused, and the association goes on."""
    before = dco.balance
    inside = dco.top_up()[0]
    assert dco.association._security is not None
    shape = Shape(Family.GLOBAL, Form.GENERAL, Protection.BOTH)
    dco.send(dco.compute(protect(dco.association._security, inside, shape, Use.PROTECT_REQUEST)))
    assert (await dco.next()).hex() == "d80202"
    await dco.still_works()
    assert dco.balance == before + 100


async def test_a_flood(dco: ByHand, events: Any) -> None:
    """Of blocks that never end: what is kept is bounded, and others do not notice."""
    data = bytes(1000)
    for number in range(1, 1100):
        head = bytes((0xE0, 0x43)) + number.to_bytes(2, "big") + b"\0\0\x82\x03\xe8"
        dco.send(head + data)
    await events.wait("long-apdu")
    while (reply := await dco.next()).hex() != ABORT:
        assert decode(reply).window == 8
    await dco.still_works()
