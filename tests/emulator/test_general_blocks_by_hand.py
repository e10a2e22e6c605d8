"""General blocks made by hand and sent over TCP to the laboratory's meter: X_GBT_*."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.events import ResponseReceived
from dlms.axdr.data import double_long
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
from emulator.head_end.party import TITLES
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.sandbox import RunningMeter

PATIENCE = 120.0
UPDATE_AMOUNT = MethodDescriptor(112, bytes((0, 0, 19, 10, 0, 255)), 1)
DCO = TITLES[Actor.DCO]
ABORT = "e0800000000000"


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter("laboratory", trace=True) as meter:
        yield meter


def requests(events: Any, word: str) -> int:
    return sum(event.text.startswith(word) for event in events.of("request"))


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
