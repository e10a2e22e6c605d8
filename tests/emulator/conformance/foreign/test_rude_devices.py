"""Devices that do nothing right: the runner goes on, and no case is an error of the tester's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from emulator.client.keys import Keys
from emulator.conformance import built_in
from emulator.conformance.declaration.features import derived
from emulator.conformance.declaration.model import (
    Declaration,
    DeclaredAssociation,
    DeclaredWay,
    LogicalDevice,
    Timing,
    WayKind,
)
from emulator.conformance.probing import line
from emulator.conformance.running import sanity
from emulator.conformance.running.declared import target_of
from emulator.conformance.running.result import CaseResult, Verdict
from emulator.conformance.running.runner import Runner

CATALOGUE = built_in()
OCTETS = 65536
KEYS = {
    "reader": Keys(password=bytes(8)),
    "management": Keys(guek=bytes(16), gak=bytes(16), hls_secret=bytes(16)),
}
AARE = bytes.fromhex(
    "000100010010002b6129a109060760857405080101a203020100a305a103020100"
    "be10040e0800065f1f0400001010ffff0007"
)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


async def hangs_up_when_asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


async def says_anything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    rng = random.Random(0)
    while await reader.read(OCTETS):
        writer.write(rng.randbytes(rng.randrange(1, 64)))
        await writer.drain()


async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(OCTETS):
        writer.write(octets)
        await writer.drain()


async def always_accepts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(OCTETS):
        writer.write(AARE[:2] + octets[4:6] + octets[2:4] + AARE[6:])
        await writer.drain()


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    while True:
        writer.write(bytes(OCTETS))
        await writer.drain()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    for octet in AARE * 20:
        writer.write(bytes((octet,)))
        await writer.drain()
        await asyncio.sleep(0)


RUDE = (silent, hangs_up, hangs_up_when_asked, says_anything, echoes, always_accepts, floods, drips)


@asynccontextmanager
async def device(
    behaves: Callable[..., Awaitable[None]], kind: WayKind
) -> AsyncIterator[Declaration]:
    served: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await behaves(reader, writer)
        finally:
            writer.transport.abort()
            served.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield declared(server.sockets[0].getsockname()[1], kind)
    finally:
        server.close()
        for task in tuple(served):
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


def declared(port: int, kind: WayKind) -> Declaration:
    served = Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    everything = Conformance(sum(Conformance))
    plain = Declaration(
        name="rude",
        features={},
        way=DeclaredWay(kind=kind, host="127.0.0.1", port=port),
        title=b"RUD\x00\x00\x00\x00\x01",
        timing=Timing(answer=0.02, silence=0.01, patience=0.1),
        logical_devices=(LogicalDevice(sap=1, name=b"RUD0000000000001"),),
        associations=(
            DeclaredAssociation(
                name="public", client_sap=16, server_sap=1, context=ApplicationContext.LN,
                mechanism=Mechanism.NONE, conformance=served, max_pdu_size=512,
            ),
            DeclaredAssociation(
                name="reader", client_sap=2, server_sap=1, context=ApplicationContext.LN,
                mechanism=Mechanism.LLS, conformance=served, max_pdu_size=512, keys="reader",
            ),
            DeclaredAssociation(
                name="management", client_sap=1, server_sap=1,
                context=ApplicationContext.LN_CIPHERED, mechanism=Mechanism.HLS_GMAC,
                conformance=everything, max_pdu_size=512, policy=Protection.BOTH,
                keys="management",
            ),
        ),
    )  # fmt: skip
    features = {**derived(plain).all, "clock": 1, "profiles": 1, "scripts": 1, "push": 1}
    return replace(plain, features=features)


async def run(
    behaves: Callable[..., Awaitable[None]], kind: WayKind, ids: tuple[str, ...]
) -> list[CaseResult]:
    async with device(behaves, kind) as declaration:
        runner = Runner(target_of(declaration, KEYS))
        return [await runner.run_one(CATALOGUE.checks[id]) for id in ids]


# Tests ------------------------------------------------------------------------------------------

SOME = (
    "APPL_OPEN_1", "APPL_OPEN_12", "APPL_DATA_LN_N1", "APPL_REL_P1", "COSEM_MANDATORY_3",
    "COSEM_X_Y", "SYMSEC_0_BasicCap_1", "X_OBJ_OBIS", "X_GET_BLOCK_NUMBER", "X_GBT_STREAMING",
    "X_INVOKE_ID", "X_AARQ_TRUNC",
)  # fmt: skip
OF = {
    WayKind.TCP: ("X_WPDU_VER", "X_WPDU_SPLIT", "X_WPDU_TWO_AA"),
    WayKind.HDLC: ("HDLC_FRAME_P1", "HDLC_INFO_N1", "HDLC_NDM2NRM_P1", "X_HDLC_LLC"),
}


@pytest.mark.parametrize("kind", OF)
@pytest.mark.parametrize("behaves", RUDE)
async def test_no_device_breaks_the_tester(
    behaves: Callable[..., Awaitable[None]], kind: WayKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sanity out of the way, or no conversation would begin."""
    monkeypatch.setattr(sanity, "problem", is_sane)
    monkeypatch.setattr(line, "MOST_OCTETS", 1 << 18)
    cases = await run(behaves, kind, (*OF[kind], *SOME))
    assert [(case.id, case.reasons) for case in cases if case.verdict is Verdict.ERROR] == []
    assert all(case.reasons for case in cases if case.verdict is not Verdict.PASSED)


@pytest.mark.parametrize("kind", OF)
@pytest.mark.parametrize("behaves", RUDE)
async def test_no_such_device_is_judged(
    behaves: Callable[..., Awaitable[None]], kind: WayKind
) -> None:
    """But for the checks that do without the sanity before."""
    opening, other = await run(behaves, kind, ("APPL_OPEN_1", "X_OBJ_OBIS"))
    assert "the device is not sane after the case: " in opening.reasons[-1]
    assert other.verdict is Verdict.ERROR
    (reason,) = other.reasons
    assert reason.removeprefix("the device is not sane before the case: ") not in ("", reason)


async def is_sane(trial: Any) -> str:
    return ""
