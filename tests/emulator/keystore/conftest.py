"""A key store in a file, and head ends on it, each like a process of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlms.security.drive import run as run_step
from dlms.security.ops import Step
from emulator.database import Database, sqlite_url
from emulator.head_end.party import storage_key
from emulator.head_end.services import HeadEnd
from emulator.keystore.handed import StoredHandedKeys
from emulator.keystore.holds import Holds
from emulator.keystore.known import StoredKnownKeys
from emulator.keystore.store import KeyStore
from emulator.keystore.wrapping import Wrapping
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor


class Ticking:
    """A clock that is a second later each time it is looked at."""

    def __init__(self) -> None:
        self.at = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        self.at += dt.timedelta(seconds=1)
        return self.at


class Hands:
    """A party's hands on a store: its module, and what it keeps."""

    def __init__(self, store: KeyStore, ring: KeyRing, holds: Holds, actor: Actor) -> None:
        self.ring = ring
        self.noted: list[Any] = []
        self.wrapping = Wrapping(store, storage_key(actor), self.noted.append)
        self.known = StoredKnownKeys(self.wrapping, holds)
        self.handed = StoredHandedKeys(self.wrapping)
        self._module = SoftwareModule(ring)

    async def run(self, step: Step[Any]) -> Any:
        return run_step(step, self._module.execute)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dcc.db"


@pytest.fixture
def store(path: Path) -> Iterator[KeyStore]:
    database = Database(sqlite_url(path))
    yield KeyStore(database, Ticking())
    database.close()


@pytest.fixture
def hands(store: KeyStore, tmp_path: Path, fleet_secret: bytes) -> Callable[..., Hands]:
    """Each with an empty module: what it has is derived, or comes out of the store."""

    def make(actor: Actor = Actor.S1SP) -> Hands:
        return Hands(store, KeyRing(fleet_secret), Holds(tmp_path / "holds"), actor)

    return make


@pytest.fixture
def process(
    store: KeyStore, tmp_path: Path, make_head_end: Callable[..., HeadEnd], fleet_secret: bytes
) -> Callable[[], HeadEnd]:
    """A head end that knows what the store has, and nothing else."""

    def make() -> HeadEnd:
        ring = KeyRing(fleet_secret)
        head_end = make_head_end(modules=[SoftwareModule(ring)])
        for actor, party in head_end._parties.items():
            found = Hands(store, ring, Holds(tmp_path / "holds"), actor)
            # Each new process would go on with counters from its file.
            party.counters = _COUNTERS.setdefault((str(tmp_path), actor), party.counters)
            party.known, party.handed = found.known, found.handed
        return head_end

    return make


_COUNTERS: dict[Any, Any] = {}
