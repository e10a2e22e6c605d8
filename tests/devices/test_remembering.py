"""Dicts and sets that know what has changed, and are else what they would be without that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.remembering import Changed, Changes, Remembered, RememberedSet
from devices.state import DeviceState
from dlms.axdr.data import enum, integer
from dlms.security.spent_keys import SpentKeys

KEPT = {"a": 1, "b": 2, "c": 3}

WAYS: dict[str, Callable[[dict[str, int]], object]] = {
    "new": lambda d: d.__setitem__("n", 9),
    "other value": lambda d: d.__setitem__("a", 9),
    "del": lambda d: d.__delitem__("a"),
    "pop": lambda d: d.pop("b"),
    "pop or": lambda d: d.pop("b", None),
    "popitem": lambda d: d.popitem(),
    "update mapping": lambda d: d.update({"a": 9, "n": 8}),
    "update pairs": lambda d: d.update([("a", 9)]),
    "update words": lambda d: d.update(n=8),
    "setdefault": lambda d: d.setdefault("n", 9),
    "clear": lambda d: d.clear(),
    "or": lambda d: d.__ior__({"n": 9}),
}
NO_WAYS: dict[str, Callable[[dict[str, int]], object]] = {
    "pop nothing": lambda d: d.pop("x", None),
    "setdefault of what is there": lambda d: d.setdefault("a", 9),
    "update with nothing": lambda d: d.update(),
    "copy": lambda d: d.copy().clear(),
    "or another": lambda d: d | {"n": 9},
    "get": lambda d: d.get("n", 9),
}


def difference(before: dict[str, int], after: dict[str, int]) -> Changed[str, int]:
    kept = {key: after[key] for key in after if before.get(key) != after[key]}
    return Changed(kept, tuple(key for key in before if key not in after))


def same(one: Changed[str, int], other: Changed[str, int]) -> bool:
    return one.kept == other.kept and sorted(one.gone) == sorted(other.gone)


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def remembered(changes: Changes) -> Remembered[str, int]:
    return Remembered(changes, KEPT.items())


def test_it_begins_settled(remembered: Any, changes: Changes) -> None:
    assert remembered == KEPT
    assert remembered.changed() == ({}, ())
    assert not changes.any


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_change_it(remembered: Any, changes: Changes, way: str) -> None:
    plain = dict(KEPT)
    assert WAYS[way](remembered) == WAYS[way](plain)
    assert remembered == plain != KEPT
    assert changes.any
    assert same(remembered.changed(), difference(KEPT, plain))
    remembered.revert()
    assert remembered == KEPT
    assert remembered.changed() == ({}, ())
    WAYS[way](remembered)
    remembered.settle()
    assert remembered == plain
    assert remembered.changed() == ({}, ())
    remembered.revert()
    assert remembered == plain, "there is nothing before that any more"


@pytest.mark.parametrize("way", NO_WAYS)
def test_what_changes_nothing(remembered: Any, changes: Changes, way: str) -> None:
    NO_WAYS[way](remembered)
    assert remembered == KEPT
    assert not changes.any


def test_no_way_is_forgotten() -> None:
    """Whatever a dict has that could change it is here, or another Python has more."""
    reading = {"get", "items", "keys", "values", "copy", "fromkeys"}
    public = {name for name in vars(dict) if not name.startswith("_")}
    assert public - reading == {"pop", "popitem", "update", "setdefault", "clear"}
    assert public - reading <= vars(Remembered).keys()
    assert {"__setitem__", "__delitem__", "__ior__"} <= vars(Remembered).keys()


def test_errors_are_those_of_a_dict(remembered: Any, changes: Changes) -> None:
    for wrong in (lambda: remembered.pop("x"), lambda: remembered.__delitem__("x")):
        with pytest.raises(KeyError):
            wrong()
    with pytest.raises(KeyError):
        Remembered(changes).popitem()
    assert not changes.any


def test_back_and_forth_is_no_change(remembered: Any) -> None:
    remembered["a"] = 9
    remembered["a"] = 1
    remembered["n"] = 9
    del remembered["n"]
    del remembered["b"]
    remembered["b"] = 2
    assert remembered.changed() == ({}, ())


def test_the_same_number_in_another_type_is_a_change(changes: Changes) -> None:
    remembered = Remembered(changes, [("a", enum(1))])
    remembered["a"] = integer(1)
    assert remembered.changed().kept == {"a": integer(1)}


OPS = st.lists(st.tuples(st.sampled_from([*WAYS, *NO_WAYS, "settle", "revert"])), max_size=12)


@given(OPS)
def test_any_order(steps: list[tuple[str]]) -> None:
    changes = Changes()
    remembered, plain, kept = Remembered(changes, KEPT.items()), dict(KEPT), dict(KEPT)
    for (name,) in steps:
        if name == "settle":
            remembered.settle()
            kept = dict(plain)
        elif name == "revert":
            remembered.revert()
            plain = dict(kept)
            remembered = Remembered(changes, plain.items())  # popitem goes by order
        else:
            way = WAYS.get(name) or NO_WAYS[name]
            try:
                way(plain)
            except KeyError:
                with pytest.raises(KeyError):
                    way(remembered)
            else:
                way(remembered)
        assert remembered == plain
        assert same(remembered.changed(), difference(kept, plain))
    remembered.revert()
    assert remembered == kept


# Sets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way",
    [
        lambda s: s.add(9),
        lambda s: s.discard(1),
        lambda s: s.remove(1),
        lambda s: s.pop(),
        lambda s: s.clear(),
        lambda s: s.update((8, 9), (7,)),
        lambda s: s.__ior__({9}),
        lambda s: s.__iand__({1}),
        lambda s: s.__isub__({1}),
        lambda s: s.__ixor__({1, 9}),
    ],
)
def test_every_way_to_change_a_set(way: Callable[[Any], Any]) -> None:
    changes = Changes()
    remembered = RememberedSet(changes, (1, 2, 3))
    assert remembered == {1, 2, 3}
    assert not changes.any
    way(remembered)
    assert remembered != {1, 2, 3}
    assert changes.any
    remembered.of.revert()
    assert remembered == {1, 2, 3}


def test_what_changes_no_set() -> None:
    changes = Changes()
    remembered = RememberedSet(changes, (1, 2))
    remembered.add(1)
    remembered.discard(9)
    remembered.update((1, 2))
    assert remembered | {9} == {1, 2, 9}
    assert (len(remembered), 1 in remembered, bool(RememberedSet(changes))) == (2, True, False)
    assert not changes.any


# A whole state ------------------------------------------------------------------------------------

CHANGES: dict[str, Callable[[DeviceState], object]] = {
    "values": lambda s: s.values.update({(bytes(6), 2): enum(1)}),
    "clock_offset": lambda s: setattr(s, "clock_offset", s.clock_offset.resolution),
    "security_revision": lambda s: setattr(s, "security_revision", 7),
    "used_tokens": lambda s: s.used_tokens.add(1),
    "spent": lambda s: s.spent.__setitem__("dco", s.spent["dco"].without_wrapped()),
    "rows": lambda s: s.rows.update({(bytes(6), 2): enum(1)}),
    "image": lambda s: s.image.update({1: b"block"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_state_goes_back_and_says_so(name: str) -> None:
    state, told = DeviceState(), []
    state.on_revert = lambda: told.append(True)
    spent, before = state.spent["dco"], state.digest()
    assert not state.changes.any, "to look at spent keys changes nothing"
    CHANGES[name](state)
    assert state.changes.any
    state.revert()
    assert (state.digest(), state.spent["dco"], told) == (before, spent, [True])
    assert not state.changes.any
    CHANGES[name](state)
    after = state.digest()
    state.settle()
    assert not state.changes.any
    state.revert()
    assert state.digest() == after


def test_counters_do_not_go_back() -> None:
    """What a message has spent stays spent, whatever becomes of the message."""
    state = DeviceState()
    key: Any = ("key",)
    state.counters.accept(key, 41)
    state.spent["dco"].add(b"\1mark")
    state.values[bytes(6), 2] = enum(1)
    state.revert()
    assert state.counters.floor(key) == 42
    assert state.spent["dco"].snapshot() == (b"\1mark",)


def test_a_state_is_made_of_what_was_kept() -> None:
    first = DeviceState()
    for change in CHANGES.values():
        change(first)
    again = DeviceState(
        spent=lambda state, scope: SpentKeys(),
        kept={name: section.items() for name, section in first.sections.items()},
    )
    assert again.digest() == first.digest()
    assert again.clock_offset == first.clock_offset != DeviceState().clock_offset
    assert again.security_revision == 7
    assert not again.changes.any


def test_every_part_of_a_state_is_in_a_section() -> None:
    state = DeviceState()
    apart = {"counters", "spent", "changes", "on_revert", "sections"}
    parts = [getattr(state, name) for name in DeviceState.__slots__ if name not in apart]
    found = [getattr(part, "of", part) for part in parts]
    assert sorted(map(id, found)) == sorted(map(id, state.sections.values()))
