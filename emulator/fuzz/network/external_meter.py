"""Another's meter as it is from run to run: its declaration, its keys by now, and the counters of
its clients, none of which is used twice.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlms.association.config import AssociationKeys
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyRef
from emulator.client.keys import Keys, named_by_fingerprint, octets_of
from emulator.conformance.declaration import key_file
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.running.declared import read_target
from emulator.conformance.trying.target import Target as Device
from emulator.conformance.trying.trial import OWN_TITLE
from emulator.counter_file import CounterFile, FiledCounters
from emulator.fuzz.in_process.altering import Vectors
from emulator.fuzz.in_process.client import Party
from emulator.fuzz.in_process.overhearing import Overhearing
from emulator.fuzz.network.guarding import GuardedModule
from emulator.fuzz.network.intentions import is_destructive, pace_of, promise
from emulator.fuzz.network.meter_vectors import MeterVectors

_HEAD = """Keys of a device as fuzzing has left them. Entries "NAME made N" are keys that were made
for it, in their order: where an answer was lost, one of them is in force."""


class ExternalMeter:
    """``beside`` is where new keys are written before they go to the device; without it they end
    with this process. ``counters`` are those of the clients.
    """

    def __init__(
        self,
        device: Device,
        *,
        destructive: bool = False,
        beside: Path | None = None,
        counters: InvocationCounters | None = None,
    ) -> None:
        self.device = device
        self.destructive = destructive or is_destructive(device.declaration)
        self.pace = pace_of(device.declaration)
        self.counters = device.counters if counters is None else counters
        self.vectors = Vectors()
        self.meter_vectors = MeterVectors()
        self.overhearing = Overhearing()
        self.asked: set[KeyRef] = set()
        """Keys whose counters have been brought to where the device awaits them."""
        self._end_run: Callable[[], None] = lambda: None
        self._parties: dict[str, Party] = {}
        self._beside = beside
        self._file: Path | None = None
        self._made: dict[str, Keys] = {}

    @property
    def promise(self) -> tuple[str, ...]:
        """What will be done to it, and what will not."""
        return promise(destructive=self.destructive)

    @property
    def new_keys(self) -> Path | None:
        """Where the keys are that were made for it, if any were."""
        return self._file

    def begin(self, end: Callable[[], None]) -> None:
        """A run begins, and ends the one before: a meter has one line, or room for so many."""
        end_before, self._end_run = self._end_run, end
        end_before()

    def party(self, row: DeclaredAssociation) -> Party:
        """Who has the keys of an association. ``ValueError`` if nobody has."""
        name = row.keys or row.name
        title = row.own_title or OWN_TITLE
        where = f"{name} {title.hex()} {row.suite}"
        if where not in self._parties:
            try:
                held = self.device.held(row)
            except KeyError:
                raise ValueError(f"the keys {row.keys!r} of {row.name} are not at hand") from None
            module = GuardedModule(held.ring, title, destructive=self.destructive)
            module.last = lambda ek: self.counters.next_to_send(ek) - 1
            party = Party(name, title, held.ring, module, self.vectors)
            party.counters = self.counters
            party.lasting = lambda made: self._lasting(party, made)
            self._parties[where] = party
        party = self._parties[where]
        party.keys.setdefault(row.name, self.device.held(row).refs)
        return party

    def share(self, association: str) -> None:
        """Other associations that go by the same keys and Security setup have what that one has."""
        declaration = self.device.declaration
        mine = declaration.association(association)
        if not mine.keys:
            return
        party = self.party(mine)
        for one in declaration.associations:
            if (one.keys, one.security_setup) == (mine.keys, mine.security_setup):
                party.keys[one.name] = party.keys[mine.name]

    def _lasting(self, party: Party, made: KeyRef) -> KeyRef:
        """Note a key that is about to be sent: whoever owns the meter needs it, come what may."""
        lasting = named_by_fingerprint(party.ring, made)
        fields: dict[str, Any] = {made.kind.name.lower(): lasting}
        refs = AssociationKeys(**fields)
        number = len(self._made) + 1
        self._made[f"{party.name} made {number}"] = octets_of(party.ring, refs)
        self.keep_keys()
        return lasting

    def keep_keys(self) -> None:
        """Write down all keys by now. ``OSError`` if that cannot be: then nothing is sent."""
        if self._beside is None or not self._made:
            return
        known = {
            party.name: octets_of(party.ring, refs)
            for party in self._parties.values()
            for refs in party.keys.values()
        }
        if self._file is None:
            for number in itertools.count(1):
                path = self._beside.with_suffix(f".new-keys-{number}.toml")
                with suppress(FileExistsError):
                    key_file.save(path, {**known, **self._made}, _HEAD)
                    self._file = path
                    return
        assert self._file is not None
        fresh = self._file.with_suffix(".part")
        fresh.unlink(missing_ok=True)
        key_file.save(fresh, {**known, **self._made}, _HEAD)
        os.replace(fresh, self._file)


def read_meter(path: Path, *, destructive: bool = False) -> ExternalMeter:
    """By its declaration. Counters are reserved in a file beside it, so that another process goes
    on behind them. :class:`~devices.profile.ProfileError` and ``OSError`` say what is wrong.
    """
    counters = FiledCounters(CounterFile(path.with_suffix(".fuzz-counters.json")))
    return ExternalMeter(read_target(path), destructive=destructive, beside=path, counters=counters)
