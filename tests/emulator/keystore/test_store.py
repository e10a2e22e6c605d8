"""Rows of keys: what follows what, when, and that nothing is half done."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.database import Database, sqlite_url
from emulator.journal import StoreError
from emulator.keystore.states import FOLLOWS, KeyState
from emulator.keystore.store import KeyStore

GUEK = KeyRef(b"SEC\x01\0\0\0\1", "s1sp", KeyKind.GUEK)
ROOT = KeyRef(b"S1P\0\0\0\0\1", "store of S1SP", KeyKind.KEK)
WRAPPED = bytes(range(24))


def made(store: KeyStore, name: KeyRef = GUEK) -> KeyRef:
    ref = store.give_name(name)
    store.fill(ref, WRAPPED, ROOT)
    return ref


def states(store: KeyStore) -> list[KeyState]:
    return [row.state for row in store.rows()]


def test_a_life(store: KeyStore) -> None:
    first = made(store)
    store.send([first])
    store.take([first])
    second = made(store)
    assert second.version == 2
    store.send([second])
    assert states(store) == [KeyState.IN_FORCE, KeyState.IN_DOUBT]
    store.take([second])
    assert states(store) == [KeyState.RETIRED, KeyState.IN_FORCE]
    store.destroy([first])
    row = store.row(first)
    assert row is not None
    assert (row.state, row.wrapped, row.kek) == (KeyState.DESTROYED, None, None)
    moments = [row.entered[state] for state in KeyState]
    assert moments == sorted(moments)
    assert len(set(moments)) == len(KeyState)
    assert store.give_name(GUEK).version == 3


def test_versions_never_come_twice(store: KeyStore) -> None:
    first = made(store)
    store.destroy([first])
    assert store.give_name(GUEK).version == 2
    assert store.give_name(GUEK._replace(scope="dco")).version == 1
    single = GUEK._replace(lifetime=KeyLifetime.SINGLE_ASSOCIATION)
    assert store.give_name(single).version == 1


def test_what_the_meter_kept_takes_the_place_of_all_in_doubt(store: KeyStore) -> None:
    refs = [made(store) for _ in range(3)]
    for ref in refs:
        store.send([ref])
    assert [row.transfer for row in store.rows()] == [1, 2, 3]
    store.take([refs[1]])
    assert states(store) == [KeyState.DESTROYED, KeyState.IN_FORCE, KeyState.DESTROYED]
    store.take([refs[1]])  # once more changes nothing
    assert states(store) == [KeyState.DESTROYED, KeyState.IN_FORCE, KeyState.DESTROYED]


def test_the_one_it_was_made_with_has_no_row(store: KeyStore) -> None:
    ref = made(store)
    store.send([ref])
    store.take([GUEK])
    assert states(store) == [KeyState.DESTROYED]


def put(store: KeyStore, state: KeyState) -> KeyRef:
    ref = made(store)
    ways = {
        KeyState.PENDING: [],
        KeyState.IN_DOUBT: [store.send],
        KeyState.IN_FORCE: [store.take],
        KeyState.RETIRED: [store.take, lambda refs: store.take([made(store)])],
        KeyState.DESTROYED: [store.destroy],
    }
    for way in ways[state]:
        way([ref])
    return ref


@pytest.mark.parametrize(("former", "then"), list(itertools.product(KeyState, repeat=2)))
def test_what_does_not_follow_is_refused_and_changes_nothing(
    former: KeyState, then: KeyState, store: KeyStore
) -> None:
    ref = put(store, former)
    before = store.rows()
    enter = {
        KeyState.IN_DOUBT: store.send,
        KeyState.IN_FORCE: store.take,
        KeyState.DESTROYED: store.destroy,
    }
    if then not in enter or then is former:
        return
    if then in FOLLOWS[former]:
        enter[then]([ref])
        row = store.row(ref)
        assert row is not None
        assert row.state is then
    else:
        other = made(store, GUEK._replace(scope="dco"))
        with pytest.raises(StoreError, match="is not to be"):
            enter[then]([other, ref])
        assert store.rows(scope="s1sp") == before
        assert [row.state for row in store.rows(scope="dco")] == [KeyState.PENDING]


def test_octets_come_once(store: KeyStore) -> None:
    ref = made(store)
    with pytest.raises(StoreError, match="waits for its octets"):
        store.fill(ref, WRAPPED, ROOT)


def test_nothing_is_kept_under_a_wrapping_key_that_was_replaced(store: KeyStore) -> None:
    kek, later = made(store, ROOT), made(store, ROOT)
    store.take([kek])
    ref = store.give_name(GUEK)
    store.take([later])
    with pytest.raises(StoreError, match="replaced meanwhile"):
        store.fill(ref, WRAPPED, kek)
    store.fill(ref, WRAPPED, later)


def test_another_process_finds_it(store: KeyStore, path: Path) -> None:
    ref = made(store)
    database = Database(sqlite_url(path))
    assert [row.ref for row in KeyStore(database).rows()] == [ref]
    database.close()


def test_no_repr_and_no_json_has_what_is_wrapped(store: KeyStore) -> None:
    made(store)
    [row] = store.rows()
    for text in (repr(row), repr(store), str(row.to_json())):
        assert WRAPPED.hex() not in text.lower()
        assert str(WRAPPED) not in text


def test_what_was_destroyed_is_not_in_the_files(store: KeyStore, path: Path) -> None:
    ref = made(store)
    files = (path, path.with_name("dcc.db-wal"))
    assert any(WRAPPED in file.read_bytes() for file in files)
    store.destroy([ref])
    store.database.forget_erased()
    assert not any(WRAPPED in file.read_bytes() for file in files)
