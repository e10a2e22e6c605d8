"""A meter's counters over a restart of its host: both directions, of the keys then in force."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.profile import load
from dlms.acse.names import Mechanism
from dlms.errors import LocalProtocolError
from dlms.security.counters import MAXIMUM, CounterTooLow, InvocationCounters
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.spent_keys import KeySpent, SpentKeys
from emulator import journal as journals
from emulator.client import Keys, connect
from emulator.client.errors import NotAssociated
from emulator.head_end.party import client_titles
from emulator.journal import Journal, StoreError
from emulator.key_suites import suites_of
from emulator.memory.kept_counters import BLOCK, KeptCounters, KeptSpentKeys, drop_outdated
from emulator.memory.kept_memories import KeptMemories
from emulator.modules.keyring import KeyRing
from emulator.sandbox import Sandbox

METER, OTHER_METER = b"ACL\x13\0\0\0\1", b"ACL\x13\0\0\0\2"
GUEK = KeyRef(METER, "s1sp", KeyKind.GUEK)
GBEK = GUEK._replace(kind=KeyKind.GBEK)
ODD = GUEK._replace(scope="an odd/näme v1")
DEDICATED = KeyRef(METER, "s1sp#1", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "meters.journal"
    Journal.create(path)
    return path


def kill(journal: Journal) -> None:
    os.close(journal._file)
    os.close(journal._lock)


def end(journal: Journal, how: str) -> None:
    kill(journal) if how == "killed" else journal.close()


@pytest.mark.parametrize("how", ["in order", "killed"])
def test_both_directions_of_each_key(path: Path, how: str) -> None:
    """R-IC-7, R-IC-1: sent values are not sent again; floors are exactly where they were."""
    journal = Journal(path)
    counters = KeptCounters(journal, METER)
    sent = {ek: [counters.burn(ek) for _ in range(count)] for ek, count in ((GUEK, 3), (ODD, 1))}
    for ek, received in ((GUEK, 6), (GBEK, 90), (ODD, 0)):
        counters.accept(ek, received)
    end(journal, how)
    with Journal(path) as journal:
        again = KeptCounters(journal, METER)
        for ek in (GUEK, GBEK, ODD):
            assert again.floor(ek) == counters.floor(ek) > 0
            with pytest.raises(CounterTooLow):
                again.check(ek, counters.floor(ek) - 1)
            again.check(ek, counters.floor(ek))
        assert sent[GUEK] == [0, 1, 2]
        assert again.burn(GUEK) == again.burn(ODD) == BLOCK
        assert again.burn(GBEK) == 0
        stranger = KeptCounters(journal, OTHER_METER)
        assert stranger.snapshot() == ()


def test_a_power_cut_of_the_host(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KL-IC-14 in both directions: too high by less than a block, never too low."""
    journal = Journal(path)
    counters = KeptCounters(journal, METER)
    counters.burn(GUEK)
    counters.accept(GUEK, 6)
    counters.accept(GUEK, 50)
    kill(journal)
    monkeypatch.setattr(journals, "this_boot", lambda: "another")
    with Journal(path) as journal:
        again = KeptCounters(journal, METER)
        assert again.burn(GUEK) == BLOCK
        assert again.floor(GUEK) == 7 + BLOCK


