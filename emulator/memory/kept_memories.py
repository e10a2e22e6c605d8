"""Memories in a folder: states and keys in SQLite, counters in a journal beside it.

A counter moves with every message, and a wait for the disk each time would be too slow; a state
moves seldom, and must move with everything that goes with it. So each has its own file. They agree
because a counter is that of one version of one key: a key that has just come into force has no
counter in the journal, so it begins at 0, and before the commit nobody has used it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

from devices.life.living import LIVED
from devices.state import DeviceState
from devices.timekeeping import moment_of
from dlms.security.keys import KeyRef
from emulator.journal import Journal, StoreError
from emulator.memory.kept_counters import KeptCounters, KeptSpentKeys, drop_outdated
from emulator.memory.meter_memory import MeterMemory
from emulator.memory.sections import DESTROYED_KEYS, INSTALLER, KEYS, MADE
from emulator.memory.store import Store
from emulator.modules.keyring import KeyRing


def _journal(folder: Path) -> Path:
    return folder / "meters.journal"


def _store(folder: Path) -> Path:
    return folder / "meters.sqlite"


class KeptMemories:
    """Opens what :meth:`create` has made in ``folder``, for one process at a time.

    :class:`~emulator.journal.StoreError` if a file is missing, in use or damaged, or belongs to
    another fleet.
    """

    def __init__(self, folder: Path, fleet_secret: bytes) -> None:
        self._path = _store(folder)
        self._fleet_secret = fleet_secret
        self._loaded: dict[bytes, MeterMemory] = {}
        self.journal = Journal(_journal(folder))
        try:
            self.store = Store(self._path, fleet_secret)
        except BaseException:
            self.journal.close()
            raise

    @classmethod
    def create(cls, folder: Path, fleet_secret: bytes) -> None:
        """Make both files. ``FileExistsError`` if there is one already."""
        Journal.create(_journal(folder))
        Store.create(_store(folder), fleet_secret)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            self.store.close()
        finally:
            self.journal.close()

    def lived_until(self) -> dt.datetime | None:
        """The latest moment that any of the meters has lived through; ``None`` if none has."""
        found = self.store.values("figures", LIVED)
        return moment_of(max(found)) if found else None

    def load(
        self, title: bytes, profile: str, suite_of: Callable[[KeyRef], int], installer: str = ""
    ) -> MeterMemory:
        """As :class:`~emulator.memory.meter_memory.Memories` says."""
        if title in self._loaded:
            self._loaded[title].retire()
        kept = self.store.load(title)
        made = dict(kept.get(MADE, ()))
        if made and made["profile"] != profile:
            raise StoreError(
                f"{self._path}: the meter {title.hex().upper()} was made as {made['profile']} and "
                f"cannot be {profile}: take another workspace, or the profiles in the order of "
                "before"
            )
        drop_outdated(self.journal, title, dict(kept.get("key_versions", ())))
        state = DeviceState(
            KeptCounters(self.journal, title),
            lambda state, scope: KeptSpentKeys(self.journal, title, scope, state.key_versions),
            kept,
        )
        destroyed = (ref for ref, _ in kept.get(DESTROYED_KEYS, ()))
        ring = KeyRing(self._fleet_secret, suite_of, kept.get(KEYS, ()), destroyed)
        memory = self._loaded[title] = MeterMemory(
            state,
            ring,
            keep=partial(self.store.keep, title),
            profile=profile,
            is_new=not made,
            installer=made.get(INSTALLER, "") if made else installer,
        )
        return memory
