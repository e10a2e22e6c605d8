"""Meters in processes that are killed, for test_kills.py.

``python served.py FOLDER`` reads a line of JSON for each run of the meter, forks the process that
serves it, and says "over" when that has ended. The process says where it listens. A run has a
moment (``minutes``), and may kill itself at a ``point`` of its first commit while it serves.

Whatever was used is in ``FOLDER/used`` before it can have any effect: ``sent`` and the hash of an
encryption key with an initialization vector, ``taken`` and the name of a key with a counter.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import hashlib
import json
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from devices.profile import Profile, load
from dlms.cosem import classes
from dlms.security import ops
from dlms.security.keys import KeyRef
from emulator import sandbox as sandboxes
from emulator.head_end.party import client_titles
from emulator.memory import store
from emulator.memory.kept_counters import KeptCounters
from emulator.memory.kept_memories import KeptMemories
from emulator.modules.software import SoftwareModule
from emulator.sandbox import Sandbox
from emulator.virtual_clock import VirtualClock
from tls.pki import TestPki

BEGIN = dt.datetime(2019, 3, 5, 12, 0, tzinfo=dt.UTC)
POINTS = ("before BEGIN", "before COMMIT", "after COMMIT")


class Deadly(sqlite3.Connection):
    """Kills its process at a point of a commit."""

    point: str | None = None

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        word = sql.split(" ", 1)[0]
        self._pass(f"before {word}")
        cursor = super().execute(sql, *more)
        self._pass(f"after {word}")
        return cursor

    def _pass(self, point: str) -> None:
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched(SoftwareModule):
    """Writes down what it is about to send."""

    log = -1

    def execute(self, op: Any) -> Any:
        if isinstance(op, ops.Seal | ops.Mac) and op.use is not ops.Use.TOKEN:
            key = hashlib.sha256(self._keys.get(op.ek)).hexdigest()[:16]
            note(f"sent {key} {op.title.hex()}{op.counter:08x}")
        return super().execute(op)


def note(line: str) -> None:
    os.write(Watched.log, f"{line}\n".encode())


def watch(folder: Path) -> None:
    Watched.log = os.open(folder / "used", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    accept = KeptCounters.accept

    def accepted(self: KeptCounters, ek: KeyRef, received: int) -> None:
        accept(self, ek, received)
        note(f"taken {ek} {received}")

    KeptCounters.accept = accepted  # type: ignore[method-assign]


async def warm(profile: Profile, pki: TestPki) -> None:
    """Work out what every run would: readings since the meter was installed, say."""
    async with Sandbox(
        [profile],
        pki=pki,
        fleet_secret=bytes(32),
        client_titles=client_titles(),
        clock=VirtualClock(BEGIN, factor=0),
    ) as sandbox:
        meter = sandbox.meters["secure"].device
        for row in profile.objects.values():
            if row.interface_class is classes.REGISTER:
                meter.attribute(row, 2, profile.associations["s1sp"], BEGIN)


async def serve(folder: Path, profile: Profile, pki: TestPki, run: dict[str, Any]) -> None:
    connect = store._connect
    store._connect = lambda path: connect(path, Deadly)  # type: ignore[assignment]
    moment = BEGIN + dt.timedelta(minutes=run["minutes"])
    with KeptMemories(folder, bytes(32)) as memories:
        async with Sandbox(
            [profile],
            pki=pki,
            fleet_secret=bytes(32),
            client_titles=client_titles(),
            memories=memories,
            clock=VirtualClock(moment, factor=0),
            on_event=lambda event: note(f"event {time.time_ns()} {event}"),
        ) as sandbox:
            address = sandbox.meters["secure"].address
            Deadly.point = run["point"]
            say({"pid": os.getpid(), "port": address.plain_port})
            await asyncio.Event().wait()


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)


def main(folder: Path) -> None:
    pki = TestPki.load(folder / "pki")
    profile = load("secure")
    asyncio.run(warm(profile, pki))
    sandboxes.SoftwareModule = Watched  # type: ignore[misc]
    gc.freeze()
    while line := sys.stdin.readline():
        pid = os.fork()
        if not pid:
            watch(folder)
            try:
                asyncio.run(serve(folder, profile, pki, json.loads(line)))
            finally:
                os._exit(1)
        os.waitpid(pid, 0)
        say("over")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
