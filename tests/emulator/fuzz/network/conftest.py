"""A sandbox that somebody else runs, as far as the fuzzer knows: in a thread and a loop of its own.

It is reached by its declaration alone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devices.profile import load
from emulator.conformance.declaration import key_file
from emulator.conformance.declaration.model import Timing, WayKind
from emulator.conformance.declaration.of_profile import Circumstances, declare, keys_of
from emulator.conformance.declaration.rendering import render
from emulator.head_end.party import client_titles
from emulator.meter_address import Way
from emulator.sandbox import RunningMeter, Sandbox
from tls.pki import TestPki

ANSWER = 0.3
"""Seconds: all of it is in this machine."""


class Elsewhere(NamedTuple):
    """A meter of another's, and the file that its owner has written of it."""

    meter: RunningMeter
    declaration: Path


@contextmanager
def running(profile: str) -> Iterator[RunningMeter]:
    started, stopped = threading.Event(), threading.Event()
    box: dict[str, Any] = {}

    async def main() -> None:
        pki = TestPki.create(now=dt.datetime.now(dt.UTC))
        async with Sandbox(
            [load(profile)],
            pki=pki,
            fleet_secret=b"not of the fuzzer's" * 2,
            client_titles=client_titles(),
            ways=list(Way),
        ) as sandbox:
            loop = asyncio.get_running_loop()
            end = asyncio.Event()
            box.update(meter=sandbox.meters[profile])
            box["end"] = lambda: loop.call_soon_threadsafe(end.set)
            started.set()
            await end.wait()
        stopped.set()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert started.wait(30)
        yield box["meter"]
    finally:
        box["end"]()
        thread.join(30)
        assert stopped.is_set()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[..., Elsewhere]]:
    """``elsewhere(kind=WayKind.TCP, spend=True, fuzz_never=...)``: declared for that way, with
    settings.
    """
    with running("laboratory") as meter:

        def make(kind: WayKind = WayKind.TCP, *, spend: bool = True, **settings: str) -> Elsewhere:
            profile = meter.device.profile
            how = Circumstances(
                titles=client_titles(), kind=kind, spend=spend, timing=Timing(answer=ANSWER)
            )
            path, keys = tmp_path / f"{kind.value}.toml", tmp_path / "device.keys.toml"
            if not keys.exists():
                found = keys_of(profile, meter.device.title, meter.ring, client_titles())
                key_file.save(keys, found)
            declaration = declare(profile, meter.address, how)
            said = {**declaration.settings, **settings}
            declaration = replace(
                declaration,
                key_file=str(keys),
                settings={name.replace("_", "."): value for name, value in said.items()},
            )
            path.write_text(render(declaration), "utf-8")
            return Elsewhere(meter, path)

        yield make