def test_floors_go_up_to_the_last_value(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-IC-4: a floor that is reserved ahead does not leave the range."""
    journal = Journal(path)
    KeptCounters(journal, METER).accept(GUEK, MAXIMUM - 1)
    kill(journal)
    monkeypatch.setattr(journals, "this_boot", lambda: "another")
    with Journal(path) as journal:
        assert KeptCounters(journal, METER).floor(GUEK) == MAXIMUM


def test_a_key_that_is_used_up_stays_so(path: Path) -> None:
    for _ in range(2):
        with Journal(path) as journal:
            counters = KeptCounters(journal, METER)
            counters.raise_to(GUEK, MAXIMUM - 1)
            assert counters.next_to_send(GUEK) <= MAXIMUM
            if counters.next_to_send(GUEK) < MAXIMUM:
                assert counters.burn(GUEK) == MAXIMUM - 1
            with pytest.raises(LocalProtocolError, match="used up"):
                counters.burn(GUEK)


def test_what_is_accepted_is_in_the_file_before_the_floor_moves(path: Path) -> None:
    """R-IC-6: what is not written is not accepted, and what is too low changes nothing."""
    with Journal(path) as journal:
        counters = KeptCounters(journal, METER)
        counters.accept(GUEK, 6)
        with pytest.raises(CounterTooLow):
            counters.accept(GUEK, 3)
        assert counters.floor(GUEK) == 7
    for spend in (lambda: counters.accept(GUEK, 9), lambda: counters.burn(GUEK)):
        with pytest.raises(StoreError):
            spend()
    assert (counters.floor(GUEK), counters.next_to_send(GUEK)) == (7, 0)


def test_keys_of_one_association_are_not_kept(path: Path) -> None:
    with Journal(path) as journal:
        counters = KeptCounters(journal, METER)
        counters.establish(DEDICATED)
        assert [counters.burn(DEDICATED) for _ in range(3)] == [0, 1, 2]
        counters.accept(DEDICATED, 5)
        counters.forget(DEDICATED)
        assert list(journal.names("")) == []


# Rotated keys -------------------------------------------------------------------------------------


def test_rotated_keys_begin_at_0_and_go_on(path: Path) -> None:
    """R-IC-2, R-IC-7: each version has counters of its own, over a restart too."""
    second = GUEK._replace(version=2)
    with Journal(path) as journal:
        counters = KeptCounters(journal, METER)
        counters.burn(GUEK)
        counters.accept(GUEK, 6)
        for version in (1, 2):
            rotated = GUEK._replace(version=version)
            counters.establish(rotated)
            assert counters.floor(rotated) == 0
            assert [counters.burn(rotated) for _ in range(2)] == [0, 1]
        counters.accept(second, 1000)
        assert counters.next_to_send(GUEK) == 1
    with Journal(path) as journal:
        again = KeptCounters(journal, METER)
        assert (again.floor(GUEK), again.floor(second)) == (7, 1001)
        assert again.burn(second) == BLOCK
        assert again.floor(GUEK._replace(version=3)) == 0


def test_counters_of_a_version_that_was_used_never_go_back(path: Path) -> None:
    """Say because an older state was put back by hand: I1 holds all the same."""
    rotated = GUEK._replace(version=1)
    with Journal(path) as journal:
        counters = KeptCounters(journal, METER)
        counters.establish(rotated)
        counters.burn(rotated)
        counters.accept(rotated, 41)
    with Journal(path) as journal:
        again = KeptCounters(journal, METER)
        again.establish(rotated)
        assert again.burn(rotated) == BLOCK
        with pytest.raises(CounterTooLow):
            again.check(rotated, 41)


def test_what_is_out_of_use_for_good_is_dropped(path: Path) -> None:
    """Only that: of the versions that are in force, and of other meters, everything is kept."""
    rotated, other = GUEK._replace(version=1), GUEK._replace(holder=OTHER_METER)
    versions = {("s1sp", KeyKind.GUEK): 1, ("s1sp", KeyKind.KEK): 1}
    with Journal(path) as journal:
        counters = KeptCounters(journal, METER)
        for ek in (GUEK, rotated, GBEK, ODD):
            counters.burn(ek)
            counters.accept(ek, 6)
        KeptCounters(journal, OTHER_METER).accept(other, 6)
        for now in ({}, versions):
            KeptSpentKeys(journal, METER, "s1sp", now).add(b"\1of %d" % len(now))
            KeptSpentKeys(journal, METER, "s1sp", now).add(b"\2agreed")
        drop_outdated(journal, METER, versions)
    with Journal(path) as journal:
        again = KeptCounters(journal, METER)
        assert {row.ek for row in again.snapshot()} == {rotated, GBEK, ODD}
        assert {again.floor(ek) for ek in (rotated, GBEK, ODD)} == {7}
        assert KeptCounters(journal, OTHER_METER).floor(other) == 7
        assert KeptSpentKeys(journal, METER, "s1sp", {}).snapshot() == (b"\2agreed",)
        spent = KeptSpentKeys(journal, METER, "s1sp", versions)
        assert spent.snapshot() == (b"\1of 2", b"\2agreed")


# Keys of single messages --------------------------------------------------------------------------


def test_spent_keys_stay_spent(path: Path) -> None:
    """KL-IC-22, KL-PK-05, over a restart; each scope of each meter for itself."""
    with Journal(path) as journal:
        KeptSpentKeys(journal, METER, "s1sp", {}).add(b"\4one")
        KeptSpentKeys(journal, METER, "s1sp", {}).add(b"\4two")
        KeptSpentKeys(journal, METER, "dco", {}).add(b"\4three")
    with Journal(path) as journal:
        spent = KeptSpentKeys(journal, METER, "s1sp", {})
        assert spent.snapshot() == (b"\4one", b"\4two")
        with pytest.raises(KeySpent):
            spent.check(b"\4one")
        spent.check(b"\4three")
        assert len(KeptSpentKeys(journal, OTHER_METER, "s1sp", {})) == 0


@pytest.mark.parametrize(
    ("kind", "replaced", "marks"),
    [
        (
            KeyKind.KEK,
            SpentKeys.without_wrapped,
            (b"\1first", b"\1second", b"\2other", b"\3another"),
        ),
        (
            KeyKind.AGREEMENT_KEY,
            SpentKeys.without_agreed,
            (b"\3first", b"\2second", b"\1other", b"\1another"),
        ),
        (
            KeyKind.AGREEMENT_KEY,
            SpentKeys.without_agreed,
            (b"\4first", b"\4second", b"\1other", b"\1another"),
        ),
    ],
)
def test_what_was_made_from_replaced_keys_is_forgotten(
    path: Path,
    kind: KeyKind,
    replaced: Callable[[SpentKeys], SpentKeys],
    marks: tuple[bytes, ...],
) -> None:
    """And what is made from the new ones is kept, as is what has nothing to do with them."""
    first, second, other, another = marks
    versions: dict[tuple[str, KeyKind], int] = {}
    with Journal(path) as journal:
        spent = KeptSpentKeys(journal, METER, "s1sp", versions)
        spent.add(first)
        spent.add(other)
        again = getattr(spent, replaced.__name__)()
        versions["s1sp", kind] = 2  # of key pairs not every version comes into force
        again.check(first)
        again.add(second)
        for mark in (second, other):
            with pytest.raises(KeySpent):
                again.check(mark)
        again.add(another)
    with Journal(path) as journal:
        kept = KeptSpentKeys(journal, METER, "s1sp", versions).snapshot()
        assert kept == tuple(sorted((second, other, another)))


def test_a_key_that_cannot_be_written_down_is_not_used(path: Path) -> None:
    with Journal(path) as journal:
        spent = KeptSpentKeys(journal, METER, "s1sp", {})
    with pytest.raises(StoreError):
        spent.add(b"\1one")
    assert len(spent) == 0


# A sandbox ----------------------------------------------------------------------------------------


class Host:
    """A sandbox that is started again and again on the same memories."""

    def __init__(self, path: Path, pki: Any) -> None:
        self.path, self.pki = path, pki
        self.profile = load("secure")
        self.events: list[str] = []

    def memories(self) -> KeptMemories:
        return KeptMemories(self.path, bytes(32))

    def sandbox(self, memories: KeptMemories) -> Sandbox:
        return Sandbox(
            [self.profile],
            pki=self.pki,
            fleet_secret=bytes(32),
            client_titles=client_titles(),
            memories=memories,
            on_event=lambda event: self.events.append(f"{event.kind}: {event.text}"),
        )

    async def read(self, sandbox: Sandbox, counter: int, counters: Any = None) -> None:
        """Associate as the S1SP with this counter, and read."""
        address = sandbox.meters["secure"].address
        config = self.profile.associations["s1sp"].config
        ring = KeyRing(bytes(32), suites_of(self.profile))
        kinds = {"guek": KeyKind.GUEK, "gak": KeyKind.GAK}
        octets = {
            word: ring.get(KeyRef(address.title, "s1sp", kind)) for word, kind in kinds.items()
        }
        async with (
            connect(address.host, address.plain_port) as client,
            client.associate(
                client_sap=config.client_sap,
                server_sap=config.server_sap,
                mechanism=Mechanism.HLS_GMAC,
                own_title=client_titles()["s1sp"],
                keys=Keys(**octets),
                counter=counter,
                counters=InvocationCounters() if counters is None else counters,
            ) as association,
        ):
            await association.get("0-0:42.0.0.255")


@pytest.fixture
def host(tmp_path: Path, pki: Any) -> Host:
    KeptMemories.create(tmp_path, bytes(32))
    return Host(tmp_path, pki)


@pytest.mark.parametrize("how", ["in order", "killed"])
async def test_a_replay_from_before_the_restart_is_refused(host: Host, how: str) -> None:
    """R-IC-7, KL-IC-09, KL-IC-16: what was good before is too low now, and what follows is good."""
    async with asyncio.timeout(30):
        memories = host.memories()
        async with host.sandbox(memories) as sandbox:
            await host.read(sandbox, 100)
            floor = sandbox.meters["secure"].device.state.counters.floor
            key = sandbox.meters["secure"].device.key("s1sp", KeyKind.GUEK)
            reached = floor(key)
            assert reached > 100
        memories.store.close()
        end(memories.journal, how)
        with host.memories() as memories:
            async with host.sandbox(memories) as sandbox:
                assert sandbox.meters["secure"].device.state.counters.floor(key) == reached
                with pytest.raises(NotAssociated):
                    await host.read(sandbox, reached - 1)
                assert f"invocation counter {reached - 1} is below {reached}" in host.events[-1]
                await host.read(sandbox, reached)


async def test_a_meter_that_cannot_write_says_nothing(host: Host) -> None:
    """It hangs up: better no answer than one it will not know of. The next one is as good."""
    async with asyncio.timeout(30):
        memories = host.memories()
        async with host.sandbox(memories) as sandbox:
            state = sandbox.meters["secure"].device.state
            await host.read(sandbox, 100)
            before = state.counters.snapshot()
            memories.close()
            for _ in range(2):
                with pytest.raises(ConnectionError):
                    await host.read(sandbox, 200)
                assert host.events[-1].startswith("unable: ")
            assert state.counters.snapshot() == before
