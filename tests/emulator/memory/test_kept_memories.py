"""What one process has committed the next one finds, all of it, and nothing else."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.state import DeviceState
from dlms.axdr.data import Data, DataType, enum
from dlms.security.counters import CounterTooLow
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import KeyUnavailable
from emulator.journal import StoreError
from emulator.memory import store as stores
from emulator.memory.kept_memories import KeptMemories
from emulator.memory.meter_memory import Passing
from emulator.memory.store import NotKept, Store

SECRET = bytes(range(0x40, 0x60))
TITLE, OTHER_TITLE = b"EHL\1\0\0\0\1", b"EHL\1\0\0\0\2"
GUEK = KeyRef(TITLE, "an odd/näme", KeyKind.GUEK)
PLACE = bytes(6), 2


def opened(folder: Path) -> KeptMemories:
    return KeptMemories(folder, SECRET)


def test_everything_is_found_again(folder: Path, load: Any, fill: Any, contents: Any) -> None:
    with opened(folder) as memories:
        memory = load(memories)
        assert memory.is_new
        fill(memory)
        memory.commit()
        assert not memory.is_new
        before, digest = contents(memory), memory.state.digest()
        assert all(before.values()), "or what is tested here?"
        assert before.keys() >= memory.state.sections.keys()
    with opened(folder) as memories:
        again = load(memories)
        assert not again.is_new
        assert contents(again) == before
        assert again.state.digest() == digest
        assert list(again.state.history) == [0, 9, 10], "in the order of the keys"
        assert type(again.state.values[bytes((1, 0, 0, 0, 0, 255)), 0].type) is DataType
        assert not again.state.changes.any
        assert load(memories, OTHER_TITLE).is_new
        assert contents(load(memories, OTHER_TITLE))["values"] == {}


def test_only_what_was_committed(folder: Path, load: Any, fill: Any, contents: Any) -> None:
    with opened(folder) as memories:
        memory = load(memories)
        fill(memory)
        memory.commit()
        before = contents(memory)
        memory.state.figures["lived"] = 1
        memory.ring.keep(GUEK, bytes(16))
    with opened(folder) as memories:
        assert contents(load(memories)) == before


def test_what_is_taken_out_is_gone(folder: Path, load: Any, fill: Any) -> None:
    with opened(folder) as memories:
        memory = load(memories)
        fill(memory)
        memory.commit()
        for section in memory.state.sections.values():
            section.clear()
        memory.ring.discard(GUEK._replace(version=1))
        memory.commit()
    with opened(folder) as memories:
        again = load(memories)
        assert again.state.digest() == DeviceState().digest()
        assert set(again.ring.lasting) == {GUEK._replace(version=2)}
        assert not again.is_new


def test_a_meter_of_which_nothing_changed_is_known(folder: Path, load: Any) -> None:
    with opened(folder) as memories:
        load(memories).commit()
    with opened(folder) as memories:
        assert not load(memories).is_new


def test_only_what_changed_is_written(folder: Path, load: Any, fill: Any) -> None:
    with opened(folder) as memories:
        memory = load(memories)
        fill(memory)
        memory.commit()
        said: list[str] = []
        memories.store._connection.set_trace_callback(said.append)
        memory.commit()
        memory.state.figures["lived"] = 2**70
        memory.commit()
        assert said == [], "nothing is another than it was"
        memory.state.figures["lived"] = 5
        del memory.state.image[0]
        memory.state.used_tokens.add(7)
        memory.commit()
        rows = [line for line in said if line.startswith(("INSERT INTO memory", "DELETE"))]
        assert {line.split("'")[3] for line in rows} == {"figures", "image", "used_tokens"}
        assert [line for line in said if " " not in line or "IMMEDIATE" in line] == [
            "BEGIN IMMEDIATE",
            "COMMIT",
        ]


@pytest.mark.parametrize("name", ["meters.sqlite", "meters.sqlite-wal", "meters.journal"])
def test_only_the_owner_may_read(folder: Path, load: Any, name: str) -> None:
    with opened(folder) as memories:
        load(memories).commit()
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_waits_for_the_disk(folder: Path) -> None:
    with opened(folder) as memories:
        ask = memories.store._connection.execute
        assert ask("PRAGMA synchronous").fetchone() == (2,)
        assert ask("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ask("PRAGMA secure_delete").fetchone() == (1,)


def test_one_process_at_a_time(folder: Path) -> None:
    with opened(folder), pytest.raises(StoreError, match="in use by another process"):
        Store(folder / "meters.sqlite", SECRET)
    with opened(folder), pytest.raises(StoreError, match="in use by another process"):
        opened(folder)
    opened(folder).close()


def test_a_meter_of_another_profile_is_another_meter(folder: Path, load: Any) -> None:
    with opened(folder) as memories:
        load(memories).commit()
        with pytest.raises(StoreError, match="was made as secure and cannot be mine"):
            load(memories, TITLE, "mine")


# Keys ---------------------------------------------------------------------------------------------


def test_no_key_is_in_the_clear(folder: Path, load: Any, fill: Any) -> None:
    with opened(folder) as memories:
        memory = load(memories)
        fill(memory)
        memory.commit()
        keys = [*memory.ring.lasting.values(), SECRET]
        for path in folder.iterdir():
            octets = path.read_bytes()
            for key in keys:
                assert key not in octets
                assert key.hex().encode() not in octets


def test_a_key_that_is_destroyed_stays_so(folder: Path, load: Any) -> None:
    """One that could be derived again, too."""
    pair = GUEK._replace(kind=KeyKind.HLS_SECRET)
    with opened(folder) as memories:
        memory = load(memories)
        memory.ring.get(pair)
        memory.ring.discard(pair)
        memory.commit()
    with opened(folder) as memories:
        again = load(memories)
        with pytest.raises(KeyUnavailable):
            again.ring.get(pair)
        again.ring.keep(pair, b"new")
        assert again.ring.get(pair) == b"new"


def test_keys_of_one_association_are_not_kept(folder: Path, load: Any) -> None:
    passing = GUEK._replace(lifetime=KeyLifetime.SINGLE_ASSOCIATION, kind=KeyKind.DEDICATED)
    with opened(folder) as memories:
        memory = load(memories)
        memory.commit()
        memory.ring.keep(passing, bytes(16))
        memory.ring.get(GUEK)
        assert not memory.ring.changes.any
        memory.commit()
        assert memory.ring.get(passing) == bytes(16)
    with opened(folder) as memories:
        again = load(memories)
        assert again.ring.refs == set()


def test_keys_are_wrapped_for_one_meter_and_fleet(folder: Path, load: Any) -> None:
    """The same key is other octets for another meter."""
    with opened(folder) as memories:
        for title in (TITLE, OTHER_TITLE):
            memory = load(memories, title)
            memory.ring.keep(GUEK, bytes(range(16)))
            memory.commit()
        rows = memories.store._connection.execute(
            "SELECT value FROM memory WHERE section = 'keys'"
        ).fetchall()
        assert len(rows) == len(set(rows)) == 2


def test_a_key_alone_is_a_change(folder: Path, load: Any) -> None:
    with opened(folder) as memories:
        memory = load(memories)
        memory.commit()
        memory.ring.keep(GUEK, bytes(range(16)))
        memory.commit()
    with opened(folder) as memories:
        assert load(memories).ring.lasting == {GUEK: bytes(range(16))}


def test_how_former_keys_were_used_is_dropped_at_the_next_start(folder: Path, load: Any) -> None:
    """Not before: an association that is open may still have one."""
    rotated = GUEK._replace(version=1)
    with opened(folder) as memories:
        memory = load(memories)
        for ek in (GUEK, rotated):
            memory.state.counters.accept(ek, 6)
        memory.state.key_versions[GUEK.scope, KeyKind.GUEK] = 1
        memory.commit()
        assert len(list(memories.journal.names("floor"))) == 2
    with opened(folder) as memories:
        counters = load(memories).state.counters
        (name,) = memories.journal.names("floor")
        assert name.endswith("/1")
        assert (counters.floor(GUEK), counters.floor(rotated)) == (0, 7)


# Power cuts ---------------------------------------------------------------------------------------


@pytest.fixture(params=["kept", "passing"])
def memories(request: Any, folder: Path) -> Any:
    if request.param == "passing":
        yield Passing(SECRET)
        return
    with opened(folder) as memories:
        yield memories


def test_loaded_anew_it_has_what_was_committed(
    memories: Any, load: Any, fill: Any, contents: Any
) -> None:
    memory = load(memories)
    fill(memory)
    memory.commit()
    before = contents(memory)
    memory.state.figures["lived"] = 1
    memory.state.used_tokens.add(77)
    memory.ring.discard(GUEK._replace(version=2))
    again = load(memories)
    assert again is not memory
    assert again.state is not memory.state
    assert contents(again) == before
    assert not again.is_new
    again.state.figures["lived"] = 3
    again.commit()
    assert load(memories).state.figures["lived"] == 3


def test_loaded_anew_its_counters_go_on(memories: Any, load: Any) -> None:
    memory = load(memories)
    sent = [memory.state.counters.burn(GUEK) for _ in range(3)]
    memory.state.counters.accept(GUEK, 41)
    memory.state.spent["dco"].add(b"\1mark")
    again = load(memories).state
    assert again.counters.floor(GUEK) == 42
    with pytest.raises(CounterTooLow):
        again.counters.check(GUEK, 41)
    assert again.counters.burn(GUEK) > max(sent)
    assert again.spent["dco"].snapshot() == (b"\1mark",)


def test_nothing_committed_is_a_new_meter(memories: Any, load: Any, contents: Any) -> None:
    load(memories).state.figures["lived"] = 1
    again = load(memories)
    assert again.is_new
    assert contents(again)["figures"] == {}


def test_what_was_loaded_before_can_do_nothing_any_more(
    memories: Any, load: Any, contents: Any
) -> None:
    """Not even agree that there is nothing to keep: its meter must not answer."""
    memory = load(memories)
    memory.commit()
    told: list[bool] = []
    memory.state.on_revert = lambda: told.append(True)
    again = load(memories)
    for _ in range(2):
        with pytest.raises(StoreError, match="loaded anew"):
            memory.commit()
    memory.state.figures["lived"] = 1
    with pytest.raises(StoreError, match="loaded anew"):
        memory.commit()
    assert told
    assert contents(again)["figures"] == contents(load(memories))["figures"] == {}


# What cannot be kept ------------------------------------------------------------------------------


def fill_up(memories: KeptMemories) -> Callable[[], object]:
    """No room from now on; what is given makes some."""
    execute = memories.store._connection.execute
    (pages,) = execute("PRAGMA page_count").fetchone()
    execute(f"PRAGMA max_page_count = {pages}")
    return lambda: execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk(folder: Path, load: Any, fill: Any, contents: Any) -> None:
    """The meter is what it was, and goes on when there is room again."""
    with opened(folder) as memories:
        memory = load(memories)
        fill(memory)
        memory.commit()
        before = contents(memory)
        make_room = fill_up(memories)
        for _ in range(2):
            memory.state.figures["lived"] = 6
            memory.ring.keep(GUEK, b"new key")
            memory.state.image[1] = bytes(100_000)
            with pytest.raises(NotKept, match=r"meters\.sqlite: .*full"):
                memory.commit()
            assert contents(memory) == before
        memory.commit()
        make_room()
        memory.state.figures["lived"] = 7
        memory.commit()
    with opened(folder) as memories:
        assert contents(load(memories)) == {**before, "figures": {"lived": 7}}


def test_a_value_without_a_form_is_not_kept(folder: Path, load: Any, contents: Any) -> None:
    with opened(folder) as memories:
        memory = load(memories)
        memory.commit()
        memory.state.values[PLACE] = Data(DataType.ENUM, 256)
        memory.state.figures["lived"] = 1
        with pytest.raises(NotKept, match="has no form"):
            memory.commit()
        assert contents(memory)["values"] == contents(memory)["figures"] == {}
        memory.state.values[PLACE] = enum(255)
        memory.commit()


class Broken(sqlite3.Connection):
    """Nobody knows what a commit has done."""

    broken = False

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        if self.broken and sql == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *more)


def test_where_nobody_knows_the_meter_says_nothing_more(
    folder: Path, load: Any, monkeypatch: pytest.MonkeyPatch, contents: Any
) -> None:
    real = stores._connect
    monkeypatch.setattr(stores, "_connect", lambda path: real(path, Broken))
    with opened(folder) as memories:
        memory, other = load(memories), load(memories, OTHER_TITLE)
        memory.commit()
        other.commit()
        monkeypatch.setattr(Broken, "broken", True)
        memory.state.figures["lived"] = 1
        with pytest.raises(StoreError, match="disk I/O error"):
            memory.commit()
        monkeypatch.setattr(Broken, "broken", False)
        assert contents(memory)["figures"] == {}
        with pytest.raises(StoreError):
            memory.commit()
        other.commit()
        other.state.figures["lived"] = 1
        with pytest.raises(StoreError, match="nothing can be written any more"):
            other.commit()
        with pytest.raises(StoreError, match="nothing can be written any more"):
            load(memories)
    with opened(folder) as memories:
        assert contents(load(memories))["figures"] == {}


def test_closed_it_keeps_nothing(folder: Path, load: Any) -> None:
    memories = opened(folder)
    memory = load(memories)
    memory.commit()
    memories.close()
    memories.close()
    memory.state.figures["lived"] = 1
    with pytest.raises(StoreError, match="nothing can be written any more"):
        memory.commit()


def test_made_once(folder: Path) -> None:
    with pytest.raises(FileExistsError):
        KeptMemories.create(folder, SECRET)
    with pytest.raises(FileExistsError):
        Store.create(folder / "meters.sqlite", SECRET)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        with pytest.raises((PermissionError, StoreError)):
            opened(folder)
    finally:
        folder.chmod(0o700)
