"""A campaign in processes that are killed, for test_kills.py.

``python killed.py WORKSPACE USED`` reads a number for each run, forks a process that goes on with
the last campaign, and kills that at the point of this number; 0 lets it run to its end. It answers
with the number of points that were passed, or "killed". Points are where something has just been
written down, or is about to be: by transactions, by files of counters, and by what is sent.

An encryption key's hash with an initialization vector is in the file USED before it is used.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dlms.security import ops
from emulator.cli import campaign, parties
from emulator.database import Database
from emulator.head_end.party_association import PartyAssociation
from emulator.keystore.store import utc_now
from emulator.ledger import Ledger
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER
from emulator.rotation.campaigns import Campaigns
from emulator.rotation.runner import Bounds, Runner
from emulator.shared_file import SharedFile
from emulator.workspace import Workspace


class Points:
    def __init__(self, deadly: int) -> None:
        self.passed = 0
        self._deadly = deadly

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(point: Callable[[], None], used: Path) -> None:
    """From now on this process passes points."""
    begin, changing, action = Database.begin, SharedFile.changing, PartyAssociation.action
    execute = SoftwareModule.execute

    @contextmanager
    def began(self: Database) -> Iterator[sa.Connection]:
        point()
        with begin(self) as connection:
            yield connection
            point()
        point()

    @contextmanager
    def changed(self: SharedFile) -> Iterator[dict[str, Any]]:
        with changing(self) as document:
            yield document
            point()
        point()

    async def acted(self: PartyAssociation, *arguments: Any) -> Any:
        point()
        result = await action(self, *arguments)
        point()
        return result

    def executed(self: SoftwareModule, op: ops.CryptoOp) -> Any:
        if isinstance(op, ops.Seal | ops.Mac):
            key = hashlib.sha256(self._keys.get(op.ek)).hexdigest()[:16]
            with used.open("a") as file:
                file.write(f"{key} {op.title.hex()} {op.counter}\n")
        return execute(self, op)

    Database.begin = began  # type: ignore[method-assign]
    SharedFile.changing = changed  # type: ignore[method-assign]
    PartyAssociation.action = acted  # type: ignore[method-assign]
    SoftwareModule.execute = executed  # type: ignore[method-assign]


async def go_on(path: Path, begin: Callable[[], None]) -> None:
    """As ``cosemlab campaign resume`` does. Points are passed from ``begin`` on."""
    workspace = Workspace(path)
    meters = campaign._meters(workspace)
    args = argparse.Namespace(
        mode="observe", edition=LETTER.name, keylog=None, database=None, modules="software"
    )
    profiles = {address.title: profile for address, profile in meters.values()}
    campaigns = Campaigns(workspace.database(), utc_now)
    latest = campaigns.latest()
    assert latest is not None
    with (
        workspace.holds.hold("campaign") as sole,
        parties.head_end_of(workspace, args, Ledger(), profiles) as head_end,
    ):
        assert sole
        runner = Runner(
            head_end,
            workspace.key_store(),
            campaigns,
            meters,
            Bounds(at_once=3, tries=3),
            lambda step: None,
            lambda tries: asyncio.sleep(0),
        )
        begin()
        await runner.run(latest.number)


def main() -> None:
    path, used = Path(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            points = Points(int(line))
            asyncio.run(go_on(path, partial(watch, points, used)))
            os.write(write, str(points.passed).encode())
            os._exit(0)
        os.close(write)
        told = os.read(read, 100).decode()
        os.close(read)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else told or "failed", flush=True)


if __name__ == "__main__":
    main()
