"""A campaign that is killed at any point goes on: every meter agrees with the store in the end, and
no key is used twice with the same initialization vector.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from emulator.keystore.states import KeyState
from emulator.keystore.store import utc_now
from emulator.policy import Actor
from emulator.rotation.campaigns import Campaigns
from emulator.rotation.planning import ROTATED, plan

KILLS = int(os.environ.get("COSEMLAB_KILLS", "50"))
STRIDE = max(1, 150 // KILLS)
"""150 points are those of some six keys on their way."""
PATIENCE = 120.0
"""Only makes a test that hangs fail."""


class Program:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, deadly: int) -> str:
        """Go on, and be killed at that point; how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{deadly}\n".encode())
        async with asyncio.timeout(PATIENCE):
            return (await self._process.stdout.readline()).decode().strip()


@asynccontextmanager
async def program(path: Path, used: Path) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("killed.py")),
        str(path),
        str(used),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@pytest.mark.parametrize("way", ["in turn", "at random"])
async def test_a_campaign_survives_its_process(way: str, up: Any, tmp_path: Path) -> None:
    """In turn: first at the first point that a process comes to, then at a later one, and so on.
    The campaign goes on from where it was, so that all kinds of points are met.
    """
    used, chance = tmp_path / "used", random.Random(way)
    store, campaigns = up.workspace.key_store(), Campaigns(up.workspace.database(), utc_now)
    meters = {n: (m.address, m.device.profile) for n, m in up.sandbox.meters.items()}
    chosen = dict(list(meters.items())[:3])
    number = kills = 0
    async with program(up.workspace.path, used) as killed:
        while kills < KILLS:
            if not number or campaigns.campaign(number).is_done:
                steps = plan(chosen, (Actor.S1SP, Actor.DCO), ROTATED, store)
                number = campaigns.begin(steps)
            turn = STRIDE * kills + 1
            ended = await killed.run(turn if way == "in turn" else chance.randrange(1, 150))
            assert ended == "killed" or int(ended)
            kills += ended == "killed"
        assert int(await killed.run(0)) > 0
    campaign = campaigns.campaign(number)
    assert campaign.is_done, campaign.text
    assert await up.differing(*ROTATED) == []
    twice = [pair for pair, count in Counter(used.read_text().splitlines()).items() if count > 1]
    assert twice == []
    assert not store.rows(states=(KeyState.IN_DOUBT,), scope="dco")
