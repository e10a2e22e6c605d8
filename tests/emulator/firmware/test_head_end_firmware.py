"""Firmware by the head end: the S1SP distributes, the DCO activates, and the ledger has it all."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dlms.client.refusals import MeterRefusal
from dlms.cosem.image_transfer import Status
from dlms.security.ops import OperationRefused
from emulator.client import ImageRefused, Refused, Transfer
from emulator.custody import Mode
from emulator.policy import Actor, Purpose
from emulator.sandbox import RunningMeter

pytestmark = pytest.mark.usefixtures("own_process")


async def test_distributed_and_activated(
    meter: RunningMeter, head_end: Any, image_for: Any, ledger: Any
) -> None:
    address, profile = meter.address, meter.device.profile
    octets = image_for(meter)
    before = await head_end.firmware.status(address, profile)
    assert (before.version, before.status, before.to_activate) == (
        "1.0.0", Status.NOT_INITIATED, (),
    )  # fmt: skip
    start = len(ledger)
    transfer = Transfer(image=octets)
    await head_end.firmware.send(address, profile, transfer)
    distributed = list(ledger)[start:]
    after = await head_end.firmware.status(address, profile)
    assert (after.version, after.status) == ("1.0.0", Status.VERIFIED)
    assert after.progress.done == after.progress.total == transfer.blocks_sent
    assert after.to_activate == (transfer.identifier,)
    start = len(ledger)
    final = await head_end.firmware.activate(address, profile)
    activated = list(ledger)[start:]
    assert (final.version, final.status) == ("2.0.0", Status.ACTIVATED)
    assert final.verified_hash == after.verified_hash != b""

    def instructions(entries: Any, actor: Actor) -> int:
        return sum(
            entry.actor is actor and entry.purpose is Purpose.GENERATE_INSTRUCTION
            for entry in entries
        )

    assert instructions(distributed, Actor.S1SP) >= transfer.blocks_sent
    assert instructions(distributed, Actor.DCO) == 0
    assert instructions(activated, Actor.DCO) == 1


async def test_the_s1sp_cannot_activate(meter: RunningMeter, s1sp_at: Any, image_for: Any) -> None:
    async with s1sp_at(meter) as a:
        await a.images().transfer_and_verify(image_for(meter))
        with pytest.raises(Refused, match="status"):
            await a.images().activate()
    assert not meter.device.restart_wanted


async def test_nothing_to_activate(meter: RunningMeter, head_end: Any) -> None:
    with pytest.raises(ImageRefused, match="not activated"):
        await head_end.firmware.activate(meter.address, meter.device.profile)


async def test_a_meter_without(meter: RunningMeter, head_end: Any) -> None:
    profile = replace(meter.device.profile, instructions={})
    with pytest.raises(MeterRefusal, match="activate_firmware"):
        await head_end.firmware.activate(meter.address, profile)
    with pytest.raises(MeterRefusal, match="no firmware"):
        await head_end.firmware.status(meter.address, replace(profile, objects={}))


async def test_a_damaged_image(meter: RunningMeter, head_end: Any, image_for: Any) -> None:
    octets = image_for(meter)
    damaged = octets[:100] + b"?" + octets[101:]
    with pytest.raises(ImageRefused, match="verification-failed"):
        await head_end.firmware.send(meter.address, meter.device.profile, Transfer(image=damaged))
    status = await head_end.firmware.status(meter.address, meter.device.profile)
    assert (status.version, status.status) == ("1.0.0", Status.VERIFICATION_FAILED)


async def test_enforced_without_a_strong_module(
    meter: RunningMeter, make_head_end: Any, image_for: Any
) -> None:
    head_end = make_head_end(mode=Mode.ENFORCE)
    with pytest.raises(OperationRefused):
        await head_end.firmware.activate(meter.address, meter.device.profile)


async def test_a_meter_that_takes_its_time(
    run_meter: Any, updatable: Any, head_end: Any, image_for: Any, clock: Any
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(dt.timedelta(seconds=seconds))
        await asyncio.sleep(0)

    head_end.firmware.sleep = sleep
    async with run_meter(updatable("secure", 5, 20)) as meter:
        profile = meter.device.profile
        await head_end.firmware.send(meter.address, profile, Transfer(image=image_for(meter)))
        final = await head_end.firmware.activate(meter.address, profile)
    assert (final.version, final.status) == ("2.0.0", Status.ACTIVATED)
    assert len(pauses) == 25


@pytest.mark.parametrize("at", range(3, 24, 4))
async def test_the_meter_hangs_up(
    meter: RunningMeter, head_end: Any, image_for: Any, at: int
) -> None:
    """After some requests, whichever: another association goes on where it was."""
    transfer = Transfer(image=image_for(meter))
    firmware, handle = head_end.firmware, meter.device.handle
    requests = 0

    def count(*args: Any, **more: Any) -> Any:
        nonlocal requests
        requests += 1
        meter.device.restart_wanted = requests == at
        return handle(*args, **more)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    firmware.sleep = sleep
    meter.device.handle = count  # type: ignore[method-assign]
    await firmware.send(meter.address, meter.device.profile, transfer)
    assert requests > at
    assert transfer.blocks_sent <= 11 + 1
    status = await firmware.status(meter.address, meter.device.profile)
    assert status.status is Status.VERIFIED
