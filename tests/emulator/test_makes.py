"""Parts of one meter of another make: only that one, and only as long as it is to be."""

from __future__ import annotations

import copy

from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyRef
from emulator.serving.makes import Makes, bend, is_bent

KEY = KeyRef(b"LAB00001", "dco", KeyKind.GUEK)


class Doubled(InvocationCounters):
    __slots__ = ()

    def next_to_send(self, ek: KeyRef) -> int:
        return 2 * super().next_to_send(ek)


class OneMore(InvocationCounters):
    __slots__ = ()

    def next_to_send(self, ek: KeyRef) -> int:
        return super().next_to_send(ek) + 1


def counters() -> InvocationCounters:
    made = InvocationCounters()
    made.raise_to(KEY, 5)
    return made


def test_one_object_is_otherwise_and_no_other() -> None:
    one, other = counters(), counters()
    straighten = bend(one, Doubled)
    assert (one.next_to_send(KEY), other.next_to_send(KEY)) == (10, 5)
    assert (is_bent(one), is_bent(other)) == (True, False)
    straighten()
    assert one.next_to_send(KEY) == 5
    assert type(one) is InvocationCounters


def test_several_are_over_each_other_and_end_in_any_order() -> None:
    one = counters()
    first, second = bend(one, Doubled), bend(one, OneMore)
    assert one.next_to_send(KEY) == 11
    first()
    assert one.next_to_send(KEY) == 6
    first()
    assert one.next_to_send(KEY) == 6
    second()
    assert type(one) is InvocationCounters


def test_a_copy_is_of_the_same_make() -> None:
    one = counters()
    straighten = bend(one, Doubled)
    twin = copy.deepcopy(one)
    straighten()
    assert (one.next_to_send(KEY), twin.next_to_send(KEY)) == (5, 10)


def test_what_comes_and_goes_is_fitted_when_it_is_met() -> None:
    makes, early, late = Makes(), counters(), counters()
    assert not makes.are_touched
    makes.fit_association(early)
    assert not is_bent(early)
    take = makes.put_over_associations(Doubled)
    makes.fit_association(early)
    makes.fit_association(late)
    assert (early.next_to_send(KEY), late.next_to_send(KEY)) == (10, 10)
    makes.fit_peer(late)
    assert not is_bent(late)
    take()
    makes.fit_association(early)
    assert not is_bent(early)
    assert makes.are_touched
