"""What custody costs a top-up: the whole of it, from a User's signed request to the meter's answer,
over TLS. The floor does the same with a bare module: no policy, no ledger, software.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from head_ends import Tokens, TopUps, bare, tagged
from measure import FLOOR, OURS, Batch, Row, shares
from place import Place

from emulator.custody import Custody
from emulator.database import Database, sqlite_url
from emulator.ledger import Ledger
from emulator.ledger.store import LedgerStore
from emulator.ledger.writer import Writer
from emulator.policy import Actor
from tls.pki import TestPki

GROUP = "custody"
MANY = 8
AIM = {FLOOR: 1 / 1.15}
"""Tagging and ledger are to cost 15 % at the most."""


def rows(place: Place) -> Iterator[Row]:
    pki = TestPki.create(now=dt.datetime.now(dt.UTC))
    with (
        asyncio.Runner() as runner,
        TemporaryDirectory(prefix="cosemlab-bench-") as kept,
    ):
        tokens = Tokens(place, Path(kept))
        for name, which, count, aim in (
            ("top-up: policy and ledger, software", "software", 1, AIM),
            (f"top-up: policy and ledger, software, {MANY} at once", "software", MANY, AIM),
            ("top-up: everything in a token (SoftHSM)", "tokens", 1, {}),
            ("top-up: mixed by policy", "mixed", 1, {}),
        ):
            with ExitStack() as stack:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="cosemlab-bench-")))
                database = Database(sqlite_url(folder / "ledger.db"))
                writer = stack.enter_context(Writer(LedgerStore(database)))
                ledger = Ledger(None, sink=writer, keep=False)
                custody = tagged(place, which, ledger, tokens)
                batch = partial(_batch, runner, place, pki, count)
                contestants = {OURS: batch(custody), FLOOR: batch(bare(place))}
                yield Row(group=GROUP, name=name, contestants=contestants, least={}, aim=aim)


def _batch(
    runner: asyncio.Runner,
    place: Place,
    pki: TestPki,
    count: int,
    custody: Callable[[Actor], Custody],
) -> Batch:
    workers = [TopUps(place, pki, custody) for _ in range(count)]

    async def work(operations: int) -> None:
        parts = zip(workers, shares(operations, count), strict=True)
        await asyncio.gather(*(worker(part) for worker, part in parts))

    return lambda operations: runner.run(work(operations))
